//! A lab on macOS: utun and feth links in the host's own network, whose far ends are this process.
//!
//! There are no namespaces, so that there is one lab at a time on a host, and only root makes any.
//! Without root the lab is the host's loopback, or an interface that is down anyway, and nobody sees
//! what goes over it.

mod down;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::far_end::{Bpf, FarEnd};
use super::host::{Host, wait_until_usable};
use crate::case::addr::{Range, Role, prefix_len};
use crate::case::lab::{Lab, LabOp, RouteKind};
use crate::case::{Hex, LinkKind};
use crate::darwin::down::StandIn;
use crate::darwin::ledger::Thing;
use crate::darwin::request::network;
use crate::darwin::route::{Change, Route, Way};
use crate::exec::network::Network;
use crate::exec::plan::{ip_of, mac_of};
use crate::exec::resolution::{answer, asked_for};
use crate::exec::server::Server;
use crate::exec::{calls, sockaddr::RawAddr};
use crate::trace::{Direction, End, LinkFact};
use crate::wire::{Body, Framing, decode};

/// How long nothing has to come before all is there: links send from threads of their own
/// (bsd/net/dlil.c `ifnet_start_thread_func`), so that a frame may come after the call has returned.
const SETTLE: Duration = Duration::from_millis(3);
/// Longer than the longest packet of a utun.
const LONGEST_PACKET: usize = 1 << 16;
/// Descriptors above this are not a case's.
const MOST_SOCKETS: i32 = 64;

struct Link {
    /// The interface's name, and its far end's of a feth.
    name: String,
    peer: Option<String>,
    far: FarEnd,
}

pub(in crate::exec) struct MacLab {
    spec: Lab,
    /// None without root.
    host: Option<Host>,
    /// Without root what stands for a link.
    stand_in: Option<StandIn>,
    loopback: Option<Bpf>,
    links: Vec<Link>,
    facts: Vec<LinkFact>,
    /// Routes that no interface takes along.
    routes: Vec<Thing>,
    /// Who serves, by link number.
    servers: BTreeMap<usize, Server>,
    /// Whom the host has asked for since the network was last restored, by link number.
    asked: Vec<(usize, IpAddr)>,
    /// The ports of the case's sockets: of what goes over loopback, the rest is other people's.
    ports: BTreeSet<u16>,
    buffer: Vec<u8>,
}

fn said<'a>(what: &'a str, which: &'a str) -> impl Fn(std::io::Error) -> String + 'a {
    move |e| format!("{what} {which}: {e}")
}

fn index_of(name: &str) -> Result<u32, String> {
    nix::net::if_::if_nametoindex(name).map_err(|e| format!("{name}: {e}"))
}

impl MacLab {
    fn bare(spec: &Lab, host: Option<Host>, loopback: Option<Bpf>) -> Result<Self, String> {
        let (name, mac) = ("lo".to_owned(), Hex(vec![0; 6]));
        let unseen = loopback.is_none();
        let lo = LinkFact { name, index: index_of("lo0")?, kind: None, mac, unseen };
        Ok(Self {
            spec: spec.clone(),
            host,
            stand_in: None,
            loopback,
            links: Vec::new(),
            facts: vec![lo],
            routes: Vec::new(),
            servers: BTreeMap::new(),
            asked: Vec::new(),
            ports: BTreeSet::new(),
            buffer: vec![0; LONGEST_PACKET],
        })
    }

    /// Builds `spec` in the host's network.
    pub(super) fn build(spec: &Lab) -> Result<Self, End> {
        are_free(spec)?;
        let host = Host::open().map_err(End::skipped)?;
        let loopback = Bpf::open("lo0", false);
        let loopback = loopback.map_err(|e| End::skipped(format!("BPF on lo0: {e}")))?;
        let mut lab = Self::bare(spec, Some(host), Some(loopback)).map_err(End::broken)?;
        for link in &spec.links {
            lab.make(link.kind, &link.name).map_err(End::skipped)?;
        }
        lab.furnish().map_err(End::broken)?;
        Ok(lab)
    }

    fn host(&mut self) -> Result<&mut Host, String> {
        self.host.as_mut().ok_or_else(|| "without root nothing can be changed".to_owned())
    }

