//! Whether a step would send by an interface that the lab did not make, or is one that cannot be taken here.

use super::calls;
use super::gave::Fault;
use super::network::Reach;
use super::process::cannot_act;
use super::runner::Runner;
use super::sends::may_send;
use super::sockaddr::RawAddr;
use crate::case::Op;
use crate::case::addr::SockAddr;
use crate::darwin::beyond::joins_anywhere;

impl Runner<'_> {
    /// Why the step must not be taken, as one sentence.
    pub(super) fn leaves(&mut self, op: &Op) -> Result<Option<String>, Fault> {
        if let Some(reason) = cannot_act(op) {
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

fn reached(addr: &SockAddr) -> Option<(std::net::IpAddr, u32)> {
    let scope = if let SockAddr::V6 { scope, .. } = addr { *scope } else { 0 };
    Some((addr.ip()?, scope))
}

#[cfg(test)]
mod tests;
