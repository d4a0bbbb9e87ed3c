//! What ioctls on interfaces read and write, and what of a case no lab on macOS can do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::scope::with_embedded_scope;
use super::sockaddr;
use crate::case::lab::RouteKind;
use crate::case::op::Control;
use crate::case::{Case, Lab, LabOp, Op};

/// `IFNAMSIZ`.
const NAME: usize = 16;

/// Where `flags` stands in a `nd_ifinfo` behind a name (`bsd/netinet6/nd6.h`).
const ND_FLAGS: std::ops::Range<usize> = NAME + 20..NAME + 24;
/// `ND6_INFINITE_LIFETIME` of `bsd/netinet6/in6_var.h`.
const FOR_EVER: u32 = u32::MAX;

fn named(name: &str, len: u32) -> Vec<u8> {
    let mut bytes = vec![0; len as usize];
    // One byte is left for its end.
    for (to, from) in bytes.iter_mut().zip(name.bytes().take(NAME - 1)) {
        *to = from;
    }
    bytes
}

/// `struct ifreq` with nothing but a name.
pub fn ifreq(name: &str) -> Vec<u8> {
    named(name, super::ioctl::IFREQ)
}

/// The same with flags, `ifr_flags`.
pub fn ifreq_flags(name: &str, flags: u16) -> Vec<u8> {
    let mut bytes = ifreq(name);
    bytes[NAME..NAME + 2].copy_from_slice(&flags.to_ne_bytes());
    bytes
}

/// `ifr_flags` as the kernel wrote it.
pub fn flags_of(ifreq: &[u8]) -> u16 {
    ifreq.get(NAME..NAME + 2).and_then(|two| two.try_into().ok()).map_or(0, u16::from_ne_bytes)
}

/// The same with an MTU, `ifr_mtu`.
pub fn ifreq_mtu(name: &str, mtu: u32) -> Vec<u8> {
    let mut bytes = ifreq(name);
    bytes[NAME..NAME + 4].copy_from_slice(&mtu.to_ne_bytes());
    bytes
}

/// The same with a link-layer address, whose length stands in `sa_len` (`bsd/net/if_fake.c`
/// `feth_ioctl`).
pub fn ifreq_mac(name: &str, mac: [u8; 6]) -> Vec<u8> {
    let mut bytes = ifreq(name);
    bytes[NAME] = 6;
    bytes[NAME + 1] = sockaddr::AF_LINK;
    bytes[NAME + 2..NAME + 8].copy_from_slice(&mac);
    bytes
}

/// The same with an IPv4 address, `ifr_addr`.
pub fn ifreq_ip(name: &str, ip: Ipv4Addr) -> Vec<u8> {
    let mut bytes = ifreq(name);
    bytes[NAME..].copy_from_slice(&sockaddr::of_ip(ip.into(), 0));
    bytes
}

/// `struct ifaliasreq`: an IPv4 address, and the far end's or the broadcast address.
pub fn ifaliasreq(name: &str, ip: Ipv4Addr, other: Ipv4Addr, prefix_len: u8) -> Vec<u8> {
    let mut bytes = named(name, super::ioctl::IFALIASREQ);
    let mask = sockaddr::of_prefix(ip.into(), prefix_len);
    let parts = [sockaddr::of_ip(ip.into(), 0), sockaddr::of_ip(other.into(), 0), mask].concat();
    bytes[NAME..].copy_from_slice(&parts);
    bytes
}

/// `struct in6_aliasreq`: an IPv6 address for ever, on the interface of that index. A link-local one
/// has the index in it, as ifconfig gives it: before xnu-8792 the kernel itself does not put it
/// there (xnu-7195 `bsd/netinet6/in6.c:1710`), and makes an unscoped route of the prefix.
pub fn in6_aliasreq(name: &str, ip: Ipv6Addr, index: u16, prefix_len: u8) -> Vec<u8> {
    let mut bytes = named(name, super::ioctl::IN6_ALIASREQ);
    let address = with_embedded_scope(ip, index).into();
    bytes[16..44].copy_from_slice(&sockaddr::of_ip(address, 0));
    bytes[72..100].copy_from_slice(&sockaddr::of_prefix(ip.into(), prefix_len));
    bytes[120..124].copy_from_slice(&FOR_EVER.to_ne_bytes());
    bytes[124..].copy_from_slice(&FOR_EVER.to_ne_bytes());
    bytes
}

/// `struct in6_ifreq` with an address.
pub fn in6_ifreq(name: &str, ip: Ipv6Addr, scope: u32) -> Vec<u8> {
    let mut bytes = named(name, super::ioctl::IN6_IFREQ);
    bytes[16..44].copy_from_slice(&sockaddr::of_ip(ip.into(), scope));
    bytes
}

