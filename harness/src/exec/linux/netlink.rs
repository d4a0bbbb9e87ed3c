//! rtnetlink(7), the part of it that a lab needs, one request and its acknowledgement at a time.

use std::io;
use std::net::IpAddr;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, LinkAttribute, LinkFlags, LinkMessage,
};
use netlink_packet_route::neighbour::{NeighbourAttribute, NeighbourMessage, NeighbourState};
use netlink_packet_route::neighbour_table::{NeighbourTableAttribute, NeighbourTableMessage};
use netlink_packet_route::route::{
    RouteAttribute, RouteHeader, RouteMessage, RouteMetric, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::tc::{TcAttribute, TcHandle, TcMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

/// A netlink socket of the network namespace in which it was opened.
pub(super) struct Netlink {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

/// Who hears of each link that is made, so that its name is known when it has gone.
pub(super) struct News {
    socket: Socket,
    buffer: Vec<u8>,
}

impl News {
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        // The first bit is `RTNLGRP_LINK` (rtnetlink(7)).
        socket.bind(&SocketAddr::new(0, 1))?;
        socket.set_non_blocking(true)?;
        Ok(Self { socket, buffer: Vec::with_capacity(8192) })
    }

    /// The index and the name of each link that was made or changed meanwhile.
    pub(super) fn links(&mut self) -> Vec<(u32, String)> {
        let mut links = Vec::new();
        loop {
            self.buffer.clear();
            self.buffer.reserve(8192);
            if self.socket.recv(&mut self.buffer, 0).is_err() {
                return links;
            }
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&self.buffer);
            let Ok(NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link))) =
                message.map(|message| message.payload)
            else {
                continue;
            };
            links.extend(link.attributes.into_iter().find_map(|attribute| match attribute {
                LinkAttribute::IfName(name) => Some((link.header.index, name)),
                _ => None,
            }));
        }
    }
}

fn family(ip: IpAddr) -> AddressFamily {
    if ip.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

/// Some fields of [`LinkMessage`]; what is none stays.
#[derive(Default)]
pub(super) struct LinkChange<'a> {
    pub(super) up: Option<bool>,
    pub(super) mtu: Option<u32>,
    pub(super) mac: Option<&'a [u8]>,
    /// How many segments one packet may stand for on its way to the device.
    pub(super) gso_max_segs: Option<u32>,
    /// How many frames may wait at it, and in its descriptor.
    pub(super) queue_len: Option<u32>,
    /// Which link-local address it makes itself; a link without IPv6 has no such thing.
    pub(super) addr_gen_mode: Option<In6AddrGenMode>,
}

