use std::net::Ipv6Addr;

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::*;
use crate::case::addr::Addr;
use crate::case::addr::{Range, Role};
use crate::case::{Flags, Lab, LinkKind};
use crate::darwin::down::StandIn;
use crate::trace::LinkFact;

/// A lab without root, for whose link loopback stands.
struct Standing(Lab, Vec<LinkFact>, StandIn);

impl Network for Standing {
    fn spec(&self) -> &Lab {
        &self.0
    }
    fn files(&self) -> Option<Arc<OwnedFd>> {
        None
    }
    fn facts(&self) -> &[LinkFact] {
        &self.1
    }
    fn stand_in(&self) -> Option<&StandIn> {
        Some(&self.2)
    }
    fn step(&mut self, _: &LabOp) -> Result<(), String> {
        Ok(())
    }
    fn drain(&mut self, _: &mut dyn FnMut(&str, Direction, &[u8])) {}
    fn restore(&mut self, _: bool) -> Result<bool, String> {
        Ok(false)
    }
}

/// A runner of the case, before its first step.
pub(in crate::exec) fn runner<'c>(case: &'c Case, lab: &'c mut dyn Network) -> Runner<'c> {
    Runner {
        case,
        lab,
        sockets: Vec::new(),
        streams: false,
        heard: false,
        events: Vec::new(),
        start: Instant::now(),
        pace: Pace::of(case),
        room: Vec::new(),
        blocking: Blocking::of(case),
        plant: None,
        threads: Threads::default(),
        received: Vec::new(),
        far: FarEnds::default(),
        beside: Out::Nothing,
        links: Vec::new(),
        ran: None,
    }
}

#[test]
fn calls_have_the_hosts_own_address_and_the_trace_has_the_plans() {
    let fd = || "s".to_owned();
    let own = Addr::on("tap0", Role::Own, Range::Ll, 0);
    let (domain, r#type) = ("AF_INET6".into(), Flags::of(&["SOCK_DGRAM"]));
    let case = Case::new(
        "s/t",
        String::new(),
        Lab::one(LinkKind::Tap, "tap0"),
        vec![
            Op::Socket { fd: fd(), domain, r#type, protocol: Flags::NONE },
            Op::Bind { fd: fd(), addr: own },
            Op::Getsockname { fd: fd() },
            Op::Close { fd: fd() },
        ],
    );
    let (name, kind, mac) = ("tap0".to_owned(), Some(LinkKind::Tap), Hex(Vec::new()));
    let fact = LinkFact { name, index: 1, kind, mac, unseen: true };
    let stand_in = StandIn::new(("lo".to_owned(), vec![Ipv6Addr::LOCALHOST]));
    let mut lab = Standing(case.lab.clone(), vec![fact], stand_in);
    let mut runner = runner(&case, &mut lab);
    let end = runner.steps();
    signals::disarm();
    assert_eq!(end, End::Done);
    let [_, Event::Call { addr: Some(given), did: bound, .. }, Event::Call { did: named, .. }, _] =
        &runner.events[..]
    else {
        panic!("{:?}", runner.events)
    };
    let planned: IpAddr = "fe80::1".parse().expect("an address");
    assert_eq!(given.ip(), Some(planned));
    // Where there is no IPv6, bind has failed: fe80::1 itself would have failed everywhere.
    if let Did::Returned { ret: 0, .. } = bound {
        let Did::Returned { out: Out::Addr(name), .. } = named else { panic!("{named:?}") };
        assert_eq!(name.ip(), Some(planned));
    }
}
