//! Addresses of `AF_UNIX` (unix(7)): by a file in a folder of the case's own, by an abstract name, by none.
//!
//! A name is plain: letters, digits, `_`, `-` and `.`, with none of the latter at its beginning. A path is such names
//! with `/` between. So none leads out of the folder, however short it is cut, nor does a symbolic link to one, wherever
//! it stands; and all of it can be shown.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::addr::Addr;
use super::{Case, LabOp, Op};

/// By what a socket goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnixName {
    /// A file in the case's folder, or in one within it.
    Path(String),
    /// A name without a file, which stands behind a NUL: Linux's.
    Abstract(String),
    /// None: `sun_family` alone.
    Unnamed,
}

/// A `struct sockaddr_un`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Unix {
    /// Its name.
    pub name: UnixName,
    /// The length of the address, in bytes, where it is not that of its name: what lies behind the name is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub len: Option<u32>,
}

/// Where `sun_path` begins, on Linux and Darwin.
pub const BEFORE_PATH: u32 = 2;
/// The most bytes of an address: as many as a `struct sockaddr_storage` has.
pub const MOST_OF_ADDRESS: u32 = 128;
/// The most bytes of a name: more than `sun_path` has, which are 108 on Linux and 104 on Darwin.
const MOST_OF_NAME: usize = 120;

/// The most bytes of what a symbolic link leads to: more than one component may have (`NAME_MAX`, which is 255).
const MOST_OF_TARGET: usize = 300;
/// The bits of a mode that a case may set: who may read, write, and execute.
const MOST_OF_MODE: u32 = 0o777;

/// Whether it is a name that says nothing but itself.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !name.starts_with('.') && name.chars().all(plain)
}

/// Whether it is a path below the case's folder.
fn is_path(path: &str, most: usize) -> bool {
    path.len() <= most && path.split('/').all(|name| !name.is_empty() && is_plain(name))
}

/// That the paths of a call which makes, changes or takes away a file stay in the case's folder.
pub(super) fn files(op: &Op) -> Result<(), String> {
    let call = op.call();
    let (paths, mode) = match op {
        Op::Mkdir { path, mode } | Op::Chmod { path, mode } => {
            ([Some((path, MOST_OF_NAME)), None], *mode)
        }
        Op::Unlink { path } => ([Some((path, MOST_OF_NAME)), None], 0),
        Op::Symlink { target, path } => {
            ([Some((target, MOST_OF_TARGET)), Some((path, MOST_OF_NAME))], 0)
        }
        _ => return Ok(()),
    };
    for (path, most) in paths.into_iter().flatten() {
        if !is_path(path, most) {
            let path = super::words::shown(path);
            return Err(format!("{call}: {path} is no path of up to {most} bytes{PLAIN}"));
        }
    }
    if mode > MOST_OF_MODE {
        return Err(format!("{call}: a mode of 0{mode:o}, 0{MOST_OF_MODE:o} is the most"));
    }
    Ok(())
}

/// The most bytes of the names of all folders that a case makes: however they come to lie in each other, by symbolic
/// links too, the path to each of them is one (`PATH_MAX`, 1024 bytes on Darwin), and whoever removes them gets there.
const MOST_OF_FOLDERS: usize = 800;

/// That the folders of a case can be removed by their paths.
pub(super) fn folders(ops: &[Op]) -> Result<(), String> {
    let bytes =
        ops.iter().map(|op| if let Op::Mkdir { path, .. } = op { path.len() + 1 } else { 0 });
    match bytes.sum::<usize>() {
        all if all > MOST_OF_FOLDERS => Err(format!(
            "mkdir: the names of its folders have {all} bytes, {MOST_OF_FOLDERS} are the most"
        )),
        _ => Ok(()),
    }
}

/// What is said of what is no path.
const PLAIN: &str =
    " in plain names of letters, digits, \"_\", \"-\" and \".\", none of which is first";

impl Unix {
    /// One of the length that its name has.
    pub fn new(name: UnixName) -> Self {
        Self { name, len: None }
    }

    /// What is wrong with it, as one sentence.
    ///
    /// # Errors
    /// A name that is no plain one, or a length that no address has.
    pub fn check(&self) -> Result<(), String> {
        // An abstract name may have no bytes, which is another thing than none.
        let (name, is_fine) = match &self.name {
            UnixName::Path(name) => (name.as_str(), is_path(name, MOST_OF_NAME)),
            UnixName::Abstract(name) => {
                (name.as_str(), name.len() <= MOST_OF_NAME && is_plain(name))
            }
            UnixName::Unnamed => ("", true),
        };
        if !is_fine {
            let (name, of) = (super::words::shown(name), "is no plain name of a Unix socket");
            return Err(format!("{name} {of}, of up to {MOST_OF_NAME} bytes{PLAIN}"));
        }
        match self.len.filter(|len| *len > MOST_OF_ADDRESS) {
            Some(len) => Err(format!("an address of {len} bytes, {MOST_OF_ADDRESS} are the most")),
            None => Ok(()),
        }
    }

