//! A trace: all that happened when a case ran, as ordered events.
//!
//! It is lossless: pcapng, C, transcripts and outcomes are all made from it, together with the
//! case whose steps it refers to by number.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SCHEMA;
use crate::case::addr::SockAddr;
use crate::case::{Hex, LinkKind, Sym};

mod check;
mod fingerprint;
mod words;

pub use fingerprint::{Fingerprint, HostLimit, Product, SourceVersion};

/// What happened when one case ran on one kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trace {
    /// [`crate::SCHEMA`] of the program that wrote it.
    pub schema: u32,
    /// The case's id.
    pub case: String,
    /// When the case began, in nanoseconds since 1970 (UTC).
    pub began_ns: u64,
    /// The lab's links as the kernel had them, `lo` first.
    pub links: Vec<LinkFact>,
    /// In the order in which they happened.
    pub events: Vec<Event>,
    /// How it ended.
    pub end: End,
    /// For how many milliseconds the executor stood still in each take of the case in which that was
    /// long enough for a timer of the host's; none as a rule. Such a take is given up and the case
    /// taken again, but for the third one: with three pauses here, the last is in this trace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses_ms: Vec<u32>,
    /// Why earlier takes of the case were given up, a line each, where that was a timer of the kernel's own, or
    /// a number that a resolver drew twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbed: Vec<String>,
    /// What was looked at so that nothing of it left by an interface that the lab did not make: on a
    /// system whose labs share the host's network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<Beyond>,
    /// Who the executor is, where the case has a local socket and may be told so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Credentials>,
    /// Of a program of the user's that was run in it: what is not among the events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Ran>,
    /// What far ends saw that speak a protocol, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub served: Vec<String>,
}

/// A process and whom it belongs to, as its kernel tells others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credentials {
    /// `getpid()`.
    pub pid: i32,
    /// `geteuid()`.
    pub uid: u32,
    /// `getegid()`.
    pub gid: u32,
    /// `getgroups()`.
    pub groups: Vec<u32>,
}

/// What the events do not have of a program that was run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ran {
    /// How many frames passed that are not shown: they came faster than they could be kept. None where
    /// nobody counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    /// How many frames are shown that the far end of a link never got, for the same reason.
    #[serde(default)]
    pub dropped: u64,
    /// Whether processes that it had left behind were ended when the time was over.
    #[serde(default)]
    pub ended: bool,
}

/// How it is known that nothing of a case left by an interface of somebody else's. That a call would
/// send there is asked of the host's table of routes before each; what left all the same is seen here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Beyond {
    /// The host's other interfaces whose every frame was looked at; none without root.
    pub watched: Vec<String>,
    /// The case's frames that left by them, a line each: then it ended as broken, and no other was run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// What hosts of one version have or have not: what a kernel may be made without, the right to act for another user, and
/// the one to exceed a user's limits.
pub const OF_HOSTS: [&str; 6] =
    ["AF_VSOCK", "AF_XDP", "IPPROTO_MPTCP", "TCP_AO_INFO", "seteuid", "CAP_SYS_RESOURCE"];

impl Trace {
    /// How often a case is taken at the most.
    pub const TAKES: usize = 3;

    /// What happened in a case that begins at no time, and without a pause.
    pub fn new(case: &str, links: Vec<LinkFact>, events: Vec<Event>, end: End) -> Self {
        let (case, pauses_ms) = (case.to_owned(), Vec::new());
        let (schema, began_ns, disturbed) = (SCHEMA, 0, Vec::new());
        let (beyond, own, program) = (None, None, None);
        Self {
            schema,
            case,
            began_ns,
            links,
            events,
            end,
            pauses_ms,
            disturbed,
            beyond,
            own,
            program,
            served: Vec::new(),
        }
    }

    /// Whether the executor stood still in it, so that timers of the host's may have changed it.
    pub fn has_pause(&self) -> bool {
        self.pauses_ms.len() >= Self::TAKES
    }

    /// Whether nobody saw what the host sent on some link.
    pub fn is_unseen(&self) -> bool {
        self.links.iter().any(|link| link.unseen)
    }

    /// Whether the case ended at what hosts of one kernel have or have not: that says nothing of the kernel.
    pub fn lacks_what_hosts_have(&self) -> bool {
        self.lacks().is_some_and(|name| OF_HOSTS.contains(&name))
    }

    /// Whether it says nothing of its kernel: it was skipped, went wrong, or ended at what its host lacks.
    pub fn says_nothing(&self) -> bool {
        matches!(self.end, End::Skipped { .. } | End::Broken { .. }) || self.lacks_what_hosts_have()
    }

    /// The name that this system has not got, where the case ended at it: its call was never made.
    pub fn lacks(&self) -> Option<&str> {
        // Behind the call there may be frames of the kernel's own.
        let call = self.events.iter().rev().find_map(|event| match event {
            Event::Call { did, .. } => Some(did),
            _ => None,
        });
        match call {
            Some(Did::Unsupported { name }) => Some(name),
            _ => None,
        }
    }
}

