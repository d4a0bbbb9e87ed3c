//! When an IPv6 address is usable, which the kernel makes it some time after it was added.
//!
//! A work queue does it, even without detection of duplicates (net/ipv6/addrconf.c
//! `addrconf_dad_start`, `addrconf_dad_work`, `addrconf_dad_completed`). Whether the link is ready
//! makes no difference: `addrconf_dad_begin` asks for `IFA_F_NODAD` before it asks for `IF_READY`,
//! and for the latter alone would linkwatch have to come first. So no order of a lab's requests loses
//! it. But it can be late in two ways. The work begins with `rtnl_lock`, one lock for all networks of
//! the host, whose holders may wait in turn: of the namespaces that an executor leaves, each TUN takes
//! a grace period under it (net/core/dev.c `default_device_exit_batch`, drivers/net/tun.c
//! `tun_net_uninit`). And the queue's thread has to find a processor, lock or no lock. So neither the
//! time for which others have the lock is counted here, nor that in which this process does not run.
//!
//! That thread is one for each processor, and takes the lock anew for each address. Whoever waits shall
//! not stand in its way: an executor that looks without a pause, or asks for the lock each time, takes
//! a processor and a turn from it. So all addresses of a lab are added before one is waited for, and looks
//! become rarer.

use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::netlink::{LinkChange, Netlink};

/// How long it may take while nothing hinders the kernel: a thread of the kernel's has to find a
/// processor, as this one has.
const WITHIN: Duration = Duration::from_secs(30);

/// From when on it is asked whether somebody has the lock.
const AT_ONCE: Duration = Duration::from_millis(10);

/// What one look counts at the most: who has not run for longer knows only that the kernel's thread
/// may not have run, either.
const LONGEST_LOOK: Duration = Duration::from_millis(100);

/// When it is said that it is not usable, whatever was counted: before the driver takes an executor
/// for dead that says nothing for a minute, and what is known with it.
const AT_THE_LATEST: Duration = Duration::from_secs(50);

const PAUSE: Duration = Duration::from_micros(20);

/// The longest time between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// How long until it is asked again whether somebody has the lock.
const AGAIN: Duration = Duration::from_millis(100);

/// Waits until an address that was added to a link is usable.
///
/// # Errors
/// One sentence, with what is known of the addresses and links.
pub(super) fn wait(netlink: &mut Netlink, index: u32, ip: IpAddr) -> Result<(), String> {
    wait_within(WITHIN, &mut Kernel { netlink, index, ip, began: Instant::now() })
}

/// What is waited for, and the time that passes.
trait Wait {
    /// Whether the address is usable.
    fn is_usable(&mut self) -> Result<bool, String>;
    /// Stands in line for the kernel's lock.
    fn stand_in_line(&mut self);
    fn sleep(&mut self, pause: Duration);
    /// The time since it began.
    fn now(&self) -> Duration;
    /// Which address it is, and what is known of all.
    fn said(&self) -> (IpAddr, String);
}

struct Kernel<'n> {
    netlink: &'n mut Netlink,
    index: u32,
    ip: IpAddr,
    began: Instant,
}

impl Wait for Kernel<'_> {
    fn is_usable(&mut self) -> Result<bool, String> {
        let usable = self.netlink.is_local(self.index, self.ip);
        usable.map_err(|e| format!("address {}: {e}", self.ip))
    }

    fn stand_in_line(&mut self) {
        // A request that changes nothing stands in line for the lock, behind the kernel's
        // thread if that does. What is answered does not matter.
        let _ = self.netlink.set_link(self.index, &LinkChange::default());
    }

    fn sleep(&mut self, pause: Duration) {
        std::thread::sleep(pause);
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn said(&self) -> (IpAddr, String) {
        (self.ip, state())
    }
}

fn wait_within(within: Duration, what: &mut impl Wait) -> Result<(), String> {
    let began = what.now();
    let (mut waited, mut locked) = (Duration::ZERO, Duration::ZERO);
    let (mut pause, mut asked_at) = (PAUSE, AT_ONCE);
    while !what.is_usable()? {
        let all = what.now().saturating_sub(began);
        if waited > within || all > AT_THE_LATEST && waited > AT_ONCE {
            let [all, waited, locked] = [all, waited, locked].map(|time| time.as_secs());
            let of = format!("{waited} of them this process's own, {locked} for the lock");
            let (ip, state) = what.said();
            return Err(format!("address {ip} is not usable after {all} seconds ({of}): {state}"));
        }
        let look = what.now();
        what.sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
        waited += what.now().saturating_sub(look).min(LONGEST_LOOK);
        if waited > asked_at {
            asked_at = waited + AGAIN;
            let asked = what.now();
            what.stand_in_line();
            locked += what.now().saturating_sub(asked);
        }
    }
    Ok(())
}

