//! The server against hosts made by hand: plain packets, no kernel.

use std::net::SocketAddr;

use rstest::rstest;

use super::*;
use crate::case::{Payload, Speaks};
use crate::wire::TcpFlags;
use crate::wire::build::{self, Segment};

const SYN: TcpFlags = TcpFlags::SYN;
const ACK: TcpFlags = TcpFlags::ACK;
const FIN: TcpFlags = TcpFlags::FIN;
const RST: TcpFlags = TcpFlags::RST;

/// A host that acknowledges all that it gets, and how far both sides are.
struct Host {
    server: Server,
    own: SocketAddr,
    far: SocketAddr,
    seq: u32,
    ack: u32,
    got: Vec<u8>,
    flags: Vec<TcpFlags>,
}

impl Host {
    fn new(script: &[ServerStep]) -> Self {
        Self::by("192.0.2.1:40000", "192.0.2.2:80", &Service::new(80, script.to_vec()))
    }

    fn by(own: &str, far: &str, service: &Service) -> Self {
        let far: SocketAddr = far.parse().unwrap();
        let mut server = Server::new(1500, &[(far.ip(), 24)]);
        server.serve(service).expect("it serves");
        let own = own.parse().unwrap();
        Self { server, own, far, seq: 100, ack: 0, got: Vec::new(), flags: Vec::new() }
    }

    fn sends(&mut self, flags: TcpFlags, payload: &[u8]) {
        let (seq, ack) = (self.seq, self.ack);
        let segment = Segment { flags, seq, ack, window: 65535, urgent: 0, options: &[], payload };
        let packet = build::tcp_segment(build::Link::Ip, self.own, self.far, 64, &segment).unwrap();
        let len = u32::try_from(payload.len()).unwrap();
        self.seq += len + u32::from(flags.has(SYN)) + u32::from(flags.has(FIN));
        self.server.input(&packet);
        self.listens();
    }

    /// Takes what the server sent, and acknowledges what there is to acknowledge.
    fn listens(&mut self) {
        let mut owed = false;
        while let Some(packet) = self.server.output() {
            let decoded = decode(Framing::Ip, &packet);
            let Some(Body::Tcp(tcp)) = decoded.body() else { panic!("no TCP: {packet:02x?}") };
            assert_eq!(tcp.checksum_ok, Some(true));
            self.flags.push(tcp.flags);
            self.got.extend(tcp.payload);
            let len = u32::try_from(tcp.payload.len()).unwrap();
            let taken = len + u32::from(tcp.flags.has(SYN)) + u32::from(tcp.flags.has(FIN));
            self.ack = tcp.seq.wrapping_add(taken);
            owed |= taken > 0 && !tcp.flags.has(RST);
        }
        if owed {
            self.sends(ACK, b"");
        }
    }

    fn connected(script: &[ServerStep]) -> Self {
        let mut host = Self::new(script);
        host.sends(SYN, b"");
        assert_eq!(host.flags.remove(0), SYN | ACK);
        host
    }

    fn has(&self, flag: TcpFlags) -> bool {
        self.flags.iter().any(|flags| flags.has(flag))
    }
}

fn text(text: &str) -> Payload {
    Payload::Text(text.into())
}

fn expect(until: &str) -> ServerStep {
    ServerStep::Expect { until: text(until) }
}

fn send(data: &str) -> ServerStep {
    ServerStep::Send { data: text(data) }
}

#[rstest]
#[case("192.0.2.1:40000", "192.0.2.2:80")]
#[case("[2001:db8::1]:40000", "[2001:db8::2]:80")]
#[case("[fe80::1]:40000", "[fe80::2]:80")]
fn a_request_in_two_pieces_is_answered_once(#[case] own: &str, #[case] far: &str) {
    let mut host = Host::by(own, far, &Service::new(80, [expect("\r\n\r\n"), send("ok")]));
    host.sends(SYN, b"");
    host.sends(ACK, b"GET / HTTP/1.1\r\n");
    assert_eq!(host.got, b"");
    host.sends(ACK, b"\r\n");
    assert_eq!(host.got, b"ok");
}

#[test]
fn each_connection_has_the_script_from_its_beginning() {
    let mut host = Host::connected(&[send("hello")]);
    host.own.set_port(40001);
    (host.seq, host.ack) = (7, 0);
    host.sends(SYN, b"");
    assert_eq!(host.got, b"hellohello");
}