/// A link of the lab as the kernel had it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkFact {
    /// Its name in the case.
    pub name: String,
    /// Its interface index, kept here after the link is gone.
    pub index: u32,
    /// How its frames are laid out; none for loopback, whose frames have an Ethernet header.
    pub kind: Option<LinkKind>,
    /// The host's own link-layer address.
    pub mac: Hex,
    /// Whether nobody saw its frames, so that a trace without any says nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
}

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the host under test.
    Out,
    /// To it: the far end sent it.
    In,
}

/// Something that happened. Times are nanoseconds since the case began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// A call of another thread than the first has begun and waits: steps go on behind it. The event of
    /// the call itself stands where it has returned.
    Began {
        /// The number of the case's step, from 0.
        op: u32,
        /// When it was made.
        at_ns: u64,
        /// The address it was given, resolved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        addr: Option<SockAddr>,
    },
    /// A call was made.
    Call {
        /// The number of the case's step, from 0.
        op: u32,
        /// When it was made.
        at_ns: u64,
        /// How long it took.
        took_ns: u64,
        /// The address it was given, resolved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        addr: Option<SockAddr>,
        /// What came of it.
        did: Did,
    },
    /// The lab took a step.
    Lab {
        /// The number of the case's step.
        op: u32,
        /// When it was taken.
        at_ns: u64,
        /// How long it took.
        took_ns: u64,
    },
    /// A frame was seen on a link.
    Frame {
        /// The step during which it was seen: for one that goes out, the call that caused it.
        op: u32,
        /// When the far end had it.
        at_ns: u64,
        /// On which link.
        link: String,
        /// Which way.
        dir: Direction,
        /// From its first byte: an Ethernet header, or an IP header on a tun.
        bytes: Hex,
    },
    /// A signal was delivered.
    Signal {
        /// The step during which it came.
        op: u32,
        /// When it was noticed.
        at_ns: u64,
        /// Such as `SIGPIPE`.
        name: String,
    },
}

impl Event {
    /// The case's step that the event belongs to.
    pub fn op(&self) -> u32 {
        match self {
            Self::Began { op, .. }
            | Self::Call { op, .. }
            | Self::Lab { op, .. }
            | Self::Frame { op, .. }
            | Self::Signal { op, .. } => *op,
        }
    }
}

impl Trace {
    /// Beneath which step each event stands, in the order of the events, and whether it is that step
    /// itself: its own, but for a call of another thread that has waited. That has returned beneath the
    /// step that came last before.
    pub fn beneath(&self) -> Vec<(u32, bool)> {
        let (mut last, mut waiting, mut returned) = (0, Vec::new(), Vec::new());
        let beneath = |event: &Event| match event {
            Event::Call { op, .. } if waiting.contains(op) => {
                returned.push((*op, last));
                (last, false)
            }
            Event::Began { op, .. } | Event::Call { op, .. } | Event::Lab { op, .. } => {
                if matches!(event, Event::Began { .. }) {
                    waiting.push(*op);
                }
                last = last.max(*op);
                (*op, true)
            }
            Event::Frame { op, .. } | Event::Signal { op, .. } => {
                let found = returned.iter().find(|(of, _)| of == op);
                (found.map_or(*op, |(_, last)| *last), false)
            }
        };
        self.events.iter().map(beneath).collect()
    }