/// The IPv6 addresses of this network and its links, with their flags and states.
fn state() -> String {
    let table = fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap_or_default();
    let links = nix::net::if_::if_nameindex();
    let links = links.iter().flat_map(nix::net::if_::Interfaces::iter);
    let names = links.map(|link| link.name().to_string_lossy().into_owned());
    let mut said: Vec<String> = addresses(&table).collect();
    said.extend(names.map(|name| format!("link {name} {}", super::link::state(&name))));
    said.join(", ")
}

/// The lines of `if_inet6`: address, index, length of the prefix, scope, flags, name.
fn addresses(table: &str) -> impl Iterator<Item = String> {
    table.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [address, _, _, _, flags, link] = words[..] else { return None };
        Some(format!("{address} on {link} flags {flags}"))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn an_address_that_nobody_has_is_never_usable() {
        let mut netlink = Netlink::open().unwrap();
        let lo = nix::net::if_::if_nametoindex("lo").unwrap();
        // Of IPv4, so that the test needs no IPv6: it is asked for alike.
        let ip = "198.51.100.77".parse().unwrap();
        let within = Duration::from_millis(30);
        let began = Instant::now();
        let mut kernel = Kernel { netlink: &mut netlink, index: lo, ip, began };
        let said = wait_within(within, &mut kernel).unwrap_err();
        assert!(said.starts_with("address 198.51.100.77 is not usable after 0 seconds"), "{said}");
        assert!(said.contains("link lo flags "), "{said}");
    }

    /// A machine on which an address comes after so much time, others keep the lock so long, and this process is
    /// kept from running so long each time it sleeps.
    struct Busy {
        comes: Duration,
        lock: Duration,
        stall: Duration,
        now: Duration,
    }

    impl Wait for Busy {
        fn is_usable(&mut self) -> Result<bool, String> {
            Ok(self.now >= self.comes)
        }

        fn stand_in_line(&mut self) {
            self.now += self.lock;
        }

        fn sleep(&mut self, pause: Duration) {
            self.now += pause + self.stall;
        }

        fn now(&self) -> Duration {
            self.now
        }

        fn said(&self) -> (IpAddr, String) {
            (IpAddr::from([192, 0, 2, 1]), "no state".to_owned())
        }
    }

    /// At a load of 20 four rows of two runs side by side said that an address was not usable after 34 seconds, which
    /// others had had of the lock or of the processor.
    #[rstest]
    #[case::at_once(0, 0, 0, Ok(()))]
    #[case::others_have_the_lock(40, 8_000, 0, Ok(()))]
    #[case::it_does_not_run(40, 0, 2_000, Ok(()))]
    #[case::it_is_this_processs_own(
        40,
        0,
        0,
        Err(
            "address 192.0.2.1 is not usable after 30 seconds (30 of them this process's own, 0 for the lock): no state"
        )
    )]
    #[case::never(1_000, 8_000, 0, Err("address 192.0.2.1 is not usable after 5"))]
    fn what_others_take_is_not_counted(
        #[case] comes_s: u64,
        #[case] lock_ms: u64,
        #[case] stall_ms: u64,
        #[case] wanted: Result<(), &str>,
    ) {
        let [comes, lock, stall] = [comes_s * 1_000, lock_ms, stall_ms].map(Duration::from_millis);
        let said = wait_within(WITHIN, &mut Busy { comes, lock, stall, now: Duration::ZERO });
        match (said, wanted) {
            (Err(said), Err(wanted)) => assert!(said.starts_with(wanted), "{said}"),
            (said, wanted) => assert_eq!(said.map_err(|_| ""), wanted),
        }
    }

    #[test]
    fn a_state_says_flags_and_links() {
        let line = "fe800000000000000000000000000001 02 40 20 c2     tun0\nx\n";
        let said: Vec<String> = addresses(line).collect();
        assert_eq!(said, ["fe800000000000000000000000000001 on tun0 flags c2"]);
        let state = state();
        assert!(state.contains("link lo flags "), "{state}");
    }
}