#[test]
fn a_port_that_nobody_serves_refuses() {
    let mut host = Host::new(&[]);
    host.far.set_port(81);
    host.sends(SYN, b"");
    assert_eq!(host.flags, [RST | ACK]);
}

#[rstest]
#[case::close(ServerStep::Close, false)]
#[case::half(ServerStep::Shutdown, false)]
#[case::reset(ServerStep::Reset, true)]
fn an_end_comes_behind_the_data(#[case] end: ServerStep, #[case] resets: bool) {
    let mut host = Host::connected(&[expect("?"), send("answer"), end]);
    host.sends(ACK, b"?");
    assert_eq!(host.got, b"answer");
    assert_eq!((host.has(FIN), host.has(RST)), (!resets, resets));
}

#[rstest]
#[case::closed(ServerStep::Close, true)]
#[case::half_closed(ServerStep::Shutdown, false)]
fn data_behind_a_fin_is_read_or_refused(#[case] end: ServerStep, #[case] resets: bool) {
    let mut host = Host::connected(&[end]);
    assert!(host.has(FIN) && !host.has(RST));
    host.sends(ACK, b"late");
    assert_eq!(host.has(RST), resets);
}

#[test]
fn what_waits_unread_makes_close_a_reset() {
    let mut host = Host::connected(&[expect("head"), send("413"), ServerStep::Close]);
    host.sends(ACK, b"head and body");
    assert_eq!((&host.got[..], host.has(FIN), host.has(RST)), (&b"413"[..], false, true));
}

#[test]
fn it_pauses_until_it_is_told_to_go_on() {
    let mut host = Host::connected(&[ServerStep::Pause, send("on")]);
    assert_eq!(host.got, b"");
    host.server.resume(81);
    host.listens();
    assert_eq!(host.got, b"");
    host.server.resume(80);
    host.listens();
    assert_eq!(host.got, b"on");
}

#[test]
fn who_has_vanished_says_nothing() {
    let mut host = Host::connected(&[expect("?"), send("last"), ServerStep::Vanish, send("never")]);
    host.sends(ACK, b"?");
    host.flags.clear();
    host.sends(ACK, b"there?");
    assert_eq!((&host.got[..], host.flags.len()), (&b"last"[..], 0));
}

#[test]
fn the_end_of_the_stream_is_waited_for() {
    let mut host = Host::connected(&[expect("?"), ServerStep::End, send("late")]);
    host.sends(ACK, b"?");
    assert_eq!(host.got, b"");
    host.sends(FIN | ACK, b"");
    assert_eq!(host.got, b"late");
}

#[test]
fn a_small_window_is_full_until_it_is_read() {
    let script = [ServerStep::Pause, ServerStep::Take { bytes: 8 }, send("all")];
    let service = Service { window: 4, ..Service::new(80, script) };
    let mut host = Host::by("192.0.2.1:40000", "192.0.2.2:80", &service);
    host.sends(SYN, b"");
    host.sends(ACK, b"half");
    host.server.resume(80);
    host.listens();
    host.sends(ACK, b"half");
    assert_eq!(host.got, b"all");
}

#[test]
fn two_servers_send_the_same_packets() {
    let packets = || {
        let mut host = Host::connected(&[send("same"), ServerStep::Close]);
        host.sends(ACK, b"late");
        (host.flags, host.ack)
    };
    assert_eq!(packets(), packets());
}

#[test]
fn what_is_not_for_it_is_not_answered() {
    let mut host = Host::new(&[]);
    host.far = "192.0.2.3:80".parse().unwrap();
    host.sends(SYN, b"");
    host.server.input(b"\x45");
    assert_eq!((host.flags.len(), host.server.output()), (0, None));
}

/// The host at `own` says this to the port `far`; each segment that the server then sends, and
/// from which port.
fn says(server: &mut Server, own: u16, far: u16, said: &Segment<'_>) -> Vec<Answer> {
    let at = |ip: &str, port| SocketAddr::new(ip.parse().unwrap(), port);
    let (own, far) = (at("192.0.2.1", own), at("192.0.2.2", far));
    server.input(&build::tcp_segment(build::Link::Ip, own, far, 64, said).unwrap());
    let packets = std::iter::from_fn(|| server.output());
    let answer = |packet: Vec<u8>| {
        let decoded = decode(Framing::Ip, &packet);
        let Some(Body::Tcp(tcp)) = decoded.body() else { panic!("no TCP: {packet:02x?}") };
        let (options, payload) = (tcp.options.clone(), tcp.payload.to_vec());
        Answer { from: tcp.sport, flags: tcp.flags, seq: tcp.seq, options, payload }
    };
    packets.map(answer).collect()
}

