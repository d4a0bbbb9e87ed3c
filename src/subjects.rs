//! The kernels that cases can run on: `sockeye subjects`, and what `--on` means.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Result;
use harness::case::Os;
use harness::subject::{
    self, Console, Executors, Kernels, Kind, Machine, Offer, Options, Program, Subject, Told,
    Unavailable,
};
use harness::text;
use harness::threads::lock;
use harness::trace::Fingerprint;
use reports::bundle::Scrub;

use crate::cli::{On, Subjects};
use crate::out::Paint as _;
use crate::place::{OLD, PART, Place, emptied};
use crate::run::NATIVE;
use crate::{Status, UsageError, interrupt, run};

/// A kernel that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// As it was asked for; the name of its results' folder is made of it.
    pub(crate) name: String,
    what: What,
    /// Not by `all`, but by its own name.
    pub(crate) by_name: bool,
}

#[derive(Clone, Debug)]
enum What {
    Native,
    Packaged(Offer),
    Image(PathBuf),
    Program(String),
    /// It cannot be had.
    Missing(Unavailable),
}

/// Where executors come from.
pub(crate) enum Source {
    /// Processes of this host's.
    Processes(Subject),
    /// A command of the user's.
    Program(Program),
    /// A machine.
    Machine(Box<Machine>),
}

impl Source {
    pub(crate) fn executors(&self) -> &dyn Executors {
        match self {
            Self::Processes(subject) => subject,
            Self::Program(program) => program,
            Self::Machine(machine) => machine.as_ref(),
        }
    }

    /// Why machines were lost, each as one line.
    pub(crate) fn losses(&self) -> Vec<String> {
        match self {
            Self::Processes(_) | Self::Program(_) => Vec::new(),
            Self::Machine(machine) => machine.losses(),
        }
    }

    /// What a command did against the protocol, each as one sentence.
    pub(crate) fn complaints(&self) -> Vec<String> {
        match self {
            Self::Processes(_) | Self::Machine(_) => Vec::new(),
            Self::Program(program) => program.complaints(),
        }
    }

    /// How long each boot took.
    pub(crate) fn boots(&self) -> Vec<Duration> {
        match self {
            Self::Processes(_) | Self::Program(_) => Vec::new(),
            Self::Machine(machine) => machine.boots(),
        }
    }
}

/// What is kept of packaged kernels.
pub(crate) fn kernels() -> Kernels {
    Kernels::new(subject::cache_folder())
}

/// What the words of `--on` mean.
pub(crate) fn wanted(words: &[String], kernels: &Kernels) -> Vec<Wanted> {
    let each = words.iter().flat_map(|word| {
        // A program may have commas of its own.
        let whole = word.starts_with("cmd:");
        if whole { vec![word.as_str()] } else { word.split(',').collect() }
    });
    let mut offers = None;
    let mut all: Vec<Wanted> = Vec::new();
    for word in each.map(str::trim).filter(|word| !word.is_empty()) {
        let what = if let Some(program) = word.strip_prefix("cmd:") {
            What::Program(program.to_owned())
        } else if word.contains('/') {
            What::Image(word.into())
        } else if word == NATIVE {
            What::Native
        } else {
            let offers = offers.get_or_insert_with(|| kernels.offers(false));
            if word == "all" {
                all.extend(every(offers));
                continue;
            }
            if let (true, Ok(offers)) = (word.contains('*'), &*offers) {
                let several = releases(word, offers);
                if !several.is_empty() {
                    all.extend(several);
                    continue;
                }
            }
            named(word, offers)
        };
        let name = shown(word, std::env::home_dir().as_deref());
        all.push(Wanted { name, what, by_name: true });
    }
    let mut seen = BTreeSet::new();
    // A release and the name of its series may be one kernel.
    all.retain(|wanted| match &wanted.what {
        What::Packaged(offer) => seen.insert(offer.name.clone()),
        _ => seen.insert(wanted.name.clone()),
    });
    all
}

fn every(offers: &Result<Vec<Offer>, Unavailable>) -> Vec<Wanted> {
    let wanted = |name: &str, what| Wanted { name: name.to_owned(), what, by_name: false };
    let mut all = vec![wanted(NATIVE, What::Native)];
    match offers {
        Ok(offers) => {
            let newest = offers.iter().filter(|offer| !offer.is_other);
            all.extend(newest.map(|offer| wanted(&offer.name, What::Packaged(offer.clone()))));
        }
        Err(why) => all.push(wanted("packaged kernels", What::Missing(why.clone()))),
    }
    all
}

/// All that `word` means, which has a `*`, by their releases: the oldest first.
fn releases(word: &str, offers: &[Offer]) -> Vec<Wanted> {
    let mut meant: Vec<&Offer> = offers.iter().filter(|offer| offer.is_meant(word)).collect();
    meant.sort_by_key(|offer| (offer.kind as u8, offer.age()));
    meant
        .into_iter()
        .map(|offer| Wanted {
            name: offer.release.as_ref().unwrap_or(&offer.name).clone(),
            what: What::Packaged(offer.clone()),
            by_name: true,
        })
        .collect()
}

