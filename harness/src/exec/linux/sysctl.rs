//! The settings of a network that a case sets.
//!
//! They go with the network: one in which something was set is not restored, but given up, and no other is made in it.

use std::fs;
use std::io;

use super::host;
use crate::case::{LabOp, sysctl};

/// What has a kernel module loaded by its value where the host's root writes it (`net/ipv4/tcp_cong.c`
/// `tcp_ca_find_autoload`), and the values that need none.
const CONGESTION: [&str; 2] =
    ["net.ipv4.tcp_congestion_control", "net.ipv4.tcp_available_congestion_control"];

/// Who may open ping sockets (icmp(7)).
const PING_GROUPS: &str = "net.ipv4.ping_group_range";
/// Its file beneath those of IPv4.
pub(super) const PING_GROUPS_FILE: &str = "ping_group_range";

/// Whether the step says so.
pub(super) fn is_of_ping_groups(step: &LabOp) -> bool {
    matches!(step, LabOp::Sysctl { name, .. } if name == PING_GROUPS)
}

/// The first and the last of a range of groups.
fn bounds(range: &str) -> Option<(u32, u32)> {
    let (first, last) = range.trim().split_once(char::is_whitespace)?;
    Some((first.parse().ok()?, last.trim().parse().ok()?))
}

/// Whether the range of groups has none: it ends before it begins.
fn is_no_group(range: &str) -> bool {
    bounds(range).is_some_and(|(first, last)| first > last)
}

/// Whether the executor's own group is not in it, which is 0: one that has no name here is told as 65534, be it the
/// first or the last (`user_namespaces(7)`).
fn is_without_own(range: &str) -> bool {
    bounds(range).is_some_and(|(first, last)| !(first..=last).contains(&0))
}

/// Sets what a step sets, if that is a setting. An error is one sentence: this kernel has none, or the network none
/// of its own, or takes no such value of who has no more rights.
pub(super) fn set(step: &LabOp) -> Option<Result<(), String>> {
    let LabOp::Sysctl { name, value } = step else { return None };
    let written =
        needs_no_module(name, value).and_then(|()| host::write_new(&sysctl::file(name), value));
    if written.is_err() && name == PING_GROUPS && is_no_group(value) {
        // As it was: who has no group but root's (user_namespaces(7)) cannot write that of another.
        let is = fs::read_to_string(sysctl::file(name)).unwrap_or_default();
        if is_without_own(&is) {
            return Some(Ok(()));
        }
    }
    Some(written.map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => format!("there is no {name} here"),
        io::ErrorKind::InvalidInput => format!("{name} takes no {value} here"),
        _ => format!("{name} cannot be set to {value} here: {e}"),
    }))
}

fn needs_no_module(name: &str, value: &str) -> io::Result<()> {
    let [of, available] = CONGESTION;
    // Where none is told the kernel has none.
    let known = fs::read_to_string(sysctl::file(available)).unwrap_or_default();
    if name != of || known.split_whitespace().any(|one| one == value) {
        return Ok(());
    }
    Err(io::Error::from(io::ErrorKind::InvalidInput))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_without_a_group_ends_before_it_begins() {
        assert!(is_no_group("1 0") && is_no_group("65534\t0\n"));
        // As a new network's is told to who has no names for its groups.
        assert!(is_without_own("1 0") && is_without_own("65534\t65534\n"));
        let all = ["0 0", "0\t2147483647\n", "1", "1 0 0", "", "one none"];
        assert!(all.iter().all(|range| !is_no_group(range) && !is_without_own(range)));
    }

    /// It had the module `tcp_nonesuch` looked for. As whoever this is run by: nothing is written.
    #[test]
    fn no_module_is_loaded_by_the_name_of_a_congestion_control() {
        let step =
            |value: &str| LabOp::Sysctl { name: CONGESTION[0].to_owned(), value: value.to_owned() };
        let said = set(&step("nonesuch")).expect("a setting").unwrap_err();
        assert_eq!(said, "net.ipv4.tcp_congestion_control takes no nonesuch here");
    }
}
