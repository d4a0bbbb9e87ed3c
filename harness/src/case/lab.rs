//! The network that a case needs, and what may be done to it, as data.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Payload;
use super::addr::{Host, Range, Role, address, prefix_len};
use super::far::Frame;
use super::names::NameServer;
use super::speaks::Speaks;

/// An isolated network: loopback, up, with `127.0.0.1` and `::1`, and these links.
///
/// Two cases with equal labs may run in the same one, one after the other; the executor brings it
/// back to this state in between.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Lab {
    /// The links, up and with their addresses, in the order of their numbers in the address plan.
    #[serde(default)]
    pub links: Vec<Link>,
    /// What is done once to the fresh network before any case.
    #[serde(default)]
    pub setup: Vec<LabOp>,
}

impl Lab {
    /// Loopback alone.
    pub fn loopback() -> Self {
        Self::default()
    }

    /// One link, up, with addresses of every range and its resolved neighbour.
    pub fn one(kind: LinkKind, name: &str) -> Self {
        Self { links: vec![Link::new(kind, name)], setup: Vec::new() }
    }

    /// The same with these steps taken first.
    #[must_use]
    pub fn with(mut self, setup: impl IntoIterator<Item = LabOp>) -> Self {
        self.setup.extend(setup);
        self
    }

    /// The number of the link called `name` in the address plan.
    pub fn number(&self, name: &str) -> Option<u8> {
        self.links.iter().position(|l| l.name == name).and_then(|i| u8::try_from(i).ok())
    }

    /// The address of `host` in this lab; none if it speaks of a link that the lab has not.
    pub fn ip(&self, host: &Host) -> Option<IpAddr> {
        host.ip(|name| self.number(name))
    }

    /// The name server of this lab and the number of its link.
    pub fn name_server(&self) -> Option<(u8, &NameServer)> {
        self.setup.iter().find_map(|step| match step {
            LabOp::NameServer { link, server } => Some((self.number(link)?, server)),
            _ => None,
        })
    }

    /// Whether somebody who looks up `name` may have to wait.
    pub fn keeps_waiting(&self, name: &str) -> bool {
        self.name_server().is_some_and(|(_, server)| server.keeps_waiting(name))
    }

    /// The files by which names are resolved in this lab: the name in `/etc` and the text. There
    /// are no others.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let hosts = self.setup.iter().find_map(|step| match step {
            LabOp::Hosts { lines } if lines.is_empty() => Some(String::new()),
            LabOp::Hosts { lines } => Some(lines.join("\n") + "\n"),
            _ => None,
        });
        let hosts = hosts.unwrap_or_else(|| "127.0.0.1 localhost\n::1 localhost\n".to_owned());
        let mut resolv = String::new();
        if let Some((link, server)) = self.name_server() {
            for range in &server.at {
                let _ = write!(resolv, "nameserver {}", address(link, Role::Neighbour, *range));
                if *range == Range::Ll {
                    let _ = write!(resolv, "%{}", self.links[usize::from(link)].name);
                }
                resolv.push('\n');
            }
            let _ = writeln!(resolv, "options {}", server.options);
            if let Some(domain) = &server.search {
                let _ = writeln!(resolv, "search {domain}");
            }
        }
        vec![
            ("hosts", hosts),
            ("resolv.conf", resolv),
            ("nsswitch.conf", "hosts: files dns\nservices: files\n".to_owned()),
            ("host.conf", "multi on\n".to_owned()),
            ("gai.conf", String::new()),
            ("services", SERVICES.to_owned()),
        ]
    }

    /// The same for a program of the user's, to which services have their names: where nobody answers
    /// for names, queries leave by the first link all the same, and nothing of the host's is asked.
    pub fn files_of_a_program(&self) -> Vec<(&'static str, String)> {
        let mut files = self.files();
        files.retain(|(name, _)| *name != "services");
        let resolv = files.iter_mut().find(|(name, _)| *name == "resolv.conf");
        if let (Some((_, text)), None) = (resolv, self.name_server()) {
            let server = address(0, Role::Neighbour, Range::V4);
            *text = format!("nameserver {server}\noptions timeout:1 attempts:2\n");
        }
        files
    }

    /// Who in this lab has `ip`: the reverse of the address plan.
    pub fn who(&self, ip: IpAddr) -> Option<(&Link, Role, Range)> {
        let roles = [Role::Own, Role::Neighbour, Role::Unresolved, Role::Silent];
        self.links.iter().zip(0u8..).find_map(|(link, number)| {
            roles.iter().find_map(|role| {
                link.ranges
                    .iter()
                    .find(|range| address(number, *role, **range) == ip)
                    .map(|range| (link, *role, *range))
            })
        })
    }
}

