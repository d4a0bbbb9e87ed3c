//! What a lab has made on a host that it shares with everybody, so that all of it goes again.
//!
//! macOS has no network namespaces: what a process makes there outlives its end by SIGKILL. So a
//! line is written before something is made and another when it stands, to a file that is only ever
//! appended to; who finds the file takes away what still stands by it. What was made by anybody else
//! is never touched: an interface of a line that was not followed by a second one may be somebody
//! else's, and is taken away only while nobody has given it an address.
//!
//! Here is what to do and when; what does it is a [`System`], so that every end can be tried.

use std::fmt;
use std::str::FromStr;

/// Something of a host's network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    /// An interface by its name.
    Interface(String),
    /// A route that no interface takes along when it goes, as `route` writes it: `192.0.2.0/24`.
    Route(String),
    /// A setting of the kernel's, and the value to put back: `net.link.fake.txstart=1`.
    Setting(String),
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(name) => write!(f, "interface {name}"),
            Self::Route(prefix) => write!(f, "route {prefix}"),
            Self::Setting(text) => write!(f, "setting {text}"),
        }
    }
}

impl FromStr for Thing {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(' ').ok_or(())? {
            (_, name) if name.is_empty() || name.contains(' ') => Err(()),
            ("interface", name) => Ok(Self::Interface(name.to_owned())),
            ("route", prefix) => Ok(Self::Route(prefix.to_owned())),
            ("setting", text) => Ok(Self::Setting(text.to_owned())),
            _ => Err(()),
        }
    }
}

/// Whether something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does not.
    No,
    /// It does, and nobody has given it an address; or a setting is other than it was.
    Bare,
    /// It does, with addresses. A route never is bare.
    InUse,
}

/// What came of an attempt to make something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It stands, and is ours.
    New,
    /// Somebody has one of that name.
    Taken,
}

/// A host, and the file that tells what was made there.
pub trait System {
    /// Appends a line to the file, in one write.
    fn note(&mut self, line: &str) -> Result<(), String>;
    /// All of the file.
    fn notes(&mut self) -> Result<String, String>;
    /// Begins the file anew.
    fn forget(&mut self) -> Result<(), String>;
    /// Makes something, or finds that it is there.
    fn make(&mut self, thing: &Thing) -> Result<Made, String>;
    /// Takes something away.
    fn remove(&mut self, thing: &Thing) -> Result<(), String>;
    /// Whether something stands.
    fn standing(&mut self, thing: &Thing) -> Result<Standing, String>;
    /// Of which start of the kernel this is: nothing outlives that.
    fn boot(&self) -> String;
}

/// Makes the first of these that nobody has. One that stands is not even tried, so that what has but a
/// first line was not there when that was written.
pub fn make(
    system: &mut impl System,
    things: impl IntoIterator<Item = Thing>,
) -> Result<Thing, String> {
    let boot = system.boot();
    for thing in things {
        if system.standing(&thing)? != Standing::No {
            continue;
        }
        system.note(&format!("{boot} making {thing}\n"))?;
        match system.make(&thing) {
            Ok(Made::New) => {
                system.note(&format!("{boot} made {thing}\n"))?;
                return Ok(thing);
            }
            Ok(Made::Taken) => system.note(&format!("{boot} failed {thing}\n"))?,
            Err(why) => {
                system.note(&format!("{boot} failed {thing}\n"))?;
                return Err(why);
            }
        }
    }
    Err("all of them are somebody's".to_owned())
}

/// Takes away what `make` made.
pub fn remove(system: &mut impl System, thing: &Thing) -> Result<(), String> {
    system.remove(thing)?;
    let boot = system.boot();
    system.note(&format!("{boot} gone {thing}\n"))
}

/// What a clean-up did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// What it took away.
    pub removed: Vec<Thing>,
    /// What may be ours and was left, since somebody uses it.
    pub left: Vec<Thing>,
}

/// What stands by the file, the last made first.
pub fn left(system: &mut impl System) -> Result<Vec<Thing>, String> {
    let notes = system.notes()?;
    let mut left = Vec::new();
    for (thing, _) in left_by(&notes, &system.boot()).into_iter().rev() {
        if system.standing(&thing)? != Standing::No {
            left.push(thing);
        }
    }
    Ok(left)
}

/// Takes away all that stands by the file, the last made first. Only while no lab stands: whoever
/// calls this holds the lock.
pub fn clean(system: &mut impl System) -> Result<Cleaned, String> {
    let notes = system.notes()?;
    let mut cleaned = Cleaned::default();
    for (thing, is_certain) in left_by(&notes, &system.boot()).into_iter().rev() {
        match (system.standing(&thing)?, is_certain) {
            (Standing::No, _) => {}
            (Standing::Bare, _) | (Standing::InUse, true) => {
                remove(system, &thing)?;
                cleaned.removed.push(thing);
            }
            (Standing::InUse, false) => cleaned.left.push(thing),
        }
    }
    // Of what was left nobody can know more later.
    system.forget()?;
    Ok(cleaned)
}

/// What the notes of one start of the kernel say of what may stand, and whether it is certain that it
/// was made. A last line without an end is as good as none: what it would tell has not begun.
fn left_by(notes: &str, boot: &str) -> Vec<(Thing, bool)> {
    let mut left: Vec<(Thing, bool)> = Vec::new();
    let whole = notes.rfind('\n').map_or("", |end| &notes[..end]);
    for line in whole.lines() {
        let Some(rest) = line.strip_prefix(boot).and_then(|rest| rest.strip_prefix(' ')) else {
            continue;
        };
        let Some((word, thing)) = rest.split_once(' ') else { continue };
        let Ok(thing) = thing.parse::<Thing>() else { continue };
        let before = left.iter().position(|(other, _)| *other == thing);
        match (word, before) {
            ("making", None) => left.push((thing, false)),
            ("made", Some(place)) => left[place].1 = true,
            // That it could not be made again says nothing of what was made before.
            ("failed", Some(place)) if !left[place].1 => drop(left.remove(place)),
            ("gone", Some(place)) => drop(left.remove(place)),
            _ => {}
        }
    }
    left
}

#[cfg(test)]
mod tests;
