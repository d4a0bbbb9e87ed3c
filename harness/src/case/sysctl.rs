//! Settings of a network, by the names of sysctl(8): `net.ipv4.ip_default_ttl`.
//!
//! A lab's network is its own, and what is set in it goes with it. What is the whole host's is not among the settings of
//! another network than the first, or not to be written from there (`net/sysctl_net.c` `ensure_safe_net_sysctl`), but for
//! one in kernels before 5.13.

use super::words::shown;

/// The parts of `/proc/sys/net` of which a network has some of its own.
const PARTS: [&str; 5] = ["core", "ipv4", "ipv6", "mptcp", "unix"];
/// The host's in every network before Linux 5.13 (`net/ipv4/sysctl_net_ipv4.c`).
const OF_THE_HOST: &str = "net.ipv4.tcp_allowed_congestion_control";
/// The most bytes of a name and of a value.
const MOST: usize = 100;

/// What is wrong with the name or the value, as one sentence.
///
/// # Errors
/// A name of no setting of networks, or a value that is no word or number, nor several.
pub(super) fn check(name: &str, value: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let is_part = |part: &str| !part.is_empty() && part.chars().all(plain);
    let mut parts = name.split('.');
    let of_a_network =
        parts.next() == Some("net") && parts.next().is_some_and(|part| PARTS.contains(&part));
    if !of_a_network || name.len() > MOST || parts.clone().count() == 0 || !parts.all(is_part) {
        return Err(format!(
            "{} is no setting of a network, such as net.ipv4.ip_default_ttl",
            shown(name)
        ));
    }
    if name == OF_THE_HOST {
        return Err(format!("{name} is the whole host's on some kernels"));
    }
    // By that step the executor knows when to expect what.
    if name.contains(".neigh.") && name.contains(".retrans_time") {
        return Err(format!("{name} is the step ntable change dev LINK retrans MS"));
    }
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-,".contains(c))
    };
    if value.len() > MOST || !value.split(' ').all(is_word) {
        return Err(format!("{} is no value of {name}", shown(value)));
    }
    Ok(())
}

/// The file that is such a setting.
pub fn file(name: &str) -> String {
    format!("/proc/sys/{}", name.replace('.', "/"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("net.ipv4.ip_default_ttl", "7", true)]
    #[case("net.ipv4.ping_group_range", "1 0", true)]
    #[case("net.ipv6.conf.tap0.disable_ipv6", "1", true)]
    #[case("net.ipv4.ip_local_reserved_ports", "1000,2000-2002", true)]
    #[case("net.ipv4", "1", false)]
    #[case("net.ipv4.", "1", false)]
    #[case("net.ipv4...kernel.core_pattern", "1", false)]
    #[case("net.ipv4/../../kernel/core_pattern", "1", false)]
    #[case("net.ipv4.tcp_allowed_congestion_control", "reno", false)]
    #[case("net.ipv4.neigh.tap0.retrans_time_ms", "20", false)]
    #[case("net.ipv6.neigh.default.retrans_time", "20", false)]
    #[case("net.ipv4.neigh.tap0.ucast_solicit", "1", true)]
    #[case("kernel.core_pattern", "x", false)]
    #[case("net.netfilter.nf_log.2", "x", false)]
    #[case("net.ipv4.ip_default_ttl\n", "7", false)]
    #[case("net.ipv4.ip_default_ttl", "", false)]
    #[case("net.ipv4.ip_default_ttl", "7\n", false)]
    #[case("net.ipv4.ip_default_ttl", "7  8", false)]
    #[case("net.ipv4.ip_default_ttl", "\"; system(\"", false)]
    fn what_is_set_is_a_networks(#[case] name: &str, #[case] value: &str, #[case] fine: bool) {
        assert_eq!(check(name, value).is_ok(), fine, "{name:?} {value:?}");
    }

    #[test]
    fn nothing_is_endless() {
        assert!(check(&format!("net.ipv4.{}", "x".repeat(92)), "1").is_err());
        assert!(check("net.ipv4.x", &"1".repeat(101)).is_err());
        assert_eq!(file("net.ipv4.conf.all.rp_filter"), "/proc/sys/net/ipv4/conf/all/rp_filter");
    }
}
