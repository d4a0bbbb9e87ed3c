//! Addresses of `AF_NETLINK` and what may be sent there (netlink(7), rtnetlink(7)), Linux's.
//!
//! A message could change the lab, or have the kernel load a module, which is the host's. So a case speaks two protocols,
//! to the kernel or to a socket of its own: by `NETLINK_USERSOCK`, behind which no part of the kernel is, it sends what
//! it likes, and by `NETLINK_ROUTE` what asks and changes nothing.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::op::Who;
use super::{Flags, Op, Payload};

/// The bytes of a `struct sockaddr_nl`, and of a `struct nlmsghdr`.
pub const SIZE: u32 = 12;
const HEADER: usize = 16;

/// What stands for the family of a socket that speaks one of the protocols of which a case has messages.
pub(super) const ROUTE: &str = "AF_NETLINK, NETLINK_ROUTE";
/// The other one.
pub(super) const USERSOCK: &str = "AF_NETLINK, NETLINK_USERSOCK";

/// The first type of message that is a family's own (`NLMSG_MIN_TYPE`).
const FIRST_OWN: u16 = 16;
/// `RTM_GETLINK`, `RTM_GETADDR`, `RTM_GETROUTE`, `RTM_GETNEIGH`, `RTM_GETRULE`: others that ask may have a module
/// loaded, such as a classifier's (`net/sched/cls_api.c` `tcf_proto_lookup_ops`).
const ASKS: [u16; 5] = [18, 22, 26, 30, 34];
/// From here on rtnetlink knows none (`RTM_MAX` is below 128), and those that would ask are told so.
const UNKNOWN: u16 = 0x1000;

/// A `struct sockaddr_nl` as a case gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Netlink {
    /// `nl_pid`; none where it is that of a socket, which the address's port names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<Who>,
    /// `nl_groups`.
    pub groups: u32,
    /// The length of the address, in bytes, where it is not that of the structure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub len: Option<u32>,
}

/// `{AF_NETLINK pid 0 groups 0}`, with the process as it is called.
pub fn text(pid: &str, groups: u32) -> String {
    format!("{{AF_NETLINK pid {pid} groups {groups}}}")
}

/// The process and the groups that [`text`] writes between the braces, behind the family; none of other text.
pub(super) fn parse(text: &str) -> Option<(u32, u32)> {
    let (pid, groups) = text.strip_prefix("pid ")?.split_once(" groups ")?;
    Some((pid.parse().ok()?, groups.parse().ok()?))
}

/// The process and the groups that a kernel wrote, from `nl_family` on; none if it is too short for them.
pub(crate) fn read(bytes: &[u8]) -> Option<(u32, u32)> {
    let four = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes);
    Some((four(4)?, four(8)?))
}

impl Netlink {
    /// What is wrong with it, as one sentence: of the address that a socket is bound to, or of another.
    ///
    /// # Errors
    /// Somebody else than the kernel or a socket of the case.
    pub fn check(&self, is_own: bool) -> Result<(), String> {
        if let Some(len) = self.len.filter(|len| *len > SIZE) {
            return Err(format!("an address of {len} bytes, {SIZE} are the most"));
        }
        match self.pid {
            Some(pid) if !is_own && pid != Who::Is(0) => Err(format!(
                "pid {pid} may be somebody else's: the kernel's is 0, a socket of the case's port(SOCKET)"
            )),
            _ => Ok(()),
        }
    }

    /// Its bytes behind `nl_family`, where `own` is the executor's process, with this number where it has none itself.
    pub fn bytes(&self, own: u32, of_socket: u32) -> Vec<u8> {
        let pid = match self.pid {
            Some(Who::Own) => own,
            Some(Who::Is(pid)) => pid,
            None => of_socket,
        };
        [&[0; 2], &pid.to_ne_bytes()[..], &self.groups.to_ne_bytes()].concat()
    }

    /// As text, with the number of a socket as it is called.
    pub fn text(&self, of_socket: &str) -> String {
        let pid = self.pid.map_or_else(|| of_socket.to_owned(), |pid| pid.to_string());
        let len = self.len.map_or_else(String::new, |len| format!(" length {len}"));
        format!("{}{len}}}", text(&pid, self.groups).trim_end_matches('}'))
    }
}

impl fmt::Display for Netlink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text("port"))
    }
}

/// What stands for the family of a netlink socket, by its protocol: of all others a case may ask, and not speak.
pub(super) fn family(protocol: &Flags) -> &'static str {
    match protocol.0.iter().map(super::Sym::as_str).collect::<Vec<_>>()[..] {
        [] | ["0" | "NETLINK_ROUTE"] => ROUTE,
        ["NETLINK_USERSOCK"] => USERSOCK,
        _ => "AF_NETLINK",
    }
}

/// Whether a protocol is one of which a case has messages, by its number, and which: `NETLINK_ROUTE` is `true`.
pub(crate) fn is_route(protocol: i32) -> Option<bool> {
    match protocol {
        0 => Some(true),
        2 => Some(false),
        _ => None,
    }
}