    /// Makes a link, down and without addresses.
    fn make(&mut self, kind: LinkKind, name: &str) -> Result<(), String> {
        let number = self.links.len();
        let link = match kind {
            LinkKind::Tun => {
                let (fd, name) = super::sys::utun().map_err(said("link", name))?;
                Link { name, peer: None, far: FarEnd::Utun(fd) }
            }
            LinkKind::Tap => {
                let [own, peer] = self.host()?.pair()?;
                Link { name: own, peer: Some(peer), far: FarEnd::Gone }
            }
        };
        // It is the lab's from here on, so that it goes with it whatever fails.
        self.links.push(link);
        let index = index_of(&self.links[number].name)?;
        let own = mac_of(number, Role::Own);
        let (name, mac, unseen) = (name.to_owned(), Hex(own.to_vec()), false);
        self.facts.push(LinkFact { name, index, kind: Some(kind), mac, unseen });
        let link = &mut self.links[number];
        if let (Some(peer), Some(host)) = (&link.peer, &self.host) {
            host.set_mac(&link.name, own).map_err(said("link", peer))?;
            host.set_up(peer, true).map_err(said("link", peer))?;
            link.far = FarEnd::Feth(Bpf::open(peer, true).map_err(said("BPF on", peer))?);
        }
        Ok(())
    }

    /// Brings every link up with its MTU, addresses and neighbours, and takes the lab's own steps.
    fn furnish(&mut self) -> Result<(), String> {
        for number in 0..self.spec.links.len() {
            let link = self.spec.links[number].clone();
            let name = self.links[number].name.clone();
            let host = self.host()?;
            host.set_mtu(&name, link.mtu).map_err(said("link", &link.name))?;
            host.set_up(&name, true).map_err(said("link", &link.name))?;
            for range in &link.ranges {
                self.add_address(number, *range)?;
            }
            for range in link.ranges.iter().filter(|_| link.kind == LinkKind::Tap) {
                let ip = ip_of(number, Role::Neighbour, *range);
                let way = Way::Neighbour(self.short_index(number), mac_of(number, Role::Neighbour));
                self.change(Change::Add, ip, 128, way)?;
            }
        }
        for step in self.spec.setup.clone() {
            self.step(&step)?;
        }
        self.drain(&mut |_, _, _| ());
        Ok(())
    }

    fn short_index(&self, number: usize) -> u16 {
        u16::try_from(self.facts[number + 1].index).unwrap_or(0)
    }

    fn change(&mut self, change: Change, prefix: IpAddr, len: u8, way: Way) -> Result<(), String> {
        let prefix_len = if prefix.is_ipv4() { len.min(32) } else { len };
        let route = Route { prefix, prefix_len, way };
        self.host()?.change_route(change, &route).map_err(said("route", &prefix.to_string()))
    }

    fn add_address(&mut self, number: usize, range: Range) -> Result<(), String> {
        let (ip, len) = (ip_of(number, Role::Own, range), prefix_len(range));
        let is_tun = self.spec.links[number].kind == LinkKind::Tun;
        let far = is_tun.then(|| ip_of(number, Role::Neighbour, range));
        let (name, index) = (self.links[number].name.clone(), self.facts[number + 1].index);
        let host = self.host()?;
        host.add_address(&name, ip, far, len).map_err(said("address", &ip.to_string()))?;
        if is_tun && range == Range::V4 {
            // An IPv4 address of a link to one host has a route to that host alone.
            let way = Way::Link(self.short_index(number));
            return self.change(Change::Add, network(ip, len), len, way);
        }
        wait_until_usable(ip, index)
    }

    fn number(&self, link: &str) -> Result<usize, String> {
        self.spec.number(link).map(usize::from).ok_or_else(|| format!("no link {link:?}"))
    }

    fn set_up(&mut self, link: &str, up: bool) -> Result<(), String> {
        let name = self.links[self.number(link)?].name.clone();
        self.host()?.set_up(&name, up).map_err(said("link", link))
    }

    fn add_route(&mut self, step: &LabOp) -> Result<(), String> {
        let LabOp::RouteAdd { prefix, prefix_len, kind, link, via } = step else {
            return Ok(());
        };
        let via = via.as_ref().and_then(|host| self.spec.ip(host));
        let way = match (kind, via, link) {
            (RouteKind::Blackhole, ..) => Way::Blackhole,
            (RouteKind::Unicast, Some(router), _) => Way::Router(router),
            (RouteKind::Unicast, None, Some(link)) => {
                Way::Link(self.short_index(self.number(link)?))
            }
            _ => Way::Reject,
        };
        let route = Route { prefix: *prefix, prefix_len: *prefix_len, way };
        if matches!(route.way, Way::Blackhole | Way::Reject) {
            let thing = self.host()?.add_dropping(&route)?;
            self.routes.push(thing);
            return Ok(());
        }
        let host = self.host()?;
        host.change_route(Change::Add, &route).map_err(said("route", &prefix.to_string()))
    }

    fn delete(&mut self, number: usize) -> Result<(), String> {
        let link = &mut self.links[number];
        // A utun goes with its descriptor.
        link.far = FarEnd::Gone;
        let Some(peer) = link.peer.take() else { return Ok(()) };
        let name = link.name.clone();
        let host = self.host()?;
        host.destroy(&name).and(host.destroy(&peer))
    }

