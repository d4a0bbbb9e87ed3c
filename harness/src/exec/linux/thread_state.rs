//! Whether another thread of this process sleeps.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// What a thread's `/proc/thread-self/stat` (proc(5)) says of it.
pub(in crate::exec) struct ThreadState(Option<File>);

impl ThreadState {
    /// The calling thread's.
    pub(in crate::exec) fn own() -> Self {
        Self(File::open("/proc/thread-self/stat").ok())
    }

    /// Whether it sleeps and a signal would wake it; none where nobody can tell.
    pub(in crate::exec) fn is_asleep(&self) -> Option<bool> {
        let mut text = [0; 128];
        let len = self.0.as_ref()?.read_at(&mut text, 0).ok()?;
        is_sleep(&text[..len])
    }
}

/// `PID (NAME) STATE …`; the name may have anything in it.
fn is_sleep(stat: &[u8]) -> Option<bool> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    stat.get(end + 2).map(|state| *state == b'S')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_told() {
        assert_eq!(is_sleep(b"7 (calls) S 1 7"), Some(true));
        assert_eq!(is_sleep(b"7 (calls) R 1 7"), Some(false));
        assert_eq!(is_sleep(b"7 (a) S ) D 1 7"), Some(false));
        assert_eq!(is_sleep(b""), None);
    }
}
