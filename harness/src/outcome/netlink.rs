//! What a kernel says by `NETLINK_ROUTE` (netlink(7)): how long each message is, of which type, and which error it
//! tells. Sequence numbers, processes and what is told of links are not decided by the call.

use super::bytes::{i32_at, u16_at, u32_at};
use super::errnos;
use super::parts::join;
use super::socks;
use crate::case::Case;

/// The bytes of a `struct nlmsghdr`.
const HEADER: usize = 16;

/// Control messages and what answers the requests that a case may send (`linux/netlink.h`, `linux/rtnetlink.h`).
const TYPES: [(u16, &str); 9] = [
    (1, "NLMSG_NOOP"),
    (2, "NLMSG_ERROR"),
    (3, "NLMSG_DONE"),
    (4, "NLMSG_OVERRUN"),
    (16, "RTM_NEWLINK"),
    (20, "RTM_NEWADDR"),
    (24, "RTM_NEWROUTE"),
    (28, "RTM_NEWNEIGH"),
    (32, "RTM_NEWRULE"),
];
const ERROR: u16 = 2;

/// The messages that a socket of the case received, if it is one of `NETLINK_ROUTE`:
/// `[{nlmsg_len=36, nlmsg_type=NLMSG_ERROR, error=EPERM}]`. One that is cut short has what is there of it.
pub fn route_messages(case: &Case, fd: &str, bytes: &[u8]) -> Option<String> {
    if !socks::is_route(case, fd) {
        return None;
    }
    let (mut rest, mut said) = (bytes, Vec::new());
    while !rest.is_empty() {
        if rest.len() < HEADER {
            said.push(format!("{} bytes", rest.len()));
            break;
        }
        let (len, kind) = (u32_at(rest, 0), u16_at(rest, 4));
        let known = TYPES.iter().find(|(known, _)| *known == kind);
        let name = known.map_or_else(|| kind.to_string(), |(_, name)| (*name).to_owned());
        let error = if kind == ERROR && rest.len() >= HEADER + 4 {
            let error = i32_at(rest, HEADER);
            let name =
                if error == 0 { "0".to_owned() } else { errnos::linux(error.wrapping_neg()) };
            format!(", error={name}")
        } else {
            String::new()
        };
        said.push(format!("{{nlmsg_len={len}, nlmsg_type={name}{error}}}"));
        let next = (len as usize).max(HEADER).next_multiple_of(4);
        rest = &rest[next.min(rest.len())..];
    }
    Some(format!("[{}]", join(said)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{case, socket};
    use super::*;

    #[test]
    fn a_message_is_told_by_its_type_and_error() {
        let case = case([socket("s", "AF_NETLINK", "SOCK_RAW", "NETLINK_ROUTE")]);
        let said = |bytes: &[u8]| route_messages(&case, "s", bytes).expect("its messages");
        let mut error = [36u32.to_le_bytes(), [2, 0, 0, 1], [7; 4], [9; 4]].concat();
        error.extend((-95i32).to_le_bytes());
        assert_eq!(said(&error), "[{nlmsg_len=36, nlmsg_type=NLMSG_ERROR, error=EOPNOTSUPP}]");
        error[16..].fill(0);
        error.resize(36, 0);
        let done = [20u32.to_le_bytes(), [3, 0, 2, 0], [0; 4], [0; 4], [0; 4]].concat();
        assert_eq!(
            said(&[error, done].concat()),
            "[{nlmsg_len=36, nlmsg_type=NLMSG_ERROR, error=0}, {nlmsg_len=20, nlmsg_type=NLMSG_DONE}]"
        );
        assert_eq!((said(b"x"), said(b"")), ("[1 bytes]".to_owned(), "[]".to_owned()));
    }

    #[test]
    fn others_say_what_they_like() {
        let case = case([
            socket("u", "AF_NETLINK", "SOCK_RAW", "NETLINK_USERSOCK"),
            socket("i", "AF_INET", "SOCK_DGRAM", ""),
        ]);
        assert_eq!(["u", "i"].map(|fd| route_messages(&case, fd, b"x")), [None, None]);
    }
}
