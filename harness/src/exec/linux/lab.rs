//! A lab on Linux: a network namespace, with TUN and TAP links whose far end is this process.

mod serving;

use std::collections::BTreeMap;
use std::fs::File;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use netlink_packet_route::link::In6AddrGenMode;
use netlink_packet_route::route::RouteType;
use nix::sched::{CloneFlags, setns};

use super::barrier::{Barrier, is_heard_by_sender};
use super::capture::Ring;
use super::files::Files;
use super::left_behind::Counts;
use super::link::{FarEnd, Heard, LoopbackTap};
use super::netlink::{LinkChange, Netlink};
use super::settings::{families, ranges, taken_over};
use super::{files, host, link, sysctl, usable};
use crate::case::addr::{Host, Range, Role, prefix_len};
use crate::case::lab::RouteKind;
use crate::case::{Case, Lab, LabOp, Link, LinkKind};
use crate::exec::network::{Capture, LeftBehind, Network};
use crate::exec::plan::{ip_of, mac_of};
use crate::exec::resolution::{answer, asked_for};
use crate::exec::server::Server;
use crate::trace::{Direction, End, LinkFact};

/// Longer than the longest frame that loopback carries.
const LONGEST_FRAME: usize = 1 << 17;

/// How many frames of a program's wait for the far end: a burst that a busy machine reads late.
const LONG_QUEUE: u32 = 1 << 16;

/// RFC 8200 §5: over links with less there is no IPv6.
const LEAST_MTU_OF_IPV6: u32 = 1280;

/// Why there may be more frames to come.
#[derive(Default)]
struct More {
    /// A far end has answered.
    answered: bool,
    /// The host has sent something that it hears itself.
    to_itself: bool,
}

/// How many frames of a link are dealt with before anything else is.
const AT_ONCE: usize = 4096;

pub(in crate::exec) struct LinuxLab {
    spec: Lab,
    namespace: File,
    netlink: Netlink,
    loopback: LoopbackTap,
    loopback_is_up: bool,
    barrier: Barrier,
    far_ends: Vec<FarEnd>,
    facts: Vec<LinkFact>,
    /// What a case that resolves names sees of the file system.
    files: Option<Arc<Files>>,
    /// Who serves, by link number.
    servers: BTreeMap<usize, Server>,
    /// Whom the host has asked for since the network was last restored, by link number.
    asked: Vec<(usize, IpAddr)>,
    /// Whether connections to servers have the kernel's own timers.
    real_timers: bool,
    counts: Counts,
    buffer: Vec<u8>,
}

impl LinuxLab {
    /// Builds `spec` in a network namespace of its own, which the calling thread is then in.
    pub(in crate::exec) fn build(spec: &Lab) -> Result<Self, End> {
        // Asked before there is a namespace, which takes the kernel a while to clear away.
        if !spec.links.is_empty() {
            FarEnd::device().map_err(End::skipped)?;
        }
        host::enter_new_network().map_err(|e| {
            // Whoever may not make one never may; there may be memory for the next.
            let end = if e == nix::Error::ENOMEM { End::broken } else { End::skipped };
            end(format!("no new network namespace: {}", e.desc()))
        })?;
        let namespace = File::open("/proc/thread-self/ns/net")
            .map_err(|e| End::skipped(format!("/proc/thread-self/ns/net: {e}")))?;
        host::quiet_network(spec.setup.iter().any(sysctl::is_of_ping_groups))
            .map_err(End::skipped)?;
        let mut far_ends = Vec::new();
        for link in &spec.links {
            far_ends.push(FarEnd::create(link.kind, &link.name).map_err(End::skipped)?);
        }
        // What only answers Linux's system calls may lack any of them.
        let no_lab = if host::is_linux() { End::broken } else { End::skipped };
        let broken = |e: std::io::Error| no_lab(format!("the lab cannot be built: {e}"));
        let mut netlink = Netlink::open().map_err(broken)?;
        let up = LinkChange { up: Some(true), ..LinkChange::default() };
        let facts = link::facts(spec).map_err(no_lab)?;
        // In gVisor's namespaces of 2022 it is not 1.
        let lo = facts[0].index;
        match netlink.set_link(lo, &up) {
            // There it is up from the beginning.
            Err(_) if !host::is_linux() => {}
            done => done.map_err(broken)?,
        }
        let mut lab = Self {
            spec: spec.clone(),
            namespace,
            netlink,
            loopback: LoopbackTap::open(lo, asks_about_timers(spec)).map_err(broken)?,
            loopback_is_up: true,
            barrier: Barrier::open().map_err(broken)?,
            far_ends,
            facts,
            files: None,
            servers: BTreeMap::new(),
            asked: Vec::new(),
            real_timers: false,
            counts: Counts::default(),
            buffer: vec![0; LONGEST_FRAME],
        };
        // A value may say what only the host's root may, and take away what the lab is made of.
        let sets = spec.setup.iter().find(|step| matches!(step, LabOp::Sysctl { .. }));
        lab.furnish(true).map_err(|why| match sets {
            Some(step) => End::skipped(format!("the lab cannot be built with {step}: {why}")),
            None => no_lab(why),
        })?;
        Ok(lab)
    }

