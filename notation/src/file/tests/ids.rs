//! Ids whose parts stand in another order than that of the rows, with words that are no part of them; memberships.

use harness::case::Hex;
use harness::case::op::Value;

use super::*;

pub(super) const IDS: &str = "case ids[how,net]
# {how} by {meant}
for net in first, second
for how in a, b
if net=first: let meant = link0
if net=second: let meant = link1
let at = [own(meant,v6)]
if how=a: let group = IPPROTO_IP, IP_ADD_MEMBERSHIP
if how=b: let group = IPPROTO_IP, IP_DROP_MEMBERSHIP
tap link0
tap link1
socket(AF_INET6, SOCK_DGRAM, 0) = s
setsockopt(s, group, {imr_multiaddr=239.1.2.3, imr_ifindex=if_nametoindex(\"lo\")})
bind(s, {AF_INET6 at:9})
";

/// The first list is the slowest, whatever ids say; a word of `let` is no part of them, and of a call any part.
#[test]
fn brackets_are_the_order_of_an_id() {
    let rows = cases(IDS);
    let ids: Vec<&str> = rows.iter().map(|one| &*one.case.id).collect();
    let ordered = ["[a,first]", "[b,first]", "[a,second]", "[b,second]"];
    assert_eq!(ids, ordered.map(|row| format!("mine/ids{row}")));
    assert_eq!(rows[3].case.title, "b by link1");
    let said: Vec<String> = rows.iter().map(|one| format!("{:?}", one.case.ops)).collect();
    let has = |at: usize, words: [&str; 2]| words.iter().all(|word| said[at].contains(word));
    assert!(has(0, ["link0", "IP_ADD_MEMBERSHIP"]), "{said:?}");
    assert!(has(3, ["link1", "IP_DROP_MEMBERSHIP"]), "{said:?}");
    assert!(!said[3].contains("link0") && !said[0].contains("IP_DROP"), "{said:?}");
}

#[rstest]
#[case("case c[a,b]\nfor a in x\nfor d in y\n", "a,b]", "each of a, d stands once")]
#[case("case c[a]\nfor a in x\nfor d in y\n", "a]", "each of a, d stands once")]
#[case("case c[a,a]\nfor a in x\nfor d in y\n", "a,a]", "each of a, d stands once")]
#[case("case c[a,b]\nfor a in x\nlet b = y\n", "a,b]", "each of a stands once")]
fn brackets_have_each_parameter_once(#[case] text: &str, #[case] at: &str, #[case] says: &str) {
    let told = wrong(&format!("{text}socket(AF_INET, SOCK_DGRAM, 0) = s\n"));
    assert!(told[0].0 == at && told[0].1.contains(says), "{text}: {told:?}");
}

/// Without parameters brackets are a part of the name, as in what `show --as case` prints.
#[test]
fn brackets_of_a_case_without_parameters_are_its_row() {
    let rows = cases("case c[x,y]\nlet z = AF_INET\nsocket(z, SOCK_DGRAM, 0) = s\n");
    assert_eq!(rows[0].case.id, "mine/c[x,y]");
}

/// A membership by an address is `struct ip_mreq`, and by the bytes of an index one on a link that there is not.
#[rstest]
#[case("{imr_multiaddr=239.1.2.3, imr_interface=192.0.2.1}", "ef010203c0000201")]
#[case("{imr_multiaddr=239.1.2.3, imr_ifindex=0x7f7f7f7f}", "ef010203000000007f7f7f7f")]
#[case(
    "{ipv6mr_multiaddr=ff02::1, ipv6mr_interface=0x7f7f7f7f}",
    "ff0200000000000000000000000000017f7f7f7f"
)]
fn a_membership_is_told_by_its_fields(#[case] text: &str, #[case] bytes: &str) {
    let said = |value: &str| {
        format!(
            "socket(AF_INET, SOCK_DGRAM, 0) = s\nsetsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, {value})\n"
        )
    };
    let value = |text: &str| match &cases(&said(text))[0].case.ops[1] {
        Op::Setsockopt { value, .. } => value.clone(),
        other => panic!("{other:?}"),
    };
    assert!(matches!(value(text), Value::Bytes(Hex(_))));
    assert_eq!(value(text), value(&format!("0x{bytes}")));
    for wrong in ["0x7f7f", "link0", "fe80::1"] {
        let Some((before, _)) = text.rsplit_once('=') else { panic!("fields") };
        assert!(read("mine", &said(&format!("{before}={wrong}}}"))).is_err(), "{wrong}");
    }
}