/// `/etc/services`: one of both protocols, one of each alone.
const SERVICES: &str = "domain 53/tcp\ndomain 53/udp\nhttp 80/tcp www\ntftp 69/udp\n";

/// Whether a link carries bare IP packets or Ethernet frames.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// Layer 3, point to point, no address resolution: Linux TUN, macOS utun.
    Tun,
    /// Layer 2, broadcast, ARP and neighbour discovery: Linux TAP, macOS feth.
    Tap,
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tun => "tun",
            Self::Tap => "tap",
        })
    }
}

/// One link, whose far end is the executor: it records each frame and answers address resolution
/// for [`Role::Unresolved`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Its name in the case; on Linux also the interface's (at most 15 bytes).
    pub name: String,
    /// Its layer.
    pub kind: LinkKind,
    /// In bytes of IP packet.
    pub mtu: u32,
    /// Of which ranges it has its [`Role::Own`] address and its neighbours.
    pub ranges: Vec<Range>,
}

impl Link {
    /// MTU 1500, an address of every range.
    pub fn new(kind: LinkKind, name: &str) -> Self {
        let ranges = vec![Range::Ll, Range::V6, Range::V4];
        Self { name: name.to_owned(), kind, mtu: 1500, ranges }
    }
}

/// What becomes of packets to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RouteKind {
    /// They leave by the link.
    Unicast,
    /// Dropped, and the sender is told that the host is unreachable.
    Unreachable,
    /// Dropped, and the sender is told that it is prohibited.
    Prohibit,
    /// Dropped in silence.
    Blackhole,
    /// The table has no answer.
    Throw,
}

/// What a far end does on one connection, a step after the other. Behind the last one the
/// connection stays open, and nobody reads from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerStep {
    /// Reads up to the end of these bytes, and nothing beyond.
    Expect {
        /// Such as the empty line behind a request's fields.
        until: Payload,
    },
    /// Reads so many bytes.
    Take {
        /// How many.
        bytes: u32,
    },
    /// Waits until the host has sent its FIN and all before it was read.
    End,
    /// Sends these bytes.
    Send {
        /// Which.
        data: Payload,
    },
    /// `shutdown(SHUT_WR)`: a FIN; what the host sends is still read.
    Shutdown,
    /// `close`: a FIN, or RST when bytes wait unread; what comes later is answered by RST
    /// (RFC 2525 §2.17).
    Close,
    /// RST, when all that was sent has been acknowledged: `close` with `SO_LINGER` of 0 seconds.
    Reset,
    /// From here on nobody on this link answers anything.
    Vanish,
    /// Waits until the case says [`LabOp::Resume`].
    Pause,
    /// Opens a connection to the host that this one is with, as FTP's server does for its data
    /// (RFC 959 §3.2), and goes on here without waiting for it.
    Dial {
        /// From which port.
        from: u16,
        /// To which port of the host.
        to: u16,
        /// What it does there.
        script: Vec<Self>,
    },
    /// Reads a query to the link's [`NameServer`] and answers it, each behind its length (RFC 1035
    /// §4.2.2).
    Answer,
}

impl ServerStep {
    /// This step, and those of the connection that it opens.
    pub fn all(&self) -> Vec<&Self> {
        let beneath = match self {
            Self::Dial { script, .. } => &script[..],
            _ => &[],
        };
        std::iter::once(self).chain(beneath.iter().flat_map(Self::all)).collect()
    }
}

impl fmt::Display for ServerStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expect { until } => write!(f, "expect {}", until.said()),
            Self::Take { bytes } => write!(f, "take {bytes}"),
            Self::End => f.write_str("end"),
            Self::Send { data } => write!(f, "send {}", data.said()),
            Self::Shutdown => f.write_str("shutdown"),
            Self::Close => f.write_str("close"),
            Self::Reset => f.write_str("reset"),
            Self::Vanish => f.write_str("vanish"),
            Self::Pause => f.write_str("pause"),
            Self::Dial { from, to, script } => {
                write!(f, "dial {to} from {from} (")?;
                steps(f, script)?;
                f.write_str(")")
            }
            Self::Answer => f.write_str("answer a query"),
        }
    }
}

