//! What the host's configuration decides is not taken for the kernel's behaviour: with each of these
//! settings no row is `changed`, and none is an `error`.
//!
//! Settings of a whole host are set in User-Mode Linux, where it was fetched (`sockeye subjects --fetch
//! uml`); what a process or a namespace can have by itself, here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use rstest::rstest;

use crate::common::{SOCKEYE, fetched, has_labs, is_linux, sockeye, stderr, stdout};

/// The one that the general baseline is judged on whole.
const UML: &str = "uml-7.2";

/// How many rows of a run have each verdict, and why the first of the skipped was.
fn verdicts(folder: &Path) -> (BTreeMap<String, usize>, String) {
    let text = fs::read_to_string(folder.join("results.jsonl")).expect("results");
    let (mut counts, mut why) = (BTreeMap::new(), String::new());
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        if word("verdict") == "skipped" && why.is_empty() {
            why = word("outcome");
        }
        assert!(
            !["changed", "error"].contains(&word("verdict").as_str()),
            "{} {}: {}",
            word("verdict"),
            word("id"),
            word("outcome")
        );
        *counts.entry(word("verdict")).or_default() += 1;
    }
    (counts, why)
}

/// One row of each table of every suite: tables that came after a setting was met let it in again.
fn one_of_each_table() -> Vec<String> {
    let listed = stdout(&sockeye(&["list", "--json"]));
    let mut tables = BTreeMap::new();
    for line in listed.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let id = line["id"].as_str().expect("an id").to_owned();
        let table = id.split('[').next().unwrap_or_default().to_owned();
        tables.entry(table).or_insert(id);
    }
    assert!(tables.len() > 300, "{}", tables.len());
    tables.into_values().collect()
}

