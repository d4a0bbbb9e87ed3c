//! What of a machine's own texts is let through: the words of its command line, its log and its settings
//! that matter to sockets, by their shape. Everything else becomes [`GONE`]. A list of what may stay
//! forgets nothing that nobody thought of; what comes through once comes through again as it is.

mod log;

pub use log::{is_known, log_line};

/// What stands for what is not told.
pub const GONE: &str = "\u{2026}";

/// Words of the command line without a value.
const SWITCHES: &[&str] = &[
    "ro",
    "rw",
    "quiet",
    "splash",
    "debug",
    "ignore_loglevel",
    "nosmp",
    "noapic",
    "nolapic",
    "nokaslr",
    "nopti",
    "nosmt",
    "nohz",
    "threadirqs",
    "nomodeset",
    "noibrs",
    "noibpb",
    "nospectre_v1",
    "nospectre_v2",
    "--",
];

/// Words of the command line whose value is made of [`PLAIN`] words and numbers. Those with a dot at
/// the end are modules: any parameter of theirs that is a plain name.
const KEYS: &[&str] = &[
    "apparmor",
    "audit",
    "biosdevname",
    "cgroup_disable",
    "clocksource",
    "console",
    "enforcing",
    "hugepages",
    "hugepagesz",
    "idle",
    "irqaffinity",
    "isolcpus",
    "kvm-clock",
    "lockdown",
    "loglevel",
    "lsm",
    "maxcpus",
    "mem",
    "mitigations",
    "net.ifnames",
    "nmi_watchdog",
    "nohz",
    "nohz_full",
    "nr_cpus",
    "panic",
    "pci",
    "possible_cpus",
    "preempt",
    "printk.time",
    "rcu_nocbs",
    "rhash_entries",
    "security",
    "selinux",
    "spectre_v2",
    "swiotlb",
    "systemd.unified_cgroup_hierarchy",
    "thash_entries",
    "transparent_hugepage",
    "tsc",
    "uhash_entries",
    "vsyscall",
    "ipv6.disable",
    "ipv6.disable_ipv6",
    "ipv6.autoconf",
    "tun.",
    "veth.",
    "virtio_net.",
    "tcp_cubic.",
    "tcp_bbr.",
    "nf_conntrack.",
    "netpoll.",
];

/// Values that are words.
const PLAIN: &[&str] = &[
    "on",
    "off",
    "auto",
    "nosmt",
    "yes",
    "no",
    "true",
    "false",
    "full",
    "none",
    "always",
    "never",
    "madvise",
    "voluntary",
    "lazy",
    "poll",
    "tty",
    "ttyS",
    "hvc",
    "ttyAMA",
    "selinux",
    "apparmor",
    "smack",
    "tomoyo",
    "bpf",
    "yama",
    "lockdown",
    "landlock",
    "loadpin",
    "safesetid",
    "integrity",
    "capability",
    "confidentiality",
    "memory",
    "hpet",
    "acpi_pm",
    "kvm-clock",
    "pit",
    "jiffies",
    "reliable",
    "unstable",
    "nohz",
    "domain",
    "managed_irq",
    "all",
    "native",
    "emulate",
    "xonly",
    "noforce",
    "force",
    "retpoline",
    "ibrs",
    "nomsi",
    "noaer",
    "conf",
    "fq",
    "fq_codel",
    "pfifo_fast",
    "pfifo",
    "noqueue",
    "noop",
    "sfq",
    "codel",
    "cake",
    "mq",
    "cubic",
    "reno",
    "bbr",
    "dctcp",
    "vegas",
    "westwood",
    "htcp",
];

/// Names of settings that a command line may set (`sysctl.net.core.rmem_max=`, proc(5)).
const SETTINGS: &[&str] = &[
    "net.core.rmem_max",
    "net.core.wmem_max",
    "net.core.rmem_default",
    "net.core.wmem_default",
    "net.core.default_qdisc",
    "net.core.somaxconn",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_default_ttl",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_nonlocal_bind",
    "net.ipv4.ip_no_pmtu_disc",
    "net.ipv4.icmp_ratelimit",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_max_orphans",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.default.rp_filter",
    "net.ipv6.bindv6only",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.default.disable_ipv6",
    "net.ipv6.conf.all.forwarding",
    "kernel.unprivileged_userns_clone",
    "user.max_user_namespaces",
];

/// The longest number: a time in microseconds, a size. A serial number is none that is longer.
const DIGITS: usize = 7;

/// A kernel's command line: what is known of it.
pub fn command_line(text: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let word = if is_told(word) { word } else { GONE };
        if (word, out.last()) != (GONE, Some(&GONE)) {
            out.push(word);
        }
    }
    out.join(" ")
}

fn is_told(word: &str) -> bool {
    let Some((key, value)) = word.split_once('=') else { return SWITCHES.contains(&word) };
    let of_module = |known: &&str| {
        let parameter = known.ends_with('.').then(|| key.strip_prefix(*known)).flatten();
        parameter.is_some_and(|name| MODULE_PARAMETERS.contains(&name))
    };
    let is_key = KEYS.iter().any(|known| *known == key || of_module(known))
        || key.strip_prefix("sysctl.").is_some_and(|name| SETTINGS.contains(&name));
    is_key && is_setting(value)
}

/// Parameters of the modules in [`KEYS`].
const MODULE_PARAMETERS: &[&str] = &[
    "napi_tx",
    "csum",
    "gso",
    "hashsize",
    "hystart",
    "beta",
    "fast_convergence",
    "carrier_timeout",
];