struct Answer {
    from: u16,
    flags: TcpFlags,
    seq: u32,
    options: Vec<TcpOption>,
    payload: Vec<u8>,
}

fn serving(service: &Service) -> Server {
    let mut server = Server::new(1500, &[("192.0.2.2".parse().unwrap(), 24)]);
    server.serve(service).expect("it serves");
    server
}

#[test]
fn a_server_dials_and_takes_its_steps_there() {
    let dial = ServerStep::Dial { from: 20, to: 2021, script: vec![send("file")] };
    let mut server = serving(&Service::new(21, [dial, send("226")]));
    let segment = |flags, seq, ack| Segment { flags, seq, ack, window: 9000, ..Segment::default() };
    let accepted = says(&mut server, 40_000, 21, &segment(SYN, 100, 0));
    let ack = accepted[0].seq.wrapping_add(1);
    let told = says(&mut server, 40_000, 21, &segment(ACK, 101, ack));
    let of = |port| told.iter().find(|answer| answer.from == port).expect("an answer");
    assert_eq!((of(20).flags, &of(21).payload[..]), (SYN, &b"226"[..]));
    let ack = of(20).seq.wrapping_add(1);
    let told = says(&mut server, 2021, 20, &segment(SYN | ACK, 500, ack));
    assert_eq!(told[0].payload, b"file");
}

#[rstest]
#[case::granted(true, &[34, 2, 1, 1], true)]
#[case::not_asked_for(true, &[], false)]
#[case::not_granted(false, &[34, 2, 1, 1], false)]
fn a_cookie_is_for_who_asks(#[case] grants: bool, #[case] options: &[u8], #[case] granted: bool) {
    let mut server = serving(&Service { fast_open: grants, ..Service::new(80, []) });
    let syn = Segment { flags: SYN, seq: 100, window: 9000, options, ..Segment::default() };
    let told = says(&mut server, 40_000, 80, &syn);
    let cookie =
        |option: &TcpOption| matches!(option, TcpOption::FastOpen(bytes) if bytes.len() == 8);
    assert_eq!(told[0].options.iter().any(cookie), granted);
    assert_eq!(told[0].flags, SYN | ACK);
}

#[rstest]
#[case("192.0.2.1:40000", "203.0.113.7:80")]
#[case("[2001:db8::1]:40000", "[2001:db8:1::7]:80")]
fn who_is_anywhere_has_every_address(#[case] own: &str, #[case] far: &str) {
    for anywhere in [true, false] {
        let service = Service { anywhere, ..Service::new(80, [send("hello")]) };
        let mut host = Host::by(own, "192.0.2.2:80", &service);
        host.far = far.parse().unwrap();
        host.sends(SYN, b"");
        assert_eq!(host.got, if anywhere { &b"hello"[..] } else { b"" });
    }
}

#[test]
fn a_datagram_comes_back() {
    let service = Service { udp: true, anywhere: true, ..Service::new(7, []) };
    let mut server = serving(&service);
    let (own, far): (SocketAddr, SocketAddr) =
        ("192.0.2.1:4000".parse().unwrap(), "198.51.100.9:7".parse().unwrap());
    server.input(&build::udp(build::Link::Ip, own, far, 64, b"again").unwrap());
    let packet = server.output().expect("an answer");
    let decoded = decode(Framing::Ip, &packet);
    let Some(Body::Udp(udp)) = decoded.body() else { panic!("no UDP: {packet:02x?}") };
    assert_eq!(decoded.addresses(), Some((far.ip(), own.ip())));
    assert_eq!((udp.sport, udp.dport, udp.payload), (7, 4000, &b"again"[..]));
    let elsewhere = SocketAddr::new(far.ip(), 8);
    server.input(&build::udp(build::Link::Ip, own, elsewhere, 64, b"?").unwrap());
    assert_eq!(server.output(), None);
}

