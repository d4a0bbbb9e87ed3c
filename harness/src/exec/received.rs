//! Descriptors that calls have given a case beside those that it asked for: files and processes that came
//! with messages (unix(7), `SCM_RIGHTS`, `SCM_PIDFD`), and the process at a socket's other end
//! (`SO_PEERPIDFD`). No step can name them, and left open they would be the next case's. They are taken
//! down where a call has returned, whatever is told of it then.

use std::os::fd::RawFd;

use libc::c_int;

use super::gave::Message;
use super::{calls, os};

/// Those that control messages have brought.
pub(super) fn descriptors(messages: &[Message]) -> impl Iterator<Item = RawFd> {
    // By its name: no table of constants has `SCM_PIDFD`, which no case may name.
    let gives = |message: &&Message| {
        let (level, name) = os::control_name(message.0, message.1);
        level == "SOL_SOCKET" && matches!(name.as_str(), "SCM_RIGHTS" | "SCM_PIDFD")
    };
    let all = messages.iter().filter(gives).flat_map(|message| message.2.as_chunks().0);
    all.map(|fd| RawFd::from_ne_bytes(*fd)).filter(|fd| *fd >= 0)
}

/// The one that an option's value is.
pub(super) fn of_option((level, name): (c_int, c_int), value: &[u8]) -> Option<RawFd> {
    let gives = level == libc::SOL_SOCKET && Some(name) == os::value("SO_PEERPIDFD");
    let fd = RawFd::from_ne_bytes(value.try_into().ok()?);
    (gives && fd >= 0).then_some(fd)
}

pub(super) fn close(fd: RawFd) {
    let _ = calls::close(fd);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Os;

    #[test]
    fn whole_descriptors_are_found_and_nothing_else() {
        let of = |level, kind, bytes: &[u8]| -> Vec<RawFd> {
            descriptors(&[(level, kind, bytes.to_vec())]).collect()
        };
        let two = [7i32.to_ne_bytes(), 9i32.to_ne_bytes()].concat();
        assert_eq!(of(libc::SOL_SOCKET, libc::SCM_RIGHTS, &two), [7, 9]);
        assert_eq!(of(libc::SOL_SOCKET, libc::SCM_RIGHTS, &two[..6]), [7]);
        assert_eq!(of(libc::IPPROTO_IP, libc::SCM_RIGHTS, &two), [0; 0]);
        assert_eq!(of(libc::SOL_SOCKET, libc::SCM_RIGHTS, &(-1i32).to_ne_bytes()), [0; 0]);
        // Linux's own: a process, and numbers (include/linux/socket.h).
        if Os::host() == Some(Os::Linux) {
            assert_eq!(of(libc::SOL_SOCKET, 4, &two[..4]), [7], "SCM_PIDFD");
            assert_eq!(of(libc::SOL_SOCKET, 2, &two), [0; 0], "SCM_CREDENTIALS");
        }
    }

    /// By its number and level, whichever name a case has for it: another option's number is no descriptor.
    #[test]
    fn an_option_is_a_descriptor_if_it_is_that_one() {
        let Some(peer) = os::value("SO_PEERPIDFD") else {
            // Linux's, by its number where headers lack it.
            return assert_ne!(Os::host(), Some(Os::Linux));
        };
        let seven = 7i32.to_ne_bytes();
        assert_eq!(of_option((libc::SOL_SOCKET, peer), &seven), Some(7));
        assert_eq!(of_option((libc::IPPROTO_IP, peer), &seven), None);
        assert_eq!(of_option((libc::SOL_SOCKET, libc::SO_TYPE), &seven), None);
        assert_eq!(of_option((libc::SOL_SOCKET, peer), &[]), None);
    }
}
