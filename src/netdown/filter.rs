//! Whether a content filter sees what a socket sends, and what to do about it.
//!
//! The kernel counts the sockets that filters see: `net.cfil.sock_attached_count`
//! (xnu-11417 `bsd/net/content_filter.c:764`). A UDP socket is one of them from its first send on
//! (:2701). `net.cfil.active_count` is the number of filters, and one may leave a socket out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use harness::case::Os;

/// Whether a content filter sees a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Yes,
    No,
    /// The system has none, does not say, or other programs' sockets came and went meanwhile.
    Unknown,
}

/// By the count before `sockets` were made and while they are open, each of which has sent.
pub(super) fn seen(before: Option<u32>, open: Option<u32>, sockets: u32) -> Seen {
    let (Some(before), Some(open)) = (before, open) else { return Seen::Unknown };
    match open.saturating_sub(before) {
        rise if rise >= sockets => Seen::Yes,
        // A few may be other programs'.
        rise if rise < sockets / 2 => Seen::No,
        _ => Seen::Unknown,
    }
}

/// Whether a filter sees `sockets` that `make` has another process open for a while, and what `make`
/// returned.
pub(super) fn watch<T>(sockets: u32, make: impl FnOnce() -> T) -> (Seen, T) {
    let (done, before) = (AtomicBool::new(false), harness::exec::filtered_sockets());
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = before;
            while before.is_some() && !done.load(Ordering::Relaxed) {
                most = most.max(harness::exec::filtered_sockets());
                thread::sleep(Duration::from_millis(5));
            }
            most
        });
        let made = make();
        done.store(true, Ordering::Relaxed);
        (seen(before, watcher.join().unwrap_or(None), sockets), made)
    })
}

/// What was found of content filters, and what to do to have one, or to be rid of one; nothing on a
/// system that has none.
pub(super) fn advice(os: Os, attached: Option<bool>, seen: Seen) -> Option<String> {
    if os != Os::Macos {
        return None;
    }
    let filters = "System Settings > Network > Filters";
    Some(match (seen, attached) {
        (Seen::Yes, _) => format!(
            "a content filter saw this socket (net.cfil.sock_attached_count rose while it was open). \
             To ask without it, turn it off in {filters}; `systemextensionsctl list` names it"
        ),
        (Seen::No, Some(true)) => "a content filter is attached, and did not see this socket \
             (net.cfil.sock_attached_count did not rise): it may leave this program or interface out"
            .to_owned(),
        (Seen::No, _) => format!(
            "no content filter saw this socket. The report in the forum is about one: to have one, \
             install a program that filters by a network extension, such as LuLu, turn it on in \
             {filters}, and run this again"
        ),
        (Seen::Unknown, Some(true)) => "a content filter is attached; whether it saw this socket \
             cannot be told: net.cfil.sock_attached_count moved with other programs' sockets, or could \
             not be read. Run this again when less goes on"
            .to_owned(),
        (Seen::Unknown, _) => "whether a content filter saw this socket cannot be told: \
             net.cfil.sock_attached_count says nothing of it"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Some(10), Some(18), Seen::Yes)]
    #[case(Some(10), Some(19), Seen::Yes)]
    #[case(Some(10), Some(10), Seen::No)]
    #[case(Some(10), Some(7), Seen::No)]
    #[case(Some(0), Some(1), Seen::No)]
    #[case(Some(10), Some(15), Seen::Unknown)]
    #[case(None, Some(8), Seen::Unknown)]
    #[case(Some(0), None, Seen::Unknown)]
    fn a_socket_is_seen_if_the_count_rises_by_it(
        #[case] before: Option<u32>,
        #[case] open: Option<u32>,
        #[case] is: Seen,
    ) {
        assert_eq!(seen(before, open, 8), is);
    }

    #[rstest]
    #[case(Seen::Yes, Some(true), "turn it off")]
    #[case(Seen::No, Some(true), "did not see this socket")]
    #[case(Seen::No, Some(false), "to have one, install")]
    #[case(Seen::Unknown, Some(true), "cannot be told")]
    #[case(Seen::Unknown, None, "cannot be told")]
    fn each_has_its_advice(#[case] seen: Seen, #[case] attached: Option<bool>, #[case] says: &str) {
        let said = advice(Os::Macos, attached, seen).expect("a Mac can have one");
        assert!(said.contains(says), "{said}");
        assert_eq!(advice(Os::Linux, attached, seen), None);
    }

    #[test]
    fn who_has_no_count_watches_nothing() {
        if harness::exec::filtered_sockets().is_none() {
            assert_eq!(watch(8, || 7), (Seen::Unknown, 7));
        }
    }
}
