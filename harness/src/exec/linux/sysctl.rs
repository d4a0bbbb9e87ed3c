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

/// Sets what a step sets, if that is a setting. An error is one sentence: this kernel has none, or the network none
/// of its own, or takes no such value of who has no more rights.
pub(super) fn set(step: &LabOp) -> Option<Result<(), String>> {
    let LabOp::Sysctl { name, value } = step else { return None };
    let written =
        needs_no_module(name, value).and_then(|()| host::write_new(&sysctl::file(name), value));
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

    /// It had the module `tcp_nonesuch` looked for. As whoever this is run by: nothing is written.
    #[test]
    fn no_module_is_loaded_by_the_name_of_a_congestion_control() {
        let step =
            |value: &str| LabOp::Sysctl { name: CONGESTION[0].to_owned(), value: value.to_owned() };
        let said = set(&step("nonesuch")).expect("a setting").unwrap_err();
        assert_eq!(said, "net.ipv4.tcp_congestion_control takes no nonesuch here");
    }
}
