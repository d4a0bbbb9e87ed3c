//! Whether a step would send by an interface that the lab did not make, or is one that cannot be taken here.

use libc::c_int;

use super::gave::Fault;
use super::network::Reach;
use super::runner::Runner;
use super::sends::may_send;
use super::sockaddr::RawAddr;
use super::{calls, os};
use crate::case::addr::{SockAddr, Vsock};
use crate::case::vsock::{ANY, CID_LOCAL};
use crate::case::{Op, Os};
use crate::darwin::beyond::joins_anywhere;

impl Runner<'_> {
    /// Why the step must not be taken, as one sentence.
    pub(super) fn leaves(&mut self, op: &Op) -> Result<Option<String>, Fault> {
        if let Some(reason) = self.leaves_by_vsock(op) {
            return Ok(Some(reason));
        }
        if !self.lab.is_shared() || !may_send(op, self.streams) {
            return Ok(None);
        }
        let fd = op.fd().map_or(-1, |name| self.fd(name));
        let given = match op {
            // The socket's own port is no destination, and connectx names the link.
            Op::Bind { .. } | Op::Getnameinfo { .. } | Op::Connectx { link: Some(_), .. } => None,
            op => op.addr(),
        };
        let joined = joins_anywhere(op);
        let to = match (given, joined) {
            (Some(addr), _) => {
                let mut seen = None;
                self.addr(addr, &mut seen)?;
                seen.as_ref().and_then(reached)
            }
            (None, Some(group)) => Some((group, 0)),
            (None, None) => {
                let mut name = RawAddr::room();
                let peer = calls::getpeername(fd, &mut name).ok().and_then(|_| name.read());
                peer.as_ref().and_then(reached)
            }
        };
        let joins = joined.is_some();
        Ok(to.and_then(|(to, scope)| self.lab.leaves(&Reach { fd, to, scope, joins })))
    }
}

impl Runner<'_> {
    /// Why a connection of `AF_VSOCK` would not stay on this machine, as one sentence: where Linux has no transport for
    /// that, one to a hypervisor takes what is for `VMADDR_CID_LOCAL` (`net/vmw_vsock/af_vsock.c`
    /// `vsock_assign_transport`). Where it has one, that machine's address can be bound.
    fn leaves_by_vsock(&self, op: &Op) -> Option<String> {
        let family = os::value("AF_VSOCK")?;
        let is_own = matches!(op, Op::Bind { .. });
        // Any other form of address is refused there (`guard.rs`).
        let speaks = !is_own && op.addrs().any(|addr| addr.as_vsock().is_some());
        if !speaks || op.speaker().and_then(|name| os::family(self.fd(name))) != Some(family) {
            return None;
        }
        let local = Vsock { cid: CID_LOCAL, port: Some(ANY), len: None };
        let stays = Os::host() == Some(Os::Linux)
            && calls::socket(family, libc::SOCK_STREAM, 0).is_ok_and(|made| {
                let Ok(probe) = c_int::try_from(made) else { return false };
                let bound = calls::bind(probe, &RawAddr::vsock(&local, family, 0));
                let _ = calls::close(probe);
                bound.is_ok()
            });
        (!stays).then(|| {
            format!("{}: no vsock of this kernel stays on this machine (vsock_loopback)", op.call())
        })
    }
}

fn reached(addr: &SockAddr) -> Option<(std::net::IpAddr, u32)> {
    let scope = if let SockAddr::V6 { scope, .. } = addr { *scope } else { 0 };
    Some((addr.ip()?, scope))
}

#[cfg(test)]
mod tests;