    /// The bytes of `sun_path`, without what fills it.
    pub fn path(&self) -> Vec<u8> {
        match &self.name {
            UnixName::Path(name) => name.bytes().collect(),
            UnixName::Abstract(name) => [0].into_iter().chain(name.bytes()).collect(),
            UnixName::Unnamed => Vec::new(),
        }
    }

    /// The length of the address, in bytes: that of a path has its NUL.
    pub fn length(&self) -> u32 {
        self.len.unwrap_or_else(|| natural(&self.name))
    }

    /// What a kernel wrote to `sun_path`, if it is such a name as a case can have. `has_abstract` says whether a NUL
    /// at its beginning is one of an abstract name; else what begins with it has none.
    pub fn read(path: &[u8], has_abstract: bool) -> Option<Self> {
        let until_nul = |bytes: &[u8]| {
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            (String::from_utf8_lossy(&bytes[..end]).into_owned(), bytes[end..].to_vec())
        };
        let (name, rest) = match path {
            [0, of_abstract @ ..] if has_abstract => {
                let (name, rest) = until_nul(of_abstract);
                (UnixName::Abstract(name), rest)
            }
            path => (UnixName::Path(until_nul(path).0), Vec::new()),
        };
        // Zeros behind an abstract name are a part of it.
        let len = (!rest.is_empty()).then(|| BEFORE_PATH + u32::try_from(path.len()).unwrap_or(0));
        let read = Self { name, len };
        (rest.iter().all(|byte| *byte == 0) && read.check().is_ok()).then_some(read)
    }

    /// Whether Linux has drawn its name: five hexadecimal digits (unix(7), "Autobind feature").
    pub fn is_drawn(&self) -> bool {
        let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        match &self.name {
            UnixName::Abstract(name) => {
                self.len.is_none() && name.len() == 5 && name.chars().all(digit)
            }
            _ => false,
        }
    }
}

fn natural(name: &UnixName) -> u32 {
    let of = |name: &str| u32::try_from(name.len()).unwrap_or(u32::MAX);
    match name {
        UnixName::Path(name) | UnixName::Abstract(name) => BEFORE_PATH + of(name) + 1,
        UnixName::Unnamed => BEFORE_PATH,
    }
}

impl Op {
    /// Whether the call makes, changes or takes away a file by its path.
    pub fn is_of_files(&self) -> bool {
        matches!(
            self,
            Self::Mkdir { .. } | Self::Unlink { .. } | Self::Symlink { .. } | Self::Chmod { .. }
        )
    }
}

impl Case {
    /// Whether it names files, which lie in a folder of its own: paths of Unix sockets, and what is done to files.
    pub fn has_files(&self) -> bool {
        let is_path = |unix: &Unix| matches!(unix.name, UnixName::Path(_));
        let names_one = |op: &Op| op.addrs().filter_map(Addr::as_unix).any(is_path);
        self.ops.iter().any(|op| op.is_of_files() || names_one(op)) || self.makes_read_only()
    }

    /// Whether a step of it makes its folder read-only.
    pub fn makes_read_only(&self) -> bool {
        self.ops.iter().any(|op| matches!(op, Op::Lab { step: LabOp::ReadOnly {} }))
    }
}

impl fmt::Display for Unix {
    /// `{AF_UNIX "s.sock"}`, `{AF_UNIX @"name"}`, `{AF_UNIX}`; `{AF_UNIX "s.sock" length 4}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{AF_UNIX")?;
        match &self.name {
            UnixName::Path(name) => write!(f, " \"{name}\"")?,
            UnixName::Abstract(name) => write!(f, " @\"{name}\"")?,
            UnixName::Unnamed => {}
        }
        if let Some(len) = self.len {
            write!(f, " length {len}")?;
        }
        f.write_str("}")
    }
}

