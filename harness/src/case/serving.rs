//! That the servers of a lab are such as can be: where they listen, what they speak, and no two at one port.

use rustc_hash::FxHashSet;

use super::names::{DNS_PORT, RecordData};
use super::{Case, LabOp, Link, LinkKind, NameServer, ServerStep, Service, words};

impl Case {
    fn link(&self, link: &str) -> Option<&Link> {
        self.lab.links.iter().find(|of| of.name == link)
    }

    fn check_tun(&self, link: &str) -> Result<(), String> {
        match self.link(link).map(|of| of.kind) {
            Some(LinkKind::Tun) => Ok(()),
            Some(LinkKind::Tap) => {
                Err(format!("a server speaks IP alone: {link:?} is a tap, and has to be a tun"))
            }
            None => Err(format!("there is a server on {link:?}, which is no tun of the lab")),
        }
    }

    /// That a name server has addresses and names.
    pub(super) fn check_name_server(&self, link: &str, server: &NameServer) -> Result<(), String> {
        self.check_tun(link)?;
        let link = self.link(link);
        let has = |range| link.is_some_and(|l| l.ranges.contains(range));
        if !server.at.iter().all(has) {
            return Err("the name server has no such address".to_owned());
        }
        let aliases = server.answers.iter().flat_map(|answer| &answer.records);
        let names = aliases.flat_map(|record| {
            let target = match &record.data {
                RecordData::Cname(name) | RecordData::Ptr(name) => Some(name),
                _ => None,
            };
            record.owner.iter().chain(target)
        });
        match names.chain(server.answers.iter().map(|a| &a.name)).find(|n| !words::is_domain(n)) {
            Some(name) => Err(format!("{name:?} is no name of the DNS")),
            None => Ok(()),
        }
    }

    /// That a server listens somewhere, and does what it can.
    pub(super) fn check_service(&self, link: &str, service: &Service) -> Result<(), String> {
        self.check_tun(link)?;
        if service.port == 0 {
            return Err(format!("a server on {link} listens at port 0: ports are 1 to 65535"));
        }
        if service.window == 0 {
            return Err(format!(
                "the server on {link} has a window of 0: nobody could send it anything"
            ));
        }
        check_transport(link, service)?;
        for step in service.script.iter().flat_map(ServerStep::all) {
            if matches!(step, ServerStep::Dial { from: 0, .. } | ServerStep::Dial { to: 0, .. }) {
                return Err(format!("the server on {link} dials from or to port 0"));
            }
            if let ServerStep::Expect { until: bytes } | ServerStep::Send { data: bytes } = step {
                bytes.check("serve")?;
                if bytes.is_empty() {
                    return Err(format!("the server on {link} waits for or sends nothing"));
                }
            }
        }
        Ok(())
    }

    /// That no two servers of a link are at one port of a transport: one of them would never be asked.
    pub(super) fn check_ports(&self) -> Result<(), String> {
        let mut taken = FxHashSet::default();
        for step in &self.lab.setup {
            let (link, udp, port) = match step {
                LabOp::Serve { link, service } => (link, service.udp, service.port),
                LabOp::NameServer { link, .. } => (link, true, DNS_PORT),
                _ => continue,
            };
            if !taken.insert((link, udp, port)) {
                let by = if udp { "UDP" } else { "TCP" };
                let names = if udp && port == DNS_PORT { ", a name server's" } else { "" };
                return Err(format!("{link} has two servers at port {port} of {by}{names}"));
            }
        }
        Ok(())
    }
}