    /// Makes this network the one in which sockets are made.
    pub(super) fn enter(&mut self) -> Result<(), String> {
        setns(&self.namespace, CloneFlags::CLONE_NEWNET)
            .map_err(|e| format!("the lab cannot be entered: {}", e.desc()))
    }

    /// Brings every link up with its MTU, addresses and neighbours, and takes the lab's own steps.
    fn furnish(&mut self, fresh: bool) -> Result<(), String> {
        for number in 0..self.spec.links.len() {
            let link = self.spec.links[number].clone();
            let index = self.facts[number + 1].index;
            if fresh {
                host::quiet_link(&link.name)?;
            }
            let own = mac_of(number, Role::Own);
            let change = LinkChange {
                mtu: Some(link.mtu),
                mac: (fresh && link.kind == LinkKind::Tap).then_some(&own[..]),
                // How many segments TCP makes at once follows the round trip that it has measured
                // (net/ipv4/tcp_output.c tcp_tso_autosize, and tcp_grow_skb since 6.10), and with
                // it where PSH stands: on a busy host other frames than on an idle one.
                gso_max_segs: host::is_linux().then_some(1),
                ..LinkChange::default()
            };
            self.netlink.set_link(index, &change).map_err(said("link", &link.name))?;
            self.make_no_addresses(&link, index)?;
            self.set_up(&link.name, true)?;
            if fresh {
                host::queue_as_usual(&mut self.netlink, index)?;
            }
            for range in ranges(&link) {
                self.add_address(number, range)?;
            }
            for range in ranges(&link) {
                self.resolve_neighbour(number, &link, range)?;
            }
        }
        // All of them were asked for before one is waited for: the kernel makes them in turn.
        for (number, link) in self.spec.links.iter().enumerate() {
            let index = self.facts[number + 1].index;
            for range in ranges(link).filter(|range| *range != Range::V4) {
                usable::wait(&mut self.netlink, index, ip_of(number, Role::Own, range))?;
            }
        }
        for step in self.spec.setup.clone() {
            self.step(&step)?;
        }
        self.swallow();
        Ok(())
    }

    /// Lets the kernel give the link no address of its own accord. By netlink, since the setting
    /// that does so for all links to come is written in a loop that spins until nobody on the host
    /// has the lock (net/ipv6/addrconf.c `addrconf_sysctl_addr_gen_mode`, `restart_syscall`).
    fn make_no_addresses(&mut self, link: &Link, index: u32) -> Result<(), String> {
        if link.mtu < LEAST_MTU_OF_IPV6 || !host::is_linux() || !taken_over().has_ipv6 {
            return Ok(());
        }
        let addr_gen_mode = Some(In6AddrGenMode::None);
        let change = LinkChange { addr_gen_mode, ..LinkChange::default() };
        self.netlink.set_link(index, &change).map_err(said("link", &link.name))
    }

