//! A case: a short program of socket calls, as data.
//!
//! Because it is data, it can be printed like strace, written as C, sent to another machine,
//! generated at random and shrunk. It holds for every system: sockets and links go by name,
//! addresses by their part in the lab, constants by their C names.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod about;
mod absent;
pub mod addr;
mod arg;
pub mod blocking;
mod check;
pub mod control;
pub mod far;
mod headers;
mod hex;
pub mod intent;
mod known;
pub mod lab;
pub mod names;
pub mod netlink;
mod numbers;
pub mod op;
pub mod packet;
pub mod payload;
pub mod process;
pub mod raw;
mod said;
mod serving;
mod speaks;
mod sym;
pub mod sysctl;
mod threads;
mod timers;
pub mod unix;
pub mod vsock;
mod waits;
pub mod words;

pub use headers::{NOT_ON_LINUX, NOT_ON_MACOS};
pub use hex::Hex;
pub use known::KNOWN;
pub use lab::{Lab, LabOp, Link, LinkKind, ServerStep, Service};
pub use names::NameServer;
pub use numbers::{number, numbers};
pub use op::{Name, Op};
pub use payload::Payload;
pub use speaks::Speaks;
pub use sym::{Flags, Os, Sym, is_known, plain, written};
pub use threads::Threads;

pub use check::MOST_BYTES;
pub(crate) use check::{is_fanout, is_of_links};
use check::{links, sockets};
use intent::Family;

