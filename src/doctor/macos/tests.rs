use harness::case::Hex;
use harness::trace::{LinkFact, Out};
use harness::wire::{Mac, build};

use super::*;

fn trace(frames: &[Vec<u8>], errno: Option<&'static str>) -> Trace {
    let did = Did::Returned { ret: 0, errno: errno.map(Into::into), out: Out::Nothing };
    let mut events = vec![Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did }];
    events.extend(frames.iter().map(|bytes| {
        let (link, dir, bytes) = (LINK.to_owned(), Direction::Out, Hex(bytes.clone()));
        Event::Frame { op: 0, at_ns: 0, link, dir, bytes }
    }));
    let (name, kind, mac) = (LINK.to_owned(), Some(LinkKind::Tap), Hex(vec![]));
    let links = vec![LinkFact { name, index: 9, kind, mac, unseen: false }];
    Trace::new("", links, events, End::Done)
}

fn datagram() -> Vec<u8> {
    let link = build::Link::Ethernet { src: Mac([2, 0, 0, 0, 0, 1]), dst: Mac([2, 0, 0, 0, 0, 2]) };
    let (src, dst) = ("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:9".parse().unwrap());
    build::udp(link, src, dst, 64, b"x").unwrap()
}

#[test]
fn one_datagram_is_right_and_all_else_is_said() {
    assert_eq!(not_once(&trace(&[datagram()], None), LINK), None);
    let said = |frames: &[Vec<u8>], errno| not_once(&trace(frames, errno), LINK).unwrap();
    assert_eq!(said(&[], None), "0 frames were seen");
    assert_eq!(said(&[datagram(), datagram()], None), "2 frames were seen");
    assert_eq!(said(&[], Some("ENETDOWN")), "a call failed: ENETDOWN");
    let asked =
        build::arp_request(Mac([2, 0, 0, 0, 0, 1]), [192, 0, 2, 1].into(), [192, 0, 2, 2].into());
    assert!(said(&[asked, datagram()], None).contains("asked for"));
    let mut blind = trace(&[datagram()], None);
    blind.links[0].unseen = true;
    assert!(not_once(&blind, LINK).is_some());
    let skipped = Trace { end: End::skipped("no root".to_owned()), ..trace(&[], None) };
    assert_eq!(not_once(&skipped, LINK).as_deref(), Some("no root"));
}

#[test]
fn a_mac_without_root_or_with_a_filter_hears_of_it() {
    let hello = r#"{"system":"Darwin","release":"24.3.0","version":"","machine":"","euid":501,
        "product":{"version":"15.3.1","build":"24D70","content_filter":true}}"#;
    let mut kernel: Fingerprint = serde_json::from_str(hello).unwrap();
    assert!(root(&kernel).missing.is_some() && content_filter(&kernel).missing.is_some());
    kernel.euid = 0;
    kernel.product.as_mut().unwrap().content_filter = Some(false);
    assert!(root(&kernel).missing.is_none() && content_filter(&kernel).missing.is_none());
}
