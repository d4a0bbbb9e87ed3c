//! Which names and calls of the sockets API a system has not got, and so which cases ask nothing there.

use super::headers::NOT_ON_MACOS;
use super::intent::concrete;
use super::op::{Op, Opt, Value};
use super::{Case, Os, check};

impl Case {
    /// The name at which it ends on `os`, if that has not got it: what the case asks has no meaning
    /// there. Of Linux, whose kernels differ, nothing is known beforehand.
    pub fn ends_at(&self, os: Os) -> Option<&str> {
        let last = self.ops.len().saturating_sub(1);
        let asked = self.ops.iter().enumerate();
        let mut asked = asked.filter(|(at, op)| *at == last || !op.may_be_left_out());
        asked.find_map(|(_, op)| self.lacking(os, op))
    }

    fn lacking<'a>(&self, os: Os, op: &'a Op) -> Option<&'a str> {
        if os != Os::Macos {
            return None;
        }
        let option = match op {
            Op::Setsockopt { fd, option, .. } | Op::Getsockopt { fd, option, .. } => {
                Some((fd, option))
            }
            _ => None,
        };
        if let Some((fd, option @ Opt::Intent(_))) = option
            && concrete(os, self.family(fd), option, &Value::Int(1)).is_none()
        {
            return Some("an option for that");
        }
        if op.is_not_darwins() {
            return Some(op.call());
        }
        check::names(op).into_iter().find(|name| NOT_ON_MACOS.binary_search(name).is_ok())
    }
}

impl Op {
    /// Whether the call is none of POSIX's or Linux's, but Darwin's.
    pub fn is_darwins(&self) -> bool {
        matches!(
            self,
            Self::Connectx { .. }
                | Self::Disconnectx { .. }
                | Self::SendmsgX { .. }
                | Self::RecvmsgX { .. }
                | Self::Kevent { .. }
        )
    }

    /// Whether the call is one that Darwin has not got, in this form at least (its `sendfile` takes other arguments).
    pub fn is_not_darwins(&self) -> bool {
        matches!(
            self,
            Self::Accept4 { .. }
                | Self::Ppoll { .. }
                | Self::Sendmmsg { .. }
                | Self::Recvmmsg { .. }
                | Self::Sendfile { .. }
                | Self::Splice { .. }
                | Self::EpollCreate1 { .. }
                | Self::EpollCtl { .. }
                | Self::EpollWait { .. }
                | Self::EpollPwait { .. }
        ) || matches!(self, Self::Process { call } if call.is_linuxs())
            || matches!(self, Self::Raw { call, .. } if super::raw::is_not_darwins(call))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::case::{Flags, Lab, Sym, is_known};

    #[test]
    fn the_list_is_sound() {
        assert!(NOT_ON_MACOS.is_sorted() && NOT_ON_MACOS.iter().all(|name| is_known(name)));
        for here in ["IP_DONTFRAG", "IPV6_DONTFRAG", "SO_NOSIGPIPE", "SO_ERROR", "MSG_DONTWAIT"] {
            assert!(!NOT_ON_MACOS.contains(&here), "{here}");
        }
    }

    fn get(name: &'static str) -> Op {
        let option = Opt::Raw { level: "IPPROTO_IP".into(), name: name.into() };
        Op::Getsockopt { fd: "s".to_owned(), option, len: 4 }
    }

    fn set(value: &'static str) -> Op {
        let option = Opt::Raw { level: "IPPROTO_IP".into(), name: "IP_TTL".into() };
        let value = Value::Named(Sym::from(value));
        Op::Setsockopt { fd: "s".to_owned(), option, value }
    }

    /// A name that no suite uses: the list that was here had those of the suites alone.
    fn packet() -> Op {
        let (fd, domain, r#type) = ("p".to_owned(), "AF_PACKET".into(), Flags::NONE);
        Op::Socket { fd, domain, r#type, protocol: Flags::NONE }
    }

    #[rstest]
    #[case(vec![packet(), get("IP_TTL")], Some("AF_PACKET"))]
    #[case(vec![get("IP_MTU")], Some("IP_MTU"))]
    #[case(vec![get("IP_MTU"), get("IP_TTL")], None)]
    #[case(vec![get("IP_TTL"), get("IP_MTU")], Some("IP_MTU"))]
    #[case(vec![set("IP_PMTUDISC_DO"), get("IP_TTL")], Some("IP_PMTUDISC_DO"))]
    #[case(vec![], None)]
    fn a_case_ends_where_it_needs_a_name(#[case] ops: Vec<Op>, #[case] at: Option<&str>) {
        let case = Case::new("s/t", "", Lab::loopback(), ops);
        assert_eq!(case.ends_at(Os::Macos), at);
        assert_eq!(case.ends_at(Os::Linux), None);
    }
}
