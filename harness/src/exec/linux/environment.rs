//! The machine, from the kernel's own files. No program is run.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use nix::ifaddrs::getifaddrs;

use crate::environment::{Environment, Interface, Private, allowed, own_folders};

/// The settings that decide what sockets do.
const SYSCTLS: &[&str] = &[
    "net.core.rmem_max",
    "net.core.wmem_max",
    "net.core.default_qdisc",
    "net.core.somaxconn",
    "net.ipv4.ip_default_ttl",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_nonlocal_bind",
    "net.ipv4.ip_no_pmtu_disc",
    "net.ipv4.ping_group_range",
    "net.ipv4.icmp_ratelimit",
    "net.ipv4.igmp_max_memberships",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.all.arp_ignore",
    "net.ipv6.bindv6only",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.all.forwarding",
    "net.ipv6.conf.all.accept_ra",
    "net.ipv6.ip_nonlocal_bind",
    "kernel.tainted",
    "kernel.unprivileged_userns_clone",
    "kernel.apparmor_restrict_unprivileged_userns",
    "user.max_user_namespaces",
    "user.max_net_namespaces",
];

/// The bits of `CapEff` by name without `CAP_`, from 0 (include/uapi/linux/capability.h).
const CAPABILITIES: &str = "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP \
    LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE \
    SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME \
    SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG \
    WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE";

/// Gathers all that can be read; what cannot is named in `unknown`.
pub(in crate::exec) fn environment() -> Environment {
    let mut found =
        Environment { kernel: crate::exec::fingerprint().ok(), ..Environment::default() };
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    found.os = release.lines().find_map(|line| {
        let name = line.strip_prefix("PRETTY_NAME=")?;
        Some(name.trim_matches('"').to_owned())
    });
    let stat = read(&mut found, "/proc/stat");
    found.booted_s = stat.and_then(|text| {
        text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
    });
    found.command_line = read(&mut found, "/proc/cmdline");
    let status = read(&mut found, "/proc/self/status").unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    found.capabilities = field("CapEff:").map_or_else(Vec::new, capabilities);
    found.confinement = confinement(field("Seccomp:"), field("NoNewPrivs:"));
    for name in SYSCTLS {
        if let Some(value) = trimmed(&format!("/proc/sys/{}", name.replace('.', "/"))) {
            found.sysctls.insert((*name).to_owned(), value);
        }
    }
    config(&mut found);
    interfaces(&mut found);
    let v4 = read(&mut found, "/proc/net/route").unwrap_or_default();
    let v6 = read(&mut found, "/proc/net/ipv6_route").unwrap_or_default();
    found.routes = v4.lines().filter_map(route4).chain(v6.lines().filter_map(route6)).collect();
    filters(&mut found);
    found.private = private();
    found
}

fn trimmed(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|t| !t.is_empty())
}

fn read(found: &mut Environment, path: &str) -> Option<String> {
    match fs::read_to_string(path) {
        Ok(text) => Some(text.trim().to_owned()),
        Err(e) => {
            found.unknown.push(format!("{path}: {e}"));
            None
        }
    }
}

fn capabilities(hex: &str) -> Vec<String> {
    let Ok(set) = u64::from_str_radix(hex.trim(), 16) else { return Vec::new() };
    let all = trimmed("/proc/sys/kernel/cap_last_cap").and_then(|n| n.parse::<u32>().ok());
    let full = all.map(|last| u64::MAX >> (63 - last.min(63)));
    if Some(set) == full {
        return vec!["all".to_owned()];
    }
    let name = |bit: usize| match CAPABILITIES.split(' ').nth(bit) {
        Some(name) => format!("CAP_{name}"),
        None => format!("capability {bit}"),
    };
    (0..64).filter(|bit| set & 1 << bit != 0).map(name).collect()
}

fn confinement(seccomp: Option<&str>, no_new: Option<&str>) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(mode) = seccomp.map(str::trim).filter(|mode| *mode != "0") {
        out.push(format!("seccomp mode {mode}"));
    }
    if no_new.map(str::trim) == Some("1") {
        out.push("no_new_privs".to_owned());
    }
    out.extend(trimmed("/proc/self/attr/current").map(|label| format!("security label {label}")));
    for (file, what) in [("/.dockerenv", "docker"), ("/run/.containerenv", "podman")] {
        if Path::new(file).exists() {
            out.push(format!("container: {what} ({file} is there)"));
        }
    }
    out
}

/// Of what the kernel was built with, what networks are made of.
fn config(found: &mut Environment) {
    let release = found.kernel.as_ref().map_or("", |kernel| kernel.release.as_str());
    let path = format!("/boot/config-{release}");
    let packed =
        File::open("/proc/config.gz").and_then(|file| io::read_to_string(GzDecoder::new(file)));
    match packed.or_else(|_| fs::read_to_string(&path)) {
        Ok(text) => found.config = options(&text),
        Err(e) => found.unknown.push(format!("neither /proc/config.gz nor {path}: {e}")),
    }
}