    fn add_address(&mut self, number: usize, range: Range) -> Result<(), String> {
        let index = self.facts[number + 1].index;
        let ip = self.address(number, Role::Own, range);
        self.netlink
            .add_address(index, ip, prefix_len(range))
            .map_err(said("address", &ip.to_string()))
    }

    fn resolve_neighbour(
        &mut self,
        number: usize,
        link: &Link,
        range: Range,
    ) -> Result<(), String> {
        if link.kind == LinkKind::Tun {
            return Ok(());
        }
        let ip = self.address(number, Role::Neighbour, range);
        let index = self.facts[number + 1].index;
        self.netlink
            .add_neighbour(index, ip, &mac_of(number, Role::Neighbour))
            .map_err(said("neighbour", &ip.to_string()))
    }

    fn address(&self, number: usize, role: Role, range: Range) -> IpAddr {
        debug_assert!(number < self.spec.links.len());
        ip_of(number, role, range)
    }

    fn number(&self, link: &str) -> Result<usize, String> {
        self.spec.number(link).map(usize::from).ok_or_else(|| format!("no link {link:?}"))
    }

    fn index(&self, link: &str) -> Result<u32, String> {
        self.facts
            .iter()
            .find(|fact| fact.name == link)
            .map(|fact| fact.index)
            .ok_or_else(|| format!("no link {link:?}"))
    }

    fn set_up(&mut self, link: &str, up: bool) -> Result<(), String> {
        if link == "lo" {
            self.loopback_is_up = up;
        }
        let change = LinkChange { up: Some(up), ..LinkChange::default() };
        self.netlink.set_link(self.index(link)?, &change).map_err(said("link", link))
    }

    fn add_route(&mut self, step: &LabOp) -> Result<(), String> {
        let LabOp::RouteAdd { prefix, prefix_len, kind, link, via } = step else {
            return Ok(());
        };
        let kind = match kind {
            RouteKind::Unicast => RouteType::Unicast,
            RouteKind::Unreachable => RouteType::Unreachable,
            RouteKind::Prohibit => RouteType::Prohibit,
            RouteKind::Blackhole => RouteType::BlackHole,
            RouteKind::Throw => RouteType::Throw,
        };
        let index = link.as_deref().map(|l| self.index(l)).transpose()?;
        let via = via.as_ref().and_then(|host: &Host| self.spec.ip(host));
        self.netlink
            .add_route(*prefix, *prefix_len, kind, index, via)
            .map_err(said("route", &prefix.to_string()))
    }

    /// Makes the files by which names are resolved, unless they are there.
    ///
    /// # Errors
    /// One sentence: this host does not let the executor mount.
    pub(in crate::exec) fn make_files(&mut self) -> Result<(), String> {
        if self.files.is_none() {
            self.files = Some(Arc::new(files::make(&self.spec.files(), false)?));
        }
        Ok(())
    }

    /// Hands over each frame that is there, and answers those that ask.
    fn drain_once(&mut self, seen: &mut dyn FnMut(&str, Direction, &[u8])) -> More {
        let mut more = More::default();
        while let Some(heard) = self.loopback.read(&mut self.buffer) {
            match heard {
                Heard::Loopback(frame) if self.barrier.owns(frame) => {}
                Heard::Loopback(frame) => seen("lo", Direction::Out, frame),
                Heard::Link(index) => {
                    let mut links = self.facts.iter().skip(1);
                    if let Some(number) = links.position(|fact| fact.index == index) {
                        self.hear(number, seen, &mut more);
                    }
                }
            }
        }
        more.to_itself |= self.loopback.has_packets_under_way();
        for number in 0..self.far_ends.len() {
            while self.hear(number, seen, &mut more) {}
        }
        more
    }

