use rstest::rstest;

use super::*;

fn fits(wanted: &str, ways: &[&str], many: bool) -> bool {
    let others = ways[1..].iter().map(|way| (*way).to_owned());
    let of = [Wanted { on: None, says: wanted.to_owned() }];
    Came::new(ways[0], others, many).is_met(&of, Os::Linux)
}

#[rstest]
#[case("6", "6", true)]
#[case("6", "6, \"hello\"", true)]
#[case("6", "64", false)]
#[case("6, \"hello\"", "6, \"hello\"", true)]
#[case("6, \"hell\"", "6, \"hello\"", false)]
#[case("-1 EAGAIN", "-1 EAGAIN", true)]
#[case("-1 EAGAIN", "-1 EINVAL", false)]
#[case("-1", "-1 EINVAL", true)]
#[case("-1", "1", false)]
#[case("success", "0", true)]
#[case("success", "s", true)]
#[case("success", "-1 EINVAL", false)]
#[case("success", "? unsupported here: AF_INET", false)]
#[case("? unsupported here: AF_INET", "? unsupported here: AF_INET", true)]
#[case("0", "? unsupported here: AF_INET", false)]
fn a_result_is_one_or_not(#[case] wanted: &str, #[case] said: &str, #[case] met: bool) {
    let of = |on| [Wanted { on, says: wanted.to_owned() }];
    let came = Came::new(said, [], false);
    assert_eq!(came.is_met(&of(None), Os::Linux), met);
    assert_eq!(came.is_met(&of(Some(Os::Linux)), Os::Linux), met);
    assert!(came.is_met(&of(Some(Os::Macos)), Os::Linux), "nothing is asked here");
}

#[test]
fn what_is_said_of_a_system_is_said_of_no_other() {
    let of = |on, says: &str| Wanted { on, says: says.to_owned() };
    let both = [of(Some(Os::Linux), "-1 EINVAL"), of(None, "0")];
    let met = |said, os| Came::new(said, [], false).is_met(&both, os);
    assert!(!met("0", Os::Linux) && met("-1 EINVAL", Os::Linux));
    assert!(met("0", Os::Macos) && !met("-1 EINVAL", Os::Macos));
}

#[rstest]
#[case("2, [{1}, {2}]", true)]
#[case("2, [{1, \"x\"}, {\"y,}\"}]", true)]
#[case("2, [{}, {msg_flags=MSG_TRUNC}]", true)]
#[case("2, [{msg_flags=0}, {}]", true)]
#[case("2, [{}, {msg_flags=0}]", false)]
#[case("2, [{1, {AF_INET own(link0):9}}, {2, msg_control=[{SOL_IP, IP_TTL, 9}]}]", true)]
#[case("2, [{1, \"y\"}, {2}]", false)]
#[case("2, [{\"x\", 1}, {2}]", false)]
#[case("2, [{1}]", false)]
#[case("1, [{1}, {2}]", false)]
#[case("2, [{1, msg_flags=MSG_TRUNC}, {2}]", false)]
#[case("2, [{1}, {2}, {}]", false)]
fn of_each_message_something_is_asked(#[case] wanted: &str, #[case] met: bool) {
    let said = "2, [{1, \"x\", {AF_INET own(link0):9}}, \
                {2, \"y,}\", msg_flags=MSG_TRUNC, msg_control=[{SOL_IP, IP_TTL, 9}]}]";
    assert_eq!(fits(wanted, &[said], true), met);
}

const MESSAGE: &str = "1, \"x\", {AF_INET 127.0.0.1:eph1}, msg_flags=MSG_CTRUNC|MSG_TRUNC, \
    msg_control=[{IPPROTO_IP, IP_TTL, 64}, {IPPROTO_IP, IP_TOS, 0}]";

/// All of it but the number was asked by whoever asked one thing.
#[rstest]
#[case("1", true)]
#[case("1, \"x\"", true)]
#[case("1, \"y\"", false)]
#[case("2, \"x\"", false)]
#[case("1, {AF_INET 127.0.0.1:eph1}", true)]
#[case("1, {AF_INET 127.0.0.2:eph1}", false)]
#[case("1, {AF_INET 127.0.0.1:eph1}, \"x\"", false)]
#[case("1, msg_flags=MSG_TRUNC|MSG_CTRUNC", true)]
#[case("1, msg_flags=MSG_TRUNC", false)]
#[case("1, msg_flags=0", false)]
#[case("1, msg_control=[{IPPROTO_IP, IP_TTL, 64}]", true)]
#[case("1, msg_control=[{IPPROTO_IP, IP_TOS, 0}], msg_flags=MSG_CTRUNC|MSG_TRUNC", true)]
#[case("1, msg_control=[{IPPROTO_IP, IP_TOS}]", true)]
#[case("1, msg_control=[{IPPROTO_IP, IP_TTL, 63}]", false)]
#[case("1, msg_control=[{IPPROTO_IP, IP_TOS, 0}, {IPPROTO_IP, IP_TTL, 64}]", false)]
#[case("1, msg_control=[]", false)]
fn each_part_is_asked_by_itself(#[case] wanted: &str, #[case] met: bool) {
    assert_eq!(fits(wanted, &[MESSAGE], false), met);
}

