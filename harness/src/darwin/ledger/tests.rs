use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A host in which the process is killed after so many steps: what it does then has no effect.
#[derive(Clone, Debug, Default)]
struct Simulated {
    /// What stands: whether it is ours, and whether it has addresses.
    network: BTreeMap<Thing, (bool, bool)>,
    file: String,
    steps_left: Option<usize>,
    boot: &'static str,
}

impl Simulated {
    fn new(theirs: &[u8]) -> Self {
        let network = theirs.iter().map(|n| (feth(*n), (false, true))).collect();
        Self { network, boot: "b1", ..Self::default() }
    }

    fn live(&mut self) -> Result<(), String> {
        match &mut self.steps_left {
            Some(0) => return Err("killed".to_owned()),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(())
    }

    fn of(&self, ours: bool) -> Vec<Thing> {
        let of = |(thing, (is_ours, _)): (&Thing, &(bool, bool))| {
            (*is_ours == ours).then(|| thing.clone())
        };
        self.network.iter().filter_map(of).collect()
    }
}

impl System for Simulated {
    fn note(&mut self, line: &str) -> Result<(), String> {
        // A write that is interrupted may leave a part of the line.
        if self.steps_left == Some(0) {
            return Err("killed".to_owned());
        }
        if self.steps_left == Some(1) {
            self.file.push_str(&line[..line.len() / 2]);
            self.steps_left = Some(0);
            return Err("killed".to_owned());
        }
        self.live()?;
        self.file.push_str(line);
        Ok(())
    }

    fn notes(&mut self) -> Result<String, String> {
        self.live()?;
        Ok(self.file.clone())
    }

    fn forget(&mut self) -> Result<(), String> {
        self.live()?;
        self.file.clear();
        Ok(())
    }

    fn make(&mut self, thing: &Thing) -> Result<Made, String> {
        self.live()?;
        if self.network.contains_key(thing) {
            return Ok(Made::Taken);
        }
        let in_use = matches!(thing, Thing::Route(_));
        self.network.insert(thing.clone(), (true, in_use));
        Ok(Made::New)
    }

    fn remove(&mut self, thing: &Thing) -> Result<(), String> {
        self.live()?;
        self.network.remove(thing).map(|_| ()).ok_or_else(|| "there is none".to_owned())
    }

    fn standing(&mut self, thing: &Thing) -> Result<Standing, String> {
        self.live()?;
        Ok(match self.network.get(thing) {
            None => Standing::No,
            Some((_, true)) => Standing::InUse,
            Some(_) => Standing::Bare,
        })
    }

    fn boot(&self) -> String {
        self.boot.to_owned()
    }
}

fn feth(number: u8) -> Thing {
    Thing::Interface(format!("feth{number}"))
}

/// A lab: so many interfaces are made, get addresses, and go again.
fn lab(host: &mut Simulated, count: usize, orderly: bool) -> Result<(), String> {
    let mut made = Vec::new();
    for _ in 0..count {
        let thing = make(host, (0..50).map(feth))?;
        host.live()?;
        host.network.get_mut(&thing).unwrap().1 = true;
        made.push(thing);
    }
    if orderly {
        made.iter().rev().try_for_each(|thing| remove(host, thing))?;
    }
    Ok(())
}

#[test]
fn a_lab_that_ends_in_order_leaves_nothing() {
    let mut host = Simulated::new(&[0, 2]);
    lab(&mut host, 3, true).unwrap();
    assert_eq!(host.of(true), []);
    assert_eq!(clean(&mut host), Ok(Cleaned::default()));
    assert_eq!(host.of(false), [feth(0), feth(2)]);
}

#[test]
fn what_is_left_goes_the_last_made_first() {
    let mut host = Simulated::new(&[]);
    lab(&mut host, 2, false).unwrap();
    let route = Thing::Route("192.0.2.0/24".to_owned());
    make(&mut host, [route.clone()]).unwrap();
    let removed = vec![route, feth(1), feth(0)];
    assert_eq!(clean(&mut host), Ok(Cleaned { removed, left: vec![] }));
    assert_eq!(host.file, "");
}

#[test]
fn a_setting_is_put_back() {
    let mut host = Simulated::new(&[]);
    let setting: Thing = "setting net.link.fake.txstart=1".parse().unwrap();
    make(&mut host, [setting.clone()]).unwrap();
    assert_eq!(left(&mut host), Ok(vec![setting.clone()]));
    assert_eq!(clean(&mut host), Ok(Cleaned { removed: vec![setting], left: vec![] }));
    assert_eq!(left(&mut host), Ok(vec![]));
}

#[test]
fn a_name_that_is_taken_is_not_even_noted() {
    // Killed behind a first line, a clean-up would have taken somebody's bare interface away.
    let mut host = Simulated::new(&[0]);
    host.network.insert(feth(1), (false, false));
    assert_eq!(make(&mut host, (0..3).map(feth)), Ok(feth(2)));
    assert!(!host.file.contains("feth0") && !host.file.contains("feth1"), "{}", host.file);
}

#[test]
fn of_another_start_of_the_kernel_nothing_is_left() {
    let mut host = Simulated::new(&[]);
    lab(&mut host, 1, false).unwrap();
    // After it somebody else has the name.
    host.boot = "b2";
    host.network.insert(feth(0), (false, true));
    assert_eq!(clean(&mut host), Ok(Cleaned::default()));
    assert_eq!(host.of(false), [feth(0)]);
}

#[test]
fn what_may_be_somebody_elses_is_left() {
    let mut host = Simulated::new(&[]);
    host.file = "b1 making interface feth3\n".to_owned();
    host.network.insert(feth(3), (false, true));
    let left = vec![feth(3)];
    assert_eq!(clean(&mut host), Ok(Cleaned { removed: vec![], left }));
    assert_eq!(host.of(false), [feth(3)]);
}

#[test]
fn a_file_of_nonsense_takes_nothing_away() {
    let mut host = Simulated::new(&[1]);
    host.file = "b1 made\nb1 made house feth1\nb1 made interface \n\u{0}\nb1 made interface feth1"
        .to_owned();
    assert_eq!(clean(&mut host), Ok(Cleaned::default()));
    assert_eq!(host.of(false), [feth(1)]);
}

proptest! {
    /// Killed at any step of a lab, and killed at any step of the clean-up too: the next clean-up
    /// leaves nothing of ours, and all of what is others'.
    #[test]
    fn nothing_of_ours_stays_and_nothing_of_others_goes(
        theirs in proptest::collection::btree_set(0u8..6, 0..4),
        count in 1usize..4,
        orderly: bool,
        killed_at in 0usize..60,
        again_at in 0usize..20,
    ) {
        let theirs: Vec<u8> = theirs.into_iter().collect();
        let mut host = Simulated::new(&theirs);
        host.steps_left = Some(killed_at);
        let _ = lab(&mut host, count, orderly);
        host.steps_left = Some(again_at);
        let _ = clean(&mut host);
        host.steps_left = None;
        let cleaned = clean(&mut host).unwrap();
        prop_assert_eq!(host.of(true), []);
        let theirs: Vec<Thing> = theirs.into_iter().map(feth).collect();
        prop_assert!(cleaned.left.iter().all(|thing| theirs.contains(thing)));
        prop_assert_eq!(host.of(false), theirs);
    }
}