/// That what a server does is something of its transport.
fn check_transport(link: &str, service: &Service) -> Result<(), String> {
    let has_script = !service.script.is_empty();
    if let Some(speaks) = &service.speaks {
        speaks.check()?;
        let (protocol, port) = (&speaks.protocol, service.port);
        if has_script {
            return Err(format!(
                "the server on {link} speaks {protocol:?}, and has a script of steps beside it"
            ));
        }
        if speaks.is_of_datagrams() && !service.udp {
            return Err(format!(
                "{protocol:?} is spoken by UDP: serve {link} {port} by UDP: {protocol}"
            ));
        }
        if service.udp && !speaks.is_of_datagrams() {
            return Err(format!("{protocol:?} is spoken by TCP: serve {link} {port}: {protocol}"));
        }
    } else if service.udp && has_script {
        return Err(format!(
            "the server on {link} sends back what comes by UDP, and has a script of steps beside that"
        ));
    }
    if service.udp && (service.fast_open || service.window != u16::MAX) {
        return Err(format!(
            "the server on {link} is one of UDP: a window and fast open are TCP's"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::addr::Range;
    use super::super::{Lab, Payload, Speaks};
    use super::*;

    fn spoken(port: u16, udp: bool, protocol: &str) -> LabOp {
        let (protocol, names) = (protocol.to_owned(), Vec::new());
        let speaks = Some(Speaks { protocol, script: None, names });
        serve(Service { udp, speaks, ..Service::new(port, []) })
    }

    fn serve(service: Service) -> LabOp {
        LabOp::Serve { link: "a".to_owned(), service }
    }

    fn tcp(port: u16) -> LabOp {
        serve(Service::new(port, [ServerStep::Close]))
    }

    fn echo(port: u16) -> LabOp {
        serve(Service { udp: true, ..Service::new(port, []) })
    }

    fn names() -> LabOp {
        LabOp::NameServer { link: "a".to_owned(), server: NameServer::new(Range::V4, []) }
    }

    fn on(link: &str) -> LabOp {
        LabOp::Serve { link: link.to_owned(), service: Service::new(80, []) }
    }

    fn checked(setup: Vec<LabOp>) -> Result<(), String> {
        let links = ["a", "b", "tap0"].map(|name| {
            Link::new(if name == "tap0" { LinkKind::Tap } else { LinkKind::Tun }, name)
        });
        let lab = Lab { links: links.to_vec(), setup };
        Case::new("s/t", String::new(), lab, Vec::new()).check()
    }

    #[rstest]
    #[case(vec![tcp(80), tcp(443), echo(80), on("b"), names(), tcp(53)], Ok(()))]
    #[case(vec![spoken(443, false, "tls"), spoken(443, true, "quic")], Ok(()))]
    #[case(vec![spoken(443, false, "tls"), spoken(443, false, "http")], Err("two servers at port 443 of TCP"))]
    #[case(vec![tcp(80), spoken(80, false, "ws")], Err("two servers at port 80 of TCP"))]
    #[case(vec![echo(443), spoken(443, true, "quic")], Err("two servers at port 443 of UDP"))]
    #[case(vec![echo(53), names()], Err("a has two servers at port 53 of UDP, a name server's"))]
    #[case(vec![names(), names()], Err("port 53 of UDP, a name server's"))]
    #[case(vec![tcp(0)], Err("a server on a listens at port 0: ports are 1 to 65535"))]
    #[case(vec![on("c")], Err("a server on \"c\", which is no tun of the lab"))]
    #[case(vec![on("tap0")], Err("\"tap0\" is a tap, and has to be a tun"))]
    #[case(vec![spoken(443, false, "quic")], Err("\"quic\" is spoken by UDP: serve a 443 by UDP: quic"))]
    #[case(vec![spoken(443, true, "tls")], Err("\"tls\" is spoken by TCP: serve a 443: tls"))]
    fn a_port_is_one_servers(#[case] setup: Vec<LabOp>, #[case] expected: Result<(), &str>) {
        match (checked(setup), expected) {
            (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
            (got, expected) => assert_eq!(got.is_ok(), expected.is_ok(), "{got:?}"),
        }
    }

    #[test]
    fn what_is_of_the_other_transport_is_not_passed_over() {
        let udp = Service { udp: true, ..Service::new(7, []) };
        let why = |service: Service| checked(vec![serve(service)]).unwrap_err();
        assert!(why(Service { window: 0, ..Service::new(7, []) }).contains("a window of 0"));
        assert!(why(Service { window: 9, ..udp.clone() }).contains("fast open are TCP's"));
        assert!(why(Service { fast_open: true, ..udp.clone() }).contains("fast open are TCP's"));
        let script = vec![ServerStep::Send { data: Payload::Text("x".to_owned()) }];
        assert!(why(Service { script: script.clone(), ..udp }).contains("a script of steps"));
        let LabOp::Serve { service, .. } = spoken(80, false, "http") else { panic!() };
        assert!(why(Service { script, ..service }).contains("a script of steps beside it"));
    }
}
