//! What a fresh network takes over from the host's, and the kernel's own values of it.
//!
//! Most settings of a new network namespace are the kernel's own. Not so `conf` and the parameters of
//! neighbours: those are copied from the first network or from the one that it is made in
//! (`net.core.devconf_inherit_init_net`, net/ipv4/devinet.c `devinet_init_net`, net/ipv6/addrconf.c
//! `addrconf_init_net`, net/core/neighbour.c `neigh_parms_alloc`), and so is TCP's congestion control
//! (`tcp_set_default_congestion_control`, `net/ipv4/tcp_cong.c`). What an executor's first network has that is
//! not the kernel's own is known once, and written in each lab: on an ordinary host that is nothing.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::sync::OnceLock;

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use crate::case::Link;
use crate::case::addr::Range;

/// `conf/all`, `conf/default` and loopback's of IPv4 (net/ipv4/devinet.c `ipv4_devconf`). The first changes others
/// when it is written.
const CONF4: &str = "forwarding=0 accept_local=0 accept_redirects=1 accept_source_route=1 arp_accept=0 \
    arp_announce=0 arp_evict_nocarrier=1 arp_filter=0 arp_ignore=0 arp_notify=0 bc_forwarding=0 bootp_relay=0 \
    disable_policy=0 disable_xfrm=0 drop_gratuitous_arp=0 drop_unicast_in_l2_multicast=0 \
    force_igmp_version=0 igmpv2_unsolicited_report_interval=10000 \
    igmpv3_unsolicited_report_interval=1000 ignore_routes_with_linkdown=0 log_martians=0 medium_id=0 \
    promote_secondaries=0 proxy_arp=0 proxy_arp_pvlan=0 route_localnet=0 secure_redirects=1 \
    send_redirects=1 shared_media=1 src_valid_mark=0";

/// The same of IPv6 (net/ipv6/addrconf.c `ipv6_devconf`).
const CONF6: &str = "forwarding=0 disable_ipv6=0 accept_ra=1 accept_ra_defrtr=1 accept_ra_from_local=0 \
    accept_ra_min_hop_limit=1 accept_ra_mtu=1 accept_ra_pinfo=1 accept_ra_rtr_pref=1 \
    accept_redirects=1 accept_source_route=0 accept_untracked_na=0 autoconf=1 dad_transmits=1 \
    disable_policy=0 drop_unicast_in_l2_multicast=0 drop_unsolicited_na=0 enhanced_dad=1 \
    force_forwarding=0 force_mld_version=0 force_tllao=0 hop_limit=64 ignore_routes_with_linkdown=0 \
    ioam6_enabled=0 keep_addr_on_down=0 max_addresses=16 mldv1_unsolicited_report_interval=10000 \
    mldv2_unsolicited_report_interval=1000 ndisc_evict_nocarrier=1 ndisc_notify=0 ndisc_tclass=0 \
    optimistic_dad=0 proxy_ndp=0 rpl_seg_enabled=0 seg6_enabled=0 seg6_require_hmac=0 \
    suppress_frag_ndisc=1 use_oif_addrs_only=0 use_optimistic=0 use_tempaddr=0";

/// What the kernel sets otherwise itself: `all` has it so, or loopback (net/ipv4/devinet.c `inetdev_init`,
/// net/ipv6/addrconf.c `ipv6_add_dev`).
const EXCEPT: [(&str, &str, &str); 4] = [
    ("ipv4", "all", "accept_source_route"),
    ("ipv4", "lo", "disable_policy"),
    ("ipv4", "lo", "disable_xfrm"),
    ("ipv6", "lo", "use_tempaddr"),
];

/// The parameters of neighbours (net/ipv4/arp.c `arp_tbl`, net/ipv6/ndisc.c `nd_tbl`).
const NEIGH: &str = "anycast_delay=100 app_solicit=0 base_reachable_time_ms=30000 \
    delay_first_probe_time=5 gc_stale_time=60 interval_probe_time_ms=5000 mcast_resolicit=0 \
    mcast_solicit=3 proxy_delay=80 proxy_qlen=64 retrans_time_ms=1000 ucast_solicit=3 \
    unres_qlen_bytes=212992";

/// What of them is not the same in both: an entry of ARP is not changed within that time after it was.
const NEIGH_OF: [(&str, &str); 2] = [("ipv4", "locktime=100"), ("ipv6", "locktime=0")];

/// One setting, below the folder of its family, and the kernel's own value.
pub(super) struct Setting {
    pub(super) family: &'static str,
    pub(super) name: String,
    pub(super) value: String,
}

/// What of a fresh network is not the kernel's own.
#[derive(Default)]
pub(super) struct TakenOver {
    /// To be written in each network.
    pub(super) conf: Vec<Setting>,
    /// To be written for each link: names below `neigh/LINK`.
    pub(super) neigh: Vec<Setting>,
    /// Whether the kernel has IPv6.
    pub(super) has_ipv6: bool,
}

