//! What a connection was seen to do.

use std::net::SocketAddr;
use std::time::Duration;

use super::hello::Hello;
use super::ldap;

/// Something that was seen of a connection.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its number, from 1.
    pub number: u64,
    /// When, since the server began.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// What was seen.
#[derive(Clone, Debug)]
pub enum What {
    /// It is there.
    Opened {
        /// Whose it is.
        peer: SocketAddr,
        /// Our end.
        local: SocketAddr,
    },
    /// Bytes went by; of each direction no more than the first MiB.
    Bytes {
        /// Who sent them.
        from_client: bool,
        /// What was sent.
        data: Vec<u8>,
        /// What decrypts them, in lines of `SSLKEYLOGFILE`.
        secrets: String,
    },
    /// A `ClientHello` came, and its bytes; or why it cannot be read.
    Hello(Result<Box<Hello>, String>, Vec<u8>),
    /// What came first is no TLS: its first bytes.
    NotTls(Vec<u8>),
    /// It was answered, with a certificate or whatever the script has.
    Answered(String),
    /// The handshake is over, and this was agreed.
    Done(Session),
    /// The client sent an alert; of a connection that sends more than a few the first ones.
    Alert {
        /// Its level where it is known: it is not of one that was encrypted.
        level: Option<u8>,
        /// `AlertDescription`.
        code: u8,
        /// Whether the handshake was over.
        is_done: bool,
    },
    /// This end gave up: why, and the alert that it sent, if that was not encrypted.
    Refused(String, Option<u8>),
    /// The client took an old version: it waits for what comes behind the `ServerHello`.
    Took(u16),
    /// Something was said within, or without any TLS.
    Said(Said),
    /// It is over. The last of all.
    Ended {
        /// By whom.
        how: End,
        /// How many bytes came in all.
        came: u64,
        /// Whether this end had closed before (FIN), and waited for the other.
        shut: bool,
    },
}

/// What was agreed in a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The version.
    pub version: u16,
    /// The cipher suite.
    pub suite: u16,
    /// The group of the key exchange.
    pub group: Option<u16>,
    /// The protocol within (ALPN).
    pub alpn: Option<Vec<u8>>,
    /// Whether the client had to be asked for another key share first (`HelloRetryRequest`).
    pub retried: bool,
}

/// What was said within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A request of HTTP, or why it is none.
    Http(Result<String, String>),
    /// Something of LDAP.
    Ldap(ldap::Asked),
    /// Something else: its first bytes.
    Other(Vec<u8>),
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The client closed it (FIN).
    Fin,
    /// It broke, and why: a reset, say.
    Broken(String),
    /// This end closed or reset it.
    Ours,
    /// It was open when the server ended.
    Stopped,
}
