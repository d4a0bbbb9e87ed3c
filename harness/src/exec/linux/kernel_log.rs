//! What the kernel writes to its log from a moment on: /dev/kmsg
//! (Documentation/ABI/testing/dev-kmsg).

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;

use crate::environment::Log;

/// The log, from the moment on when this was made.
#[derive(Debug)]
pub struct KernelLog(Result<File, String>);

/// More than the kernel puts in one record.
const RECORD: usize = 16 * 1024;

impl KernelLog {
    /// Begins to listen: what was said before is not shown.
    pub fn begin() -> Self {
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg");
        let ready = opened.and_then(|mut file| file.seek(SeekFrom::End(0)).map(|_| file));
        Self(ready.map_err(|e| format!("/dev/kmsg cannot be read: {e}")))
    }

    /// All that was said since.
    pub fn end(self) -> Log {
        let mut file = match self.0 {
            Ok(file) => file,
            Err(why) => return Log { lines: Vec::new(), missing: Some(why) },
        };
        let mut log = Log::default();
        let mut record = vec![0; RECORD];
        loop {
            match file.read(&mut record) {
                Ok(0) => return log,
                Ok(len) => log.lines.extend(line(&String::from_utf8_lossy(&record[..len]))),
                // Overwritten before it was read: the next read goes on behind it.
                Err(e) if e.kind() == ErrorKind::BrokenPipe => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return log,
                Err(e) => {
                    log.missing = Some(format!("/dev/kmsg cannot be read further: {e}"));
                    return log;
                }
            }
        }
    }
}

/// `6,339,5140900,-;NET: Registered` as dmesg(1) shows it: `[    5.140900] NET: Registered`.
fn line(record: &str) -> Option<String> {
    let (head, text) = record.lines().next()?.split_once(';')?;
    let micros: u64 = head.split(',').nth(2)?.parse().ok()?;
    Some(format!("[{:5}.{:06}] {text}", micros / 1_000_000, micros % 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_becomes_a_line_of_dmesg() {
        let record = "6,339,5140900,-;NET: Registered protocol family 10\n SUBSYSTEM=net\n";
        let shown = line(record);
        assert_eq!(shown.as_deref(), Some("[    5.140900] NET: Registered protocol family 10"));
        assert_eq!(line("no record"), None);
    }

    #[test]
    fn nothing_is_shown_of_before() {
        let log = KernelLog::begin().end();
        assert!(log.lines.len() < 100, "{log:?}");
    }
}
