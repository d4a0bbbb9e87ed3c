//! `options`: which socket options does a system have, what are their defaults, and which values
//! do they take?
//!
//! No case sends anything or has a link: these run wherever there is a kernel, also where there is
//! no TUN device. In Rust, since the lists are all options of a system, hundreds of them.

mod defaults;
mod ints;
mod names;

use harness::case::Op;

use crate::steps::socket_of;
use crate::table::Table;

/// The suite's tables, in the order in which they are shown.
pub(crate) fn tables() -> Vec<Table> {
    vec![defaults::table(), ints::table()]
}

/// What kind of socket is asked.
#[derive(Clone, Copy)]
struct Kind {
    id: &'static str,
    domain: &'static str,
    r#type: &'static str,
    protocol: &'static [&'static str],
}

impl Kind {
    const UDP4: Self = Self::new("udp4", "AF_INET", "SOCK_DGRAM", &[]);
    const UDP6: Self = Self::new("udp6", "AF_INET6", "SOCK_DGRAM", &[]);
    const TCP4: Self = Self::new("tcp4", "AF_INET", "SOCK_STREAM", &[]);
    const TCP6: Self = Self::new("tcp6", "AF_INET6", "SOCK_STREAM", &[]);
    const RAW4: Self = Self::new("raw4", "AF_INET", "SOCK_RAW", &["IPPROTO_UDP"]);
    const RAW6: Self = Self::new("raw6", "AF_INET6", "SOCK_RAW", &["IPPROTO_UDP"]);
    const UNIX: Self = Self::new("unix", "AF_UNIX", "SOCK_STREAM", &[]);

    const fn new(
        id: &'static str,
        domain: &'static str,
        r#type: &'static str,
        protocol: &'static [&'static str],
    ) -> Self {
        Self { id, domain, r#type, protocol }
    }

    /// `s` becomes a fresh socket of this kind.
    fn fresh(self) -> Op {
        socket_of("s", self.domain, &[self.r#type], self.protocol)
    }
}