    /// Hands over the next frame that has left by a link, if there is one, behind what its server
    /// has to say, and answers it.
    fn hear(
        &mut self,
        number: usize,
        seen: &mut dyn FnMut(&str, Direction, &[u8]),
        more: &mut More,
    ) -> bool {
        let (link, far_end) = (&self.spec.links[number], &mut self.far_ends[number]);
        let mut server = self.servers.get_mut(&number);
        while let Some(packet) = server.as_mut().and_then(|server| server.output()) {
            more.answered = true;
            seen(&link.name, Direction::In, &packet);
            far_end.write(&packet);
        }
        let Some(frame) = far_end.read(&mut self.buffer) else { return false };
        seen(&link.name, Direction::Out, frame);
        if let Some(server) = &mut server {
            server.input(frame);
        }
        more.to_itself |= is_heard_by_sender(link.kind, frame);
        let Some(asked) = asked_for(link.kind, frame) else { return true };
        if !self.asked.contains(&(number, asked)) {
            self.asked.push((number, asked));
        }
        let who = self.spec.who(asked).map(|(_, role, _)| role);
        if who == Some(Role::Unresolved)
            && let Some(reply) = answer(frame, mac_of(number, Role::Unresolved))
        {
            more.answered = true;
            seen(&link.name, Direction::In, &reply);
            far_end.write(&reply);
        }
        true
    }

    /// Forgets what was sent until now.
    fn swallow(&mut self) {
        self.drain(&mut |_, _, _| ());
    }

    /// Whether `restore` can take the lab's own steps again: not when one of them lasts.
    fn is_restorable(&self) -> bool {
        let lasts = |step: &LabOp| {
            step.is_setup() || matches!(step, LabOp::RouteAdd { .. } | LabOp::LinkDelete { .. })
        };
        !self.spec.setup.iter().any(lasts)
    }
}

fn said<'a>(what: &'a str, which: &'a str) -> impl Fn(std::io::Error) -> String + 'a {
    move |e| format!("{what} {which}: {e}")
}

/// Whether timers of the kernel's decide when frames leave: then several may be there at one look,
/// on loopback and on links, and the order in which they left has to be asked for. It costs a
/// second copy of each frame.
fn asks_about_timers(spec: &Lab) -> bool {
    spec.setup.iter().any(|step| matches!(step, LabOp::RetransTime { .. }))
}

impl Network for LinuxLab {
    fn spec(&self) -> &Lab {
        &self.spec
    }

    fn files(&self) -> Option<Arc<Files>> {
        self.files.clone()
    }

    fn facts(&self) -> &[LinkFact] {
        &self.facts
    }

    fn begin(&mut self, case: &Case) -> Result<(), String> {
        self.set_timers(case)
    }

    fn served(&mut self) -> Vec<String> {
        self.servers.values_mut().flat_map(Server::said).collect()
    }

    fn authorities(&self) -> String {
        self.servers.values().flat_map(Server::authorities).collect()
    }

    fn left_behind(&mut self) -> LeftBehind {
        self.counts.left_behind()
    }

    fn step(&mut self, step: &LabOp) -> Result<(), String> {
        match step {
            LabOp::LinkUp { link } => self.set_up(link, true),
            LabOp::LinkDown { link } => self.set_up(link, false),
            LabOp::LinkDelete { link } => {
                self.netlink.delete_link(self.index(link)?).map_err(said("link", link))
            }
            LabOp::Mtu { link, mtu } => {
                let change = LinkChange { mtu: Some(*mtu), ..LinkChange::default() };
                self.netlink.set_link(self.index(link)?, &change).map_err(said("link", link))
            }
            LabOp::AddressAdd { link, range } => {
                let (number, index) = (self.number(link)?, self.index(link)?);
                self.add_address(number, *range)?;
                if *range == Range::V4 {
                    return Ok(());
                }
                let ip = self.address(number, Role::Own, *range);
                usable::wait(&mut self.netlink, index, ip)
            }
            LabOp::AddressDelete { link, range } => {
                let ip = self.address(self.number(link)?, Role::Own, *range);
                let index = self.index(link)?;
                self.netlink
                    .delete_address(index, ip, prefix_len(*range))
                    .map_err(said("address", &ip.to_string()))
            }
            LabOp::RouteAdd { .. } => self.add_route(step),
            LabOp::RetransTime { link, ms } => families().iter().try_for_each(|family| {
                let path = format!("/proc/sys/net/{family}/neigh/{link}/retrans_time_ms");
                host::write_new(&path, &ms.to_string()).map_err(said("setting", &path))
            }),
            LabOp::Sysctl { .. } => sysctl::set(step).unwrap_or(Ok(())),
            LabOp::Inject { link, frame } => {
                let number = self.number(link)?;
                self.far_ends[number].write(&frame.0);
                Ok(())
            }
            LabOp::Serve { link, service } => self.serve(link, service),
            LabOp::NameServer { link, server } => {
                let number = self.number(link)?;
                self.server(number).answer_queries(server.clone());
                Ok(())
            }
            // Among the files, or in the folder; and of a frame by words the bytes are made and injected.
            LabOp::Hosts { .. } | LabOp::Say { .. } | LabOp::ReadOnly {} => Ok(()),
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
        }
    }

