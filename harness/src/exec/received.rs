//! Descriptors that calls have given a case beside those that it asked for: no step can name them, and
//! left open they would be the next case's.

use std::os::fd::RawFd;

use crate::case::op::Opt;
use crate::case::{Case, Op};
use crate::trace::{ControlOut, Did, Event, Out};

/// All that the calls of a case have been given: files and processes that came with messages (unix(7),
/// `SCM_RIGHTS`, `SCM_PIDFD`), and the process at a socket's other end (`SO_PEERPIDFD`).
pub(super) fn descriptors(case: &Case, events: &[Event]) -> Vec<RawFd> {
    let mut all = Vec::new();
    for event in events {
        let Event::Call { op, did: Did::Returned { errno: None, out, .. }, .. } = event else {
            continue;
        };
        match out {
            Out::Data { control, .. } => all.extend(control.iter().flat_map(of)),
            Out::Messages(messages) => {
                all.extend(messages.iter().flat_map(|message| &message.control).flat_map(of));
            }
            Out::Int(fd) if case.ops.get(*op as usize).is_some_and(asks_for_one) => all.push(*fd),
            _ => {}
        }
    }
    all.retain(|fd| *fd >= 0);
    all
}

fn of(message: &ControlOut) -> Vec<RawFd> {
    let gives =
        message.level == "SOL_SOCKET" && ["SCM_RIGHTS", "SCM_PIDFD"].contains(&&*message.name);
    let bytes = if gives { &message.bytes.0[..] } else { &[] };
    bytes.as_chunks().0.iter().map(|fd| RawFd::from_ne_bytes(*fd)).collect()
}

fn asks_for_one(op: &Op) -> bool {
    matches!(op, Op::Getsockopt { option: Opt::Raw { name, .. }, .. } if name.as_str() == "SO_PEERPIDFD")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Hex;

    #[test]
    fn whole_descriptors_are_found_and_nothing_else() {
        let message = |name: &str, bytes: &[u8]| ControlOut {
            level: "SOL_SOCKET".to_owned(),
            name: name.to_owned(),
            bytes: Hex(bytes.to_vec()),
        };
        let two = [7i32.to_ne_bytes(), 9i32.to_ne_bytes()].concat();
        assert_eq!(of(&message("SCM_RIGHTS", &two)), [7, 9]);
        assert_eq!(of(&message("SCM_PIDFD", &two[..6])), [7]);
        assert_eq!(of(&message("SCM_CREDENTIALS", &two)), [0; 0]);
    }
}
