//! Addresses of `AF_PACKET` (packet(7)), Linux's: the protocol of a link's frames, and who is there on it.
//!
//! Which link it is (`sll_ifindex`), the scope of the address says. `sll_hatype` and `sll_pkttype` are the kernel's to tell.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Case, Hex, Op};

/// The bytes of a `struct sockaddr_ll`, and of `sll_addr` within it, which stands last.
pub const SIZE: u32 = 20;
/// The bytes of a `struct fanout_args`, the one structure that an option of such a socket takes and that has no
/// pointer and takes no more memory than half a megabyte.
pub const FANOUT: usize = 8;
/// The level and the name of that option.
pub const FANOUT_OPTION: (&str, &str) = ("SOL_PACKET", "PACKET_FANOUT");
const MOST_OF_ADDR: usize = 8;

/// `sll_pkttype` by its value: `PACKET_HOST` and those behind it (`linux/if_packet.h`).
const KINDS: [&str; 8] =
    ["host", "broadcast", "multicast", "otherhost", "outgoing", "loopback", "user", "kernel"];

/// A `struct sockaddr_ll` as a case gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Packet {
    /// `sll_protocol`, in host order: a type of Ethernet's.
    pub proto: u16,
    /// `sll_addr`, of as many bytes as `sll_halen` says.
    #[serde(default)]
    pub addr: Hex,
    /// The length of the address, in bytes, where it is not that of the structure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub len: Option<u32>,
}

/// A `struct sockaddr_ll` as a kernel gave it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct PacketSeen {
    /// `sll_protocol`, in host order.
    pub proto: u16,
    /// `sll_ifindex`.
    pub index: u32,
    /// `sll_hatype`: 1 of Ethernet, 65534 of a link without link-layer addresses.
    pub hatype: u16,
    /// `sll_pkttype`.
    pub kind: u8,
    /// `sll_addr`, of as many bytes as `sll_halen` says.
    pub addr: Hex,
}

impl Packet {
    /// What is wrong with it, as one sentence.
    ///
    /// # Errors
    /// A hardware address or a length that no such address has.
    pub fn check(&self) -> Result<(), String> {
        if self.addr.0.len() > MOST_OF_ADDR {
            let many = self.addr.0.len();
            return Err(format!("a hardware address of {many} bytes, {MOST_OF_ADDR} are the most"));
        }
        match self.len.filter(|len| *len > SIZE) {
            Some(len) => Err(format!("an address of {len} bytes, {SIZE} are the most")),
            None => Ok(()),
        }
    }

    /// Its bytes behind `sll_family`, on the link of this index.
    pub fn bytes(&self, index: u32) -> Vec<u8> {
        let many = u8::try_from(self.addr.0.len()).unwrap_or(u8::MAX);
        let mut all = self.proto.to_be_bytes().to_vec();
        all.extend(index.to_ne_bytes());
        all.extend([0, 0, 0, many]);
        all.extend(&self.addr.0);
        all.resize(SIZE as usize - 2, 0);
        all
    }

    /// As text, with its link as it is called.
    pub fn text(&self, link: Option<&str>) -> String {
        let len = self.len.map_or_else(String::new, |len| format!(" length {len}"));
        format!("{{AF_PACKET 0x{:04x}{}{}{len}}}", self.proto, dev(link), told(&self.addr))
    }
}