/// The address that its `Display` writes between the braces, behind the family; none of other text.
pub(super) fn parse(text: &str) -> Option<Unix> {
    let (name, len) = match text.rsplit_once("length ") {
        Some((name, len)) => (name.trim_end(), Some(len.parse().ok()?)),
        None => (text, None),
    };
    let quoted = |text: &str| Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    let name = match name.strip_prefix('@') {
        Some(name) => UnixName::Abstract(quoted(name)?),
        None if name.is_empty() && len.is_some() => UnixName::Unnamed,
        None => UnixName::Path(quoted(name)?),
    };
    Some(Unix { name, len }).filter(|unix| unix.check().is_ok())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn path(name: &str) -> Unix {
        Unix::new(UnixName::Path(name.to_owned()))
    }

    /// What leads out of the folder, what no terminal shows as it is, and what no address has room for.
    #[rstest]
    #[case("s.sock", true)]
    #[case("a-b_9", true)]
    #[case(".", false)]
    #[case("..", false)]
    #[case("..x", false)]
    #[case("../s", false)]
    #[case("/tmp/s", false)]
    #[case("a\u{1b}[2J", false)]
    #[case("a\0b", false)]
    #[case("ä", false)]
    #[case("a\"b", false)]
    fn names_are_plain(#[case] name: &str, #[case] fine: bool) {
        assert_eq!(path(name).check().is_ok(), fine, "{name:?}");
        let unix = Unix::new(UnixName::Abstract(name.to_owned()));
        assert_eq!(unix.check().is_ok(), fine, "{name:?}");
    }

    /// None leads out, wherever it is cut, or a link to it stands.
    #[rstest]
    #[case("d/s.sock", true)]
    #[case("a/b/c", true)]
    #[case("/a", false)]
    #[case("a/", false)]
    #[case("a//b", false)]
    #[case("a/../b", false)]
    #[case("a/.b", false)]
    #[case("a/./b", false)]
    #[case("..", false)]
    #[case("", false)]
    #[case("a/\u{1b}", false)]
    fn paths_stay_in_the_folder(#[case] name: &str, #[case] fine: bool) {
        assert_eq!(path(name).check().is_ok(), fine, "{name:?}");
        let (there, name) = ("a".to_owned(), name.to_owned());
        for op in [
            Op::Mkdir { path: name.clone(), mode: 0o700 },
            Op::Chmod { path: name.clone(), mode: 0 },
            Op::Unlink { path: name.clone() },
            Op::Symlink { target: name.clone(), path: there.clone() },
            Op::Symlink { target: there, path: name.clone() },
        ] {
            assert_eq!(files(&op).is_ok(), fine, "{op:?}");
        }
        let abstract_one = Unix::new(UnixName::Abstract(name.clone()));
        assert!(!name.contains('/') || abstract_one.check().is_err(), "{name:?}");
    }

    #[test]
    fn targets_and_modes_have_an_end() {
        let link = |most| Op::Symlink { target: "x".repeat(most), path: "l".to_owned() };
        assert_eq!((files(&link(300)).is_ok(), files(&link(301)).is_ok()), (true, false));
        let mkdir = |mode| Op::Mkdir { path: "d".to_owned(), mode };
        assert_eq!((files(&mkdir(0o777)).is_ok(), files(&mkdir(0o1777)).is_ok()), (true, false));
        let unlink = |many| Op::Unlink { path: "x".repeat(many) };
        assert_eq!((files(&unlink(120)).is_ok(), files(&unlink(121)).is_ok()), (true, false));
    }

    /// Folders of a hundred bytes by a chain of symbolic links: on a Mac one stayed where no path led to.
    #[test]
    fn folders_have_a_path() {
        let mkdir = |_| Op::Mkdir { path: "x".repeat(99), mode: 0 };
        let made = |many: usize| (0..many).map(mkdir).collect::<Vec<_>>();
        assert_eq!(folders(&made(8)), Ok(()));
        assert!(folders(&made(9)).unwrap_err().contains("900 bytes"));
    }

    #[test]
    fn no_bytes_are_an_abstract_name_and_no_path() {
        assert!(path("").check().is_err());
        assert_eq!(Unix::new(UnixName::Abstract(String::new())).check(), Ok(()));
    }

    #[test]
    fn lengths_have_an_end() {
        assert!(path(&"x".repeat(120)).check().is_ok());
        assert!(path(&"x".repeat(121)).check().is_err());
        assert!(Unix { len: Some(128), ..path("x") }.check().is_ok());
        assert!(Unix { len: Some(129), ..path("x") }.check().is_err());
    }

    #[rstest]
    #[case(b"s.sock\0", true, Some("{AF_UNIX \"s.sock\"}"))]
    // Darwin fills it with zeros.
    #[case(b"s.sock\0\0\0\0", false, Some("{AF_UNIX \"s.sock\"}"))]
    #[case(b"\0name", true, Some("{AF_UNIX @\"name\"}"))]
    #[case(b"\0name\0\0", true, Some("{AF_UNIX @\"name\" length 9}"))]
    #[case(b"\0name\0x", true, None)]
    #[case(b"\0", true, Some("{AF_UNIX @\"\"}"))]
    #[case(b"\0\0\0", true, Some("{AF_UNIX @\"\" length 5}"))]
    #[case(b"\0name", false, None)]
    #[case(b"/tmp/s\0", true, None)]
    #[case(b"\x1b[2J\0", true, None)]
    fn what_a_kernel_wrote(#[case] bytes: &[u8], #[case] linux: bool, #[case] is: Option<&str>) {
        assert_eq!(Unix::read(bytes, linux).map(|unix| unix.to_string()).as_deref(), is);
    }

    #[test]
    fn what_is_drawn_is_told() {
        let named = |name: &str| Unix::new(UnixName::Abstract(name.to_owned()));
        assert!(named("0a1b2").is_drawn());
        for other in ["0a1b", "0a1b23", "0A1B2", "namex"] {
            assert!(!named(other).is_drawn(), "{other}");
        }
        assert!(!path("0a1b2").is_drawn());
        assert!(!Unix { len: Some(9), ..named("0a1b2") }.is_drawn());
    }
}
