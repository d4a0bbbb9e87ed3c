use rstest::rstest;

use super::*;

#[rstest]
#[case("ro quiet ipv6.disable=1 mitigations=auto,nosmt", "")]
#[case("console=ttyS0,115200 panic=-1 net.ifnames=0 isolcpus=2-5,7", "")]
#[case("sysctl.net.core.rmem_max=8388608 sysctl.net.core.default_qdisc=fq", "")]
#[case("BOOT_IMAGE=/vmlinuz root=UUID=6f9619ff-8b86-d011 ro", "\u{2026} ro")]
#[case("ks=https://jq:secret@ks.example/a token=s3cr3t quiet", "\u{2026} quiet")]
#[case("rd.luks.key=/k:LABEL=x BOOTIF=01-00-11-22-33-44-55", "\u{2026}")]
#[case("quiet jqpublic ipv6.disable=jqpublic", "quiet \u{2026}")]
#[case("sysctl.net.ipv4.tcp_fastopen_key=00112233-44556677", "\u{2026}")]
#[case("sysctl.net.ipv4.conf.jqpublic0.rp_filter=1 mem=2G", "\u{2026} mem=2G")]
#[case("console=jqpublic0 tun.jqpublic=1", "\u{2026}")]
#[case("panic=12345678901", "\u{2026}")]
fn a_command_line_is_what_matters_to_sockets(#[case] line: &str, #[case] becomes: &str) {
    let told = command_line(line);
    assert_eq!(told, if becomes.is_empty() { line } else { becomes });
    assert_eq!(command_line(&told), told, "twice");
}

#[rstest]
#[case("[    5.140900] NET: Registered protocol family 10", "")]
#[case("[   12.000001] IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready", "")]
#[case(
    "[   12.5] TCP: request_sock_TCP: Possible SYN flooding on port 12345. Sending cookies.",
    ""
)]
#[case("[   12.5] device tun0 entered promiscuous mode", "")]
#[case("2025-02-01 10:00:00.123456+0100 kernel[0]: CFIL: sosend() failed 50", "")]
#[case(
    "[   12.5] IPv6: enx001122334455: link becomes ready",
    "[   12.5] IPv6: \u{2026} link becomes ready"
)]
#[case(
    "[   12.5] TCP: peer 0011.2233.4455 jq@planted.example 0a000001",
    "[   12.5] TCP: peer \u{2026}"
)]
#[case("[   12.5] usb 1-1: SerialNumber: 0011AABB", "[   12.5] \u{2026}")]
#[case("[   12.5] wlp3s0: associated with PlantedNet", "[   12.5] wlp3s0: \u{2026} with \u{2026}")]
#[case(
    "[   12.5] martian source 10.0.0.1 from ip-10-0-0-2, on dev jqpublic0",
    "[   12.5] martian source \u{2026} from \u{2026} on \u{2026}"
)]
#[case("[   12.5] IPv4: :3344 ddee:ff01 12345678 %6a%71", "[   12.5] IPv4: \u{2026}")]
#[case(
    "2025-02-01 10:00:00 planted-mac kernel[0]: necp: drop",
    "2025-02-01 10:00:00 \u{2026} kernel[0]: necp: drop"
)]
#[case("jqpublic was here", "\u{2026}")]
#[case("", "")]
fn a_log_is_what_it_says_of_networks(#[case] line: &str, #[case] becomes: &str) {
    let told = log_line(line);
    assert_eq!(told, if becomes.is_empty() { line } else { becomes });
    assert_eq!(log_line(&told), told, "twice");
}

#[rstest]
#[case("lo", true)]
#[case("eth0", true)]
#[case("utun12", true)]
#[case("ens3", true)]
#[case("enp0s31f6", true)]
#[case("wlp3s0", true)]
#[case("enp1s0f0np0", true)]
#[case("enx001122334455", false)]
#[case("jqpublic0", false)]
#[case("veth1a2b3c4", false)]
#[case("br-0a1b2c3d4e5f", false)]
#[case("enjqpublic", false)]
#[case("wlx001122334455", false)]
#[case("eth123456", false)]
#[case("", false)]
fn an_interface_is_a_kind_and_a_number(#[case] name: &str, #[case] told: bool) {
    assert_eq!(is_interface(name), told);
}

#[rstest]
#[case("v0.1.0-7-g0123456", true)]
#[case("v0.1.0-7-g0123456-dirty", true)]
#[case("0123456789abcdef", true)]
#[case("0.3.1", true)]
#[case("jqpublic/fix", false)]
#[case("v0.1-jqpublic-7-g0123456", false)]
#[case("g0123456", false)]
#[case("", false)]
fn a_revision_is_no_name(#[case] text: &str, #[case] told: bool) {
    assert_eq!(revision(text), told.then_some(text));
}

#[rstest]
#[case("/proc/self/ns/net: EPERM", "")]
#[case("a route to 192.0.2.0/24 and/or one", "")]
#[case("see https://example.org/a", "")]
#[case("/data/jqpublic/sockeye: no such file", "/\u{2026}: no such file")]
#[case("cannot open \"/srv/x/y\" (/mnt/z).", "cannot open \"/\u{2026}\" (/\u{2026}).")]
#[case("at /tmp/sockeye-1/console.", "at /\u{2026}.")]
fn a_reason_has_no_path_of_the_users(#[case] text: &str, #[case] becomes: &str) {
    let told = reason(text);
    assert_eq!(told, if becomes.is_empty() { text } else { becomes });
    assert_eq!(reason(&told), told, "twice");
}

#[rstest]
#[case("4096\t131072\t6291456", true)]
#[case("fq_codel", true)]
#[case("32768 60999", true)]
#[case("-1", true)]
#[case("jqpublic", false)]
#[case("00112233-4455aabb", false)]
fn a_setting_is_numbers_and_plain_words(#[case] value: &str, #[case] told: bool) {
    assert_eq!(is_setting(value), told);
}