/// `struct in6_aliasreq` with nothing but a name, to attach IPv6.
pub fn in6_attach(name: &str) -> Vec<u8> {
    named(name, super::ioctl::IN6_ALIASREQ)
}

/// `ifr_flags6` of a `struct in6_ifreq` as the kernel wrote it.
pub fn address_flags(in6_ifreq: &[u8]) -> u32 {
    word(in6_ifreq, NAME..NAME + 4)
}

/// `struct in6_ondireq` that asks how an interface does neighbour discovery.
pub fn in6_ondireq(name: &str) -> Vec<u8> {
    named(name, super::ioctl::IN6_ONDIREQ)
}

/// Its flags as the kernel wrote them.
pub fn discovery_flags(in6_ondireq: &[u8]) -> u32 {
    word(in6_ondireq, ND_FLAGS)
}

/// `struct in6_ndireq` with flags of neighbour discovery.
pub fn in6_ndireq(name: &str, flags: u32) -> Vec<u8> {
    let mut bytes = named(name, super::ioctl::IN6_NDIREQ);
    bytes[ND_FLAGS].copy_from_slice(&flags.to_ne_bytes());
    bytes
}

fn word(bytes: &[u8], at: std::ops::Range<usize>) -> u32 {
    bytes.get(at).and_then(|four| four.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

/// `struct if_nsreq`: the signature of the network that an interface is on, for a family.
pub fn if_nsreq(name: &str, family: u8, signature: [u8; 20]) -> Vec<u8> {
    let mut bytes = named(name, super::ioctl::IF_NSREQ);
    bytes[NAME] = family;
    bytes[NAME + 1] = 20;
    bytes[NAME + 4..].copy_from_slice(&signature);
    bytes
}

/// `struct ctl_info` that asks for the id of a kernel control.
pub fn ctl_info(name: &str) -> Vec<u8> {
    let mut bytes = vec![0; super::ioctl::CTL_INFO as usize];
    for (to, from) in bytes[4..99].iter_mut().zip(name.bytes()) {
        *to = from;
    }
    bytes
}

/// `struct if_fake_request` that names a peer (`bsd/net/if_fake_var.h`): four reserved words of eight
/// bytes before a union of 128.
pub fn fake_peer(peer: &str) -> Vec<u8> {
    let mut bytes = vec![0; 160];
    bytes[32..48].copy_from_slice(&named(peer, 16));
    bytes
}

/// The broadcast address of the network that `ip` is in.
pub fn broadcast(ip: Ipv4Addr, prefix_len: u8) -> Ipv4Addr {
    let host = u32::MAX.checked_shr(prefix_len.into()).unwrap_or(0);
    (u32::from(ip) | host).into()
}

/// The network that `ip` is in.
pub fn network(ip: IpAddr, prefix_len: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let host = u32::MAX.checked_shr(prefix_len.into()).unwrap_or(0);
            Ipv4Addr::from(u32::from(ip) & !host).into()
        }
        IpAddr::V6(ip) => {
            let host = u128::MAX.checked_shr(prefix_len.into()).unwrap_or(0);
            Ipv6Addr::from(u128::from(ip) & !host).into()
        }
    }
}

/// Whether a case asks for more of the network than loopback as it is, which root alone can give.
pub fn needs_root(case: &Case) -> bool {
    let changes = |op: &Op| match op {
        Op::Lab { step } => !matches!(step, LabOp::Wait { .. }),
        _ => false,
    };
    case.lab != Lab::loopback() || case.ops.iter().any(changes)
}

/// Why no lab on macOS does what the case asks of it, as one sentence.
pub fn refused(case: &Case) -> Option<String> {
    let steps = case.ops.iter().filter_map(|op| match op {
        Op::Lab { step } => Some(step),
        _ => None,
    });
    case.lab
        .setup
        .iter()
        .chain(steps)
        .find_map(|step| match step {
            LabOp::LinkUp { link } | LabOp::LinkDown { link } | LabOp::Mtu { link, .. }
                if link == "lo" =>
            {
                Some("macOS has one loopback interface, and all of the host needs it".to_owned())
            }
            LabOp::RouteAdd { kind: RouteKind::Prohibit | RouteKind::Throw, .. } => {
                Some("macOS has no routes that prohibit, and one table of them".to_owned())
            }
            LabOp::Mtu { mtu, .. } => out_of_range(*mtu),
            LabOp::Sysctl { name, .. } => {
                Some(format!("macOS has no setting {name} of one network alone"))
            }
            LabOp::ReadOnly {} => Some("macOS mounts no file system for a case alone".to_owned()),
            // Of other sockets nothing else is due when it ticks.
            LabOp::RetransTime { .. } if case.ops.iter().any(is_stream) => Some(
                "macOS asks for a neighbour once a second, and TCP repeats its SYN as often: which of \
                 both comes first no call decides"
                    .to_owned(),
            ),
            _ => None,
        })
        .or_else(|| case.lab.links.iter().find_map(|link| out_of_range(link.mtu)))
        .or_else(|| {
            let why = "in the bytes of a control message a way out of the lab may stand";
            case.ops.iter().any(|op| sends_bytes(case, op)).then(|| why.to_owned())
        })
}