/// That what a step sends by `NETLINK_ROUTE` asks and changes nothing, taken together as well, whichever order the bytes
/// of a number have.
///
/// # Errors
/// One sentence: which message might be more.
pub(crate) fn asks(op: &Op) -> Result<(), String> {
    let each: Vec<Vec<u8>> = op.payloads().into_iter().map(Payload::bytes).collect();
    let found = each.iter().chain([&each.concat()]).find_map(|bytes| more_than_asks(bytes));
    match found {
        Some(kind) => Err(format!(
            "{}: a message of type {kind} may change something: by NETLINK_ROUTE a case asks for links, addresses, \
             routes, neighbours and rules, or with 4096 and more for what there is not",
            op.call()
        )),
        None => Ok(()),
    }
}

/// How a number is read from its bytes.
type Four = fn([u8; 4]) -> u32;
type Two = fn([u8; 2]) -> u16;

/// The type of a message that may do more than ask.
fn more_than_asks(bytes: &[u8]) -> Option<u16> {
    let little = found((u32::from_le_bytes, u16::from_le_bytes), bytes);
    little.or_else(|| found((u32::from_be_bytes, u16::from_be_bytes), bytes))
}

/// As a kernel goes through them (`net/netlink/af_netlink.c` `netlink_rcv_skb`): up to one that is cut short.
fn found((four, two): (Four, Two), mut rest: &[u8]) -> Option<u16> {
    while rest.len() >= HEADER {
        let len = four(*rest.first_chunk()?) as usize;
        if len < HEADER || len > rest.len() {
            return None;
        }
        let kind = two([rest[4], rest[5]]);
        // What gets: the last two bits of a type say what it does (`net/core/rtnetlink.c` `rtnl_msgtype_kind`).
        let is_unknown = kind >= UNKNOWN && kind & 3 == 2;
        if kind >= FIRST_OWN && !ASKS.contains(&kind) && !is_unknown {
            return Some(kind);
        }
        rest = &rest[len.next_multiple_of(4).min(rest.len())..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(len: u32, kind: u16) -> Vec<u8> {
        let mut all = len.to_le_bytes().to_vec();
        all.extend(kind.to_le_bytes());
        all.resize(HEADER, 0);
        all
    }

    #[test]
    fn what_is_given_is_read_as_it_was() {
        let given = Netlink { pid: Some(Who::Own), groups: 5, len: None };
        let bytes = [vec![16, 0], given.bytes(77, 0)].concat();
        assert_eq!(bytes.len(), SIZE as usize);
        assert_eq!((read(&bytes), read(&bytes[..11])), (Some((77, 5)), None));
        assert_eq!(given.to_string(), "{AF_NETLINK pid own groups 5}");
        let of_socket = Netlink { pid: None, ..given };
        assert_eq!(read(&[vec![16, 0], of_socket.bytes(77, 8)].concat()), Some((8, 5)));
        assert_eq!(of_socket.text("port(s)"), "{AF_NETLINK pid port(s) groups 5}");
    }

    #[test]
    fn nobody_else_is_spoken_to() {
        let of = |pid, is_own| Netlink { pid, groups: 0, len: None }.check(is_own).is_ok();
        assert!(of(Some(Who::Is(0)), false) && of(None, false) && of(Some(Who::Is(9)), true));
        assert!(!of(Some(Who::Is(1)), false) && !of(Some(Who::Own), false));
        assert!(Netlink { pid: None, groups: 0, len: Some(13) }.check(true).is_err());
    }

    #[test]
    fn what_changes_something_is_found() {
        for kind in [1, 3, 18, 22, 26, 30, 34, 0x1002, 0xfffe] {
            assert_eq!(more_than_asks(&message(16, kind)), None, "{kind}");
        }
        for kind in [16, 17, 19, 20, 36, 38, 46, 50, 98, 0xffe, 0x1000, 0xffff] {
            assert_eq!(more_than_asks(&message(16, kind)), Some(kind), "{kind}");
        }
        // A kernel reads none that is cut short, and all others.
        assert_eq!(more_than_asks(&message(17, 16)), None);
        assert_eq!(more_than_asks(&message(16, 16)[..15]), None);
        assert_eq!(more_than_asks(&[message(16, 18), message(16, 16)].concat()), Some(16));
        let padded = [message(17, 18), vec![0; 4], message(16, 24)].concat();
        assert_eq!(more_than_asks(&padded), Some(24));
        // The other order of bytes.
        let mut turned = vec![0, 0, 0, 16, 0, 16];
        turned.resize(HEADER, 0);
        assert_eq!(more_than_asks(&turned), Some(16));
    }

    #[test]
    fn a_protocol_is_known_by_its_name() {
        let of = |name: &'static str| family(&Flags::of(&[name]));
        assert_eq!((family(&Flags::NONE), of("NETLINK_ROUTE")), (ROUTE, ROUTE));
        assert_eq!((of("NETLINK_USERSOCK"), of("NETLINK_AUDIT")), (USERSOCK, "AF_NETLINK"));
        assert_eq!(of("2"), "AF_NETLINK");
        assert_eq!([0, 2, 9].map(is_route), [Some(true), Some(false), None]);
    }
}