fn options(text: &str) -> BTreeMap<String, String> {
    let wanted = ["NET", "INET", "IPV6", "TUN", "NETFILTER", "NF_TABLES", "PREEMPT", "USER_NS"];
    let option = |line: &str| {
        let (name, value) = line.strip_prefix("CONFIG_")?.split_once('=')?;
        let is = |w: &&str| name == *w || name.starts_with("INET_") || name.starts_with("IPV6_");
        wanted.iter().any(is).then(|| (name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(option).collect()
}

fn interfaces(found: &mut Environment) {
    let addresses = match getifaddrs() {
        Ok(addresses) => addresses,
        Err(e) => return found.unknown.push(format!("getifaddrs: {e}")),
    };
    for entry in addresses {
        let at = found.interfaces.iter().position(|i| i.name == entry.interface_name);
        let at = at.unwrap_or_else(|| {
            let name = entry.interface_name.clone();
            let mtu = trimmed(&format!("/sys/class/net/{name}/mtu")).and_then(|m| m.parse().ok());
            let flags = entry.flags.iter_names().map(|(name, _)| name.to_owned()).collect();
            found.interfaces.push(Interface { name, flags, mtu, addresses: Vec::new() });
            found.interfaces.len() - 1
        });
        let link = entry.address.as_ref().and_then(|a| a.as_link_addr()?.addr());
        let text = match (&entry.address, link) {
            (_, Some(mac)) => mac.map(|byte| format!("{byte:02x}")).join(":"),
            (Some(address), None) => match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
                (Some(v4), _) => v4.ip().to_string(),
                (_, Some(v6)) => v6.ip().to_string(),
                _ => continue,
            },
            (None, None) => continue,
        };
        found.interfaces[at].addresses.push(text);
    }
}

/// A line of `/proc/net/route` as ip(8) writes it; addresses there are in the host's byte order.
fn route4(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [device, to, via, _, _, _, _, mask, ..] = fields[..] else { return None };
    let ip = |text: &str| Some(Ipv4Addr::from(u32::from_str_radix(text, 16).ok()?.to_ne_bytes()));
    let len = u32::from_str_radix(mask, 16).ok()?.count_ones();
    Some(route(&ip(to)?.to_string(), len, ip(via).filter(|ip| !ip.is_unspecified()), device))
}

/// A line of `/proc/net/ipv6_route`.
fn route6(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [to, len, _, _, via, _, _, _, _, device] = fields[..] else { return None };
    let ip = |text: &str| Some(Ipv6Addr::from(u128::from_str_radix(text, 16).ok()?));
    let len = u32::from_str_radix(len, 16).ok()?;
    Some(route(&ip(to)?.to_string(), len, ip(via).filter(|ip| !ip.is_unspecified()), device))
}

fn route(to: &str, len: u32, via: Option<impl std::fmt::Display>, link: &str) -> String {
    let via = via.map_or_else(String::new, |ip| format!(" via {ip}"));
    format!("{to}/{len}{via} dev {link}")
}

/// What may swallow or turn a packet beside the routes.
fn filters(found: &mut Environment) {
    let modules = fs::read_to_string("/proc/modules").unwrap_or_default();
    let names = modules.lines().filter_map(|line| line.split_whitespace().next());
    let of =
        |name: &&str| name.starts_with("nf_") || name.starts_with("nft_") || name.contains("table");
    found.filters.extend(names.filter(of).map(|name| format!("kernel module {name}")));
    for file in ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"] {
        let tables = trimmed(file)
            .into_iter()
            .flat_map(|t| t.lines().map(str::to_owned).collect::<Vec<_>>());
        found.filters.extend(tables.map(|table| format!("table {table} of {file}")));
    }
    for link in &found.interfaces {
        let kind = fs::read_to_string(format!("/sys/class/net/{}/uevent", link.name));
        let kind = kind.unwrap_or_default();
        let is_tun = Path::new(&format!("/sys/class/net/{}/tun_flags", link.name)).exists();
        if is_tun || kind.contains("DEVTYPE=wireguard") {
            let what = if is_tun { "tun" } else { "wireguard" };
            found
                .filters
                .push(format!("{} is a {what} interface: a VPN may be behind it", link.name));
        }
    }
    found.unknown.push("the rules of nftables are not read".to_owned());
}

fn private() -> Private {
    let lines = |path: &str| -> Vec<String> {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    };
    let mut hosts: Vec<String> =
        ["/proc/sys/kernel/hostname", "/etc/hostname"].into_iter().filter_map(trimmed).collect();
    // The first label of a name with a domain stands alone in many places.
    hosts.extend(hosts.clone().iter().filter_map(|h| Some(h.split_once('.')?.0.to_owned())));
    let mut users: Vec<String> = lines("/etc/passwd").iter().flat_map(|l| person(l)).collect();
    users
        .extend(["USER", "LOGNAME", "SUDO_USER"].into_iter().filter_map(|v| std::env::var(v).ok()));
    let domains = lines("/etc/resolv.conf")
        .iter()
        .filter_map(|line| line.strip_prefix("search ").or_else(|| line.strip_prefix("domain ")))
        .flat_map(|names| names.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let dmi = ["product_serial", "board_serial", "chassis_serial", "product_uuid"];
    let serials = dmi
        .map(|name| format!("/sys/class/dmi/id/{name}"))
        .into_iter()
        .chain(["/etc/machine-id", "/proc/sys/kernel/random/boot_id"].map(str::to_owned))
        .filter_map(|path| trimmed(&path))
        .collect();
    let (ssids, vpns) = networks();
    Private { hosts, users, domains, serials, ssids, vpns, paths: own_folders() }
}

/// Names of wireless networks and of VPNs, where the system keeps them.
fn networks() -> (Vec<String>, Vec<String>) {
    let files = |folder: &str| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let (mut ssids, mut vpns) = (Vec::new(), Vec::new());
    for path in files("/etc/NetworkManager/system-connections") {
        let text = text(&path);
        ssids.extend(values(&text, "ssid="));
        vpns.extend(values(&text, "id="));
    }
    for path in files("/etc/wpa_supplicant") {
        ssids.extend(values(&text(&path), "ssid="));
    }
    // iwd has a file for each, called by it.
    let stem = |path: &PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    ssids.extend(files("/var/lib/iwd").iter().filter_map(stem));
    (ssids, vpns)
}

fn values(text: &str, key: &str) -> Vec<String> {
    let value = |line: &str| Some(line.trim().strip_prefix(key)?.trim_matches('"').to_owned());
    text.lines().filter_map(value).collect()
}

/// A person in a line of passwd(5), by the name of the account and by those in its comment: those that
/// distributions number from 1000, and those who live where people do.
fn person(line: &str) -> Vec<String> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, _, comment, home, ..] = fields[..] else { return Vec::new() };
    let uid = uid.parse::<u32>().unwrap_or(0);
    let at_home = ["/home/", "/Users/", "/var/home/"].iter().any(|root| home.starts_with(root));
    let service = uid < 1000 && !at_home || uid == 65_534;
    if service {
        return Vec::new();
    }
    let full = comment.split(',').next().unwrap_or("").trim();
    let one = full.split_whitespace().filter(|one| one.len() > 3 && !allowed::is_known(one));
    let all = [name, full].into_iter().chain(one);
    all.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_read_as_ip_writes_them() {
        let octets = u32::from_ne_bytes([192, 0, 2, 1]);
        let line = format!("eth0\t00000000\t{octets:08X}\t0003\t0\t0\t0\t00000000\t0\t0\t0");
        assert_eq!(route4(&line).as_deref(), Some("0.0.0.0/0 via 192.0.2.1 dev eth0"));
        assert_eq!(route4("Iface Destination"), None);
        let to = "20010db8000000000000000000000000";
        let (zero, end) = ("0".repeat(32), "00000100 00000001 00000000 00000001     eth0");
        let line = format!("{to} 40 {zero} 00 {zero} {end}");
        assert_eq!(route6(&line).as_deref(), Some("2001:db8::/64 dev eth0"));
    }

    #[test]
    fn people_are_told_from_services() {
        let jane = person("jane:x:1000:1000:Jane Q. Planted,Room 7,555:/home/jane:/bin/sh");
        assert_eq!(jane, ["jane", "Jane Q. Planted", "Jane", "Planted"]);
        assert_eq!(person("jim:x:501:20::/Users/jim:/bin/sh"), ["jim"]);
        assert_eq!(person("carl:x:500:500:Carl Network:/data/carl:/bin/sh"), [""; 0]);
        assert_eq!(person("root:x:0:0:root:/root:/bin/sh"), [""; 0]);
        assert_eq!(person("nobody:x:65534:65534::/:/bin/false"), [""; 0]);
        assert_eq!(person("no line"), [""; 0]);
    }

    #[test]
    fn networks_are_named_by_their_files() {
        let text = "network={\n\tssid=\"Planted Net\"\n\tpsk=secret\n}\nssid=Other\n";
        assert_eq!(values(text, "ssid="), ["Planted Net", "Other"]);
    }

    #[test]
    fn capabilities_go_by_name() {
        assert_eq!(capabilities("0000000000003000"), ["CAP_NET_ADMIN", "CAP_NET_RAW"]);
        assert_eq!(capabilities("0"), [""; 0]);
        assert_eq!(capabilities("10000000000"), ["CAP_CHECKPOINT_RESTORE"]);
    }

    #[test]
    fn only_what_networks_are_made_of_is_kept() {
        let kept =
            options("CONFIG_TUN=m\nCONFIG_SND=y\n# CONFIG_IPV6 is not set\nCONFIG_INET_DIAG=y\n");
        assert_eq!(kept.into_keys().collect::<Vec<_>>(), ["INET_DIAG", "TUN"]);
    }

    #[test]
    fn this_machine_has_a_kernel_and_loopback() {
        let found = environment();
        assert!(found.kernel.is_some() && !found.sysctls.is_empty());
        assert!(found.interfaces.iter().any(|i| i.name == "lo"), "{found:?}");
    }
}
