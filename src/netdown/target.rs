//! Which address on which interface of the host's `sockeye netdown` is to ask.

use std::net::{IpAddr, Ipv6Addr, SocketAddrV6};

use anyhow::Result;
use harness::darwin::down::choose;
use harness::darwin::scope::without_embedded_scope;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nametoindex};

/// An interface of the host's.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) name: String,
    index: u32,
    flags: InterfaceFlags,
    /// Its link-local addresses, without their scope.
    addresses: Vec<Ipv6Addr>,
}

impl Interface {
    pub(super) fn is_up(&self) -> bool {
        self.flags.contains(InterfaceFlags::IFF_UP)
    }
}

/// The host's interfaces.
pub(super) fn interfaces() -> Result<Vec<Interface>> {
    let mut all: Vec<Interface> = Vec::new();
    // Each has an entry without an IP address too, of its link layer.
    for found in getifaddrs()? {
        let address = found.address.as_ref().and_then(|address| address.as_sockaddr_in6());
        let ip = address.map(|address| without_embedded_scope(address.ip()).0);
        let ip = ip.filter(Ipv6Addr::is_unicast_link_local);
        let (name, flags) = (found.interface_name, found.flags);
        if let Some(one) = all.iter_mut().find(|one| one.name == name) {
            one.addresses.extend(ip);
        } else {
            // One that went meanwhile is none any more.
            let Ok(index) = if_nametoindex(name.as_str()) else { continue };
            all.push(Interface { name, index, flags, addresses: ip.into_iter().collect() });
        }
    }
    Ok(all)
}

/// An address on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) interface: String,
    pub(super) index: u32,
    pub(super) ip: Ipv6Addr,
    /// Whether it is the interface's own: then somebody here can receive at it.
    pub(super) is_own: bool,
}

impl Target {
    fn new(interface: &Interface, ip: Ipv6Addr) -> Self {
        let is_own = interface.addresses.contains(&ip);
        Self { interface: interface.name.clone(), index: interface.index, ip, is_own }
    }

    pub(super) fn at(&self, port: u16) -> SocketAddrV6 {
        SocketAddrV6::new(self.ip, port, 0, self.index)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%{}", self.ip, self.interface)
    }
}

/// What a user has named: `fe80::1%awdl0`, `fe80::1%15`. An error is one sentence.
pub(super) fn named(text: &str, all: &[Interface]) -> Result<Target, String> {
    let wanted = "what is wanted is a link-local address and its interface: fe80::1%awdl0";
    let Some((ip, zone)) = text.split_once('%') else {
        return Err(format!("{text:?} names no interface; {wanted}"));
    };
    let ip: Ipv6Addr = ip.parse().map_err(|_| format!("{ip:?} is no IPv6 address; {wanted}"))?;
    if !ip.is_unicast_link_local() {
        // Another one's interface is told by the routes, and from there it leads to people's networks.
        return Err(format!("{ip} is not in fe80::/10, so that %{zone} decides nothing; {wanted}"));
    }
    let index = zone.parse::<u32>().ok();
    let found = all.iter().find(|one| one.name == zone || Some(one.index) == index);
    let Some(interface) = found else {
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        return Err(format!("there is no interface {zone:?}; there are {}", names.join(", ")));
    };
    let name = &interface.name;
    if interface.flags.contains(InterfaceFlags::IFF_LOOPBACK) {
        return Err(format!("{name} is loopback, by which nothing is sent; {wanted}"));
    }
    if interface.is_up() {
        return Err(format!(
            "{name} is up: a frame would leave by it, and sockeye sends by no interface of the \
             host's; if you can do without it, `sudo ifconfig {name} down` takes it down"
        ));
    }
    Ok(Target::new(interface, ip))
}

/// The first interface that is down and has a link-local address, if nobody named one.
pub(super) fn down(all: &[Interface]) -> Option<Target> {
    chosen(all, false)
}

/// One that is up, for the control. What goes to its own address stays in the host; but on a link to
/// one far end XNU lets it out (xnu-11417 bsd/netinet6/nd6.c:4308).
pub(super) fn up(all: &[Interface]) -> Option<Target> {
    let many: Vec<Interface> = all
        .iter()
        .filter(|one| !one.flags.contains(InterfaceFlags::IFF_POINTOPOINT))
        .cloned()
        .collect();
    chosen(&many, true)
}

fn chosen(all: &[Interface], up: bool) -> Option<Target> {
    let entries = all.iter().map(|one| {
        let flags = u32::try_from(one.flags.bits()).unwrap_or(0);
        (one.name.as_str(), flags, one.addresses.iter().copied().map(IpAddr::V6).collect())
    });
    let (name, addresses) = choose(entries, up)?;
    let interface = all.iter().find(|one| one.name == name)?;
    addresses.first().map(|ip| Target::new(interface, *ip))
}