fn named(word: &str, offers: &Result<Vec<Offer>, Unavailable>) -> What {
    let offers = match offers {
        Ok(offers) => offers,
        Err(why) => return What::Missing(why.clone()),
    };
    if let Some(offer) = offers.iter().find(|offer| offer.is_meant(word)) {
        return What::Packaged(offer.clone());
    }
    // A name without its version means the newest.
    let newest = offers.iter().rev().find(|offer| offer.name.split('-').next() == Some(word));
    if let Some(offer) = newest {
        return What::Packaged(offer.clone());
    }
    let names = offers.iter().map(|offer| offer.name.as_str()).chain([NATIVE, "all"]);
    let mut near: Vec<(usize, &str)> =
        names.map(|name| (strsim::levenshtein(word, name), name)).collect();
    near.sort_unstable();
    let near: Vec<&str> = near.iter().take(3).map(|(_, name)| *name).collect();
    What::Missing(Unavailable {
        why: format!("there is no subject {word:?}; nearest are {}", near.join(", ")),
        mend: Some("sockeye subjects lists them all".to_owned()),
    })
}

/// What is added to a run's folder for the console of its kernel.
const CONSOLE: &str = ".console.txt";

/// The folder of a subject's results, below that of the run: without the endings of what lies beside one.
pub(crate) fn folder_of(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let name: String = name.chars().map(|c| if plain(c) { c } else { '_' }).take(200).collect();
    let mut name = name.trim_matches(['_', '.']);
    while let Some(shorter) = without_ending(name) {
        name = shorter.trim_end_matches(['_', '.']);
    }
    let name: String = name.chars().take(100).collect();
    // What it was cut to may have one.
    let name = without_ending(&name).map(folder_of).unwrap_or(name);
    if name.is_empty() { "subject".to_owned() } else { name }
}

/// A name without such an ending, in capitals or not; none if it has none.
pub(crate) fn without_ending(name: &str) -> Option<&str> {
    let lower = name.to_ascii_lowercase();
    // `.old-2` is the run before the one before.
    let whole = lower.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = whole.strip_suffix('-').filter(|before| before.ends_with(OLD));
    let lower = numbered.unwrap_or(&lower);
    let shorter = [PART, OLD, CONSOLE].iter().find_map(|ending| lower.strip_suffix(ending))?;
    name.get(..shorter.len())
}

/// What keeps a machine's console beside the run in `place`, which this program alone writes: what is
/// private is replaced as in the run, and what a terminal would obey is said.
fn keeper(place: &Place) -> Result<Told> {
    let mut path = place.folder.as_os_str().to_owned();
    path.push(CONSOLE);
    let file = Mutex::new(emptied(Path::new(&path))?);
    let scrub = Mutex::new(Scrub::of(&harness::exec::environment()));
    Ok(Box::new(move |line| {
        let told = lock(&scrub).text(line, &BTreeSet::new());
        let _ = writeln!(lock(&file), "{}", text::line(&told, LINE));
    }))
}

/// What shows a machine's console, or what a command complains of, as it comes.
fn shower(name: &str) -> Told {
    let name = name.to_owned();
    Box::new(move |line| errln!("{name}: {line}"))
}

/// How much of a line is kept. A console's own are shorter.
const LINE: usize = 16 << 10;

impl Wanted {
    /// Starts it, or makes ready to. Its console goes to a file beside the run in `place`.
    pub(crate) fn source(
        &self,
        on: &On,
        plant: Option<&str>,
        place: &Place,
        kernels: &Kernels,
    ) -> Result<Source> {
        let options = Options {
            talkative: on.console,
            plant: plant.map(str::to_owned),
            append: on.append.clone(),
            silence: on.silence.map(Duration::from_secs),
            memory: on.memory,
        };
        let console = || -> Result<Console> {
            Ok(Console::new(Some(keeper(place)?), on.console.then(|| shower(&self.name))))
        };
        let machine = |machine| Source::Machine(Box::new(machine));
        Ok(match &self.what {
            What::Native => {
                let mut subject = run::native()?;
                subject
                    .args
                    .extend(plant.iter().flat_map(|plant| ["--plant".into(), plant.into()]));
                Source::Processes(subject)
            }
            What::Program(command) => {
                Source::Program(Program::new(command, options.silence, shower("cmd")))
            }
            What::Packaged(offer) => machine(kernels.machine(offer, &options, console()?)?),
            What::Image(path) => machine(subject::machine_of(path, &options, console()?)?),
            What::Missing(why) => return Err(why.clone().into()),
        })
    }

    /// The names that its baselines are kept under: gVisor calls itself a Linux that it is not.
    pub(crate) fn platforms(&self, kernel: &Fingerprint) -> Vec<String> {
        match &self.what {
            What::Packaged(offer) if matches!(offer.kind, Kind::Gvisor | Kind::Uml) => {
                [vec![offer.name.clone()], suites::fallbacks(&offer.name)].concat()
            }
            _ => kernel.platforms(),
        }
    }

