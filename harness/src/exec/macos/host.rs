//! The host whose network a lab shares: its interfaces and routes, the lock and the ledger.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{SigSet, Signal};

use super::routes::Routes;
use super::sys;
use crate::darwin::interface::{self, Control, Family};
use crate::darwin::ledger::{self, Made, Standing, System, Thing};
use crate::darwin::route::{self, Change, Interface, Route, Way};
use crate::darwin::{ioctl, request};
use crate::threads;

/// Whoever holds this has the only lab; `/var/run` is root's, and emptied when the system starts.
const LOCK: &str = "/var/run/sockeye.lock";
const LEDGER: &str = "/var/run/sockeye.ledger";

/// How long to wait for another program's lab to go.
const PATIENCE: Duration = Duration::from_secs(20);

/// The units from which a lab's feth are taken: beyond those that people make by hand, and those that
/// `ZeroTier` takes, 0 to 9999, all of which it destroys when it starts (`MacEthernetTap.cpp`). A feth
/// that was destroyed has its name for a while longer, so that there are more than a lab needs.
const UNITS: std::ops::Range<u32> = 22_000..25_000;

/// The unit that is tried next. One after the other, since an interface that is made anew under its name
/// soon after is the one that was: for seconds it remembers the groups that sockets had joined
/// (xnu-11417 `bsd/net/dlil.c` `dlil_if_acquire`, `bsd/netinet/igmp.c` `igmp_final_leave`).
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Whether a feth hands what it sends to a thread of its own; 0 while one is made has it sent within
/// the call that causes it (xnu-11417 `bsd/net/if_fake.c:3576`).
const TXSTART: &str = "net.link.fake.txstart";

/// How long the kernel may take to let go of an address, or to make one usable.
const SOON: Duration = Duration::from_secs(2);

const IFF_UP: u16 = 0x1;

static HELD: OnceLock<Flock<File>> = OnceLock::new();

/// Takes the lock for as long as this process lives, and takes away what an earlier one left.
pub(super) fn begin() -> Result<(), String> {
    if HELD.get().is_none() {
        let _ = HELD.set(lock(PATIENCE)?);
    }
    ledger::clean(&mut Host::open()?)?;
    end_in_order()
}

/// Takes away what labs left that were killed, and says what that was, a line each.
pub(in crate::exec) fn clean() -> Result<Vec<String>, String> {
    let held = lock(Duration::ZERO)?;
    let cleaned = ledger::clean(&mut Host::open()?)?;
    drop(held);
    let removed = cleaned.removed.iter().map(|thing| format!("removed {thing}"));
    let left = cleaned.left.iter().map(|thing| format!("left {thing}: it may be somebody else's"));
    Ok(removed.chain(left).collect())
}

/// What they left, and nothing is taken away.
pub(in crate::exec) fn left() -> Result<Vec<String>, String> {
    let left = ledger::left(&mut Host::open()?)?;
    Ok(left.iter().map(ToString::to_string).collect())
}