fn steps(f: &mut fmt::Formatter<'_>, script: &[ServerStep]) -> fmt::Result {
    let separators = std::iter::once("").chain(std::iter::repeat(", "));
    script.iter().zip(separators).try_for_each(|(step, before)| write!(f, "{before}{step}"))
}

/// A TCP server at the far end of a link.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Where it listens, at each address of [`Role::Neighbour`].
    pub port: u16,
    /// How many bytes it takes without reading them: the window that it advertises.
    #[serde(default = "widest", skip_serializing_if = "is_widest")]
    pub window: u16,
    /// Whether it grants a cookie for TCP Fast Open to who asks (RFC 7413 §4.1). Data in a SYN it
    /// leaves to be sent again, as it may (§3.1).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fast_open: bool,
    /// Whether it is reached at every address that is routed over the link, and not at the
    /// neighbour's alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anywhere: bool,
    /// Whether it is UDP, each datagram being sent back (RFC 862), and not TCP.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub udp: bool,
    /// What it does on each connection, from the beginning.
    pub script: Vec<ServerStep>,
    /// The protocol that it speaks in place of a script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaks: Option<Speaks>,
}

fn widest() -> u16 {
    u16::MAX
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_widest(window: &u16) -> bool {
    *window == u16::MAX
}

impl Service {
    /// With the widest window.
    pub fn new(port: u16, script: impl IntoIterator<Item = ServerStep>) -> Self {
        let script = script.into_iter().collect();
        let (fast_open, anywhere, udp) = (false, false, false);
        Self { port, window: widest(), fast_open, anywhere, udp, script, speaks: None }
    }
}

impl fmt::Display for Service {
    /// `80: expect "\r\n\r\n", close`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.port)?;
        if !is_widest(&self.window) {
            write!(f, " with a window of {}", self.window)?;
        }
        if self.fast_open {
            f.write_str(" with fast open")?;
        }
        if self.anywhere {
            f.write_str(" at every address")?;
        }
        if let Some(speaks) = &self.speaks {
            return write!(f, "{}: {speaks}", if self.udp { " by UDP" } else { "" });
        }
        if self.udp {
            return f.write_str(" by UDP: echo");
        }
        f.write_str(if self.script.is_empty() { ":" } else { ": " })?;
        steps(f, &self.script)
    }
}

/// A step taken by the lab: it changes the network, not a socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabOp {
    /// `ip link set LINK up`; `lo` is loopback.
    LinkUp {
        /// Which.
        link: String,
    },
    /// `ip link set LINK down`.
    LinkDown {
        /// Which.
        link: String,
    },
    /// `ip link delete LINK`.
    LinkDelete {
        /// Which.
        link: String,
    },
    /// `ip link set LINK mtu MTU`.
    Mtu {
        /// Which.
        link: String,
        /// In bytes of IP packet.
        mtu: u32,
    },
    /// Gives the link its own address of that range, without duplicate address detection.
    AddressAdd {
        /// Which.
        link: String,
        /// Which of its addresses.
        range: Range,
    },
    /// Takes that address away.
    AddressDelete {
        /// Which.
        link: String,
        /// Which of its addresses.
        range: Range,
    },
    /// `ip route add`.
    RouteAdd {
        /// The destination's prefix.
        prefix: IpAddr,
        /// In bits.
        prefix_len: u8,
        /// What becomes of the packets.
        kind: RouteKind,
        /// By which link, for [`RouteKind::Unicast`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<String>,
        /// By which router on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via: Option<Host>,
    },
    /// Address resolution asks again after so long instead of after a second, so that a case can
    /// see it give up (RFC 4861 §10 `RETRANS_TIMER`; Linux `net.ipv4.neigh.LINK.retrans_time_ms`
    /// and its IPv6 twin).
    RetransTime {
        /// Which.
        link: String,
        /// In milliseconds.
        ms: u32,
    },
    /// `sysctl -w NAME=VALUE` (sysctl(8)), of the lab's own network: Linux's.
    Sysctl {
        /// Such as `net.ipv4.ip_default_ttl`.
        name: String,
        /// As sysctl(8) takes it, without quotes.
        value: String,
    },
    /// The far end puts these bytes on the link: an Ethernet frame on a tap, a packet on a tun.
    Inject {
        /// Which.
        link: String,
        /// In hexadecimal.
        frame: super::Hex,
    },
    /// The far end sends a frame that is described by words; only among the steps of a case.
    Say {
        /// On which link.
        link: String,
        /// Which.
        frame: Frame,
    },
    /// The far end of a tun serves TCP; only among the lab's own steps.
    Serve {
        /// Of which link.
        link: String,
        /// What it serves.
        service: Service,
    },
    /// The far end of a tun answers queries for names, and `/etc/resolv.conf` says so; only among
    /// the lab's own steps.
    NameServer {
        /// Of which link.
        link: String,
        /// What it answers.
        server: NameServer,
    },
    /// `/etc/hosts` has these lines instead of those for `localhost`; only among the lab's own
    /// steps.
    Hosts {
        /// An address and names each, see hosts(5).
        lines: Vec<String>,
    },
    /// `mount -o remount,ro .`, in the folder of the case's own: nothing is made there or taken away from then on.
    /// Only among the steps of a case.
    ReadOnly {},
    /// The connections to a service that pause go on, see [`ServerStep::Pause`].
    Resume {
        /// Of which link.
        link: String,
        /// The service's.
        port: u16,
    },
    /// Time passes, the far ends answering meanwhile.
    Wait {
        /// How long at the most, in milliseconds.
        ms: u32,
        /// No longer than until a frame is seen on this link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<String>,
        /// What for.
        why: String,
    },
}

