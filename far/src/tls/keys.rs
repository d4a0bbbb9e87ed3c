//! The secrets of a connection, for who reads a capture of it.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use rustls::KeyLog;

/// Secrets as they are made, in lines of `SSLKEYLOGFILE`.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<String>);

impl Keys {
    /// Those since the last time, in lines.
    pub(super) fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeyLog for Keys {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_str(&line(label, client_random, secret));
    }
}

/// A secret's line.
pub(crate) fn line(label: &str, client_random: &[u8], secret: &[u8]) -> String {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    format!("{label} {} {}\n", hex(client_random), hex(secret))
}