    fn capture(&mut self) -> Result<Option<Box<dyn Capture>>, String> {
        let failed = |e: std::io::Error| format!("frames cannot be captured: {e}");
        for number in 0..self.far_ends.len() {
            let change = LinkChange { queue_len: Some(LONG_QUEUE), ..LinkChange::default() };
            self.netlink.set_link(self.facts[number + 1].index, &change).map_err(failed)?;
        }
        let barrier = self.barrier.again().map_err(failed)?;
        let ring = Ring::open(&self.facts, barrier).map_err(failed)?;
        Ok(Some(Box::new(ring)))
    }

    fn dropped(&self) -> u64 {
        self.spec.links.iter().map(|link| link::dropped(&link.name)).sum()
    }

    fn program_files(&mut self) -> Result<Option<Arc<Files>>, String> {
        if self.files.is_none() {
            self.files = Some(Arc::new(files::make(&self.spec.files_of_a_program(), true)?));
        }
        Ok(self.files.clone())
    }

    fn settle(&mut self) {
        if self.loopback_is_up {
            self.barrier.pass();
        }
    }

    fn watch(&self, done: BorrowedFd<'_>) {
        link::watch(self.far_ends.iter().map(AsFd::as_fd).chain([self.loopback.as_fd(), done]));
    }

    fn pump(&mut self) {
        let _ = (0..AT_ONCE).all(|_| self.loopback.read(&mut self.buffer).is_some());
        let mut more = More::default();
        for number in 0..self.far_ends.len() {
            let _ = (0..AT_ONCE).all(|_| self.hear(number, &mut |_, _, _| (), &mut more));
        }
    }

    fn drain(&mut self, seen: &mut dyn FnMut(&str, Direction, &[u8])) {
        // What a far end answers can make the host send again, and so can what it sends to itself.
        while let More { answered, to_itself } = self.drain_once(seen)
            && (answered || to_itself)
        {
            if to_itself {
                self.settle();
            }
        }
    }

    fn restore(&mut self, changed: bool) -> Result<bool, String> {
        self.swallow();
        if changed {
            if !self.is_restorable() {
                return Ok(false);
            }
            self.set_up("lo", true)?;
            for (number, link) in self.spec.links.clone().iter().enumerate() {
                // Takes the IPv6 addresses, the routes and the neighbours along; IPv4 addresses stay.
                self.set_up(&link.name, false)?;
                let ip = self.address(number, Role::Own, Range::V4);
                let _ = self.netlink.delete_address(self.facts[number + 1].index, ip, 24);
            }
            self.asked.clear();
            self.furnish(false)?;
        } else {
            self.serve_anew();
            // What waited for an address is given up by that, of which its sender is told by ICMP
            // (net/ipv6/ndisc.c `ndisc_error_report`): and for that an address may be asked in turn.
            while !self.asked.is_empty() {
                for (number, ip) in std::mem::take(&mut self.asked) {
                    // What has given up meanwhile is gone already.
                    let _ = self.netlink.delete_neighbour(self.facts[number + 1].index, ip);
                }
                self.swallow();
            }
        }
        Ok(true)
    }
}

impl Drop for LinuxLab {
    fn drop(&mut self) {
        self.far_ends.iter().for_each(FarEnd::outlive);
    }
}

#[cfg(test)]
mod tests;
