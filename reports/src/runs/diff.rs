//! How two subjects differ.

use std::collections::BTreeMap;

use super::{Line, Run, Subject};

/// One subject of a run: one of the two that are compared.
#[derive(Clone, Debug)]
pub struct Side<'a> {
    /// What a user calls it.
    pub name: String,
    /// Who it is.
    pub subject: &'a Subject,
    /// Its lines, by the case's id.
    pub lines: BTreeMap<&'a str, &'a Line>,
}

/// Why a run has no such side.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SideError {
    /// It has several, and none was named.
    #[error("{run} has several subjects, {subjects}: say which")]
    Several {
        /// The run.
        run: String,
        /// Their names.
        subjects: String,
    },
    /// It has none of that name.
    #[error("{run} has no subject {subject:?}, it has {subjects}")]
    Unknown {
        /// The run.
        run: String,
        /// The name.
        subject: String,
        /// Those that there are.
        subjects: String,
    },
}

impl<'a> Side<'a> {
    /// The subject of `run`, which is called `name`; the one called `subject` if it has several.
    pub fn of(name: &str, run: &'a Run, subject: Option<&str>) -> Result<Self, SideError> {
        let all = &run.manifest.subjects;
        let names = || all.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = match subject {
            None if all.len() == 1 => all.first(),
            None => {
                return Err(SideError::Several { run: name.to_owned(), subjects: names() });
            }
            Some(subject) => all.iter().find(|s| s.name == subject),
        };
        let Some(found) = found else {
            let subject = subject.unwrap_or_default().to_owned();
            return Err(SideError::Unknown { run: name.to_owned(), subject, subjects: names() });
        };
        let lines = run.lines.iter().filter(|line| line.subject == found.name);
        let lines = lines.map(|line| (line.id.as_str(), line)).collect();
        let name =
            if all.len() == 1 { name.to_owned() } else { format!("{name} ({})", found.name) };
        Ok(Self { name, subject: found, lines })
    }
}

/// How two subjects differ.
#[derive(Clone, Debug)]
pub struct Diff<'a> {
    /// The one, and the other.
    pub sides: [Side<'a>; 2],
}

impl<'a> Diff<'a> {
    /// The cases that both have, by id.
    pub fn shared(&self) -> impl Iterator<Item = (&'a Line, &'a Line)> {
        let [old, new] = &self.sides;
        old.lines.iter().filter_map(|(id, was)| new.lines.get(id).map(|is| (*was, *is)))
    }

    /// Those of them whose outcomes differ.
    pub fn differing(&self) -> impl Iterator<Item = (&'a Line, &'a Line)> {
        self.shared().filter(|(was, is)| was.outcome != is.outcome)
    }

    /// The cases that only one side has: 0 is the old one, 1 the new one.
    pub fn only(&self, side: usize) -> impl Iterator<Item = &'a Line> {
        let (one, other) = (&self.sides[side], &self.sides[1 - side]);
        one.lines.iter().filter(|(id, _)| !other.lines.contains_key(*id)).map(|(_, line)| *line)
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.differing().next().is_none()
            && self.only(0).next().is_none()
            && self.only(1).next().is_none()
    }
}
