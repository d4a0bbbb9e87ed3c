//! What the server does, by name.

use super::tls::Alpn;
use crate::offer::{Script, row, scripts};
use crate::tls::certs::Fault;

/// What becomes of a first Initial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    Accept,
    /// The address is validated first (RFC 9000 §8.1.2).
    Retry,
    Refuse,
    /// It is read, and nothing is ever sent.
    Silence,
    /// Those versions are said to be spoken, and none is.
    Negotiate(&'static [u32]),
}

/// What a script does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) first: First,
    pub(super) alpn: Alpn,
    /// What is wrong with the certificate.
    pub(super) fault: Fault,
    /// How many streams of each direction the client may have open; none for as many as usual.
    pub(super) streams: Option<u32>,
    pub(super) datagrams: bool,
    /// Whether it opens streams of its own.
    pub(super) opens: bool,
    /// The application's code that a connection is closed with as soon as it is there.
    pub(super) closes: Option<u32>,
}

const ECHO: Plan = Plan {
    first: First::Accept,
    alpn: Alpn::Any(&["sockeye", "echo"]),
    fault: Fault::None,
    streams: None,
    datagrams: false,
    opens: false,
    closes: None,
};

/// A reserved version (RFC 9000 §15), which nobody speaks.
const RESERVED: &[u32] = &[0x1a2a_3a4a];

pub(super) const ROWS: &[(Script, Plan)] = &[
    row(
        "echo",
        "sends back what comes by a stream; takes any ALPN; speaks HTTP/3 where h3 is agreed upon",
        ECHO,
    ),
    row(
        "h3",
        "takes h3 alone, and answers each request with 200 and a short text",
        Plan { alpn: Alpn::Only(&["h3"]), ..ECHO },
    ),
    row("opens-streams", "as echo, and opens streams 1 and 3 itself", Plan { opens: true, ..ECHO }),
    row(
        "no-streams",
        "as echo, but the client may open no stream (initial_max_streams 0)",
        Plan { streams: Some(0), ..ECHO },
    ),
    row(
        "datagrams",
        "as echo, and takes datagrams (RFC 9221), which it sends back",
        Plan { datagrams: true, ..ECHO },
    ),
    row(
        "retry",
        "as echo, once the client's address was validated by a Retry",
        Plan { first: First::Retry, ..ECHO },
    ),
    row(
        "refuse",
        "closes each connection with CONNECTION_REFUSED at its first packet",
        Plan { first: First::Refuse, ..ECHO },
    ),
    row(
        "close-at-once",
        "closes with the application's code 42 as soon as the handshake is complete",
        Plan { closes: Some(42), ..ECHO },
    ),
    row("silent", "reads what comes and never answers", Plan { first: First::Silence, ..ECHO }),
    row(
        "version-negotiation",
        "answers every first packet by saying that versions 1 and 2 are spoken",
        Plan { first: First::Negotiate(&super::packet::KNOWN), ..ECHO },
    ),
    row(
        "version-none",
        "answers every first packet by saying that a reserved version alone is spoken",
        Plan { first: First::Negotiate(RESERVED), ..ECHO },
    ),
    row(
        "no-alpn",
        "takes a protocol alone that nobody offers: alert no_application_protocol",
        Plan { alpn: Alpn::Only(&["nobody-offers-this"]), ..ECHO },
    ),
    row(
        "self-signed",
        "as echo, with a certificate that is signed by itself",
        Plan { fault: Fault::SelfSigned, ..ECHO },
    ),
    row(
        "wrong-name",
        "as echo, with a certificate of another host",
        Plan { fault: Fault::Name, ..ECHO },
    ),
    row(
        "expired",
        "as echo, with a certificate that was valid until yesterday",
        Plan { fault: Fault::Expired, ..ECHO },
    ),
];

/// Every script; the first is the default.
pub const SCRIPTS: [Script; ROWS.len()] = scripts(ROWS);
