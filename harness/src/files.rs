//! Files that others may have put there: nothing but a file is opened, since anything else might never end.

use std::fs::{self, File, FileType, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The manifest's name in the folder.
pub const MANIFEST: &str = "run.json";
/// The lines' name in the folder.
pub const RESULTS: &str = "results.jsonl";

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// It cannot be, or is not there.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is something else, such as `a pipe`.
    #[error("it is {0}")]
    Is(&'static str),
}

/// A file, opened to be read; a link to one only where links are followed.
pub fn opened(path: &Path, follows: bool) -> Result<File, NotOpened> {
    let about = if follows { fs::metadata(path) } else { fs::symlink_metadata(path) };
    is_file(about?.file_type())?;
    // Whoever puts a pipe or a link there meanwhile keeps nobody waiting.
    let link = if follows { 0 } else { libc::O_NOFOLLOW };
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | link).open(path)?;
    is_file(file.metadata()?.file_type())?;
    Ok(file)
}

fn is_file(kind: FileType) -> Result<(), NotOpened> {
    Err(NotOpened::Is(match kind {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a link to somewhere else",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use nix::sys::stat::Mode;

    use super::*;

    /// None of them is waited for.
    #[test]
    fn nothing_but_a_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "x").unwrap();
        symlink(at("file"), at("link")).unwrap();
        nix::unistd::mkfifo(&at("pipe"), Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        for follows in [true, false] {
            assert!(opened(&at("file"), follows).is_ok());
            let what = |name: &str| match opened(&at(name), follows) {
                Err(NotOpened::Is(what)) => what,
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(["pipe", "socket", "."].map(what), ["a pipe", "a socket", "a folder"]);
            let link = opened(&at("link"), follows);
            assert!(if follows { link.is_ok() } else { matches!(link, Err(NotOpened::Is(_))) });
            assert!(matches!(opened(&at("none"), follows), Err(NotOpened::Io(_))));
        }
        assert!(matches!(opened(Path::new("/dev/null"), true), Err(NotOpened::Is("a device"))));
    }
}