/// That speaks a protocol at port 80.
fn speaking(protocol: &str, script: Option<&str>, udp: bool) -> Service {
    let (protocol, script) = (protocol.to_owned(), script.map(str::to_owned));
    let speaks = Some(Speaks { protocol, script, names: Vec::new() });
    Service { udp, speaks, ..Service::new(80, []) }
}

/// The same machine as `control http` has: a request in pieces is answered once and told, and so is one that never
/// came to its end.
#[rstest]
#[case::whole(b"Host: a.example\r\n\r\n", "GET / — Cookie sent: no")]
#[case::cut(b"Host: a.ex", "the connection ended within the head")]
fn a_protocol_is_spoken_and_told(#[case] rest: &[u8], #[case] told: &str) {
    let mut host = Host::by("192.0.2.1:40000", "192.0.2.2:80", &speaking("http", None, false));
    host.sends(SYN, b"");
    host.sends(ACK, b"GET / HTTP/1.1\r\n");
    assert_eq!(host.got, b"");
    host.sends(ACK, rest);
    assert_eq!(host.got.starts_with(b"HTTP/1.1 200 OK\r\n"), rest.ends_with(b"\r\n\r\n"));
    host.sends(ACK | FIN, b"");
    let said = host.server.said();
    assert_eq!(said[0], "the far end speaks http at port 80");
    assert!(said.iter().any(|line| line.contains(told)), "{said:#?}");
    assert!(host.server.said().is_empty(), "it is told once");
}

#[test]
fn who_resets_is_told_to_have() {
    let mut host = Host::by("192.0.2.1:40000", "192.0.2.2:80", &speaking("tls", None, false));
    host.sends(SYN, b"");
    host.sends(RST, b"");
    let said = host.server.said().join("\n");
    assert!(said.contains("reset (RST)") || said.contains("RST"), "{said}");
    assert!(host.server.authorities().next().is_none(), "it has said all, and serves no more");
}

#[test]
fn datagrams_of_a_protocol_are_told() {
    let mut server = serving(&speaking("udp", Some("echo"), true));
    let (own, far): (SocketAddr, SocketAddr) =
        ("192.0.2.1:4000".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
    server.input(&build::udp(build::Link::Ip, own, far, 64, b"again").unwrap());
    let packet = server.output().expect("an answer");
    let decoded = decode(Framing::Ip, &packet);
    assert_eq!(decoded.addresses(), Some((far.ip(), own.ip())));
    let Some(Body::Udp(udp)) = decoded.body() else { panic!("no UDP: {packet:02x?}") };
    assert_eq!(udp.payload, b"again");
    let said = server.said().join("\n");
    assert!(said.contains("1 datagram came"), "{said}");
}

/// What cannot be served is an error, and nobody echoes in its place.
#[test]
fn what_nobody_speaks_is_not_served() {
    let mut server = Server::new(1500, &[("192.0.2.2".parse().unwrap(), 24)]);
    let why = server.serve(&speaking("gopher", None, true)).unwrap_err();
    assert_eq!(why, "no far end speaks gopher");
    assert!(server.serve(&speaking("tls", Some("self-singed"), false)).is_err());
    let (own, far): (SocketAddr, SocketAddr) =
        ("192.0.2.1:4000".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
    server.input(&build::udp(build::Link::Ip, own, far, 64, b"again").unwrap());
    assert_eq!(server.output(), None);
}

/// A trace is one line, which is read up to a length: what a program says without end would lose it.
#[test]
fn what_is_told_has_an_end_and_the_summary_is_told() {
    let mut server = serving(&speaking("udp", Some("count"), true));
    let (own, far): (SocketAddr, SocketAddr) =
        ("192.0.2.1:4000".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
    let datagram = build::udp(build::Link::Ip, own, far, 64, &[b'x'; 1400]).unwrap();
    for _ in 0..60_000 {
        server.input(&datagram);
    }
    let said = server.said();
    let bytes: usize = said.iter().map(String::len).sum();
    assert!(bytes < 5 << 20, "{bytes} bytes");
    assert!(said.iter().all(|line| line.len() < 8192));
    let text = said[said.len().saturating_sub(9)..].join("\n");
    assert!(text.contains("lines more, which are too many to be told here"), "{text}");
    assert!(text.contains("60000 datagrams came"), "{text}");
}