fn lock(patience: Duration) -> Result<Flock<File>, String> {
    let until = Instant::now() + patience;
    let open = || OpenOptions::new().create(true).append(true).open(LOCK);
    let mut file = open().map_err(|e| format!("{LOCK}: {e}"))?;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => return Ok(held),
            Err((_, e)) if Instant::now() >= until => {
                return Err(format!("another sockeye has its lab on this host ({LOCK}: {e})"));
            }
            Err((unlocked, _)) => file = unlocked,
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Has what was made go when a signal ends the process. Programs that a case runs are not
/// concerned: a new process has no blocked signals.
fn end_in_order() -> Result<(), String> {
    static LISTENING: OnceLock<()> = OnceLock::new();
    if LISTENING.set(()).is_err() {
        return Ok(());
    }
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block().map_err(|e| format!("signals cannot be blocked: {e}"))?;
    threads::start(move || {
        // Not to be the thread that takes the alarm, which has to interrupt a call of the other's.
        let _ = SigSet::all().thread_block();
        if let Ok(signal) = signals.wait() {
            let _ = Host::open().and_then(|mut host| ledger::clean(&mut host));
            std::process::exit(128 + signal as i32);
        }
    })
    .map_err(|e| e.to_string())?;
    Ok(())
}

/// What the host's network is changed by.
pub(super) struct Host {
    ledger: File,
    /// ioctls on interfaces want a socket of the family that they are about.
    v4: OwnedFd,
    v6: OwnedFd,
    pub(super) routes: Routes,
    boot: String,
}

impl Host {
    pub(super) fn open() -> Result<Self, String> {
        let open = || -> io::Result<Self> {
            Ok(Self {
                ledger: OpenOptions::new().create(true).read(true).append(true).open(LEDGER)?,
                v4: sys::socket(libc::AF_INET, libc::SOCK_DGRAM, 0)?,
                v6: sys::socket(libc::AF_INET6, libc::SOCK_DGRAM, 0)?,
                routes: Routes::open()?,
                boot: sys::setting("kern.bootsessionuuid")?,
            })
        };
        open().map_err(|e| format!("the host's network cannot be changed: {e}"))
    }

    /// The host's interfaces.
    pub(super) fn interfaces() -> io::Result<Vec<Interface>> {
        Ok(route::interfaces(&sys::interfaces()?))
    }

    /// Two feth, each the far end of the other, and their names.
    pub(super) fn pair(&mut self) -> Result<[String; 2], String> {
        let before = self.send_at_once();
        let pair = self.joined();
        if let Some(before) = before {
            ledger::remove(self, &before)?;
        }
        pair
    }

    /// Has a feth that is made from here on send at once; what puts the setting back, if it was another.
    fn send_at_once(&mut self) -> Option<Thing> {
        let before = sys::count(TXSTART).ok().filter(|before| *before != 0)?;
        // Where it cannot be set, frames come a little later.
        ledger::make(self, [Thing::Setting(format!("{TXSTART}={before}"))]).ok()
    }

    fn joined(&mut self) -> Result<[String; 2], String> {
        let mut made = || {
            let (first, count) = (NEXT.load(Ordering::Relaxed), UNITS.end - UNITS.start);
            let units = (0..count).map(|n| UNITS.start + (first + n) % count).inspect(|unit| {
                NEXT.store(unit - UNITS.start + 1, Ordering::Relaxed);
            });
            match ledger::make(self, units.map(|unit| Thing::Interface(format!("feth{unit}"))))? {
                Thing::Interface(name) => Ok(name),
                thing => Err(format!("{thing} is no interface")),
            }
        };
        let own = made()?;
        let peer = made();
        let joined = peer.and_then(|peer| match sys::set_peer(&self.v4, &own, &peer) {
            Ok(()) => Ok(peer),
            Err(e) => {
                let _ = self.destroy(&peer);
                Err(format!("{own}, {peer}: {e}"))
            }
        });
        match joined {
            Ok(peer) => Ok([own, peer]),
            Err(why) => {
                let _ = self.destroy(&own);
                Err(why)
            }
        }
    }

    /// Takes an interface away that was made.
    pub(super) fn destroy(&mut self, name: &str) -> Result<(), String> {
        ledger::remove(self, &Thing::Interface(name.to_owned()))
    }

    pub(super) fn set_up(&self, name: &str, up: bool) -> io::Result<()> {
        let mut bytes = request::ifreq(name);
        sys::control(&self.v4, ioctl::SIOCGIFFLAGS, &mut bytes)?;
        let flags = request::flags_of(&bytes) & !IFF_UP;
        let mut bytes = request::ifreq_flags(name, flags | if up { IFF_UP } else { 0 });
        sys::control(&self.v4, ioctl::SIOCSIFFLAGS, &mut bytes)
    }

    pub(super) fn set_mtu(&self, name: &str, mtu: u32) -> io::Result<()> {
        sys::control(&self.v4, ioctl::SIOCSIFMTU, &mut request::ifreq_mtu(name, mtu))
    }

    pub(super) fn set_mac(&self, name: &str, mac: [u8; 6]) -> io::Result<()> {
        sys::control(&self.v4, ioctl::SIOCSIFLLADDR, &mut request::ifreq_mac(name, mac))
    }

    /// Adds an address. `far` is the other end's where a link has but one.
    pub(super) fn add_address(
        &self,
        link: (&str, u16),
        ip: IpAddr,
        far: Option<IpAddr>,
        prefix_len: u8,
    ) -> io::Result<()> {
        interface::add_address(self, link, ip, far, prefix_len)
    }

    /// Has TCP forget what it knows of peers on a link. Where that cannot be said, it may know them.
    pub(super) fn on_another_network(&self, name: &str) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut signature = [0; 20];
        signature[..16].copy_from_slice(&since.as_nanos().to_ne_bytes());
        signature[16..].copy_from_slice(&count.to_ne_bytes());
        let _ = interface::on_another_network(self, name, signature);
    }

    /// Has no connection by it ask for ECN. Where that cannot be said, connections may.
    pub(super) fn without_ecn(&self, name: &str) {
        let _ = interface::without_ecn(self, name);
    }

    pub(super) fn delete_address(&self, link: (&str, u16), ip: IpAddr) -> io::Result<()> {
        interface::delete_address(self, link, ip)
    }

    /// Adds a route that goes with an interface. One that somebody else has is an error.
    pub(super) fn add_route(&mut self, route: &Route) -> io::Result<()> {
        match self.routes.change(Change::Add, route) {
            Err(e) if e.raw_os_error() == Some(libc::EEXIST) && self.is_there(route)? => Ok(()),
            done => done,
        }
    }

    /// Whether the route that is there leads where this one would.
    fn is_there(&mut self, route: &Route) -> io::Result<bool> {
        let index = match route.way {
            Way::Link(index) | Way::Neighbour(index, _) => Some(index),
            _ => None,
        };
        let found = self.routes.ask(route.prefix, mask(route))?;
        Ok(found.is_some_and(|found| !found.drops && Some(found.index) == index))
    }

    /// Adds a route that goes with no interface.
    pub(super) fn add_dropping(&mut self, route: &Route) -> Result<Thing, String> {
        let word = if route.way == Way::Blackhole { "blackhole" } else { "reject" };
        let text = format!("{word}:{}/{}", route.prefix, route.prefix_len);
        ledger::make(self, [Thing::Route(text)])
    }

    pub(super) fn forget_route(&mut self, thing: &Thing) -> Result<(), String> {
        ledger::remove(self, thing)
    }
}

