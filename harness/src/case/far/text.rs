//! What a far end sends, as it is written: beneath a call, and in transcripts.

use std::fmt;
use std::net::IpAddr;

use super::options::List;
use super::{Datagram, End, Ends, Error, Frame, Lie, Segment, is_nothing, is_widest};
use crate::case::Payload;
use crate::case::addr::{Host, Role};

impl fmt::Display for Frame {
    /// As it is written behind a link: `ICMP port unreachable, quoting it`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Datagram(datagram) => datagram.fmt(f),
            Self::Segment(segment) => segment.fmt(f),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, value, from, v6, lies } = self;
        write!(f, "ICMP{} {}", if *v6 { "v6" } else { "" }, kind.name())?;
        if let (Some(value), Some(word)) = (value, kind.value()) {
            write!(f, " {word} {value}")?;
        }
        if let Some(from) = from {
            f.write_str(" from ")?;
            host(f, from)?;
        }
        f.write_str(", quoting it")?;
        lies.iter().try_for_each(|lie| write!(f, ", {lie}"))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]")?,
            other => host(f, other)?,
        }
        write!(f, ":{}", self.port_text())
    }
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} > {}", self.from, self.to)
    }
}

impl fmt::Display for Datagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v6 = self.ends.from.is_v6();
        write!(f, "UDP {}", self.ends)?;
        if let Some(ttl) = self.ttl {
            write!(f, " {} {ttl}", if v6 { "hlim" } else { "ttl" })?;
        }
        if let Some(tos) = self.tos {
            write!(f, " {} {tos:#04x}", if v6 { "class" } else { "tos" })?;
        }
        if self.dont_fragment {
            f.write_str(" df")?;
        }
        carried(f, &self.data, self.checksum_wrong)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TCP")?;
        if let Some(ends) = &self.ends {
            write!(f, " {ends}")?;
        }
        write!(f, " [{}]", self.flags)?;
        if self.seq != 0 {
            write!(f, " seq {:+}", self.seq)?;
        }
        if self.ack != 0 {
            write!(f, " ack {:+}", self.ack)?;
        }
        if !is_widest(&self.window) {
            write!(f, " win {}", self.window)?;
        }
        if let Some(mss) = self.mss {
            write!(f, " mss {mss}")?;
        }
        if let Some(options) = &self.options {
            write!(f, " {}", List(options))?;
        }
        if let Some(tos) = self.tos {
            write!(f, " tos {tos:#04x}")?;
        }
        carried(f, &self.data, self.checksum_wrong)
    }
}

fn carried(f: &mut fmt::Formatter<'_>, data: &Payload, checksum_wrong: bool) -> fmt::Result {
    if !is_nothing(data) {
        write!(f, " {}", data.said())?;
    }
    if checksum_wrong { f.write_str(", checksum wrong") } else { Ok(()) }
}

fn host(f: &mut fmt::Formatter<'_>, host: &Host) -> fmt::Result {
    match host {
        Host::Ip(ip) => write!(f, "{ip}"),
        Host::Unix(unix) => write!(f, "{unix}"),
        Host::Packet(packet) => f.write_str(&packet.text(None)),
        Host::Vsock(vsock) => write!(f, "{vsock}"),
        Host::Netlink(netlink) => write!(f, "{netlink}"),
        Host::On { link, role, range } => {
            let role = match role {
                Role::Own => "own",
                Role::Neighbour => "neighbour",
                Role::Unresolved => "unresolved",
                Role::Silent => "silent",
            };
            write!(f, "{role}({link},{})", range.name())
        }
    }
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(bytes) => write!(f, "cut to {bytes} bytes"),
            lie => f.write_str(
                Self::NAMED.iter().find(|(known, _)| known == lie).map_or("", |(_, name)| name),
            ),
        }
    }
}
