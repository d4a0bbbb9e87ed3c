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
    wait_within(WITHIN, netlink, index, ip)
}

fn wait_within(
    within: Duration,
    netlink: &mut Netlink,
    index: u32,
    ip: IpAddr,
) -> Result<(), String> {
    let began = Instant::now();
    let (mut waited, mut locked) = (Duration::ZERO, Duration::ZERO);
    let (mut pause, mut asked_at) = (PAUSE, AT_ONCE);
    while !netlink.is_local(index, ip).map_err(|e| format!("address {ip}: {e}"))? {
        let all = began.elapsed();
        if waited > within || all > AT_THE_LATEST && waited > AT_ONCE {
            let [all, waited, locked] = [all, waited, locked].map(|time| time.as_secs());
            let of = format!("{waited} of them this process's own, {locked} for the lock");
            return Err(format!(
                "address {ip} is not usable after {all} seconds ({of}): {}",
                state()
            ));
        }
        let look = Instant::now();
        std::thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
        waited += look.elapsed().min(LONGEST_LOOK);
        if waited > asked_at {
            asked_at = waited + AGAIN;
            let asked = Instant::now();
            // A request that changes nothing stands in line for the lock, behind the kernel's
            // thread if that does. What is answered does not matter.
            let _ = netlink.set_link(index, &LinkChange::default());
            locked += asked.elapsed();
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
    use super::*;

    #[test]
    fn an_address_that_nobody_has_is_never_usable() {
        let mut netlink = Netlink::open().unwrap();
        let lo = nix::net::if_::if_nametoindex("lo").unwrap();
        // Of IPv4, so that the test needs no IPv6: it is asked for alike.
        let ip = "198.51.100.77".parse().unwrap();
        let within = Duration::from_millis(30);
        let said = wait_within(within, &mut netlink, lo, ip).unwrap_err();
        assert!(said.starts_with("address 198.51.100.77 is not usable after 0 seconds"), "{said}");
        assert!(said.contains("link lo flags "), "{said}");
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