/// Until then `bind` would say that there is no such address (xnu-11417 `in6_pcbbind` of
/// `bsd/netinet6/in6_pcb.c:292`).
pub(super) fn wait_until_usable(ip: IpAddr, index: u32) -> Result<(), String> {
    let deadline = Instant::now() + SOON;
    while let Err(e) = UdpSocket::bind(at(ip, index)) {
        if Instant::now() > deadline {
            return Err(format!("address {ip} is not usable after {} s: {e}", SOON.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// An interface that was taken away keeps its addresses until a thread of the kernel's has detached it
/// (xnu-11417 `bsd/net/dlil.c:5766`), and the route of the next one with the same would be missing.
pub(super) fn wait_until_gone(ip: IpAddr, index: u32) -> Result<(), String> {
    let deadline = Instant::now() + SOON;
    while UdpSocket::bind(at(ip, index)).is_ok() {
        if Instant::now() > deadline {
            let seconds = SOON.as_secs();
            return Err(format!("address {ip} is there {seconds} s after its interface went"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn at(ip: IpAddr, index: u32) -> SocketAddr {
    match ip {
        IpAddr::V4(_) => SocketAddr::new(ip, 0),
        IpAddr::V6(ip) => SocketAddrV6::new(ip, 0, 0, index).into(),
    }
}

/// Whether the host has a default route.
pub(super) fn has_default_route() -> io::Result<bool> {
    Routes::open()?.has_default()
}

/// The length of its prefix; none of a host's, which has no mask.
pub(super) fn mask(route: &Route) -> Option<u8> {
    let whole = if route.prefix.is_ipv4() { 32 } else { 128 };
    (route.prefix_len < whole).then_some(route.prefix_len)
}

/// `net.link.fake.txstart=1`
fn setting(text: &str) -> Result<(&str, i32), String> {
    let split = text.split_once('=').and_then(|(name, value)| Some((name, value.parse().ok()?)));
    split.ok_or_else(|| format!("no setting: {text}"))
}

/// `reject:192.0.2.0/24`
fn dropping(text: &str) -> Option<Route> {
    let (word, prefix) = text.split_once(':')?;
    let (prefix, prefix_len) = prefix.rsplit_once('/')?;
    let way = if word == "blackhole" { Way::Blackhole } else { Way::Reject };
    Some(Route { prefix: prefix.parse().ok()?, prefix_len: prefix_len.parse().ok()?, way })
}

impl Control for Host {
    fn control(&self, family: Family, number: u32, bytes: &mut [u8]) -> io::Result<()> {
        let socket = if family == Family::V4 { &self.v4 } else { &self.v6 };
        sys::control(socket, number, bytes)
    }
}

impl System for Host {
    fn note(&mut self, line: &str) -> Result<(), String> {
        self.ledger.write_all(line.as_bytes()).map_err(|e| format!("{LEDGER}: {e}"))
    }

    fn notes(&mut self) -> Result<String, String> {
        std::fs::read_to_string(LEDGER).map_err(|e| format!("{LEDGER}: {e}"))
    }

    fn forget(&mut self) -> Result<(), String> {
        self.ledger.set_len(0).map_err(|e| format!("{LEDGER}: {e}"))
    }

    fn make(&mut self, thing: &Thing) -> Result<Made, String> {
        let done = match thing {
            Thing::Interface(name) => {
                sys::control(&self.v4, ioctl::SIOCIFCREATE2, &mut request::ifreq(name))
            }
            Thing::Route(text) => {
                let route = dropping(text).ok_or_else(|| format!("no route: {text}"))?;
                self.routes.change(Change::Add, &route)
            }
            Thing::Setting(text) => sys::set(setting(text)?.0, 0),
        };
        match done {
            Ok(()) => Ok(Made::New),
            // EBUSY: one of that name is being detached (xnu-11417 `bsd/net/dlil_ctl.c:85`).
            Err(e) if matches!(e.raw_os_error(), Some(libc::EEXIST | libc::EBUSY)) => {
                Ok(Made::Taken)
            }
            Err(e) => Err(format!("{thing} cannot be made: {e}")),
        }
    }

    fn remove(&mut self, thing: &Thing) -> Result<(), String> {
        let done = match thing {
            Thing::Interface(name) => {
                match sys::control(&self.v4, ioctl::SIOCIFDESTROY, &mut request::ifreq(name)) {
                    // Somebody was faster.
                    Err(e) if e.raw_os_error() == Some(libc::ENXIO) => Ok(()),
                    done => done,
                }
            }
            Thing::Route(text) => {
                let route = dropping(text).ok_or_else(|| format!("no route: {text}"))?;
                match self.routes.change(Change::Delete, &route) {
                    Err(e) if e.raw_os_error() == Some(libc::ESRCH) => Ok(()),
                    done => done,
                }
            }
            Thing::Setting(text) => setting(text)
                .and_then(|(name, value)| sys::set(name, value).map_err(|e| e.to_string()))
                .map_err(io::Error::other),
        };
        done.map_err(|e| format!("{thing} cannot be taken away: {e}"))
    }

    fn standing(&mut self, thing: &Thing) -> Result<Standing, String> {
        let name = match thing {
            Thing::Interface(name) => name,
            Thing::Route(text) => {
                let route = dropping(text).ok_or_else(|| format!("no route: {text}"))?;
                let found = self.routes.ask(route.prefix, mask(&route));
                let found = found.map_err(|e| format!("{thing}: {e}"))?;
                let stands = found.is_some_and(|found| found.drops);
                return Ok(if stands { Standing::InUse } else { Standing::No });
            }
            Thing::Setting(text) => {
                let (name, before) = setting(text)?;
                let now = sys::count(name).map_err(|e| format!("{thing}: {e}"))?;
                return Ok(if now == before { Standing::No } else { Standing::Bare });
            }
        };
        let all =
            Self::interfaces().map_err(|e| format!("the interfaces cannot be listed: {e}"))?;
        Ok(match all.iter().find(|interface| interface.name == *name) {
            None => Standing::No,
            Some(interface) if interface.addresses.is_empty() => Standing::Bare,
            Some(_) => Standing::InUse,
        })
    }

    fn boot(&self) -> String {
        self.boot.clone()
    }
}
