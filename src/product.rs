//! Files that a user names for what this program makes: one that it made before is replaced, and no other.

use std::fs;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use harness::files::{NotOpened, opened};
use reports::bundle::zip::MARK;
use reports::matrix::GENERATOR;

use crate::{UsageError, results};

/// How much of a file is looked at, at its beginning and at its end.
const LOOKED_AT: u64 = 1024;

/// How a page of changes begins.
pub(crate) const CHANGES: &str = "# What changed between kernels\n";

/// What a file is that a command makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// A page of runs.
    Page,
    /// A page of what changed.
    Changes,
    /// A bug as a zip.
    Bundle,
    /// Frames.
    Frames,
    /// A run for other people's programs, in whichever format.
    Report,
}

impl Product {
    /// What is made, in words.
    fn what(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Changes => "page of changes",
            Self::Bundle => "bundle",
            Self::Frames => "pcapng file",
            Self::Report => "report",
        }
    }

    /// Whether a file that begins and ends so is one of these.
    fn is(self, head: &[u8], tail: &[u8]) -> bool {
        let begins = |mark: &str| head.starts_with(mark.as_bytes());
        let has = |mark: &str| head.windows(mark.len()).any(|part| part == mark.as_bytes());
        match self {
            Self::Page => has(GENERATOR),
            Self::Changes => begins(CHANGES),
            Self::Bundle => begins("PK") && tail.ends_with(MARK.as_bytes()),
            // The block's type, and the program that wrote it.
            Self::Frames => begins("\n\r\r\n") && has("sockeye "),
            Self::Report => {
                begins("{\"subject\":\"")
                    || begins("## sockeye: ")
                    || begins("KTAP version 1\n") && has("\n# subject: ")
                    || begins("<?xml ") && has("<testsuites name=\"sockeye\"")
                    || has("\"checkout_id\":\"sockeye:")
            }
        }
    }

    /// Where it may be written: nothing is there, or what this program made before. A link is followed.
    pub(crate) fn place(self, path: &Path) -> Result<PathBuf, UsageError> {
        let refuse = |why: &str| Err(UsageError(format!("{} {why}", path.display())));
        let none = |kind| matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory);
        let mut file = match opened(path, true) {
            Ok(file) => file,
            Err(NotOpened::Io(e)) if none(e.kind()) => {
                return match fs::symlink_metadata(path) {
                    Ok(_) => refuse("is a link to nothing: give another file"),
                    Err(_) => Ok(path.to_owned()),
                };
            }
            Err(NotOpened::Io(e)) => return refuse(&format!("cannot be looked at: {e}")),
            Err(NotOpened::Is(what)) => return refuse(&format!("is {what}, a file is wanted")),
        };
        let mut look = || -> std::io::Result<(Vec<u8>, Vec<u8>)> {
            let (mut head, mut tail) = (Vec::new(), Vec::new());
            (&mut file).take(LOOKED_AT).read_to_end(&mut head)?;
            let len = file.seek(SeekFrom::End(0))?;
            file.seek(SeekFrom::Start(len.saturating_sub(LOOKED_AT)))?;
            (&mut file).take(LOOKED_AT).read_to_end(&mut tail)?;
            Ok((head, tail))
        };
        match look() {
            Err(e) => refuse(&format!("cannot be looked at: {e}")),
            Ok((head, tail)) if head.is_empty() || self.is(&head, &tail) => {
                Ok(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
            }
            Ok(_) => refuse(&format!(
                "is there and is no {} of sockeye's: move it away, or give another file",
                self.what()
            )),
        }
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(
        self,
        path: &Path,
        write: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        results::whole(&self.place(path)?, write)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const ALL: [Product; 5] =
        [Product::Page, Product::Changes, Product::Bundle, Product::Frames, Product::Report];

    fn said(product: Product, path: &Path) -> String {
        product.place(path).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_file_of_ours_is_no_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("mine"), "my own words").unwrap();
        fs::write(at("empty"), "").unwrap();
        symlink("gone", at("link")).unwrap();
        symlink("mine", at("to-mine")).unwrap();
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for product in ALL {
            let what = format!("is there and is no {} of sockeye's", product.what());
            assert!(said(product, &at("mine")).contains(&what));
            assert!(said(product, &at("to-mine")).contains(&what));
            assert!(said(product, &at("link")).contains("a link to nothing"));
            assert!(said(product, &at("pipe")).contains("is a pipe, a file is wanted"));
            assert!(said(product, folder.path()).contains("is a folder, a file is wanted"));
            assert!(said(product, Path::new("/dev/null")).contains("is a device"));
            for free in ["empty", "none", "mine/none"] {
                assert!(product.place(&at(free)).is_ok(), "{free}");
            }
        }
        // What a link of the user's leads to is written, and the link stays.
        fs::write(at("mine"), CHANGES).unwrap();
        let place = Product::Changes.place(&at("to-mine")).unwrap();
        assert_eq!(place, fs::canonicalize(at("mine")).unwrap());
    }

    /// A word of ours somewhere in it makes a file none of ours.
    #[test]
    fn what_only_speaks_of_us_is_not_ours() {
        let speaks = [
            "<!DOCTYPE html>\n<p>sockeye</p>".to_owned(),
            format!("<!-- {} -->{GENERATOR}", "x".repeat(2000)),
            format!("\n{CHANGES}"),
            format!("a zip of {MARK}"),
            "PK\u{3}\u{4}README.md".to_owned(),
            "sockeye 0.1.0\n\r\r\n".to_owned(),
            "# subject: native\n".to_owned(),
            "{\"id\":1,\"subject\":\"native\"}".to_owned(),
            "<?xml version=\"1.0\"?><testsuites name=\"mine\"/>".to_owned(),
        ];
        for text in speaks {
            for product in ALL {
                assert!(
                    !product.is(&text.as_bytes()[..text.len().min(1024)], text.as_bytes()),
                    "{text}"
                );
            }
        }
    }
}