/// Each has the rows that changed before the lab set it, or read it; what cannot be set skips some of them
/// and says so.
#[rstest]
#[case::window_scale(
    &["sysctl.net.core.rmem_max=16777216"],
    &["scoped-ipv6/accept", "http/trailing", "names/dns-truncated"],
    Some("net.core.rmem_max is 16777216, these rows were observed under less than 8388608")
)]
#[case::inherited(
    &["sysctl.net.core.devconf_inherit_init_net=1", "sysctl.net.ipv6.conf.all.forwarding=1",
      "sysctl.net.ipv6.conf.default.hop_limit=33", "sysctl.net.ipv4.ip_forward=1",
      "sysctl.net.ipv4.conf.all.route_localnet=1", "sysctl.net.ipv4.conf.default.route_localnet=1",
      "sysctl.net.ipv4.conf.all.arp_ignore=1"],
    &["scoped-ipv6/recvfrom", "scoped-ipv6/udp-sendto", "link-state/typed-route", "link-state/loopback-source"],
    None
)]
#[case::ipv6_off_on_links(&["ipv6.disable_ipv6=1"], &["scoped-ipv6/recvfrom", "multicast/size"], None)]
#[case::no_ipv6(
    &["ipv6.disable=1"],
    &["link-state/udp-sendto", "multicast/size", "http/trailing", "errors/addresses"],
    Some("the kernel's IPv6 is turned off: ipv6.disable=1")
)]
#[case::orphans(
    &["sysctl.net.ipv4.tcp_max_orphans=0"], &["http/fast-open", "http/ftp", "options/int"],
    Some("net.ipv4.tcp_max_orphans is 0, these rows were observed under 256 or more")
)]
#[case::small_buffers(
    &["sysctl.net.core.wmem_default=4608", "sysctl.net.core.rmem_default=2304",
      "sysctl.net.ipv4.tcp_rmem=\"4096 4096 8192\"", "sysctl.net.ipv4.tcp_wmem=\"4096 4096 8192\""],
    &["fragmentation/payload", "http/slow-reader", "multicast/size", "effects/held"],
    Some("net.core.rmem_default is 2304, these rows were observed under 212992 or more")
)]
#[case::neighbours(
    &["sysctl.net.ipv4.neigh.default.gc_thresh3=2", "sysctl.net.ipv6.neigh.default.gc_thresh3=2"],
    &["link-state/udp-sendto", "options/int"],
    Some("net.ipv4.neigh.default.gc_thresh3 is 2, these rows were observed under 128 or more")
)]
#[case::asks_once(
    &["sysctl.net.ipv4.neigh.default.mcast_solicit=1", "sysctl.net.ipv6.neigh.default.mcast_solicit=1"],
    &["link-state/silent-neighbour"],
    None
)]
#[case::sources(
    &["sysctl.net.ipv6.mld_max_msf=1"], &["multicast/*"],
    Some("net.ipv6.mld_max_msf is 1, these rows were observed under 64 or more")
)]
// It has no fq, which would be refused.
#[case::queue(&["sysctl.net.core.default_qdisc=pfifo"], &["link-state/udp-sendto", "options/*"], None)]
fn a_setting_of_the_hosts_changes_no_row(
    #[case] words: &[&str],
    #[case] patterns: &[&str],
    #[case] skipped: Option<&str>,
) {
    let Some(uml) = fetched(UML) else { return };
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let mut args = vec!["run", "--on", &uml, "--out", folder];
    args.extend(words.iter().flat_map(|word| ["--append", *word]));
    args.extend(patterns);
    let each = one_of_each_table();
    args.extend(each.iter().map(String::as_str));
    let output = sockeye(&args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let console = fs::read_to_string(out.path().join(format!("{uml}.console.txt")));
    let console = console.expect("a console");
    assert!(!console.contains("set sysctl parameter"), "not what was asked for: {console}");
    let (counts, why) = verdicts(&out.path().join(&uml));
    assert!(counts.contains_key("ok"), "nothing ran: {counts:?} {why}");
    match skipped {
        Some(said) => assert!(why.contains(said), "{why:?}"),
        None => assert!(!counts.contains_key("skipped"), "{counts:?}, {why}"),
    }
}

/// Not a setting of User-Mode Linux, which has it not: of an old kernel in QEMU. Six rows of it were `changed`.
#[test]
fn selinux_changes_no_row() {
    let Some(subject) = fetched("linux-5.10") else { return };
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let words = ["--append", "lsm=selinux", "--append", "selinux=1"];
    let patterns = ["scoped-ipv6/other-family", "options/default"];
    let output =
        sockeye(&[&["run", "--on", &subject, "--out", folder][..], &words, &patterns].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let (counts, why) = verdicts(&out.path().join(&subject));
    assert!(counts.contains_key("ok"), "nothing ran: {counts:?} {why}");
    assert!(why.contains("SELinux is at work"), "{counts:?} {why}");
}

/// Families and calls that a container's filter refuses: what they concern is skipped, and says so. Those of Docker and
/// Podman refuse `AF_VSOCK` with EPERM: 59 rows were `changed` in every container.
#[rstest]
#[case("AF_VSOCK:EPERM", true)]
#[case("AF_VSOCK:EACCES", true)]
#[case("AF_XDP:EPERM", true)]
#[case("AF_INET6:EPERM", true)]
#[case("AF_UNIX:EPERM", true)]
#[case("AF_NETLINK:EPERM", false)]
#[case("AF_PACKET:EPERM", false)]
#[case("setrlimit", true)]
#[case("AF_INET6", true)]
#[case("AF_UNIX", true)]
#[case("AF_NETLINK", false)]
#[case("AF_PACKET", false)]
#[case("setns", true)]
#[case("sethostname", true)]
#[case("mount", true)]
fn what_a_filter_refuses_is_skipped(#[case] what: &str, #[case] others_run: bool) {
    if !is_linux() || !has_labs() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let plant = format!("refuse@{what}");
    let patterns = [
        "link-state/typed-route",
        "link-state/udp-sendto",
        "names/localhost",
        "options/default",
        "errors/vsock*",
        "errors/unusual",
        "limits",
    ];
    sockeye(&[&["run", "--out", folder, "--plant", &plant][..], &patterns].concat());
    let (counts, why) = verdicts(out.path());
    assert_eq!(counts.contains_key("ok"), others_run, "{counts:?} {why}");
    let named = match what.split(':').next() {
        Some(family) if family.starts_with("AF_") => family,
        Some("setrlimit") => "getrlimit is refused with EPERM",
        _ => "names cannot be resolved",
    };
    assert!(why.contains(named), "{why}");
}

/// A kernel says so itself that it was made without something; of any other refusal the row tells.
#[rstest]
#[case("refuse@AF_XDP:EAFNOSUPPORT", "errors/unusual[xdp]", true)]
#[case("refuse@AF_VSOCK:EAFNOSUPPORT", "errors/vsock-made*", true)]
#[case("refuse@AF_XDP:EAFNOSUPPORT", "errors/unusual[twice]", false)]
fn what_a_kernel_was_made_without_is_not_here(
    #[case] plant: &str,
    #[case] rows: &str,
    #[case] lacks: bool,
) {
    if !is_linux() || !has_labs() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    sockeye(&["run", "--out", folder, "--plant", plant, rows]);
    let run = reports::runs::read(out.path()).expect("a run");
    assert!(!run.lines.is_empty());
    for line in run.lines {
        assert_eq!(line.is_not_here(), lacks, "{}: {}", line.id, line.outcome);
    }
}

/// Runs a few cases by `sh -c`, `$0` being the program.
fn run_in(shell: &str) -> Option<(BTreeMap<String, usize>, String)> {
    let out = tempfile::tempdir().expect("a folder");
    let script = format!("{shell} run link-state/udp-sendto names/localhost limits --out \"$1\"");
    let arguments = ["-c", &script, SOCKEYE, out.path().to_str().expect("UTF-8")];
    // Whether it is the shell's part that cannot be done here, such as to mount.
    let able = Command::new("sh").args(["-c", shell, "true"]).output().expect("a shell");
    if !able.status.success() {
        eprintln!("skipped: {}", stderr(&able));
        return None;
    }
    let output = Command::new("sh").args(arguments).output().expect("a shell");
    assert!(out.path().join("results.jsonl").exists(), "{}", stderr(&output));
    Some(verdicts(out.path()))
}

/// Where root may mount, the lab has a `/proc` of its own; where nobody may, a sentence says what is
/// missing.
#[rstest]
#[case("mount -t proc -o subset=pid proc /proc", "-m")]
#[case("mount -o bind,ro /proc/sys /proc/sys", "-m")]
#[case("mount -t proc -o subset=pid proc /proc", "-mrpf")]
fn settings_may_be_out_of_sight(#[case] mount: &str, #[case] namespaces: &str) {
    if !is_linux() || !has_labs() {
        return;
    }
    let shell = format!("unshare {namespaces} sh -c '{mount} && exec \"$0\" \"$@\"' \"$0\"");
    let Some((counts, why)) = run_in(&shell) else { return };
    // In a user namespace nobody mounts a proc that shows more than those that are there.
    let may_mount = namespaces == "-m";
    assert_eq!(counts.contains_key("ok"), may_mount, "{counts:?} {why}");
    assert_eq!(why.contains("no proc can be mounted"), !may_mount, "{counts:?} {why}");
}

#[rstest]
#[case(40, false)]
#[case(80, true)]
#[case(300, true)]
fn few_descriptors_are_no_outcome(#[case] most: u32, #[case] runs: bool) {
    if !is_linux() || !has_labs() {
        return;
    }
    let Some((counts, why)) = run_in(&format!("ulimit -n {most}; exec \"$0\"")) else { return };
    assert_eq!(counts.contains_key("ok"), runs, "{counts:?} {why}");
    // Where an executor has enough of them, a case may still ask for more than it may have.
    let observed = "these rows were observed under 1024 or more";
    assert_eq!(why.contains(observed), runs, "{why}");
    assert!(why.contains(&format!("RLIMIT_NOFILE is {most}")), "{why}");
}

/// Without the right to capture, root is taken for anybody: in a user namespace it has it.
#[test]
fn root_without_a_capability_has_a_namespace() {
    if !is_linux() || !has_labs() {
        return;
    }
    let without = "setpriv --bounding-set -net_raw --inh-caps -net_raw";
    let Some((counts, why)) = run_in(&format!("{without} \"$0\"")) else { return };
    assert!(counts.contains_key("ok"), "{counts:?} {why}");
}

/// The first line of an executor has what limits it, which doctor reads.
#[test]
fn doctor_names_what_mends_it() {
    if !is_linux() || !has_labs() {
        return;
    }
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 50; exec \"$0\" doctor", SOCKEYE])
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("RLIMIT_NOFILE is 50") && said.contains("mend: ulimit -n 1024"),
        "{said}"
    );
    // A word that is no errno plants nothing, and says so.
    let output = sockeye(&["exec", "--plant", "refuse@AF_INET6:EFOO"]);
    assert!(!output.status.success() && stderr(&output).contains("EFOO"), "{output:?}");
    let output = sockeye(&["exec", "--plant", "refuse@AF_INET6"]);
    let hello: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let limit = &hello["hello"]["kernel"]["limits"][0];
    assert!(
        limit["why"].as_str().is_some_and(|why| why.starts_with("AF_INET6 sockets")),
        "{hello}"
    );
    assert!(limit["mend"].as_str().is_some_and(|mend| !mend.is_empty()), "{hello}");
}
