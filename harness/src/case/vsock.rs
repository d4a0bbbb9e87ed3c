//! Addresses of `AF_VSOCK` (vsock(7)): which machine, and which port there.
//!
//! Such sockets speak to a hypervisor and to its guests, none of which a lab has made, and they know no network
//! namespaces. So a case connects and sends to this machine alone ([`CID_LOCAL`]), and to no port below
//! [`FIRST_PORT`], where a service of the host's might be; whether the kernel keeps that to itself the executor looks
//! before it lets it happen.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::addr::{Addr, Host};
use super::op::Who;
use super::{Case, Op};

/// The bytes of Linux's `struct sockaddr_vm`; Darwin's has four less.
pub const SIZE: u32 = 16;
/// `VMADDR_CID_ANY` and `VMADDR_PORT_ANY` (vsock(7)).
pub const ANY: u32 = u32::MAX;
/// `VMADDR_CID_LOCAL`: the machine itself (vsock(7), "Local communication").
pub const CID_LOCAL: u32 = 1;
/// The first port that a case may name: services have lower ones.
pub const FIRST_PORT: u32 = 1 << 16;

/// The machines that have names (`linux/vm_sockets.h`).
const CIDS: [(&str, u32); 4] = [
    ("VMADDR_CID_ANY", ANY),
    ("VMADDR_CID_HYPERVISOR", 0),
    ("VMADDR_CID_LOCAL", CID_LOCAL),
    ("VMADDR_CID_HOST", 2),
];
const PORT_ANY: &str = "VMADDR_PORT_ANY";

/// A `struct sockaddr_vm` as a case gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Vsock {
    /// `svm_cid`.
    pub cid: u32,
    /// `svm_port`; none where it is that of a socket, which the address's port names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u32>,
    /// The length of the address, in bytes, where it is not that of the structure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub len: Option<u32>,
}

/// The machine of this name.
pub fn cid(name: &str) -> Option<u32> {
    CIDS.iter().find(|(known, _)| *known == name).map(|(_, cid)| *cid)
}

/// The names of machines.
pub fn cids() -> impl Iterator<Item = &'static str> {
    CIDS.iter().map(|(name, _)| *name)
}

/// The port of this name, of which there is one.
pub fn port(name: &str) -> Option<u32> {
    (name == PORT_ANY).then_some(ANY)
}

fn cid_text(cid: u32) -> String {
    let known = CIDS.iter().find(|(_, known)| *known == cid);
    known.map_or_else(|| cid.to_string(), |(name, _)| (*name).to_owned())
}

/// A port as text.
pub fn port_text(port: u32) -> String {
    if port == ANY { PORT_ANY.to_owned() } else { port.to_string() }
}

/// `AF_VSOCK VMADDR_CID_LOCAL:70000` between braces, with the port as it is called.
pub fn text(cid: u32, port: &str) -> String {
    format!("{{AF_VSOCK {}:{port}}}", cid_text(cid))
}

/// The machine and the port that [`text`] writes between the braces, behind the family; none of other text.
pub(super) fn parse(text: &str) -> Option<(u32, u32)> {
    let (of, at) = text.split_once(':')?;
    Some((cid(of).or_else(|| of.parse().ok())?, port(at).or_else(|| at.parse().ok())?))
}

impl Vsock {
    /// What is wrong with it, as one sentence: of the address that a socket is bound to, or of another.
    ///
    /// # Errors
    /// Another machine, or a port that may be a service's.
    pub fn check(&self, is_own: bool) -> Result<(), String> {
        if let Some(len) = self.len.filter(|len| *len > SIZE) {
            return Err(format!("an address of {len} bytes, {SIZE} are the most"));
        }
        if self.cid != CID_LOCAL && !(is_own && self.cid == ANY) {
            let of = cid_text(self.cid);
            return Err(format!("{of} is beyond the lab, of which VMADDR_CID_LOCAL alone is"));
        }
        match self.port {
            Some(ANY) if is_own => Ok(()),
            Some(port) if port < FIRST_PORT || port == ANY => {
                Err(format!("port {port} may be a service's, {FIRST_PORT} is the first of a case"))
            }
            _ => Ok(()),
        }
    }

