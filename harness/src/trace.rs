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
}

impl Trace {
    /// How often a case is taken at the most.
    pub const TAKES: usize = 3;

    /// What happened in a case that begins at no time, and without a pause.
    pub fn new(case: &str, links: Vec<LinkFact>, events: Vec<Event>, end: End) -> Self {
        let (case, pauses_ms) = (case.to_owned(), Vec::new());
        Self { schema: SCHEMA, case, began_ns: 0, links, events, end, pauses_ms }
    }

    /// Whether the executor stood still in it, so that timers of the host's may have changed it.
    pub fn has_pause(&self) -> bool {
        self.pauses_ms.len() >= Self::TAKES
    }

    /// Whether nobody saw what the host sent on some link.
    pub fn is_unseen(&self) -> bool {
        self.links.iter().any(|link| link.unseen)
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
            Self::Call { op, .. }
            | Self::Lab { op, .. }
            | Self::Frame { op, .. }
            | Self::Signal { op, .. } => *op,
        }
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

/// Which kernel answered: uname(2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fingerprint {
    /// `sysname`.
    pub system: String,
    /// `release`.
    pub release: String,
    /// `version`.
    pub version: String,
    /// `machine`.
    pub machine: String,
    /// The effective user id of the executor before it entered its namespace.
    pub euid: u32,
    /// The C library and its version, such as `glibc 2.36`; empty where the system has but one.
    #[serde(default)]
    pub libc: String,
    /// What the system says of itself beyond uname(2), if it is a product with a version of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
}

/// macOS, of which uname(2) tells the kernel's version alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Product {
    /// `kern.osproductversion`, such as `15.3.1`.
    pub version: String,
    /// `kern.osversion`, such as `24D70`.
    pub build: String,
    /// Whether a content filter sees what sockets send (`net.cfil.active_count`), where that is known:
    /// behind one, the first send on a socket does not say what became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_filter: Option<bool>,
}

/// Which version of its sources a kernel was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceVersion {
    /// `[6, 18, 44]`, or `[6, 1]` where only the series is known.
    pub numbers: Vec<u32>,
    /// Whether nothing is missing from `numbers`.
    pub exact: bool,
}

impl SourceVersion {
    /// As git tags it, if that is known: `v6.18.44`, and `v6.1` for what calls itself 6.1.0.
    pub fn tag(&self) -> Option<String> {
        let numbers = self.numbers.strip_suffix(&[0]).filter(|n| n.len() == 2);
        let numbers: Vec<String> =
            numbers.unwrap_or(&self.numbers).iter().map(u32::to_string).collect();
        self.exact.then(|| format!("v{}", numbers.join(".")))
    }
}

impl Fingerprint {
    /// The names that baselines of this kernel are kept under, the most specific first:
    /// `linux-6.18`, `linux`. With a content filter macOS is a platform of its own:
    /// `macos-15+cfil`, `macos-15`, `macos`.
    pub fn platforms(&self) -> Vec<String> {
        let system = match self.system.as_str() {
            "Darwin" => "macos".to_owned(),
            other => other.to_lowercase(),
        };
        let series: Vec<&str> = self.release.split(['.', '-', '+']).take(2).collect();
        let series = match (self.system.as_str(), &series[..]) {
            // Darwin 24 is macOS 15, Darwin 25 is macOS 26.
            ("Darwin", [major, ..]) => match major.parse::<u32>() {
                Ok(n) if n >= 25 => (n + 1).to_string(),
                Ok(n) if n >= 20 => (n - 9).to_string(),
                _ => (*major).to_owned(),
            },
            (_, series) => series.join("."),
        };
        let series = format!("{system}-{series}");
        let filtered = self.product.as_ref().and_then(|product| product.content_filter);
        let filtered = (filtered == Some(true)).then(|| format!("{series}+cfil"));
        filtered.into_iter().chain([series, system]).collect()
    }

    /// The version that the kernel was built from, as far as it can be told.
    ///
    /// Debian before 13 and Ubuntu set the third number of a release to zero and count their own
    /// builds behind the hyphen (`6.1.0-44-amd64`). Debian's `version` has what it was built from
    /// (`#1 SMP Debian 6.1.192-2 (2026-01-01)`); of Ubuntu's nothing in uname(2) tells.
    pub fn source_version(&self) -> SourceVersion {
        let numbers = |text: &str| -> Vec<u32> {
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
            text[..end].split('.').map_while(|part| part.parse().ok()).take(3).collect()
        };
        let own = numbers(&self.release);
        let names_it = own.get(2).is_some_and(|&n| n > 0) || !self.release.contains('-');
        if self.system != "Linux" || names_it {
            return SourceVersion { numbers: own, exact: true };
        }
        let series = own[..own.len().min(2)].to_vec();
        // A release candidate, `7.3~rc2-1`, is none of its series' releases.
        let debian = self.version.split_once("Debian ").map(|(_, rest)| rest);
        let is_candidate = |rest: &&str| rest.split(' ').next().is_some_and(|v| v.contains("~rc"));
        let debian = debian
            .filter(|rest| !is_candidate(rest))
            .map(numbers)
            .filter(|of| of.starts_with(&series));
        let exact = debian.is_some();
        SourceVersion { numbers: debian.unwrap_or(series), exact }
    }