impl LabOp {
    /// Whether it is a part of the lab, and no step that a case could take.
    pub fn is_setup(&self) -> bool {
        matches!(self, Self::Serve { .. } | Self::NameServer { .. } | Self::Hosts { .. })
    }

    /// Whether it is a step of a case, and no part of its lab.
    pub(super) fn is_of_a_case(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::ReadOnly {})
    }
}

impl fmt::Display for LabOp {
    /// In the words of ip(8), for transcripts: `link set down0 down`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkUp { link } => write!(f, "link set {link} up"),
            Self::LinkDown { link } => write!(f, "link set {link} down"),
            Self::LinkDelete { link } => write!(f, "link delete {link}"),
            Self::Mtu { link, mtu } => write!(f, "link set {link} mtu {mtu}"),
            Self::AddressAdd { link, range } => {
                write!(
                    f,
                    "address add own({link},{})/{} dev {link}",
                    range.name(),
                    prefix_len(*range)
                )
            }
            Self::AddressDelete { link, range } => {
                write!(f, "address delete own({link},{}) dev {link}", range.name())
            }
            Self::RouteAdd { prefix, prefix_len, kind, link, via } => {
                f.write_str("route add ")?;
                if *kind != RouteKind::Unicast {
                    write!(f, "{} ", format!("{kind:?}").to_lowercase())?;
                }
                write!(f, "{prefix}/{prefix_len}")?;
                if let Some(Host::Ip(ip)) = via {
                    write!(f, " via {ip}")?;
                } else if let Some(Host::On { link, role, range }) = via {
                    let role = format!("{role:?}").to_lowercase();
                    write!(f, " via {role}({link},{})", range.name())?;
                }
                link.iter().try_for_each(|l| write!(f, " dev {l}"))
            }
            Self::RetransTime { link, ms } => {
                write!(f, "ntable change dev {link} retrans {ms}")
            }
            Self::Sysctl { name, value } => write!(f, "sysctl {name}={value}"),
            Self::Inject { link, frame } => write!(f, "inject {link} {} bytes", frame.0.len()),
            Self::Say { link, frame } => write!(f, "{link} sends {frame}"),
            Self::Wait { ms, until: None, why } => write!(f, "wait {ms} ms: {why}"),
            Self::Wait { ms, until: Some(link), why } => {
                write!(f, "wait for a frame on {link}, {ms} ms at the most: {why}")
            }
            Self::Serve { link, service } => write!(f, "serve {link} {service}"),
            Self::NameServer { link, server } => write!(f, "name server {link} {server}"),
            Self::Hosts { lines } => write!(f, "/etc/hosts: {}", lines.join("; ")),
            Self::ReadOnly {} => f.write_str("mount -o remount,ro ."),
            Self::Resume { link, port } => write!(f, "the server at {link} {port} goes on"),
        }
    }
}