#[test]
fn a_whole_result_is_met_and_nothing_can_be_asked_for() {
    assert!(fits(MESSAGE, &[MESSAGE], false));
    assert!(fits("1, \"x\", msg_flags=0, msg_control=[]", &["1, \"x\""], false));
    assert!(!fits("1, msg_flags=MSG_EOR", &["1, \"x\""], false));
    assert!(!fits("1, \"x\"", &["1"], false));
}

const CLOSED: &str = "0, {tcpi_state=TCP_CLOSE, tcpi_options=0}";
const CLOCKED: &str = "0, {tcpi_state=TCP_CLOSE, tcpi_options=0, tcpi_rtt=250, tcpi_snd_cwnd=10}";

#[rstest]
#[case("0, {tcpi_state=TCP_CLOSE}", true)]
#[case("0, {tcpi_options=0, tcpi_state=TCP_CLOSE}", true)]
#[case("0, {tcpi_state=TCP_LISTEN}", false)]
#[case("0, {tcpi_snd_cwnd=10, tcpi_state=TCP_CLOSE}", true)]
#[case("0, {tcpi_snd_cwnd=11}", false)]
#[case("0, {tcpi_rtt=1..1000}", true)]
#[case("0, {tcpi_rtt=>250}", false)]
#[case("0, {tcpi_rtt=>=250}", true)]
#[case("0, {tcpi_rtt=<250}", false)]
#[case("0, {tcpi_rtt=<=250}", true)]
#[case("0, {tcpi_nothing=0}", false)]
fn a_field_is_asked_by_itself_clock_or_not(#[case] wanted: &str, #[case] met: bool) {
    assert_eq!(fits(wanted, &[CLOSED, CLOCKED], false), met);
}

#[rstest]
#[case("0, {AF_INET 127.0.0.1:45000}", true)]
#[case("0, {AF_INET 127.0.0.1:45001}", false)]
#[case("0, {AF_INET 127.0.0.1:45000..45999}", true)]
#[case("0, {AF_INET 127.0.0.2:45000..45999}", false)]
#[case("0, {AF_INET 127.0.0.1:eph1}", true)]
#[case("0, {AF_INET 127.0.0.1:eph2}", false)]
fn a_port_is_asked_by_its_number(#[case] wanted: &str, #[case] met: bool) {
    let ways = ["0, {AF_INET 127.0.0.1:eph1}", "0, {AF_INET 127.0.0.1:45000}"];
    assert_eq!(fits(wanted, &ways, false), met);
}

#[rstest]
#[case("0, 0x409c509c", true)]
#[case("0, 0x409C509C", true)]
#[case("0, 0x9c509c40", false)]
#[case("0, -1672438720", true)]
fn an_option_is_asked_in_bytes(#[case] wanted: &str, #[case] met: bool) {
    let ways = ["0, -1672438720", "0, -1672438720", "0, 0x409c509c"];
    assert_eq!(fits(wanted, &ways, false), met);
}

#[rstest]
#[case("1..8", "6", true)]
#[case("1..8, \"hello\\0\"", "6, \"hello\\0\"", true)]
#[case("7..8", "6", false)]
#[case(">=0", "-1 EAGAIN", false)]
#[case("0, 0x1", "0, 1", true)]
#[case("1, [{a, POLLIN}]", "1, [{a, POLLIN}]", true)]
#[case("1, [{a}]", "1, [{a, POLLIN}]", true)]
#[case("2, [{a, POLLIN}]", "2, [{a, POLLIN}, {b, POLLIN}]", false)]
#[case("2, out [a]", "2, in [b], out [a]", true)]
#[case("2, out [b]", "2, in [b], out [a]", false)]
#[case("0, \"80\"", "0, \"x\", \"80\"", false)]
fn numbers_and_lists(#[case] wanted: &str, #[case] said: &str, #[case] met: bool) {
    assert_eq!(fits(wanted, &[said], false), met);
}

#[test]
fn what_came_is_shown_as_it_was_asked_for() {
    let told = |wanted: &str, ways: &[&str]| {
        let of = [Wanted { on: None, says: wanted.to_owned() }];
        let others = ways[1..].iter().map(|way| (*way).to_owned());
        Came::new(ways[0], others, false).told_to(&of, Os::Linux)
    };
    let all = [CLOSED, CLOCKED];
    assert_eq!(told("0, {tcpi_state=TCP_LISTEN}", &all), CLOSED);
    let more = "0, {tcpi_state=TCP_CLOSE, tcpi_options=0, tcpi_snd_cwnd=10}";
    assert_eq!(told("0, {tcpi_snd_cwnd=11}", &all), more);
    let ports = ["0, {AF_INET 127.0.0.1:eph1}", "0, {AF_INET 127.0.0.1:45000}"];
    assert_eq!(told("0, {AF_INET 127.0.0.1:9}", &ports), ports[1]);
    assert_eq!(told("0, {AF_INET 127.0.0.1:eph2}", &ports), ports[0]);
    let bytes = ["0, 5", "0, 5", "0, 0x05000000"];
    assert_eq!(told("0, 0x06000000", &bytes), bytes[2]);
    assert_eq!(told("0, 6", &bytes), bytes[0]);
}