    /// How many executors run side by side: a machine has one processor.
    pub(crate) fn jobs(&self, jobs: usize) -> usize {
        match &self.what {
            What::Packaged(_) | What::Image(_) => 1,
            What::Native | What::Program(_) | What::Missing(_) => jobs,
        }
    }
}

/// A subject's name in a run, which is passed on: without the user's, who stands in the path of home.
fn shown(word: &str, home: Option<&Path>) -> String {
    match home.and_then(Path::to_str).map(|home| home.trim_end_matches('/')) {
        Some(home) if !home.is_empty() => word.replace(&format!("{home}/"), "~/"),
        _ => word.to_owned(),
    }
}

/// Which system answered.
pub(crate) fn os_of(kernel: &Fingerprint) -> Result<Os> {
    match kernel.system.as_str() {
        "Linux" => Ok(Os::Linux),
        "Darwin" => Ok(Os::Macos),
        _ => run::host(),
    }
}

/// Lists what this machine can start, or fetches it.
pub(crate) fn subjects(args: &Subjects) -> Result<Status> {
    interrupt::tidy_up()?;
    let kernels = kernels();
    let offers = kernels.offers(args.fetch)?;
    let meant = |offer: &Offer, word: &str| {
        let kind = offer.name.split('-').next();
        offer.is_meant(word) || kind == Some(word) && !offer.is_other
    };
    let none = |name: &&String| !offers.iter().any(|offer| meant(offer, name));
    if let Some(name) = args.names.iter().find(none) {
        let why = format!("there is no subject {name:?} here; sockeye subjects lists them all");
        return Err(UsageError(why).into());
    }
    let is_chosen = |offer: &&Offer| {
        let any = args.names.iter().any(|name| meant(offer, name));
        any || args.names.is_empty() && !offer.is_other
    };
    let chosen: Vec<&Offer> = offers.iter().filter(is_chosen).collect();
    let mut failed = false;
    if args.fetch {
        for offer in &chosen {
            if let Err(e) = kernels.fetch(offer) {
                failed = true;
                errln!("sockeye: {}: {e}", offer.name);
            }
        }
    }
    outln!("{:17} {:31} this host", NATIVE, "");
    for offer in chosen {
        let cached = if kernels.is_cached(offer) { "fetched" } else { "to be fetched" };
        let lacks = offer.lacks.as_ref().map(|lacks| format!(", without {lacks}"));
        let how = match offer.kind {
            Kind::Linux if subject::is_accelerated() => "QEMU, KVM",
            Kind::Linux => "QEMU, emulated",
            Kind::Uml => "a process",
            Kind::Gvisor => "a sandbox",
        };
        outln!(
            "{:17} {:31} {how}, {cached}{}",
            offer.name.bold(),
            offer.version,
            lacks.unwrap_or_default()
        );
    }
    let others = offers.iter().filter(|offer| offer.is_other).count();
    if args.names.is_empty() && others > 0 {
        outln!(
            "linux-X.Y.Z       {others} other releases{:16} `sockeye subjects 'linux-6.12.*'` names those of 6.12",
            ""
        );
    }
    outln!("./PATH/TO/bzImage {:31} a kernel of your own, in QEMU", "");
    outln!("cmd:PROGRAM       {:31} whatever reads cases and writes traces", "");
    Ok(if failed { Status::Harness } else { Status::Expected })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// A folder that is called as what lies beside another's would be that.
    #[rstest]
    #[case("linux-6.1", "linux-6.1")]
    #[case("../x/y.part", "x_y")]
    #[case("y.console.txt.part", "y")]
    #[case("y.part.console.txt.OLD", "y")]
    #[case("y.old-12", "y")]
    #[case("y.old-", "y")]
    #[case("y.old_.part", "y")]
    #[case("y.older", "y.older")]
    #[case(".part", "part")]
    #[case("x/.part.old", "x")]
    #[case("...", "subject")]
    fn a_folder_is_called_as_no_other(#[case] name: &str, #[case] is: &str) {
        assert_eq!(folder_of(name), is);
        let long = format!("{}.part{name}", "a".repeat(95));
        assert_eq!(without_ending(&folder_of(&long)), None, "{long}");
    }

    #[rstest]
    #[case("/home/jane/linux/vmlinux", Some("/home/jane"), "~/linux/vmlinux")]
    #[case("cmd:/home/jane/bin/exec -v", Some("/home/jane/"), "cmd:~/bin/exec -v")]
    #[case("/home/janet/vmlinux", Some("/home/jane"), "/home/janet/vmlinux")]
    #[case("./vmlinux", Some("/"), "./vmlinux")]
    #[case("./vmlinux", None, "./vmlinux")]
    fn no_name_has_the_users(#[case] word: &str, #[case] home: Option<&str>, #[case] is: &str) {
        assert_eq!(shown(word, home.map(Path::new)), is);
    }
}