    /// The neighbour on a link, who may serve nothing yet.
    fn server(&mut self, number: usize) -> &mut Server {
        let link = &self.spec.links[number];
        self.servers.entry(number).or_insert_with(|| Server::on(number, link))
    }

    /// Servers that know nothing of what was before.
    fn serve_anew(&mut self) {
        self.servers.clear();
        for step in self.spec.setup.clone() {
            if let LabOp::Serve { .. } | LabOp::NameServer { .. } = &step {
                // It was taken when the lab was built.
                let _ = self.step(&step);
            }
        }
    }

    /// Hands over each frame that is there, and answers those that ask. Whether there was any.
    fn drain_once(&mut self, seen: &mut dyn FnMut(&str, Direction, &[u8])) -> bool {
        let mut any = false;
        self.ports.extend(own_ports());
        for frame in self.loopback.as_mut().map(Bpf::read_loopback).unwrap_or_default() {
            if is_ours(&frame, &self.ports) {
                any = true;
                seen("lo", Direction::Out, &frame);
            }
        }
        for (number, link) in self.links.iter_mut().enumerate() {
            let (name, kind) = (&self.spec.links[number].name, self.spec.links[number].kind);
            let mut server = self.servers.get_mut(&number);
            let mut frames = Vec::new();
            link.far.read(&mut self.buffer, &mut frames);
            for frame in &frames {
                any = true;
                seen(name, Direction::Out, frame);
                if let Some(server) = &mut server {
                    server.input(frame);
                }
                let Some(asked) = asked_for(kind, frame) else { continue };
                if !self.asked.contains(&(number, asked)) {
                    self.asked.push((number, asked));
                }
                let who = self.spec.who(asked).map(|(_, role, _)| role);
                if who == Some(Role::Unresolved)
                    && let Some(reply) = answer(frame, mac_of(number, Role::Unresolved))
                {
                    seen(name, Direction::In, &reply);
                    link.far.write(&reply);
                }
            }
            while let Some(packet) = server.as_mut().and_then(|server| server.output()) {
                any = true;
                seen(name, Direction::In, &packet);
                link.far.write(&packet);
            }
        }
        any
    }

    /// None: names are looked up by mDNSResponder, which sees no files of a lab's.
    pub(in crate::exec) fn make_files(&mut self) -> Result<(), String> {
        let none = || "a lab on macOS has no files of its own for names".to_owned();
        self.files().map(drop).ok_or_else(none)
    }
}

/// Whether nobody else on this host has what the lab would take.
fn are_free(spec: &Lab) -> Result<(), End> {
    let all = Host::interfaces();
    let all = all.map_err(|e| End::skipped(format!("the interfaces cannot be listed: {e}")))?;
    for (number, link) in spec.links.iter().enumerate() {
        // A link-local address is good for its own link alone.
        for range in link.ranges.iter().filter(|range| **range != Range::Ll) {
            let wanted = network(ip_of(number, Role::Own, *range), prefix_len(*range));
            for interface in &all {
                let is_in = |(ip, _): &&(IpAddr, u8)| network(*ip, prefix_len(*range)) == wanted;
                if let Some((ip, _)) = interface.addresses.iter().find(is_in) {
                    let name = &interface.name;
                    return Err(End::skipped(format!("{name} has {ip}, which the lab would take")));
                }
            }
        }
    }
    Ok(())
}

/// The ports of this process's sockets.
fn own_ports() -> impl Iterator<Item = u16> {
    (3..MOST_SOCKETS).filter_map(|fd| {
        let mut name = RawAddr::room();
        calls::getsockname(fd, &mut name).ok()?;
        name.read()?.port().filter(|port| *port != 0)
    })
}

/// Whether a frame on loopback may be the case's: all of the host's programs use it.
fn is_ours(frame: &[u8], ports: &BTreeSet<u16>) -> bool {
    let either = |a, b| ports.contains(&a) || ports.contains(&b);
    match decode(Framing::Ethernet, frame).body() {
        Some(Body::Udp(udp)) => either(udp.sport, udp.dport),
        Some(Body::Tcp(tcp)) => either(tcp.sport, tcp.dport),
        _ => true,
    }
}

impl Network for MacLab {
    fn spec(&self) -> &Lab {
        &self.spec
    }

    fn files(&self) -> Option<Arc<OwnedFd>> {
        None
    }

    fn facts(&self) -> &[LinkFact] {
        &self.facts
    }

    fn interface(&self, link: &str) -> String {
        let number = self.spec.number(link).map(usize::from);
        let name = number.and_then(|number| self.links.get(number)).map(|link| link.name.clone());
        name.unwrap_or_else(|| if link == "lo" { "lo0" } else { link }.to_owned())
    }

