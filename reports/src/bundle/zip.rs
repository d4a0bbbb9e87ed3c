//! One zip, the same bytes for the same files.

use std::borrow::Cow;
use std::io::{Seek, Write};
use std::path::Path;

use harness::text;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

pub use zip::result::ZipError;

/// What stands at the end of every bundle, as the comment of the archive: by it one is known as ours.
pub const MARK: &str = "a bundle of sockeye's";

/// A file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether it is a program.
    pub runs: bool,
}

impl File {
    /// A text, which may be read on a terminal and has in it what others wrote.
    pub(super) fn text(name: &str, text: String) -> Self {
        let json = Path::new(name).extension().is_some_and(|extension| extension == "json");
        let safe = if json { text::json(&text) } else { text::shown(&text) };
        let text = match safe {
            Cow::Borrowed(_) => text,
            Cow::Owned(safe) => safe,
        };
        Self { name: name.to_owned(), bytes: text.into_bytes(), runs: false }
    }
}

/// Writes the files in their order, all as old as `at_s` seconds since 1970, UTC.
pub fn write(files: &[File], at_s: u64, output: impl Write + Seek) -> Result<(), ZipError> {
    let mut zip = ZipWriter::new(output);
    let plain = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(time(at_s));
    for file in files {
        let mode = if file.runs { 0o755 } else { 0o644 };
        zip.start_file(&file.name, plain.unix_permissions(mode))?;
        zip.write_all(&file.bytes)?;
    }
    zip.set_comment(MARK)?;
    zip.finish()?;
    Ok(())
}

/// What the format cannot say, before 1980, is its first day.
fn time(at_s: u64) -> DateTime {
    let [year, month, day, hour, minute, second] = civil(at_s);
    let small = |n: u64| u8::try_from(n).unwrap_or_default();
    DateTime::from_date_and_time(
        u16::try_from(year).unwrap_or_default(),
        small(month),
        small(day),
        small(hour),
        small(minute),
        small(second),
    )
    .unwrap_or_default()
}

/// Year, month, day, hour, minute and second of a time in UTC.
fn civil(at_s: u64) -> [u64; 6] {
    let (days, second) = (at_s / 86_400, at_s % 86_400);
    // Days since 1 March 0000: a year then ends with its odd day.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    [year, month, day, second / 3600, second / 60 % 60, second % 60]
}

/// `2026-11-24 09:12:03 UTC`.
pub fn utc(at_s: u64) -> String {
    let [year, month, day, hour, minute, second] = civil(at_s);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn times_are_those_of_date() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(1_795_510_301), "2026-11-24 08:51:41 UTC");
    }

    #[test]
    fn the_same_files_are_the_same_bytes() {
        let file = |name: &str, runs| File { name: name.into(), bytes: b"text\n".to_vec(), runs };
        let files = [file("a", false), file("run.sh", true)];
        let make = || {
            let mut out = Cursor::new(Vec::new());
            write(&files, 1_795_510_301, &mut out).unwrap();
            out.into_inner()
        };
        let bytes = make();
        assert_eq!(bytes, make());
        let mut read = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read.by_name("run.sh").unwrap().unix_mode(), Some(0o100_755));
        assert_eq!(read.by_name("a").unwrap().last_modified().unwrap().year(), 2026);
    }
}