impl PacketSeen {
    /// What a kernel wrote, from `sll_family` on; none if it is too short for one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let two = |at: usize| Some([*bytes.get(at)?, *bytes.get(at + 1)?]);
        let index = [two(4)?, two(6)?].concat().try_into().ok()?;
        let (kind, many) = (*bytes.get(10)?, usize::from(*bytes.get(11)?));
        let addr = bytes.get(12..)?;
        Some(Self {
            proto: u16::from_be_bytes(two(2)?),
            index: u32::from_ne_bytes(index),
            hatype: u16::from_ne_bytes(two(8)?),
            kind,
            addr: Hex(addr[..many.min(addr.len()).min(MOST_OF_ADDR)].to_vec()),
        })
    }

    /// Whether a kernel can have written it.
    ///
    /// # Errors
    /// More bytes than a hardware address has.
    pub fn check(&self) -> Result<(), String> {
        Packet { proto: self.proto, addr: self.addr.clone(), len: None }.check()
    }

    /// As text, with its link as it is called.
    pub fn text(&self, link: Option<&str>) -> String {
        let kind = KINDS.get(usize::from(self.kind));
        let kind = kind.map_or_else(|| self.kind.to_string(), |kind| (*kind).to_owned());
        let (dev, addr) = (dev(link), told(&self.addr));
        format!("{{AF_PACKET 0x{:04x}{dev} type {} {kind}{addr}}}", self.proto, self.hatype)
    }
}

fn dev(link: Option<&str>) -> String {
    link.map_or_else(String::new, |link| format!(" dev {link}"))
}

fn told(addr: &Hex) -> String {
    if addr.0.is_empty() { String::new() } else { format!(" addr 0x{addr}") }
}

impl fmt::Display for PacketSeen {
    /// `{AF_PACKET 0x0800 dev 2 type 1 broadcast addr 0x020000000102}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = (self.index != 0).then(|| self.index.to_string());
        f.write_str(&self.text(index.as_deref()))
    }
}

/// The address that its `Display` writes between the braces, behind the family; none of other text.
pub(super) fn parse(text: &str) -> Option<PacketSeen> {
    let mut words = text.split(' ').peekable();
    let proto = u16::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
    let mut index = 0;
    if words.next_if_eq(&"dev").is_some() {
        index = words.next()?.parse().ok()?;
    }
    words.next_if_eq(&"type")?;
    let (hatype, kind) = (words.next()?.parse().ok()?, words.next()?);
    let known = KINDS.iter().position(|known| *known == kind);
    let kind = known.and_then(|at| u8::try_from(at).ok()).or_else(|| kind.parse().ok())?;
    let mut addr = Hex::default();
    if words.next_if_eq(&"addr").is_some() {
        addr = words.next()?.strip_prefix("0x")?.parse().ok()?;
    }
    let seen = PacketSeen { proto, index, hatype, kind, addr };
    (words.next().is_none() && seen.check().is_ok()).then_some(seen)
}

impl Case {
    /// Whether it has a packet socket, by which it may send the host whatever it likes.
    pub fn has_packets(&self) -> bool {
        let is_one =
            |op: &Op| matches!(op, Op::Socket { domain, .. } if domain.plain() == "AF_PACKET");
        self.ops.iter().any(is_one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `sll_addr` begins.
    const BEFORE_ADDR: usize = 12;

    #[test]
    fn what_is_given_is_read_as_it_was() {
        let given = Packet { proto: 0x0806, addr: Hex(vec![2, 0, 0, 0, 1, 2]), len: None };
        let bytes = [vec![17, 0], given.bytes(7)].concat();
        assert_eq!(bytes.len(), SIZE as usize);
        let seen = PacketSeen::read(&bytes).unwrap();
        assert_eq!((seen.proto, seen.index, &seen.addr), (0x0806, 7, &given.addr));
        assert_eq!(seen.to_string(), "{AF_PACKET 0x0806 dev 7 type 0 host addr 0x020000000102}");
        assert_eq!(PacketSeen::read(&bytes[..BEFORE_ADDR - 1]), None);
        // As many bytes as are there, whatever it says.
        let cut = PacketSeen::read(&bytes[..BEFORE_ADDR + 2]).unwrap();
        assert_eq!(cut.addr, Hex(vec![2, 0]));
    }

    #[test]
    fn addresses_have_an_end() {
        let of = |addr: usize, len| Packet { proto: 0, addr: Hex(vec![0; addr]), len }.check();
        assert_eq!((of(8, Some(20)), of(0, Some(0))), (Ok(()), Ok(())));
        assert!(of(9, None).is_err() && of(0, Some(21)).is_err());
    }
}