    /// Its bytes behind `svm_family`, with this port where it has none itself.
    pub fn bytes(&self, of_socket: u32) -> Vec<u8> {
        let port = self.port.unwrap_or(of_socket);
        // `svm_reserved1` stands before, `svm_flags` and zeros behind.
        [&[0; 2], &port.to_ne_bytes()[..], &self.cid.to_ne_bytes(), &[0; 4]].concat()
    }

    /// As text, with the port of a socket as it is called.
    pub fn text(&self, of_socket: &str) -> String {
        let port = self.port.map_or_else(|| of_socket.to_owned(), port_text);
        let len = self.len.map_or_else(String::new, |len| format!(" length {len}"));
        format!("{}{len}}}", text(self.cid, &port).trim_end_matches('}'))
    }
}

impl fmt::Display for Vsock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text("port"))
    }
}

/// The machine and the port that a kernel wrote, from `svm_family` on; none if it is too short for them.
pub(crate) fn read(bytes: &[u8]) -> Option<(u32, u32)> {
    let four = |at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes);
    Some((four(8)?, four(4)?))
}

impl Case {
    /// Whether it has this number itself, for a port of `AF_VSOCK` or a process of `AF_NETLINK`: others a kernel chose.
    pub fn names_wide_port(&self, number: u32) -> bool {
        self.ops.iter().flat_map(Op::addrs).any(|addr| match &addr.host {
            Host::Vsock(vsock) => vsock.port == Some(number),
            Host::Netlink(netlink) => netlink.pid == Some(Who::Is(number)),
            _ => false,
        })
    }

    /// Whether it connects or sends to an address of `AF_VSOCK`.
    pub fn speaks_vsock(&self) -> bool {
        let to =
            |op: &Op| !matches!(op, Op::Bind { .. }) && op.addrs().any(|a| a.as_vsock().is_some());
        self.ops.iter().any(to)
    }
}

/// That nobody beyond the lab can connect to what the case listens to: such a socket is bound to this machine alone.
pub(super) fn listens(ops: &[Op]) -> Result<(), String> {
    let of_all = |op: &Op| match op {
        Op::Bind { addr, .. } => addr.as_vsock().is_some_and(|vsock| vsock.cid != CID_LOCAL),
        _ => false,
    };
    if ops.iter().any(of_all) {
        return Err("listen: whoever is beyond the lab could connect to a socket of AF_VSOCK: \
                    in such a case they are bound to VMADDR_CID_LOCAL"
            .to_owned());
    }
    Ok(())
}

/// That an address is one of the family by its own form: by that of IP its bytes would say another machine.
pub(super) fn is_disguised(addr: &Addr, family: &str) -> bool {
    addr.family.as_ref().is_some_and(|of| of.plain() == family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_read_as_it_was() {
        let given = Vsock { cid: CID_LOCAL, port: Some(70_000), len: None };
        let bytes = [vec![40, 0], given.bytes(0)].concat();
        assert_eq!(bytes.len(), SIZE as usize);
        assert_eq!(read(&bytes), Some((CID_LOCAL, 70_000)));
        assert_eq!(read(&bytes[..11]), None);
        let of_socket = Vsock { port: None, ..given };
        assert_eq!(read(&[vec![40, 0], of_socket.bytes(7)].concat()), Some((CID_LOCAL, 7)));
        assert_eq!(of_socket.text("port(s)"), "{AF_VSOCK VMADDR_CID_LOCAL:port(s)}");
    }

    #[test]
    fn nothing_is_beyond_the_lab() {
        let of = |cid, port, is_own| Vsock { cid, port, len: None }.check(is_own).is_ok();
        for cid in [0, 2, 3, ANY] {
            assert!(!of(cid, Some(70_000), false), "{cid}");
        }
        assert!(of(CID_LOCAL, Some(70_000), false) && of(CID_LOCAL, None, false));
        assert!(
            of(ANY, Some(ANY), true) && of(CID_LOCAL, Some(ANY), true) && !of(2, Some(ANY), true)
        );
        // Where a service may be.
        assert!(!of(CID_LOCAL, Some(22), false) && !of(ANY, Some(1024), true));
        assert!(!of(CID_LOCAL, Some(ANY), false), "nobody has it");
        assert!(Vsock { cid: ANY, port: Some(ANY), len: Some(17) }.check(true).is_err());
    }
}