    /// The steps whose calls, other threads', have waited while others were made.
    pub fn waited(&self) -> impl Iterator<Item = u32> {
        self.events.iter().filter_map(|event| match event {
            Event::Began { op, .. } => Some(*op),
            _ => None,
        })
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Did {
    /// It returned.
    Returned {
        /// The C function's value; a descriptor is 0, since it goes by name. An `EAI_` value of
        /// `getaddrinfo` and `getnameinfo` is itself.
        ret: i64,
        /// By name, since the values differ between systems. An `EAI_` name for `getaddrinfo`
        /// and `getnameinfo`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        errno: Option<Sym>,
        /// What it wrote through its pointers.
        #[serde(default, skip_serializing_if = "Out::is_nothing")]
        out: Out,
    },
    /// This system has not got that name; the case ends here.
    Unsupported {
        /// The name.
        name: String,
    },
    /// It was still waiting when its time was over; the case ends here.
    Hung {
        /// After so many milliseconds.
        after_ms: u32,
    },
}

/// What a call wrote through its pointers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Out {
    /// Nothing.
    #[default]
    Nothing,
    /// An address.
    Addr(SockAddr),
    /// Data, from whom, and what came with it.
    Data {
        /// The bytes.
        bytes: Hex,
        /// The sender's address, where the call gives it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<SockAddr>,
        /// `msg_flags` of `recvmsg`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        flags: Vec<Sym>,
        /// Control messages of `recvmsg`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        control: Vec<ControlOut>,
    },
    /// An `int`.
    Int(i32),
    /// The offset behind `sendfile`, where it was given one.
    Offset(i64),
    /// An errno as an option's value: `SO_ERROR`.
    Errno(Sym),
    /// An option's bytes.
    Bytes(Hex),
    /// `revents`, in the order of the array.
    Poll(Vec<Vec<Sym>>),
    /// The datagrams of `recvmsg_x`, each an [`Out::Data`]'s worth.
    Messages(Vec<Received>),
    /// The events of `kevent`, in the order of the changes that asked for them.
    Events(Vec<Kevent>),
    /// The list of `getaddrinfo`.
    Addrs(Vec<AddrInfo>),
    /// What `getnameinfo` wrote; none where it was given no room.
    Names {
        /// The host.
        host: Option<String>,
        /// The service.
        service: Option<String>,
    },
    /// What `inet_pton` or `inet_aton` made of a text.
    Ip(IpAddr),
    /// What `select` and `pselect` left in their three sets: to read, to write, exceptions.
    Sets([Vec<String>; 3]),
    /// The events of `epoll_wait`, in the order in which the descriptors were added.
    Ready(Vec<Ready>),
    /// What `if_indextoname` wrote.
    Text(String),
    /// The list of `getifaddrs`, in its order.
    Interfaces(Vec<Interface>),
}

/// A datagram of `recvmsg_x`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Received {
    /// `msg_datalen`.
    pub len: i64,
    /// The bytes, as many as there was room for.
    pub bytes: Hex,
    /// `msg_name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<SockAddr>,
    /// `msg_flags`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Sym>,
    /// Control messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub control: Vec<ControlOut>,
}

/// An event of `kevent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kevent {
    /// The socket whose descriptor `ident` is.
    pub fd: String,
    /// `filter`.
    pub filter: Sym,
    /// `flags`: those that are reported, `EV_EOF` and the like.
    pub flags: Vec<Sym>,
    /// `fflags`: an errno where `flags` has `EV_EOF`, else the filter's own flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fflags: Vec<Sym>,
    /// `data`; 0 where it is an errno.
    pub data: i64,
    /// `data` where `flags` has `EV_ERROR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Sym>,
}

/// An event of `epoll_wait`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ready {
    /// Which descriptor's.
    pub fd: String,
    /// Such as `EPOLLIN`.
    pub events: Vec<Sym>,
}

/// An entry of the list of `getifaddrs`: an interface with one of its addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interface {
    /// `ifa_name`.
    pub link: String,
    /// `ifa_flags`: those of netdevice(7), `IFF_UP` and the like.
    pub flags: Vec<Sym>,
    /// `ifa_addr`, where that is one of the Internet's families.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr: Option<SockAddr>,
    /// How many bits of `ifa_netmask` are set, of an address of the Internet's families.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_len: Option<u8>,
}

/// An entry of the list of `getaddrinfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddrInfo {
    /// `ai_addr`; its family is `ai_family`.
    pub addr: SockAddr,
    /// `ai_socktype`, by name or number.
    pub r#type: Sym,
    /// `ai_protocol`, by name or number.
    pub protocol: Sym,
    /// `ai_canonname`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canonname: Option<String>,
}

impl Out {
    fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }
}

/// A control message as received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlOut {
    /// `cmsg_level`, by name or number.
    pub level: String,
    /// `cmsg_type`, by name or number.
    pub name: String,
    /// Its data.
    pub bytes: Hex,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// Every step was taken.
    Done,
    /// A call asked for what this system has not got, see the last event.
    Unsupported,
    /// A call did not return in time, see the last event.
    Hung,
    /// The executor died during this step.
    Died {
        /// Such as `killed by SIGKILL` or `exit status 3`; of a machine such as `lost to a kernel
        /// panic: …`, and on further lines what its console said last.
        how: String,
    },
    /// This host cannot make the lab: nothing ran.
    Skipped {
        /// What is missing, as one sentence.
        reason: String,
    },
    /// The lab failed: nothing that happened can be trusted.
    Broken {
        /// As one sentence.
        reason: String,
    },
}

impl End {
    /// This host does not allow the lab, or has not got what it needs.
    pub fn skipped(reason: String) -> Self {
        Self::Skipped { reason }
    }

    /// The lab should have worked.
    pub fn broken(reason: String) -> Self {
        Self::Broken { reason }
    }
}

/// A line that the executor writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// The first line: who answers.
    Hello {
        /// [`crate::SCHEMA`].
        schema: u32,
        /// The kernel.
        kernel: Fingerprint,
    },
    /// The answer to a case.
    Trace(Box<Trace>),
    /// The answer to a line that is not a case.
    Error {
        /// The line's number, from 1.
        line: u64,
        /// What is wrong with it, as one sentence.
        message: String,
    },
}
