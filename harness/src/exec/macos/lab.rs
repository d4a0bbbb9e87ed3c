//! A lab on macOS: utun and feth links in the host's own network, whose far ends are this process.
//!
//! There are no namespaces, so that there is one lab at a time on a host, and only root makes any.
//! Without root the lab is the host's loopback, or an interface that is down anyway, and nobody sees
//! what goes over it.

mod check;
mod down;
mod labs;
mod shared;
mod steps;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::beyond::Watch;
use super::far_end::{Bpf, FarEnd};
use super::host::Host;
use super::routes::Routes;
use crate::case::addr::{Range, Role};
use crate::case::lab::{Lab, LabOp};
use crate::case::{Case, Hex, LinkKind};
use crate::darwin::beyond;
use crate::darwin::down::StandIn;
use crate::darwin::ledger::Thing;
use crate::darwin::orphans::Orphans;
use crate::darwin::ours::{Ours, is_of_mdns};
use crate::exec::network::{Network, Reach};
use crate::exec::os::Files;
use crate::exec::plan::mac_of;
use crate::exec::resolution::{answer, asked_for};
use crate::exec::server::Server;
use crate::trace::{Beyond, Direction, End, LinkFact};
use crate::wire::{Framing, Mac, build};

pub(in crate::exec) use labs::Labs;