/// Whether a value is made of numbers and of plain words, and of nothing else.
pub fn is_setting(value: &str) -> bool {
    let part = |part: &str| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = &part[word.len()..];
        let size = part.strip_suffix(['K', 'M', 'G', 'k', 'm', 'g', 's', 'n']).unwrap_or(part);
        part.is_empty()
            || PLAIN.contains(&part)
            || is_number(size, 10)
            || (PLAIN.contains(&word) && number.len() <= 3)
    };
    value.split([' ', '\t', ',', ':', '-']).all(part)
}

fn is_number(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit())
}

/// Kinds of interfaces that kernels and systemd number.
const INTERFACES: &[&str] = &[
    "lo", "eth", "wlan", "en", "em", "utun", "awdl", "llw", "anpi", "ap", "bridge", "docker",
    "veth", "tun", "tap", "br", "virbr", "vnet", "vmenet", "feth", "gif", "stf", "ipsec", "ppp",
    "bond", "team", "dummy", "ifb", "wg", "sit", "ip6tnl", "tunl", "gre", "gretap", "erspan",
    "ip_vti", "ip6_vti", "ip6gre", "can", "vcan", "lxcbr", "lxdbr", "cni", "macvtap", "macvlan",
    "ipvlan", "vxlan", "geneve", "wwan", "link", "nlmon", "teql", "if", "xl", "pktap", "iptap",
    "XHC", "vlan", "l",
];

/// Whether an interface has a name that kernels give, which tells nobody: a kind and a number, or where
/// the card sits (`systemd.net-naming-scheme(7)`).
pub fn is_interface(name: &str) -> bool {
    let kind = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &name[kind.len()..];
    name == "lo"
        || (INTERFACES.contains(&kind) && (1..=5).contains(&number.len()))
        || ["en", "wl", "ww", "ib"].iter().any(|head| name.strip_prefix(head).is_some_and(is_place))
}

/// `o1`, `s3`, `p0s31f6`, `P2p1s0np0`: letters of the scheme, each with a number of its own.
fn is_place(place: &str) -> bool {
    let mut rest = place;
    while let Some(letter) = rest.chars().next() {
        let behind = &rest[letter.len_utf8()..];
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        let named = letter == 'n' && digits == 0;
        if !"opsfdniuvrP".contains(letter) || digits > 3 || (digits == 0 && !named) {
            return false;
        }
        rest = &behind[digits..];
    }
    !place.is_empty() && place.starts_with(['o', 's', 'p', 'P'])
}

/// Which build of this program it was, if it says so as `git describe` or a hash does: a name of a branch
/// may be anybody's.
pub fn revision(text: &str) -> Option<&str> {
    let plain = text.strip_suffix("-dirty").unwrap_or(text);
    let hash =
        |hash: &str| (7..=40).contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit());
    let version = |version: &str| {
        let digits = version.strip_prefix('v').unwrap_or(version);
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    };
    let described = |text: &str| {
        let mut parts = text.rsplitn(3, '-');
        let of_commit = parts.next().and_then(|part| part.strip_prefix('g')).is_some_and(hash);
        let count = parts.next().is_some_and(|count| is_number(count, 6));
        of_commit && count && parts.next().is_some_and(version)
    };
    (hash(plain) || version(plain) || described(plain)).then_some(text)
}

/// What lines of ifconfig(8) begin with: one that somebody wrote (`description:`) is none.
const IFCONFIG: &[&str] = &[
    "options",
    "ether",
    "inet",
    "inet6",
    "nd6",
    "media",
    "status",
    "groups",
    "member",
    "Configuration",
    "id",
    "maxage",
    "root",
    "ipfilter",
    "priority",
    "hellotime",
    "proto",
    "maxaddr",
    "path",
    "peer",
    "agent",
    "scheduler",
    "effective",
    "link",
    "state",
    "uplink",
    "downlink",
    "eflags",
    "xflags",
    "tunnel",
    "vlan",
    "bond",
    "type",
    "ifmaxaddr",
    "low",
    "Address",
    "rate",
    "timestamp",
    "qosmarking",
    "routermode",
    "nat64",
];

/// A line of `ifconfig -a`, whose interfaces' own lines are not indented.
pub fn ifconfig(line: &str) -> &str {
    let first = line.trim_start();
    let word = first.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
    let head = first.len() == line.len() && line.contains(": flags=");
    if head || first.is_empty() || IFCONFIG.contains(&word) { line } else { GONE }
}

/// Folders that every machine has, whose files are told whole.
const SYSTEM: &[&str] = &[
    "proc",
    "sys",
    "dev",
    "etc",
    "run",
    "usr",
    "bin",
    "sbin",
    "lib",
    "lib64",
    "boot",
    "System",
    ".dockerenv",
];

/// A reason, or what else the harness says in words: a path that is the user's own is not told.
pub fn reason(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('/') {
        let (before, path) = rest.split_at(at);
        out.push_str(before);
        // Within a word it is none: `and/or`, `1/2`, `127.0.0.1/8`, `https://`.
        let begins = !before
            .ends_with(|c: char| c.is_alphanumeric() || ":.-_/".contains(c) || c == '%')
            || before.ends_with(": ");
        let len = path.find(|c: char| c.is_whitespace() || "\"'`,;()<>|".contains(c));
        let (whole, behind) = path.split_at(len.unwrap_or(path.len()));
        let first = whole.split('/').nth(1).unwrap_or("");
        if begins && !first.is_empty() && first != GONE && !SYSTEM.contains(&first) {
            out.push('/');
            out.push_str(GONE);
            // Punctuation behind it belongs to the sentence.
            out.push_str(&whole[whole.trim_end_matches(['.', ':']).len()..]);
            rest = behind;
        } else {
            out.push_str(whole);
            rest = behind;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