/// What to do where no interface is down that has a link-local address.
pub(super) fn none_is_down(all: &[Interface]) -> String {
    let example = up(all).map_or_else(|| "fe80::1%awdl0".to_owned(), |target| target.to_string());
    let name = example.split_once('%').map_or("awdl0", |(_, name)| name);
    format!(
        "no interface that is down has a link-local address; `ifconfig` shows them: take one down \
         that you can do without (`sudo ifconfig {name} down`), and name it: sockeye netdown {example}"
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const UP: InterfaceFlags = InterfaceFlags::IFF_UP;

    fn all() -> Vec<Interface> {
        let one = |name: &str, index, flags, ips: &[&str]| {
            let addresses = ips.iter().map(|ip| ip.parse().expect("an address")).collect();
            Interface { name: name.to_owned(), index, flags, addresses }
        };
        let tunnel = UP.union(InterfaceFlags::IFF_POINTOPOINT);
        vec![
            one("lo0", 1, UP.union(InterfaceFlags::IFF_LOOPBACK), &["fe80::1"]),
            one("en0", 4, UP, &["fe80::44"]),
            one("en9", 9, InterfaceFlags::empty(), &[]),
            one("awdl0", 15, InterfaceFlags::empty(), &["fe80::15"]),
            one("abc0", 16, tunnel, &["fe80::16"]),
        ]
    }

    #[rstest]
    #[case::own("fe80::15%awdl0", "awdl0", true)]
    #[case::by_index("fe80::15%15", "awdl0", true)]
    #[case::written_otherwise("FE80:0:0:0:0:0:0:15%awdl0", "awdl0", true)]
    #[case::a_neighbours("fe80::9%awdl0", "awdl0", false)]
    #[case::no_address_of_its_own("fe80::1%en9", "en9", false)]
    fn what_is_named_is_found(#[case] text: &str, #[case] name: &str, #[case] is_own: bool) {
        let target = named(text, &all()).expect("it is there");
        assert_eq!((target.interface.as_str(), target.is_own), (name, is_own));
        assert_eq!(target.at(9).scope_id(), target.index);
    }

    #[rstest]
    #[case::up("fe80::44%en0", "en0 is up: a frame would leave by it")]
    #[case::up_by_index("fe80::44%4", "en0 is up: a frame would leave by it")]
    #[case::loopback("fe80::1%lo0", "lo0 is loopback")]
    #[case::no_interface("fe80::15", "names no interface")]
    #[case::nothing("", "names no interface")]
    #[case::another_one("fe80::15%awdl9", "no interface \"awdl9\"; there are lo0, en0, en9, awdl0")]
    #[case::no_index("fe80::15%99", "no interface \"99\"")]
    #[case::empty_zone("fe80::15%", "no interface \"\"")]
    #[case::below_zero("fe80::15%-1", "no interface \"-1\"")]
    #[case::two("fe80::15%awdl0%awdl0", "no interface \"awdl0%awdl0\"")]
    #[case::v4("192.0.2.1%awdl0", "\"192.0.2.1\" is no IPv6 address")]
    #[case::no_address("awdl0%fe80::15", "\"awdl0\" is no IPv6 address")]
    #[case::with_a_prefix("fe80::15/64%awdl0", "is no IPv6 address")]
    #[case::global("2001:db8::1%awdl0", "is not in fe80::/10")]
    #[case::group("ff02::1%awdl0", "is not in fe80::/10")]
    #[case::mapped("::ffff:192.0.2.1%awdl0", "is not in fe80::/10")]
    fn what_is_wrong_is_said_in_a_sentence(#[case] text: &str, #[case] says: &str) {
        let said = named(text, &all()).expect_err("it is wrong");
        assert!(said.contains(says) && !said.contains('\n'), "{said}");
    }

    #[test]
    fn one_is_chosen_if_none_is_named() {
        let mut all = all();
        assert_eq!(down(&all).map(|target| target.to_string()), Some("fe80::15%awdl0".into()));
        // Not the tunnel, whose own address leads out, though its name is the first.
        assert_eq!(up(&all).map(|target| target.to_string()), Some("fe80::44%en0".into()));
        all[3].flags = UP;
        assert_eq!(down(&all), None);
        let said = none_is_down(&all);
        assert!(said.contains("sockeye netdown fe80::15%awdl0"), "{said}");
        assert!(said.contains("sudo ifconfig awdl0 down"), "{said}");
    }
}
