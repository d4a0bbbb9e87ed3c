//! A datagram as a system's module hands it over.

use std::net::{IpAddr, SocketAddr};

use crate::machine::About;

/// What came, but for its bytes.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) peer: SocketAddr,
    /// Where it was sent to, if the kernel tells.
    pub(super) to: Option<IpAddr>,
    /// How many bytes of it are there.
    pub(super) len: usize,
    pub(super) about: About,
}
