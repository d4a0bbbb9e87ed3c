//! The steps that a lab takes.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::time::Duration;

use super::{FarEnd, MacLab, said};
use crate::case::LinkKind;
use crate::case::addr::{Range, Role, prefix_len};
use crate::case::lab::{LabOp, RouteKind};
use crate::darwin::request::network;
use crate::darwin::route::{Change, Route, Way};
use crate::exec::macos::host::{mask, wait_until_gone, wait_until_usable};
use crate::exec::plan::{ip_of, mac_of};

impl MacLab {
    pub(super) fn take_step(&mut self, step: &LabOp) -> Result<(), String> {
        match step {
            // It is: it was chosen for that.
            LabOp::LinkDown { .. } if self.stand_in.is_some() => Ok(()),
            LabOp::LinkUp { link } => self.bring_up(self.number(link)?),
            LabOp::LinkDown { link } => {
                let name = self.links[self.number(link)?].name.clone();
                self.host()?.set_up(&name, false).map_err(said("link", link))
            }
            LabOp::LinkDelete { link } => self.delete(self.number(link)?),
            LabOp::Mtu { link, mtu } => {
                let name = self.links[self.number(link)?].name.clone();
                self.host()?.set_mtu(&name, *mtu).map_err(said("link", link))
            }
            LabOp::AddressAdd { link, range } => self.add_address(self.number(link)?, *range),
            LabOp::AddressDelete { link, range } => {
                let number = self.number(link)?;
                self.without.push((number, *range));
                let ((name, index), ip) = (self.link(number), ip_of(number, Role::Own, *range));
                let deleted = self.host()?.delete_address((&name, index), ip);
                deleted.map_err(said("address", &ip.to_string()))
            }
            LabOp::RouteAdd { .. } => self.add_route(step),
            LabOp::Inject { link, frame } => {
                let number = self.number(link)?;
                self.links[number].far.write(&frame.0);
                Ok(())
            }
            LabOp::Serve { link, service } => {
                let number = self.number(link)?;
                self.server(number).serve(service)
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
            // Of a frame by words the bytes are made and injected. Files nobody reads here; and macOS
            // keeps the time to itself: it is a second, three times (RFC 4861 §10).
            LabOp::Say { .. }
            | LabOp::Hosts { .. }
            | LabOp::RetransTime { .. }
            | LabOp::Sysctl { .. }
            | LabOp::ReadOnly {} => Ok(()),
        }
    }

    fn number(&self, link: &str) -> Result<usize, String> {
        self.spec.number(link).map(usize::from).ok_or_else(|| format!("no link {link:?}"))
    }

    pub(super) fn add_address(&mut self, number: usize, range: Range) -> Result<(), String> {
        let (ip, len) = (ip_of(number, Role::Own, range), prefix_len(range));
        let is_tun = self.spec.links[number].kind == LinkKind::Tun;
        let far = is_tun.then(|| ip_of(number, Role::Neighbour, range));
        let (name, index) = self.link(number);
        let added = self.host()?.add_address((&name, index), ip, far, len);
        added.map_err(said("address", &ip.to_string()))?;
        self.without.retain(|gone| *gone != (number, range));
        self.add_network(number, range)?;
        wait_until_usable(ip, index.into())
    }

    /// An IPv4 address of a link to one host has a route to that host alone.
    fn add_network(&mut self, number: usize, range: Range) -> Result<(), String> {
        if self.spec.links[number].kind != LinkKind::Tun || range != Range::V4 {
            return Ok(());
        }
        let (ip, len) = (ip_of(number, Role::Own, range), prefix_len(range));
        let way = Way::Link(self.link(number).1);
        self.add_way(network(ip, len), len, way)
    }

    /// Whom the host knows without having asked: where nobody has to be, nobody is told of.
    pub(super) fn add_neighbours(&mut self, number: usize) -> Result<(), String> {
        if self.spec.links[number].kind != LinkKind::Tap {
            return Ok(());
        }
        for range in self.there(number) {
            let ip = ip_of(number, Role::Neighbour, range);
            let way = Way::Neighbour(self.link(number).1, mac_of(number, Role::Neighbour));
            self.add_way(ip, 128, way)?;
        }
        Ok(())
    }

    /// The ranges of which a link has its address.
    fn there(&self, number: usize) -> Vec<Range> {
        let all = self.spec.links[number].ranges.iter().copied();
        all.filter(|range| !self.without.contains(&(number, *range))).collect()
    }

    /// What of a link went when it was set down comes back with it: the kernel takes every IPv4 route of
    /// its addresses away (xnu-11417 `bsd/netinet/raw_ip.c:898`, `in_ifadown`), and adds anew but
    /// those that it made itself.
    fn bring_up(&mut self, number: usize) -> Result<(), String> {
        let name = self.links[number].name.clone();
        self.host()?.set_up(&name, true).map_err(said("link", &name))?;
        for range in self.there(number) {
            self.add_network(number, range)?;
        }
        self.add_neighbours(number)
    }

    fn add_way(&mut self, prefix: IpAddr, len: u8, way: Way) -> Result<(), String> {
        let prefix_len = if prefix.is_ipv4() { len.min(32) } else { len };
        self.add(&Route { prefix, prefix_len, way })
    }

    /// Adds a route that goes with its interface. Where somebody has another one to there, the case is
    /// given up: neither what it asks nor what it would be answered is the lab's.
    fn add(&mut self, route: &Route) -> Result<(), String> {
        let text = format!("{}/{}", route.prefix, route.prefix_len);
        let added = self.host()?.add_route(route);
        if added.as_ref().is_err_and(|e| e.kind() == ErrorKind::AlreadyExists) {
            self.taken = Some(format!("this host has a route to {text}, which the lab would take"));
        }
        added.map_err(said("route", &text))?;
        if matches!(route.way, Way::Router(_)) { self.check_router(route, &text) } else { Ok(()) }
    }

    /// By the default route a router is reached that is on no link of the lab's: such a route would stay
    /// when the lab goes.
    fn check_router(&mut self, route: &Route, text: &str) -> Result<(), String> {
        let found = self.host()?.routes.ask(route.prefix, mask(route));
        let found = found.map_err(|e| e.to_string())?;
        let index = found.map_or(0, |found| u32::from(found.index));
        if self.facts.iter().any(|fact| fact.index == index) {
            return Ok(());
        }
        let deleted = self.host()?.routes.change(Change::Delete, route);
        self.taken =
            Some(format!("the router of {text} would be reached by an interface of this host's"));
        deleted.map_err(said("route", text))?;
        Err(format!("route {text}: it is by interface {index}"))
    }

    fn add_route(&mut self, step: &LabOp) -> Result<(), String> {
        let LabOp::RouteAdd { prefix, prefix_len, kind, link, via } = step else {
            return Ok(());
        };
        let via = via.as_ref().and_then(|host| self.spec.ip(host));
        let way = match (kind, via, link) {
            (RouteKind::Blackhole, ..) => Way::Blackhole,
            (RouteKind::Unicast, Some(router), _) => Way::Router(router),
            (RouteKind::Unicast, None, Some(link)) => Way::Link(self.link(self.number(link)?).1),
            _ => Way::Reject,
        };
        let route = Route { prefix: *prefix, prefix_len: *prefix_len, way };
        if matches!(route.way, Way::Blackhole | Way::Reject) {
            let thing = self.host()?.add_dropping(&route)?;
            self.routes.push(thing);
            return Ok(());
        }
        self.add(&route)
    }

    /// Takes a link away. Its addresses go first: the kernel would keep them for a while longer.
    pub(super) fn delete(&mut self, number: usize) -> Result<(), String> {
        if matches!(self.links[number].far, FarEnd::Gone) && self.links[number].peer.is_none() {
            return Ok(());
        }
        let (name, index) = self.link(number);
        for range in self.there(number) {
            // One that was never added is not there.
            let _ = self.host()?.delete_address((&name, index), ip_of(number, Role::Own, range));
        }
        let link = &mut self.links[number];
        // A utun goes with its descriptor.
        link.far = FarEnd::Gone;
        if let Some(peer) = link.peer.take() {
            let host = self.host()?;
            host.destroy(&name).and(host.destroy(&peer))?;
        }
        let all = self.spec.links[number].ranges.clone();
        all.iter()
            .try_for_each(|range| wait_until_gone(ip_of(number, Role::Own, *range), index.into()))
    }
}