static TAKEN_OVER: OnceLock<TakenOver> = OnceLock::new();

/// What was found in the executor's first network; before that, nothing.
pub(super) fn taken_over() -> &'static TakenOver {
    static NOTHING: TakenOver = TakenOver { conf: Vec::new(), neigh: Vec::new(), has_ipv6: true };
    TAKEN_OVER.get().unwrap_or(&NOTHING)
}

/// Looks at the network that the thread is in, which has to be fresh.
pub(super) fn look() {
    TAKEN_OVER.get_or_init(|| {
        let mut found = TakenOver::default();
        for (family, conf) in [("ipv4", CONF4), ("ipv6", CONF6)] {
            let Ok(folder) = Folder::of(family) else { continue };
            found.has_ipv6 |= family == "ipv6";
            for scope in ["all", "default", "lo"] {
                let own =
                    own_values(conf).filter(|(name, _)| !EXCEPT.contains(&(family, scope, name)));
                let own = own.map(|(name, value)| (format!("conf/{scope}/{name}"), value));
                found.conf.extend(folder.others(family, own));
            }
            let of_it = NEIGH_OF.iter().filter(|(of, _)| *of == family);
            let neigh = own_values(NEIGH).chain(of_it.flat_map(|(_, own)| own_values(own)));
            let own = neigh.map(|(name, value)| (format!("neigh/lo/{name}"), value));
            found.neigh.extend(folder.others(family, own));
            if family == "ipv4" {
                found.conf.extend(congestion_control(&folder));
            }
        }
        for setting in &mut found.neigh {
            setting.name = setting.name.replace("neigh/lo/", "");
        }
        found
    });
}

/// The families that the host has.
pub(super) fn families() -> &'static [&'static str] {
    if taken_over().has_ipv6 { &["ipv4", "ipv6"] } else { &["ipv4"] }
}

/// Of which ranges the link has addresses here: where the host has no IPv6, of IPv4's.
pub(super) fn ranges(link: &Link) -> impl Iterator<Item = Range> + use<> {
    let has_ipv6 = taken_over().has_ipv6;
    link.ranges.clone().into_iter().filter(move |range| has_ipv6 || *range == Range::V4)
}

fn own_values(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    text.split_ascii_whitespace().filter_map(|word| word.split_once('='))
}

/// Cubic where a network may have it that is not the first, or what every kernel has: others pace what
/// they send (bbr), or ask for ECN (dctcp).
fn congestion_control(folder: &Folder) -> Option<Setting> {
    let has = folder.read("tcp_allowed_congestion_control").unwrap_or_default();
    let name = "tcp_congestion_control";
    let own = if has.split_whitespace().any(|has| has == "cubic") { "cubic" } else { "reno" };
    folder.others("ipv4", [(name.to_owned(), own)].into_iter()).next()
}

/// The settings of one family in this network. The directory is opened once: in that of all families
/// the kernel looks up a name among those of every network namespace of the host, one by one
/// (`fs/proc/proc_sysctl.c` `proc_sys_compare`).
pub(super) struct Folder(File);

impl Folder {
    pub(super) fn of(family: &str) -> io::Result<Self> {
        File::open(format!("/proc/sys/net/{family}")).map(Self)
    }

    fn read(&self, name: &str) -> Option<String> {
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let mut text = String::new();
        let file = openat(&self.0, name, flags, Mode::empty()).ok()?;
        File::from(file).read_to_string(&mut text).ok()?;
        Some(text.trim_end().to_owned())
    }

    pub(super) fn write(&self, name: &str, value: &str) -> io::Result<()> {
        let flags = OFlag::O_WRONLY | OFlag::O_CLOEXEC;
        File::from(openat(&self.0, name, flags, Mode::empty())?).write_all(value.as_bytes())
    }

    /// Those of the settings that are there and have another value.
    fn others(
        &self,
        family: &'static str,
        own: impl Iterator<Item = (String, &'static str)>,
    ) -> impl Iterator<Item = Setting> {
        own.filter(|(name, value)| self.read(name).is_some_and(|found| found != *value))
            .map(move |(name, value)| Setting { family, name, value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_is_a_setting_with_a_value() {
        for table in [CONF4, CONF6, NEIGH, NEIGH_OF[0].1, NEIGH_OF[1].1] {
            assert_eq!(own_values(table).count(), table.split_ascii_whitespace().count());
            assert!(own_values(table).all(|(_, value)| value.parse::<i64>().is_ok()));
        }
        for (family, _, name) in EXCEPT {
            let table = if family == "ipv4" { CONF4 } else { CONF6 };
            assert!(own_values(table).any(|(of, _)| of == name), "{name}");
        }
    }
}