    /// The same for what the C library does by itself: `glibc-2.36`, `glibc`.
    pub fn libc_platforms(&self) -> Vec<String> {
        match self.libc.split_once(' ') {
            Some((name, version)) => vec![format!("{name}-{version}"), name.to_owned()],
            None if self.libc.is_empty() => self.platforms(),
            None => vec![self.libc.clone()],
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn fingerprint(system: &str, release: &str, version: &str) -> Fingerprint {
        let [system, release, version] = [system, release, version].map(str::to_owned);
        Fingerprint { system, release, version, ..Fingerprint::default() }
    }

    #[rstest]
    #[case("6.18.44", "#1 SMP", &[6, 18, 44], Some("v6.18.44"))]
    #[case("6.18.44-mine", "#1 SMP", &[6, 18, 44], Some("v6.18.44"))]
    #[case("6.12.117+deb13-amd64", "#1 SMP Debian 6.12.117-1", &[6, 12, 117], Some("v6.12.117"))]
    // Debian's own numbers.
    #[case("6.1.0-56-amd64", "#1 SMP Debian 6.1.192-2 (2026)", &[6, 1, 192], Some("v6.1.192"))]
    #[case("7.3-amd64", "#1 SMP Debian 7.3-1~exp1", &[7, 3], Some("v7.3"))]
    #[case("7.3-amd64", "#1 SMP Debian 7.3~rc2-1~exp1", &[7, 3], None)]
    // Nobody can tell.
    #[case("6.8.0-45-generic", "#45-Ubuntu SMP", &[6, 8], None)]
    #[case("6.8.0-45-generic", "#1 SMP Debian 6.1.192-2", &[6, 8], None)]
    #[case("6.8.0-rc3", "#1 SMP", &[6, 8], None)]
    // Mainline's own.
    #[case("6.1.0", "#1 SMP", &[6, 1, 0], Some("v6.1"))]
    fn what_a_linux_was_built_from_is_told_or_is_not(
        #[case] release: &str,
        #[case] version: &str,
        #[case] numbers: &[u32],
        #[case] tag: Option<&str>,
    ) {
        let of = fingerprint("Linux", release, version).source_version();
        assert_eq!((of.numbers.as_slice(), of.tag().as_deref()), (numbers, tag));
    }

    #[rstest]
    #[case("Linux", "6.18.44-mine", "linux-6.18", "linux")]
    #[case("Linux", "7.3-cloud-amd64", "linux-7.3", "linux")]
    #[case("Darwin", "24.3.0", "macos-15", "macos")]
    #[case("Darwin", "25.1.0", "macos-26", "macos")]
    fn platforms_go_from_the_specific_to_the_general(
        #[case] system: &str,
        #[case] release: &str,
        #[case] specific: &str,
        #[case] general: &str,
    ) {
        let kernel = fingerprint(system, release, "");
        assert_eq!(kernel.platforms(), [specific, general]);
        // The library is the system's own.
        assert_eq!(kernel.libc_platforms(), [specific, general]);
    }

    #[rstest]
    #[case(r#","content_filter":true"#, &["macos-15+cfil", "macos-15", "macos"])]
    #[case(r#","content_filter":false"#, &["macos-15", "macos"])]
    #[case("", &["macos-15", "macos"])]
    fn a_content_filter_makes_another_platform(#[case] filter: &str, #[case] expected: &[&str]) {
        let hello = format!(
            r#"{{"system":"Darwin","release":"24.3.0","version":"","machine":"","euid":0,
                "product":{{"version":"15.3.1","build":"24D70"{filter}}}}}"#
        );
        let kernel: Fingerprint = serde_json::from_str(&hello).unwrap();
        assert_eq!(kernel.platforms(), expected);
    }

    #[rstest]
    #[case("glibc 2.36", &["glibc-2.36", "glibc"])]
    #[case("musl", &["musl"])]
    fn a_library_has_platforms_of_its_own(#[case] libc: &str, #[case] expected: &[&str]) {
        let hello = r#"{"system":"Linux","release":"6.1","version":"","machine":"","euid":0}"#;
        let kernel: Fingerprint = serde_json::from_str(hello).unwrap();
        assert_eq!(kernel.libc_platforms(), ["linux-6.1", "linux"]);
        let kernel = Fingerprint { libc: libc.to_owned(), ..kernel };
        assert_eq!(kernel.libc_platforms(), expected);
    }
}
