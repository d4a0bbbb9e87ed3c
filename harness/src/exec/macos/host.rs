//! The host whose network a lab shares: its interfaces and routes, the lock and the ledger.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{SigSet, Signal};

use super::sys;
use crate::darwin::ledger::{self, Made, Standing, System, Thing};
use crate::darwin::route::{self, Change, Interface, Route, Way};
use crate::darwin::{ioctl, request};

/// Whoever holds this has the only lab; `/var/run` is root's, and emptied when the system starts.
const LOCK: &str = "/var/run/sockeye.lock";
const LEDGER: &str = "/var/run/sockeye.ledger";

/// How long to wait for another program's lab to go.
const PATIENCE: Duration = Duration::from_secs(20);

/// The units from which a lab's feth are taken: beyond those that people make by hand.
const UNITS: std::ops::Range<u32> = 7000..7100;

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
    std::thread::spawn(move || {
        // Not to be the thread that takes the alarm, which has to interrupt a call of the other's.
        let _ = SigSet::all().thread_block();
        if let Ok(signal) = signals.wait() {
            let _ = Host::open().and_then(|mut host| ledger::clean(&mut host));
            std::process::exit(128 + signal as i32);
        }
    });
    Ok(())
}

/// What the host's network is changed by.
pub(super) struct Host {
    ledger: File,
    /// ioctls on interfaces want a socket of the family that they are about.
    v4: OwnedFd,
    v6: OwnedFd,
    routes: OwnedFd,
    boot: String,
    seq: i32,
}

impl Host {
    pub(super) fn open() -> Result<Self, String> {
        let open = || -> io::Result<Self> {
            let routes = sys::socket(libc::PF_ROUTE, libc::SOCK_RAW, libc::AF_UNSPEC)?;
            // What the kernel tells everybody is not read.
            nix::sys::socket::shutdown(
                std::os::fd::AsRawFd::as_raw_fd(&routes),
                nix::sys::socket::Shutdown::Read,
            )?;
            Ok(Self {
                ledger: OpenOptions::new().create(true).read(true).append(true).open(LEDGER)?,
                v4: sys::socket(libc::AF_INET, libc::SOCK_DGRAM, 0)?,
                v6: sys::socket(libc::AF_INET6, libc::SOCK_DGRAM, 0)?,
                routes,
                boot: sys::setting("kern.bootsessionuuid")?,
                seq: 0,
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
        let mut made = || {
            let names = UNITS.map(|unit| Thing::Interface(format!("feth{unit}")));
            match ledger::make(self, names)? {
                Thing::Interface(name) => Ok(name),
                Thing::Route(_) => Err("a route is no interface".to_owned()),
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
        name: &str,
        ip: IpAddr,
        far: Option<IpAddr>,
        prefix_len: u8,
    ) -> io::Result<()> {
        match ip {
            IpAddr::V4(ip) => {
                let other = match far {
                    Some(IpAddr::V4(far)) => far,
                    _ => request::broadcast(ip, prefix_len),
                };
                let mut bytes = request::ifaliasreq(name, ip, other, prefix_len);
                sys::control(&self.v4, ioctl::SIOCAIFADDR, &mut bytes)
            }
            IpAddr::V6(ip) => {
                let mut bytes = request::in6_aliasreq(name, ip, prefix_len);
                sys::control(&self.v6, ioctl::SIOCAIFADDR_IN6, &mut bytes)
            }
        }
    }

    pub(super) fn delete_address(&self, name: &str, ip: IpAddr, index: u32) -> io::Result<()> {
        match ip {
            IpAddr::V4(ip) => {
                sys::control(&self.v4, ioctl::SIOCDIFADDR, &mut request::ifreq_ip(name, ip))
            }
            IpAddr::V6(ip) => {
                let mut bytes = request::in6_ifreq(name, ip, index);
                sys::control(&self.v6, ioctl::SIOCDIFADDR_IN6, &mut bytes)
            }
        }
    }

    /// Adds or deletes a route that goes with an interface. One that is there, or is not, is as good.
    pub(super) fn change_route(&mut self, change: Change, route: &Route) -> io::Result<()> {
        self.seq += 1;
        match nix::unistd::write(&self.routes, &route::message(change, self.seq, route)) {
            Ok(_) => Ok(()),
            Err(Errno::EEXIST) if change == Change::Add => Ok(()),
            Err(Errno::ESRCH) if change == Change::Delete => Ok(()),
            Err(e) => Err(e.into()),
        }
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

/// Until then `bind` would say that there is no such address (`in6_pcbbind` of
/// `bsd/netinet6/in6_pcb.c`).
pub(super) fn wait_until_usable(ip: IpAddr, index: u32) -> Result<(), String> {
    let at = match ip {
        IpAddr::V4(_) => SocketAddr::new(ip, 0),
        IpAddr::V6(ip) => SocketAddrV6::new(ip, 0, 0, index).into(),
    };
    let deadline = Instant::now() + Duration::from_secs(5);
    while let Err(e) = UdpSocket::bind(at) {
        if Instant::now() > deadline {
            return Err(format!("address {ip} is not usable after five seconds: {e}"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// `reject:192.0.2.0/24`
fn dropping(text: &str) -> Option<Route> {
    let (word, prefix) = text.split_once(':')?;
    let (prefix, prefix_len) = prefix.rsplit_once('/')?;
    let way = if word == "blackhole" { Way::Blackhole } else { Way::Reject };
    Some(Route { prefix: prefix.parse().ok()?, prefix_len: prefix_len.parse().ok()?, way })
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
                self.seq += 1;
                let message = route::message(Change::Add, self.seq, &route);
                nix::unistd::write(&self.routes, &message).map(|_| ()).map_err(Into::into)
            }
        };
        match done {
            Ok(()) => Ok(Made::New),
            Err(e) if e.raw_os_error() == Some(libc::EEXIST) => Ok(Made::Taken),
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
                self.change_route(Change::Delete, &route)
            }
        };
        done.map_err(|e| format!("{thing} cannot be taken away: {e}"))
    }

    fn standing(&mut self, thing: &Thing) -> Result<Standing, String> {
        let Thing::Interface(name) = thing else { return Ok(Standing::InUse) };
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