    fn stand_in(&self) -> Option<&StandIn> {
        self.stand_in.as_ref()
    }

    fn spoilt(&self) -> Option<String> {
        self.stand_in.as_ref().and_then(down::has_come_up)
    }

    fn step(&mut self, step: &LabOp) -> Result<(), String> {
        match step {
            // It is: it was chosen for that.
            LabOp::LinkDown { .. } if self.stand_in.is_some() => Ok(()),
            LabOp::LinkUp { link } => self.set_up(link, true),
            LabOp::LinkDown { link } => self.set_up(link, false),
            LabOp::LinkDelete { link } => self.delete(self.number(link)?),
            LabOp::Mtu { link, mtu } => {
                let name = self.links[self.number(link)?].name.clone();
                self.host()?.set_mtu(&name, *mtu).map_err(said("link", link))
            }
            LabOp::AddressAdd { link, range } => self.add_address(self.number(link)?, *range),
            LabOp::AddressDelete { link, range } => {
                let number = self.number(link)?;
                let (name, index) = (self.links[number].name.clone(), self.facts[number + 1].index);
                let ip = ip_of(number, Role::Own, *range);
                let host = self.host()?;
                host.delete_address(&name, ip, index).map_err(said("address", &ip.to_string()))
            }
            LabOp::RouteAdd { .. } => self.add_route(step),
            LabOp::Inject { link, frame } => {
                let number = self.number(link)?;
                self.links[number].far.write(&frame.0);
                Ok(())
            }
            LabOp::Serve { link, service } => {
                let number = self.number(link)?;
                self.server(number).serve(service);
                Ok(())
            }
            LabOp::Resume { link, port } => {
                let number = self.number(link)?;
                if let Some(server) = self.servers.get_mut(&number) {
                    server.resume(*port);
                }
                Ok(())
            }
            LabOp::Wait { ms, .. } => {
                std::thread::sleep(Duration::from_millis((*ms).into()));
                Ok(())
            }
            LabOp::NameServer { link, server } => {
                let number = self.number(link)?;
                self.server(number).answer_queries(server.clone());
                Ok(())
            }
            // Among the files, which nobody reads here.
            LabOp::Hosts { .. } => Ok(()),
            // `crate::darwin::request::refused` has said so before.
            LabOp::RetransTime { .. } => Err("macOS keeps it to itself".to_owned()),
        }
    }

    fn drain(&mut self, seen: &mut dyn FnMut(&str, Direction, &[u8])) {
        if self.host.is_none() {
            return;
        }
        let mut last = Instant::now();
        while last.elapsed() < SETTLE {
            if self.drain_once(seen) {
                last = Instant::now();
            } else {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    }

    fn restore(&mut self, changed: bool) -> Result<bool, String> {
        self.drain(&mut |_, _, _| ());
        // What stands for a link may be up when the next case comes: it is chosen anew.
        if changed || self.stand_in.is_some() {
            return Ok(false);
        }
        self.ports.clear();
        for (number, ip) in std::mem::take(&mut self.asked) {
            let way = Way::Link(self.short_index(number));
            // What has given up meanwhile is gone already.
            let _ = self.change(Change::Delete, ip, 128, way);
        }
        self.serve_anew();
        self.drain(&mut |_, _, _| ());
        Ok(true)
    }
}

impl Drop for MacLab {
    fn drop(&mut self) {
        // What cannot be taken away now stands in the ledger.
        for thing in std::mem::take(&mut self.routes).iter().rev() {
            let _ = self.host().and_then(|host| host.forget_route(thing));
        }
        for number in (0..self.links.len()).rev() {
            let _ = self.delete(number);
        }
    }
}

/// The one lab that stands.
#[derive(Default)]
pub(in crate::exec) struct Labs(Option<MacLab>);

impl Labs {
    /// Takes out the lab that `spec` describes, building it if another one stands.
    pub(in crate::exec) fn take(&mut self, spec: &Lab) -> Result<MacLab, End> {
        match self.0.take() {
            Some(lab) if lab.spec == *spec => Ok(lab),
            other => {
                // It has the addresses that the next one takes.
                drop(other);
                if super::is_root() { MacLab::build(spec) } else { MacLab::unseen(spec) }
            }
        }
    }

    /// Puts a restored lab back for the next case.
    pub(in crate::exec) fn put(&mut self, lab: MacLab) {
        self.0 = Some(lab);
    }

    /// Gives up a lab, and all that it has made.
    #[allow(clippy::unused_self, reason = "the shape is that of a system that keeps many")]
    pub(in crate::exec) fn discard(&mut self, lab: MacLab) {
        drop(lab);
    }
}