/// Whether a control message is for the network, and says what nobody has looked at.
fn sends_bytes(case: &Case, op: &Op) -> bool {
    let bytes = |op: &Op| {
        matches!(op, Op::Sendmsg { control, .. }
        if control.iter().any(|one| matches!(one, Control::Bytes { .. })))
    };
    bytes(op) && op.fd().is_some_and(|fd| case.family(fd).is_some())
}

fn is_stream(op: &Op) -> bool {
    matches!(op, Op::Socket { r#type, .. } if r#type.has("SOCK_STREAM"))
}

/// `IF_MINMTU` and `IF_MAXMTU` of `bsd/net/if_var.h:116`.
const MTU: std::ops::RangeInclusive<u32> = 72..=65_535;

fn out_of_range(mtu: u32) -> Option<String> {
    let why =
        || format!("macOS has no interface with an MTU of {mtu}: {} is its least", MTU.start());
    (!MTU.contains(&mtu)).then(why)
}

/// Says that a case may run that is not run otherwise, if it is 1.
pub const DANGEROUS: &str = "SOCKEYE_DANGEROUS";

/// Why a case is not run on this version unless [`DANGEROUS`] says so, as one sentence.
///
/// `recvmsg_x` of xnu before 11417.140.69 loses a socket's lock when two processes use the socket: the
/// thread that hands on what loopback has waits for it until the host is started again
/// (<https://github.com/oven-sh/bun/issues/34461>). A case has one process; it is not run all the same.
pub fn dangerous(case: &Case, version: Option<&str>) -> Option<String> {
    let is_mended = version.and_then(parts).is_some_and(|version| version >= (15, 6));
    let asks = case.ops.iter().any(|op| matches!(op, Op::RecvmsgX { .. }));
    (asks && !is_mended).then(|| {
        format!(
            "recvmsg_x can block the whole host's loopback before macOS 15.6: {DANGEROUS}=1 runs it"
        )
    })
}

/// `15.6.1` as 15 and 6.
fn parts(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    let major = numbers.next()?.ok()?;
    Some((major, numbers.next().and_then(Result::ok).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::LinkKind;

    #[test]
    fn each_has_its_size_and_places() {
        assert_eq!(ifreq("feth7000")[..9], *b"feth7000\0");
        assert_eq!(ifreq("a-name-that-is-too-long")[15], 0);
        assert_eq!(flags_of(&ifreq_flags("lo0", 0x8049)), 0x8049);
        assert_eq!(ifreq_mtu("utun9", 1280)[16..20], 1280u32.to_ne_bytes());
        assert_eq!(ifreq_mac("feth1", [2, 0, 0, 0, 0, 1])[16..24], [6, 18, 2, 0, 0, 0, 0, 1]);
        let ip = Ipv4Addr::new(192, 0, 2, 1);
        assert_eq!(ifreq_ip("feth1", ip)[16..24], [16, 2, 0, 0, 192, 0, 2, 1]);
        let alias = ifaliasreq("feth1", ip, broadcast(ip, 24), 24);
        assert_eq!(
            (alias.len(), &alias[36..40], &alias[52..56]),
            (64, &[192, 0, 2, 255][..], &[255, 255, 255, 0][..])
        );
        let ll = "fe80::1".parse().unwrap();
        let alias = in6_aliasreq("feth1", ll, 0x0107, 64);
        assert_eq!((alias.len(), alias[24], alias[80], alias[88]), (128, 0xfe, 255, 0));
        assert_eq!(alias[24..28], [0xfe, 0x80, 1, 7]);
        assert_eq!((&alias[100..104], alias[123]), (&[0; 4][..], 255));
        let global = in6_aliasreq("feth1", "2001:db8::1".parse().unwrap(), 7, 64);
        assert_eq!(global[24..32], [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0]);
        assert_eq!(in6_ndireq("feth1", 0x281)[36..40], 0x281u32.to_ne_bytes());
        assert_eq!(discovery_flags(&in6_ndireq("feth1", 0x281)), 0x281);
        assert_eq!(in6_ifreq("feth1", ll, 7)[40..44], 7u32.to_ne_bytes());
        assert_eq!(ctl_info("com.apple.net.utun_control")[4..7], *b"com");
        assert_eq!(fake_peer("feth2")[32..38], *b"feth2\0");
    }

    /// Who says in bytes by which interface a datagram leaves says nothing that can be looked at.
    #[test]
    fn bytes_are_sent_to_no_network() {
        let case = |domain: &str, control: &str| -> Case {
            let text = format!(
                r#"{{"id":"a/b","title":"","ops":[
                    {{"socket":{{"fd":"s","domain":"{domain}","type":["SOCK_DGRAM"],"protocol":[]}}}},
                    {{"sendmsg":{{"fd":"s","data":{{"text":"x"}},"flags":[],"addr":null,"control":[{control}]}}}}]}}"#
            );
            serde_json::from_str(&text).expect("a case")
        };
        let bytes = r#"{"bytes":{"level":41,"kind":48,"data":"05"}}"#;
        let int = r#"{"int":{"level":"IPPROTO_IP","name":"IP_TTL","value":1}}"#;
        assert!(refused(&case("AF_INET6", bytes)).is_some_and(|why| why.contains("the bytes")));
        assert_eq!(refused(&case("AF_UNIX", bytes)), None);
        assert_eq!(refused(&case("AF_INET6", int)), None);
    }

    #[test]
    fn networks_are_masked() {
        let ip = "203.0.113.7".parse().unwrap();
        assert_eq!(network(ip, 24).to_string(), "203.0.113.0");
        assert_eq!(network(ip, 0).to_string(), "0.0.0.0");
        assert_eq!(network("2001:db8:1::4".parse().unwrap(), 64).to_string(), "2001:db8:1::");
        assert_eq!(network("::1".parse().unwrap(), 128).to_string(), "::1");
    }

    #[test]
    fn what_can_block_the_host_is_asked_for() {
        let flags = crate::case::Flags::NONE;
        let call = |op| Case::new("s/t", String::new(), Lab::loopback(), vec![op]);
        let case = call(Op::RecvmsgX { fd: "r".into(), count: 1, len: 1, control_len: 0, flags });
        for version in [None, Some(""), Some("14.7.6"), Some("15"), Some("15.5"), Some("x.9")] {
            let why = dangerous(&case, version).expect("it is dangerous there");
            assert!(why.contains("SOCKEYE_DANGEROUS=1"), "{why}");
        }
        for version in ["15.6", "15.6.1", "15.10", "26.0", "26"] {
            assert_eq!(dangerous(&case, Some(version)), None);
        }
        let other = call(Op::Disconnectx { fd: "r".to_owned() });
        assert_eq!(dangerous(&other, Some("11.5")), None);
    }

    #[test]
    fn what_all_of_the_host_would_feel_is_refused() {
        let case =
            |step: LabOp| Case::new("s/t", String::new(), Lab::loopback(), vec![Op::Lab { step }]);
        let down = |link: &str| case(LabOp::LinkDown { link: link.to_owned() });
        assert!(refused(&down("lo")).is_some());
        assert_eq!(refused(&down("tap0")), None);
        assert!(needs_root(&down("tap0")));
        let plain = Case { ops: Vec::new(), ..down("tap0") };
        assert!(!needs_root(&plain));
        let over = Case { lab: Lab::one(LinkKind::Tun, "tun0"), ..plain.clone() };
        assert!(needs_root(&over));
        let mtu = |mtu| case(LabOp::Mtu { link: "tap0".to_owned(), mtu });
        assert!(refused(&mtu(68)).is_some_and(|why| why.contains("an MTU of 68")));
        assert!(refused(&mtu(71)).is_some());
        assert_eq!(refused(&mtu(72)), None);
        let silent = |kind: &'static str| {
            let (fd, domain, protocol) =
                ("s".to_owned(), "AF_INET".into(), crate::case::Flags::NONE);
            let r#type = crate::case::Flags::of(&[kind]);
            let retrans = LabOp::RetransTime { link: "tap0".to_owned(), ms: 200 };
            let ops = vec![Op::Socket { fd, domain, r#type, protocol }];
            Case { lab: Lab::loopback().with([retrans]), ops, ..down("tap0") }
        };
        assert_eq!(refused(&silent("SOCK_DGRAM")), None);
        assert!(refused(&silent("SOCK_STREAM")).is_some());
        let mut small = Lab::one(LinkKind::Tun, "tun0");
        small.links[0].mtu = 68;
        assert!(refused(&Case { lab: small, ..plain }).is_some());
    }
}
