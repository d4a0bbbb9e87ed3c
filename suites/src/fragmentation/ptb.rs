//! Path MTU discovery: what "fragmentation needed" and "packet too big" change, genuine and forged.
//! In Rust, since the far end's errors are frames that are computed beforehand.

use std::net::SocketAddr;

use harness::case::addr::{Range, Role, address};
use harness::case::{Case, Hex, LabOp, LinkKind, Op};
use harness::wire::build;

use super::axes::{Asked, LINK, OWN_PORT, PORT, Path, bytes, lab};
use crate::steps::{
    bind, case, connect, covering, getsockopt, lab as step, recv, send_of, sendto_of, so_error,
};
use crate::table::{Row, Table};

const ROWS: [&str; 2] = ["FRAG-04", "FRAG-05"];
/// What every datagram here carries: it fits the link, and not the path that is told of.
const LEN: u32 = 1400;

/// The packet that the far end says was too large.
#[derive(Clone, Copy)]
struct Quote {
    src: SocketAddr,
    dst: SocketAddr,
    /// An ICMP message of this type instead of a UDP datagram.
    icmp: Option<u8>,
}

fn own(range: Range, port: u16) -> SocketAddr {
    SocketAddr::new(address(0, Role::Own, range), port)
}

fn their(range: Range, role: Role, port: u16) -> SocketAddr {
    SocketAddr::new(address(0, role, range), port)
}

impl Quote {
    fn of(path: Path) -> Self {
        let range = path.range();
        let (src, dst) = (own(range, OWN_PORT), their(range, Role::Neighbour, PORT));
        Self { src, dst, icmp: None }
    }

    fn packet(&self) -> Vec<u8> {
        let (src, dst) = (self.src, self.dst);
        let data = bytes(LEN).bytes();
        let built = if let Some(kind) = self.icmp {
            let protocol = if src.is_ipv4() { 1 } else { 58 };
            let message = [&[kind, 0, 0, 0, 0, 7, 0, 1], &data[..]].concat();
            build::ip(build::Link::Ip, src.ip(), dst.ip(), 64, protocol, &message)
        } else {
            build::udp(build::Link::Ip, src, dst, 64, &data)
        };
        built.expect("both ends are of one family")
    }

    /// The error about it, which names `mtu`, from the neighbour.
    fn too_big(&self, mtu: u32) -> Op {
        let (from, to) = (self.dst.ip(), self.src.ip());
        let (kind, code) = if to.is_ipv4() { (3, 4) } else { (2, 0) };
        let range = if to.is_ipv4() { Range::V4 } else { Range::V6 };
        let from = if from == to { address(0, Role::Neighbour, range) } else { from };
        let frame = build::icmp_error(build::Link::Ip, from, to, kind, code, mtu, &self.packet());
        let frame = Hex(frame.expect("both ends are of one family"));
        step(LabOp::Inject { link: LINK.to_owned(), frame })
    }
}

fn send(path: Path, connected: bool, len: u32) -> Op {
    if connected {
        send_of("s", bytes(len), &[])
    } else {
        sendto_of("s", bytes(len), path.neighbour(PORT))
    }
}

/// Socket, send, the error, and what each later call says.
fn row(path: Path, asked: Asked, connected: bool, quote: Quote, mtu: u32, first: bool) -> Vec<Op> {
    let (level, option) = path.mtu_option();
    let mut ops = vec![path.udp(), bind("s", path.own(OWN_PORT))];
    ops.extend(asked.ops("s"));
    if connected {
        ops.push(connect("s", path.neighbour(PORT)));
    }
    if first {
        ops.push(send(path, connected, LEN));
    }
    ops.push(quote.too_big(mtu));
    if first {
        ops.push(so_error("s"));
    } else {
        ops.push(recv("s"));
    }
    if connected {
        ops.push(getsockopt("s", level, option));
    }
    ops.extend([send(path, connected, LEN), so_error("s"), send(path, connected, 700)]);
    ops
}

pub(super) fn genuine() -> Table {
    let question = "After the path has said its MTU, what do the socket's calls say, and in which \
                    pieces do they send?";
    let mut table = Table::new("fragmentation/path-mtu", question);
    for path in Path::ALL {
        let asked: Vec<Asked> = Asked::INTENTS.into_iter().chain(Asked::modes(path)).collect();
        let mtus: &[u32] = match path {
            Path::V4 => &[0, 68, 552, 800, 1427, 1428, 9000, 65_535],
            Path::V6 => &[0, 1279, 1280, 1447, 1448, 9000, 65_536],
            Path::Mapped => &[0, 800],
        };
        for asked in asked {
            for (how, connected) in [("connected", true), ("unconnected", false)] {
                for &mtu in mtus {
                    let title = format!(
                        "The path of a {how} socket, {}, says MTU {mtu}, {}",
                        path.words(),
                        asked.words()
                    );
                    let ops = row(path, asked, connected, Quote::of(path), mtu, true);
                    let case = covering(case(title, lab(LinkKind::Tun, 1500), ops), &ROWS);
                    table.push(&[path.id(), &asked.id(), how, &mtu.to_string()], Row::Case(case));
                }
            }
        }
    }
    table
}

/// What is wrong with the quote: the host never sent such a packet.
fn forgeries(path: Path) -> [(&'static str, Quote); 7] {
    let (range, quote) = (path.range(), Quote::of(path));
    let [request, reply] = if path == Path::V6 { [128, 129] } else { [8, 0] };
    [
        ("never-sent", quote),
        ("source-port", Quote { src: own(range, OWN_PORT + 1), ..quote }),
        ("destination-port", Quote { dst: their(range, Role::Neighbour, PORT + 1), ..quote }),
        ("destination", Quote { dst: their(range, Role::Unresolved, PORT), ..quote }),
        ("echo-request", Quote { icmp: Some(request), ..quote }),
        ("echo-reply", Quote { icmp: Some(reply), ..quote }),
        ("swapped", Quote { src: quote.src, dst: own(range, PORT), ..quote }),
    ]
}

pub(super) fn forged() -> Table {
    let question = "Does an error that quotes a packet nobody sent change anything?";
    let mut table = Table::new("fragmentation/path-mtu-forged", question);
    for path in Path::ALL {
        let mtu = if path == Path::V6 { 1280 } else { 800 };
        for asked in [Asked::Unset, Asked::Intent(true), Asked::modes(path)[3]] {
            for (how, connected) in [("connected", true), ("unconnected", false)] {
                for (forgery, quote) in forgeries(path) {
                    let case = forged_row(path, asked, connected, (forgery, quote), mtu);
                    table.push(&[path.id(), &asked.id(), how, forgery], Row::Case(case));
                }
            }
        }
    }
    table
}

fn forged_row(
    path: Path,
    asked: Asked,
    connected: bool,
    (forgery, quote): (&str, Quote),
    mtu: u32,
) -> Case {
    let title = format!("A forged MTU of {mtu} by {}, {forgery}, {}", path.words(), asked.words());
    let ops = row(path, asked, connected, quote, mtu, false);
    covering(case(title, lab(LinkKind::Tun, 1500), ops), &ROWS)
}