/// How long nothing has to come before all is there: links send from threads of their own
/// (bsd/net/dlil.c `ifnet_start_thread_func`), so that a frame may come after the call has returned.
const SETTLE: Duration = Duration::from_millis(3);
/// Longer than the longest packet of a utun.
const LONGEST_PACKET: usize = 1 << 16;

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
    /// The case's sockets: of what goes over loopback, the rest is other people's.
    ours: Ours,
    /// The groups that the case names.
    groups: Vec<IpAddr>,
    /// Whom the case names, and so has a route to.
    spoken_to: Vec<IpAddr>,
    /// Whether links remember of the case what outlives its sockets.
    remembers: bool,
    /// Why the case cannot be taken here: it asks for what somebody else has.
    taken: Option<String>,
    /// The addresses that the case has taken away, by link number.
    without: Vec<(usize, Range)>,
    /// The table of routes, to ask it: without root too.
    table: Routes,
    watch: Rc<RefCell<Watch>>,
    /// The connections of the case's, and of earlier ones whose links had gone.
    orphans: Orphans,
    /// How many frames the BPF devices had lost when the case began.
    dropped: u32,
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
            ours: Ours::default(),
            groups: Vec::new(),
            spoken_to: Vec::new(),
            remembers: false,
            taken: None,
            without: Vec::new(),
            table: Routes::open().map_err(|e| format!("routing socket: {e}"))?,
            watch: Rc::default(),
            orphans: Orphans::default(),
            dropped: 0,
            buffer: vec![0; LONGEST_PACKET],
        })
    }

    /// Builds `spec` in the host's network.
    fn build(spec: &Lab, watch: Rc<RefCell<Watch>>, orphans: Orphans) -> Result<Self, End> {
        shared::are_free(spec)?;
        let host = Host::open().map_err(End::skipped)?;
        let loopback = Bpf::open("lo0", false);
        let loopback = loopback.map_err(|e| End::skipped(format!("BPF on lo0: {e}")))?;
        let mut lab = Self::bare(spec, Some(host), Some(loopback)).map_err(End::broken)?;
        lab.watch = watch;
        lab.orphans = orphans;
        for link in &spec.links {
            lab.make(link.kind, &link.name).map_err(End::skipped)?;
        }
        let furnished = lab.furnish();
        match lab.taken.take() {
            Some(reason) => Err(End::skipped(reason)),
            None => furnished.map(|()| lab).map_err(End::broken),
        }
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
            host.without_ecn(&name);
            host.set_up(&name, true).map_err(said("link", &link.name))?;
            for range in &link.ranges {
                self.add_address(number, *range)?;
            }
            self.add_neighbours(number)?;
        }
        self.check()?;
        for step in self.spec.setup.clone() {
            self.step(&step)?;
        }
        self.bury();
        Ok(())
    }

    /// Has the host give up each connection that was seen.
    fn bury(&mut self) {
        let back = |(number, link): (usize, &Link)| match link.far {
            FarEnd::Feth(_) => build::Link::Ethernet {
                src: Mac(mac_of(number, Role::Neighbour)),
                dst: Mac(mac_of(number, Role::Own)),
            },
            FarEnd::Utun(_) | FarEnd::Gone => build::Link::Ip,
        };
        let back: Vec<build::Link> = self.links.iter().enumerate().map(back).collect();
        for (number, frame) in self.orphans.resets(&back) {
            self.links[number].far.write(&frame);
        }
        self.drain(&mut |_, _, _| ());
    }

    /// Has the host forget whom it has asked for, and the routes that it has made for those that the case
    /// named. Of a neighbour that the lab made known the entry is the lab's.
    fn forget(&mut self) -> Result<(), String> {
        let mut all = std::mem::take(&mut self.asked);
        let spoken_to = std::mem::take(&mut self.spoken_to);
        for number in 0..self.links.len() {
            let is_known = |ip: &&IpAddr| {
                self.spec.links[number].kind == LinkKind::Tap
                    && self.spec.who(**ip).is_some_and(|(_, role, _)| role == Role::Neighbour)
            };
            all.extend(spoken_to.iter().filter(|ip| !is_known(ip)).map(|ip| (number, *ip)));
        }
        for (number, ip) in all {
            let (_, index) = self.link(number);
            let forgotten = self.host()?.routes.forget_neighbour(ip, index);
            forgotten.map_err(said("neighbour", &ip.to_string()))?;
        }
        Ok(())
    }

    /// The name and the index of a link's interface, 0 if it went before anybody asked for it.
    fn link(&self, number: usize) -> (String, u16) {
        let index = self.facts.get(number + 1).and_then(|fact| u16::try_from(fact.index).ok());
        (self.links[number].name.clone(), index.unwrap_or(0))
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
        shared::remember_sockets(&mut self.ours);
        for frame in self.loopback.as_mut().map(Bpf::read_all).unwrap_or_default() {
            if self.ours.hears(&frame) {
                any = true;
                seen("lo", Direction::Out, &frame);
            }
        }
        for (number, link) in self.links.iter_mut().enumerate() {
            let (name, kind) = (&self.spec.links[number].name, self.spec.links[number].kind);
            let mut server = self.servers.get_mut(&number);
            let mut frames = Vec::new();
            link.far.read(&mut self.buffer, &mut frames);
            let framing = if kind == LinkKind::Tun { Framing::Ip } else { Framing::Ethernet };
            for frame in &frames {
                if is_of_mdns(framing, frame, &self.groups) {
                    continue;
                }
                any = true;
                seen(name, Direction::Out, frame);
                self.orphans.saw(number, framing, Direction::Out, frame);
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
                self.orphans.saw(number, framing, Direction::In, &packet);
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

impl Network for MacLab {
    fn spec(&self) -> &Lab {
        &self.spec
    }

    fn files(&self) -> Option<Arc<Files>> {
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

    fn served(&mut self) -> Vec<String> {
        self.servers.values_mut().flat_map(Server::said).collect()
    }

    fn authorities(&self) -> String {
        self.servers.values().flat_map(Server::authorities).collect()
    }

    fn stand_in(&self) -> Option<&StandIn> {
        self.stand_in.as_ref()
    }

    fn spoilt(&self) -> Option<String> {
        self.taken.clone().or_else(|| self.stand_in.as_ref().and_then(down::has_come_up))
    }

    fn step(&mut self, step: &LabOp) -> Result<(), String> {
        self.take_step(step)
    }

    fn begin(&mut self, case: &Case) -> Result<(), String> {
        self.groups = beyond::groups(case);
        self.remembers = beyond::joins(case);
        self.spoken_to = beyond::spoken_to(case);
        self.dropped = self.drops();
        if let Some(host) = &self.host {
            self.links.iter().for_each(|link| host.on_another_network(&link.name));
            let mut ours: Vec<String> = self.links.iter().map(|link| link.name.clone()).collect();
            ours.extend(self.links.iter().filter_map(|link| link.peer.clone()));
            self.watch.borrow_mut().begin(&ours);
        }
        Ok(())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn leaves(&mut self, reach: &Reach) -> Option<String> {
        self.leaves_by(reach)
    }

    fn beyond(&self) -> Option<Beyond> {
        self.watch.borrow_mut().look(&self.ours, &self.groups);
        Some(self.watch.borrow().beyond())
    }

    fn broken(&mut self) -> Option<String> {
        let dropped = self.drops().saturating_sub(self.dropped);
        let lost = || format!("BPF had no room for {dropped} frames");
        self.watch.borrow().stopped().or_else(|| (dropped > 0).then(lost))
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
        if changed || self.remembers || self.stand_in.is_some() {
            return Ok(false);
        }
        self.ours.clear();
        self.forget()?;
        self.serve_anew();
        self.bury();
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