impl Netlink {
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self { socket, sequence: 0, buffer: Vec::with_capacity(8192) })
    }

    /// Sends one request and returns the first message of the answer that is not an
    /// acknowledgement of success.
    fn ask(
        &mut self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> io::Result<Option<RouteNetlinkMessage>> {
        self.sequence += 1;
        let mut request = NetlinkMessage::from(message);
        request.header.flags = NLM_F_REQUEST | flags;
        request.header.sequence_number = self.sequence;
        request.finalize();
        self.buffer.resize(request.buffer_len(), 0);
        request.serialize(&mut self.buffer);
        self.socket.send(&self.buffer, 0)?;
        loop {
            self.buffer.clear();
            self.buffer.reserve(8192);
            match self.socket.recv(&mut self.buffer, 0) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&self.buffer)
                .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))?;
            if answer.header.sequence_number != self.sequence {
                continue;
            }
            return match answer.payload {
                NetlinkPayload::Error(e) if e.code.is_some() => Err(e.to_io()),
                NetlinkPayload::InnerMessage(inner) => Ok(Some(inner)),
                _ => Ok(None),
            };
        }
    }

    fn tell(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.ask(message, NLM_F_ACK | flags).map(|_| ())
    }

    pub(super) fn set_link(&mut self, index: u32, change: &LinkChange<'_>) -> io::Result<()> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        if let Some(up) = change.up {
            link.header.change_mask = LinkFlags::Up;
            link.header.flags = if up { LinkFlags::Up } else { LinkFlags::empty() };
        }
        link.attributes.extend(change.gso_max_segs.map(LinkAttribute::GsoMaxSegs));
        link.attributes.extend(change.queue_len.map(LinkAttribute::TxQueueLen));
        link.attributes.extend(change.mac.map(|mac| LinkAttribute::Address(mac.to_vec())));
        link.attributes.extend(change.mtu.map(LinkAttribute::Mtu));
        link.attributes.extend(change.addr_gen_mode.map(|mode| {
            let inet6 = vec![AfSpecInet6::AddrGenMode(mode)];
            LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(inet6)])
        }));
        self.tell(RouteNetlinkMessage::SetLink(link), 0)
    }

    pub(super) fn delete_link(&mut self, index: u32) -> io::Result<()> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        self.tell(RouteNetlinkMessage::DelLink(link), 0)
    }

    fn address(index: u32, ip: IpAddr, prefix_len: u8) -> AddressMessage {
        let mut address = AddressMessage::default();
        address.header.family = family(ip);
        address.header.index = index;
        address.header.prefix_len = prefix_len;
        address.attributes.push(AddressAttribute::Local(ip));
        address.attributes.push(AddressAttribute::Address(ip));
        address
    }

    /// Without duplicate address detection; an IPv4 address gets its network's broadcast address.
    pub(super) fn add_address(&mut self, index: u32, ip: IpAddr, prefix_len: u8) -> io::Result<()> {
        let mut address = Self::address(index, ip, prefix_len);
        match ip {
            IpAddr::V4(ip) => {
                let host = u32::MAX.checked_shr(prefix_len.into()).unwrap_or(0);
                let broadcast = (u32::from(ip) | host).into();
                address.attributes.push(AddressAttribute::Broadcast(broadcast));
            }
            IpAddr::V6(_) => {
                address.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
            }
        }
        self.tell(RouteNetlinkMessage::NewAddress(address), NLM_F_CREATE | NLM_F_REPLACE)
    }

    pub(super) fn delete_address(
        &mut self,
        index: u32,
        ip: IpAddr,
        prefix_len: u8,
    ) -> io::Result<()> {
        self.tell(RouteNetlinkMessage::DelAddress(Self::address(index, ip, prefix_len)), 0)
    }

    fn neighbour(index: u32, ip: IpAddr) -> NeighbourMessage {
        let mut neighbour = NeighbourMessage::default();
        neighbour.header.family = family(ip);
        neighbour.header.ifindex = index;
        neighbour.attributes.push(NeighbourAttribute::Destination(ip.into()));
        neighbour
    }

    /// An entry of the neighbour table that stays until the link goes down.
    pub(super) fn add_neighbour(&mut self, index: u32, ip: IpAddr, mac: &[u8]) -> io::Result<()> {
        let mut neighbour = Self::neighbour(index, ip);
        neighbour.header.state = NeighbourState::Permanent;
        neighbour.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.to_vec()));
        self.tell(RouteNetlinkMessage::NewNeighbour(neighbour), NLM_F_CREATE | NLM_F_REPLACE)
    }

    pub(super) fn delete_neighbour(&mut self, index: u32, ip: IpAddr) -> io::Result<()> {
        self.tell(RouteNetlinkMessage::DelNeighbour(Self::neighbour(index, ip)), 0)
    }

    /// A route to a host that serves TCP: each segment of its is acknowledged at once, and nothing
    /// is sent to it again for a minute, so that no timer decides when a frame leaves, unless the case
    /// waits for one. A window that shall not become larger has the scale of its own.
    pub(super) fn add_served(
        &mut self,
        ip: IpAddr,
        index: u32,
        real_timers: bool,
        window: Option<u32>,
    ) -> io::Result<()> {
        let mut route = RouteMessage::default();
        route.header.address_family = family(ip);
        route.header.destination_prefix_length = if ip.is_ipv4() { 32 } else { 128 };
        route.header.table = RouteHeader::RT_TABLE_MAIN;
        route.header.protocol = RouteProtocol::Static;
        route.header.kind = RouteType::Unicast;
        route.header.scope = RouteScope::Link;
        // The kernel heeds `RTAX_RTO_MIN`, number 13, when it is locked only (`tcp_rto_min`).
        let lock = RouteMetric::Lock(1 << 13);
        let mut metrics = vec![RouteMetric::QuickAck(1)];
        if !real_timers {
            metrics.extend([lock, RouteMetric::RtoMin(60_000)]);
        }
        metrics.extend(window.map(RouteMetric::Window));
        route.attributes.push(RouteAttribute::Destination(ip.into()));
        route.attributes.push(RouteAttribute::Oif(index));
        route.attributes.push(RouteAttribute::Metrics(metrics));
        self.tell(RouteNetlinkMessage::NewRoute(route), NLM_F_CREATE | NLM_F_REPLACE)
    }

    pub(super) fn add_route(
        &mut self,
        prefix: IpAddr,
        prefix_len: u8,
        kind: RouteType,
        index: Option<u32>,
        via: Option<IpAddr>,
    ) -> io::Result<()> {
        let mut route = RouteMessage::default();
        route.header.address_family = family(prefix);
        route.header.destination_prefix_length = prefix_len;
        route.header.table = RouteHeader::RT_TABLE_MAIN;
        route.header.protocol = RouteProtocol::Static;
        route.header.kind = kind;
        if kind == RouteType::Unicast && via.is_none() {
            route.header.scope = RouteScope::Link;
        }
        route.attributes.push(RouteAttribute::Destination(prefix.into()));
        route.attributes.extend(index.map(RouteAttribute::Oif));
        route.attributes.extend(via.map(|ip| RouteAttribute::Gateway(ip.into())));
        self.tell(RouteNetlinkMessage::NewRoute(route), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Whether a packet to `ip` would be delivered to this host itself: the address is in use.
    pub(super) fn is_local(&mut self, index: u32, ip: IpAddr) -> io::Result<bool> {
        let mut route = RouteMessage::default();
        route.header.address_family = family(ip);
        route.header.destination_prefix_length = if ip.is_ipv4() { 32 } else { 128 };
        route.attributes.push(RouteAttribute::Destination(ip.into()));
        route.attributes.push(RouteAttribute::Oif(index));
        match self.ask(RouteNetlinkMessage::GetRoute(route), 0) {
            Ok(Some(RouteNetlinkMessage::NewRoute(route))) => {
                Ok(route.header.kind == RouteType::Local)
            }
            Ok(_) => Ok(false),
            Err(e) if matches!(e.raw_os_error(), Some(libc::ENETUNREACH | libc::EHOSTUNREACH)) => {
                Ok(false)
            }
            Err(e) => Err(e),
        }
    }

    /// From how many neighbours of a family on the host forgets some, or knows no more.
    pub(super) fn most_neighbours(&mut self, family: AddressFamily) -> io::Result<Option<u32>> {
        let mut table = NeighbourTableMessage::default();
        table.header.family = family;
        let answer = self.ask(RouteNetlinkMessage::GetNeighbourTable(table), NLM_F_DUMP)?;
        let Some(RouteNetlinkMessage::NewNeighbourTable(table)) = answer else { return Ok(None) };
        Ok(table.attributes.iter().find_map(|attribute| match attribute {
            NeighbourTableAttribute::Threshold3(most) => Some(*most),
            _ => None,
        }))
    }

    /// In which order what waits for a link leaves it, by the kernel's name for that.
    pub(super) fn queue(&mut self, index: u32) -> io::Result<Option<String>> {
        let mut link = LinkMessage::default();
        link.header.index = index;
        let answer = self.ask(RouteNetlinkMessage::GetLink(link), 0)?;
        let Some(RouteNetlinkMessage::NewLink(link)) = answer else { return Ok(None) };
        Ok(link.attributes.into_iter().find_map(|attribute| match attribute {
            LinkAttribute::Qdisc(kind) => Some(kind),
            _ => None,
        }))
    }

    pub(super) fn set_queue(&mut self, index: u32, kind: &str) -> io::Result<()> {
        let mut queue = TcMessage::with_index(index.cast_signed());
        queue.header.parent = TcHandle::ROOT;
        queue.attributes.push(TcAttribute::Kind(kind.to_owned()));
        let flags = NLM_F_CREATE | NLM_F_REPLACE;
        self.tell(RouteNetlinkMessage::NewQueueDiscipline(queue), flags)
    }
}