/// One question put to a kernel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// `suite/table[parameter,…]`: stable, unique, and what patterns match.
    pub id: String,
    /// The question, as one sentence.
    pub title: String,
    /// Which rows of the catalogue of behaviours it covers, such as `LINK-01`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catalogue: Vec<String>,
    /// The network that it needs.
    #[serde(default)]
    pub lab: Lab,
    /// What is done, in order.
    pub ops: Vec<Op>,
    /// How long after the last step frames are still taken down, in milliseconds. Zero, since the
    /// far ends see a frame before the call that sent it returns, unless the case waits for a timer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub window_ms: u32,
    /// Which of the steps are calls of other threads than the first.
    #[serde(default, skip_serializing_if = "Threads::is_empty")]
    pub threads: Threads,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Case {
    /// A case of one thread that waits for nothing behind its last step and covers no row of the catalogue.
    pub fn new(id: impl Into<String>, title: impl Into<String>, lab: Lab, ops: Vec<Op>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            catalogue: Vec::new(),
            lab,
            ops,
            window_ms: 0,
            threads: Threads::NONE,
        }
    }

    /// The suite's name: the id up to the slash.
    pub fn suite(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// The table's name with its suite: the id up to the bracket.
    pub fn table(&self) -> &str {
        self.id.split('[').next().unwrap_or_default()
    }

    /// The family of the socket called `fd`, if it is one of IP.
    pub fn family(&self, fd: &str) -> Option<Family> {
        self.domain(fd).and_then(Family::of)
    }

    /// The domain of the socket called `fd`, from the `socket` call that made it or its listener.
    pub(crate) fn domain(&self, fd: &str) -> Option<&str> {
        // From the last step back, so that an accepted socket leads to an earlier listener only.
        let mut wanted = fd;
        self.ops.iter().rev().find_map(|op| match op {
            Op::Socket { fd, domain, .. } if fd == wanted => Some(domain.plain()),
            Op::Accept { fd, new } | Op::Accept4 { fd, new, .. } | Op::Dup { fd, new }
                if new == wanted =>
            {
                wanted = fd;
                None
            }
            _ => None,
        })
    }

    /// Whether a program of the user's runs in it, whose ports and payloads the case does not know.
    pub fn runs_a_program(&self) -> bool {
        self.ops.iter().any(|op| matches!(op, Op::Run { .. }))
    }

    /// Whether a call of it looks at the files by which names are resolved.
    pub fn resolves(&self) -> bool {
        let resolves = |op: &Op| matches!(op, Op::Getaddrinfo { .. } | Op::Getnameinfo { .. });
        self.ops.iter().any(resolves)
    }

    /// Whether it names a group or a broadcast address: what goes there the host may hear itself,
    /// and answer, whether it leaves by a link or not.
    pub fn names_a_group(&self) -> bool {
        let given = self.ops.iter().flat_map(Op::addrs);
        given.filter_map(|addr| self.lab.ip(&addr.host)).any(|ip| match ip.to_canonical() {
            // A directed broadcast of the networks of the address plan, or the limited one.
            IpAddr::V4(ip) => ip.is_multicast() || ip.octets()[3] == 255,
            IpAddr::V6(ip) => ip.is_multicast(),
        })
    }

    /// Whether a far end of it speaks a protocol.
    pub fn is_served(&self) -> bool {
        self.lab
            .setup
            .iter()
            .any(|step| matches!(step, LabOp::Serve { service, .. } if service.speaks.is_some()))
    }

    /// What is wrong with the case itself, as one sentence: a name that no system has, a link
    /// that the lab lacks, text that is not bytes.
    ///
    /// A case may come from a stranger, and its names go into C and into commands: nothing is let in
    /// there that is no name.
    pub fn check(&self) -> Result<(), String> {
        words::check(self)?;
        if let Some(link) = self.lab.links.iter().find(|link| !check::is_link(&link.name)) {
            return Err(format!("{:?} is no name of a link", link.name));
        }
        let mut steps = self.lab.setup.iter().chain(self.ops.iter().filter_map(|op| match op {
            Op::Lab { step } => Some(step),
            _ => None,
        }));
        steps.try_for_each(|step| self.check_step(step))?;
        if self.ops.iter().any(|op| matches!(op, Op::Lab { step } if step.is_setup())) {
            return Err("servers and files are part of the lab, and stand in its setup".to_owned());
        }
        if let Some(step) = self.lab.setup.iter().find(|step| step.is_of_a_case()) {
            return Err(format!("{step}: it is a step of the case, and none of its lab"));
        }
        self.check_ports()?;
        self.check_threads()?;
        self.ops.iter().try_for_each(|op| self.check_op(op))?;
        check::has_an_end(self)
    }

    fn check_link(&self, link: &str) -> Result<(), String> {
        if link == "lo" || self.lab.number(link).is_some() {
            Ok(())
        } else {
            Err(format!("the lab has no link {link:?}"))
        }
    }

    fn check_step(&self, step: &LabOp) -> Result<(), String> {
        words::check_step(self, step)?;
        match step {
            LabOp::LinkUp { link }
            | LabOp::LinkDown { link }
            | LabOp::LinkDelete { link }
            | LabOp::Mtu { link, .. }
            | LabOp::AddressAdd { link, .. }
            | LabOp::AddressDelete { link, .. }
            | LabOp::RetransTime { link, .. }
            | LabOp::Inject { link, .. } => self.check_link(link),
            LabOp::Say { link, frame } => self.check_frame(link, frame),
            LabOp::RouteAdd { link, .. } => link.iter().try_for_each(|l| self.check_link(l)),
            LabOp::Wait { until, .. } => until.iter().try_for_each(|l| self.check_link(l)),
            LabOp::Serve { link, service } => self.check_service(link, service),
            LabOp::NameServer { link, server } => self.check_name_server(link, server),
            LabOp::Hosts { .. } | LabOp::Sysctl { .. } | LabOp::ReadOnly {} => Ok(()),
            LabOp::Resume { link, port } => {
                let serves = |step: &LabOp| matches!(step, LabOp::Serve { link: l, service } if l == link && service.port == *port);
                if self.lab.setup.iter().any(serves) {
                    Ok(())
                } else {
                    Err(format!("{link} serves no port {port}"))
                }
            }
        }
    }

    fn check_op(&self, op: &Op) -> Result<(), String> {
        words::check_op(op)?;
        if let Some(socket) = sockets(op).find(|name| !check::is_socket(name)) {
            return Err(format!("{}: {socket:?} is no name of a socket", op.call()));
        }
        links(op).into_iter().try_for_each(|link| self.check_link(link))?;
        let names = check::names(op);
        words::check_names(op, &names)?;
        for name in names {
            if !is_known(name) {
                return Err(format!("{}: {name:?} is no name of the sockets API", op.call()));
            }
        }
        check::request(op)?;
        check::whole(op)?;
        process::mask(op)?;
        raw::check(op)?;
        for payload in op.payloads() {
            match (op, payload) {
                (Op::Sendmsg { .. }, Payload::Parts(_)) => payload.check_parts(op.call())?,
                _ => payload.check(op.call())?,
            }
        }
        if check::room(op) > MOST_BYTES {
            let most = MOST_BYTES;
            return Err(format!("{}: it asks room for more than {most} bytes", op.call()));
        }
        check::controls(op)?;
        if let Op::Connectx { link: Some(link), .. } = op {
            self.check_link(link)?;
        }
        for addr in op.addrs() {
            check::address(op, addr, &self.lab)?;
            if let addr::Scope::Link(link) = &addr.scope {
                self.check_link(link)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;
    use rstest::rstest;

    use super::addr::{Addr, Port, Range, Role, Scope};
    use super::op::{Change, Code, Control, PollFd, Who};
    use super::*;

    mod newer;

    use newer::host;

    fn name() -> impl Strategy<Value = String> {
        "[a-z]{1,3}"
    }

    fn sym() -> impl Strategy<Value = Sym> {
        select(KNOWN).prop_map(Sym::from)
    }

    fn flags() -> impl Strategy<Value = Flags> {
        vec(sym(), 0..3).prop_map(Flags)
    }

    fn who() -> impl Strategy<Value = Who> {
        prop_oneof![Just(Who::Own), any::<u32>().prop_map(Who::Is)]
    }

    fn address() -> impl Strategy<Value = Addr> {
        let port = prop_oneof![any::<u16>().prop_map(Port::Is), name().prop_map(Port::Of)];
        let scope = prop_oneof![
            Just(Scope::Zero),
            name().prop_map(Scope::Link),
            any::<u32>().prop_map(Scope::Id)
        ];
        (host(), port, scope, option::of(sym())).prop_map(|(host, port, scope, family)| Addr {
            host,
            port,
            scope,
            family,
        })
    }

    fn payload() -> impl Strategy<Value = Payload> {
        prop_oneof![
            "[ -\u{ff}]{0,8}".prop_map(Payload::Text),
            (0u32..100).prop_map(Payload::Pattern)
        ]
    }

    fn control() -> impl Strategy<Value = Control> {
        prop_oneof![
            (sym(), option::of(name()), option::of(host()))
                .prop_map(|(level, link, source)| Control::PktInfo { level, link, source }),
            (sym(), sym(), any::<i32>(), any::<u8>()).prop_map(|(level, name, value, width)| {
                Control::Int { level, name, value, width }
            }),
            vec(name(), 0..3).prop_map(|fds| Control::Rights { fds }),
            who().prop_map(|pid| Control::Credentials { pid, uid: Who::Is(7), gid: pid }),
            (sym().prop_map(Code::Name), any::<i32>().prop_map(Code::Number), any::<[u8; 4]>())
                .prop_map(|(level, kind, data)| Control::Bytes {
                    level,
                    kind,
                    data: Hex(data.to_vec())
                }),
        ]
    }

    fn op() -> impl Strategy<Value = Op> {
        let data = || (name(), payload(), flags());
        prop_oneof![
            (name(), sym(), flags(), flags()).prop_map(|(fd, domain, r#type, protocol)| {
                Op::Socket { fd, domain, r#type, protocol }
            }),
            (name(), address()).prop_map(|(fd, addr)| Op::Bind { fd, addr }),
            (name(), address()).prop_map(|(fd, addr)| Op::Connect { fd, addr }),
            data().prop_map(|(fd, data, flags)| Op::Send { fd, data, flags }),
            (data(), address()).prop_map(|((fd, data, flags), addr)| Op::Sendto {
                fd,
                data,
                flags,
                addr
            }),
            (data(), option::of(address()), vec(control(), 0..3)).prop_map(
                |((fd, data, flags), addr, control)| Op::Sendmsg { fd, data, flags, addr, control }
            ),
            (vec((name(), flags()), 0..3), any::<i32>()).prop_map(|(fds, timeout_ms)| {
                let fds = fds.into_iter().map(|(fd, events)| PollFd { fd, events }).collect();
                Op::Poll { fds, timeout_ms }
            }),
            (name(), option::of(name()), option::of(address()), address(), option::of(payload()))
                .prop_map(|(fd, link, source, addr, data)| {
                    let flags = Flags::of(&["CONNECT_DATA_IDEMPOTENT"]);
                    Op::Connectx { fd, link, source, addr, flags, data }
                }),
            (name(), vec(payload(), 0..3), flags(), option::of(address()))
                .prop_map(|(fd, data, flags, addr)| Op::SendmsgX { fd, data, flags, addr }),
            (name(), any::<[u32; 3]>(), flags()).prop_map(
                |(fd, [count, len, control_len], flags)| {
                    Op::RecvmsgX { fd, count, len, control_len, flags }
                }
            ),
            (vec((name(), sym(), flags(), flags(), any::<i32>()), 0..3), any::<i32>()).prop_map(
                |(changes, timeout_ms)| {
                    let change = |(fd, filter, flags, fflags, data)| Change {
                        fd,
                        filter,
                        flags,
                        fflags,
                        data,
                    };
                    Op::Kevent { changes: changes.into_iter().map(change).collect(), timeout_ms }
                }
            ),
            (name(), vec(any::<u8>(), 0..8)).prop_map(|(link, frame)| {
                Op::Lab { step: LabOp::Inject { link, frame: Hex(frame) } }
            }),
            (name(), any::<u32>())
                .prop_map(|(link, mtu)| Op::Lab { step: LabOp::Mtu { link, mtu } }),
            (name(), far::tests::frame())
                .prop_map(|(link, frame)| Op::Lab { step: LabOp::Say { link, frame } }),
        ]
    }

    #[rstest]
    #[case("ff02::1", true)]
    #[case("224.0.0.251", true)]
    #[case("::ffff:224.0.0.251", true)]
    #[case("255.255.255.255", true)]
    #[case("192.0.2.255", true)]
    #[case("192.0.2.2", false)]
    #[case("fe80::2", false)]
    fn groups_and_broadcasts_are_told(#[case] ip: IpAddr, #[case] told: bool) {
        let addr = Addr::ip(ip, 9);
        let ops = vec![Op::Getsockname { fd: "s".into() }, Op::Connect { fd: "s".into(), addr }];
        let (id, title, lab) = (String::new(), String::new(), Lab::one(LinkKind::Tun, "l"));
        let case = Case::new(id, title, lab, ops);
        assert_eq!(case.names_a_group(), told);
    }

    proptest! {
        #[test]
        fn a_case_survives_json_and_back(ops in vec(prop_oneof![op(), newer::op()], 0..8), title in ".*", window_ms: u32) {
            let (id, catalogue, lab) = ("s/t[a]".to_owned(), Vec::new(), Lab::one(LinkKind::Tun, "l"));
            let case = Case { id, title, catalogue, lab, ops, window_ms, threads: Threads::NONE };
            let text = serde_json::to_string(&case).unwrap();
            prop_assert!(!text.contains('\n'), "a case is one line");
            prop_assert_eq!(serde_json::from_str::<Case>(&text).unwrap(), case.clone());
            // Whatever a case says, it is judged without a panic.
            let _ = (case.check(), case.waits_ms(), case.is_idle(), case.family("a"));
        }
    }

    /// What would be code if it went into C as it is: each came in once, from a file.
    #[test]
    fn what_is_no_name_is_not_let_in() {
        const CODE: &str = "AF_INET,0,0);system(\"touch F\");socket(AF_INET";
        let good =
            |ops: Vec<Op>| Case::new("s/t", String::new(), Lab::one(LinkKind::Tap, "tap0"), ops);
        let socket = |fd: &str, domain: &'static str| Op::Socket {
            fd: fd.to_owned(),
            domain: domain.into(),
            r#type: Flags::of(&["SOCK_DGRAM"]),
            protocol: Flags::NONE,
        };
        let send = |fd: &str, addr: Addr| Op::Connect { fd: fd.to_owned(), addr };
        let ll = Addr::on("tap0", Role::Neighbour, Range::Ll, 9);
        let ops = vec![socket("s", "AF_INET6"), send("s", ll.clone())];
        assert_eq!(good(ops).check(), Ok(()));
        let ioctl = |link: &str| {
            let (fd, link) = ("s".to_owned(), Some(link.to_owned()));
            Op::Ioctl { fd, request: "SIOCGIFMTU".into(), link, given: None }
        };
        assert_eq!(good(vec![socket("s", "AF_INET6"), ioctl("tap0")]).check(), Ok(()));
        // A socket that nobody made has no name in C, either.
        let says = good(vec![ioctl("tap0"), socket("s", "AF_INET6")]).check().unwrap_err();
        assert!(says.contains("no step before this one makes a socket \"s\""), "{says}");
        let of = Addr { port: Port::Of("t".to_owned()), ..ll.clone() };
        let says = good(vec![socket("s", "AF_INET6"), send("s", of)]).check().unwrap_err();
        assert!(says.contains("a socket \"t\""), "{says}");
        let family = Addr { family: Some(CODE.into()), ..ll.clone() };
        let port = Addr { port: Port::Of("s);system(\"x\"".to_owned()), ..ll };
        for bad in [
            socket("s", CODE),
            socket("s = 0; system(\"x\"); int t", "AF_INET"),
            socket("", "AF_INET"),
            socket("0s", "AF_INET"),
            send("s", family),
            send("s", port),
            ioctl("eth0"),
        ] {
            assert!(good(vec![bad.clone()]).check().is_err(), "{bad:?}");
        }
        let mut link = good(Vec::new());
        link.lab.links[0].name = "tap0; reboot".to_owned();
        assert!(link.check().is_err());
    }
}
