//! Which connections a network has that no descriptor has any more, as its kernel counts them.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use crate::exec::network::LeftBehind;

/// The counts of a network, which are read after each case of connections: so the files stay open.
#[derive(Default)]
pub(super) struct Counts {
    files: Option<[Option<File>; 2]>,
}

impl Counts {
    /// In the network that the thread is in, which is always the same. What has no such files (gVisor) says that
    /// there are none.
    pub(super) fn left_behind(&mut self) -> LeftBehind {
        let open = |name: &str| File::open(format!("/proc/thread-self/net/{name}")).ok();
        let files = self.files.get_or_insert_with(|| [open("sockstat"), open("sockstat6")]);
        let [v4, v6] = files.each_ref().map(|file| file.as_ref().map_or(String::new(), read));
        counted(&v4, &v6)
    }
}

/// What the file says now.
fn read(file: &File) -> String {
    let mut text = [0; 512];
    let len = file.read_at(&mut text, 0).unwrap_or(0);
    String::from_utf8_lossy(&text[..len]).into_owned()
}

/// Of what `net/ipv4/proc.c` and `net/ipv6/proc.c` write; `inuse` and `tw` are of one network, `orphan`
/// is of all.
fn counted(sockstat: &str, sockstat6: &str) -> LeftBehind {
    let number = |text: &str, line: &str, word: &str| -> u32 {
        let mut words =
            text.lines().filter_map(|l| l.strip_prefix(line)).flat_map(str::split_whitespace);
        words.find(|w| *w == word);
        words.next().and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    let live = number(sockstat, "TCP:", "inuse") + number(sockstat6, "TCP6:", "inuse");
    // Of both families.
    LeftBehind { live, waiting: number(sockstat, "TCP:", "tw") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_counts_are_read() {
        let v4 = "sockets: used 9\nTCP: inuse 1 orphan 7 tw 3 alloc 4 mem 0\nUDP: inuse 5 mem 1\n";
        let v6 = "TCP6: inuse 2\nUDP6: inuse 8\n";
        assert_eq!(counted(v4, v6), LeftBehind { live: 3, waiting: 3 });
        assert_eq!(counted("", ""), LeftBehind::default());
    }
}
