//! How a reproducer for macOS sees the wire: what a utun and BPF give, as bytes, goes through the program's
//! own C, which is compiled here; with something wrong in them it must say `not reproduced`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::case::payload::quoted;
use harness::case::{Case, Hex, Lab, Link, LinkKind, Threads};
use harness::trace::{Direction, End, Event, LinkFact, Trace};
use harness::wire::{Mac, build};
use reports::repro::FLAGS;
use reports::repro::frames;

use crate::common::{BPF_H, has_cc};

/// The parts of a program that looks, in the order of `reports/src/repro/parts.rs`.
const PARTS: [&str; 19] = [
    include_str!("../reports/src/repro/c/be16.c"),
    include_str!("../reports/src/repro/c/frame.c"),
    include_str!("../reports/src/repro/c/wire_socket.c"),
    include_str!("../reports/src/repro/c/observed.c"),
    include_str!("../reports/src/repro/c/ip_bytes.c"),
    include_str!("../reports/src/repro/c/sum.c"),
    include_str!("../reports/src/repro/c/carried.c"),
    include_str!("../reports/src/repro/c/far_end.c"),
    include_str!("../reports/src/repro/c/mac_no_lab.c"),
    include_str!("../reports/src/repro/c/mac_links.c"),
    STAND_IN,
    include_str!("../reports/src/repro/c/utun_family.c"),
    include_str!("../reports/src/repro/c/utun_packet.c"),
    include_str!("../reports/src/repro/c/bpf_packet.c"),
    include_str!("../reports/src/repro/c/mac_seen.c"),
    include_str!("../reports/src/repro/c/far_write.c"),
    include_str!("../reports/src/repro/c/mac_ours.c"),
    include_str!("../reports/src/repro/c/frames_observed.c"),
    include_str!("../reports/src/repro/c/mac_wire.c"),
];
const LAST: &str = include_str!("../reports/src/repro/c/wire.c");

/// What such a program has, of the names of parts.
const HAS: [&str; 8] =
    ["Observed", "Wire", "MacWire", "MacLinks", "UtunOpen", "Feth", "FarEnd", "UtunPacket"];

/// What macOS has and Linux has not: a device is one end of a pair of sockets, each message a read.
const STAND_IN: &str = r#"
#include <sys/socket.h>
#undef AF_INET6
#define AF_INET6 30 /* Darwin's */
enum { BPF_ROOM = 1 << 18 };
static unsigned bpf_room = BPF_ROOM;
static int host[3]; /* the other ends: of the utun, the feth, lo0 */

static int device(int number)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == -1)
        exit(3);
    host[number] = pair[1];
    return pair[0];
}

/* One socket has a port. */
static int mac_getsockname(int fd, struct sockaddr *name, socklen_t *len)
{
    struct sockaddr_in of = {.sin_family = AF_INET, .sin_port = htons(40000)};

    memcpy(name, &of, sizeof of);
    *len = sizeof of;
    return fd == 3 ? 0 : -1;
}

static int mac_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    *(int *)value = SOCK_DGRAM;
    return fd == 3 && level == SOL_SOCKET && option == SO_TYPE && *len == sizeof(int) ? 0 : -1;
}
#define getsockname mac_getsockname
#define getsockopt mac_getsockopt

static int bpf_open(const char *interface, int is_far_end)
{
    return strcmp(interface, "lo0") == 0 && !is_far_end ? device(2) : -1;
}
"#;

/// Reads from its input what the host sends, each behind the device's number and its length; with another
/// number a step of the case's ends. What the far end of the feth sends is printed at the end.
const MAIN: &str = r#"
int main(void)
{
    static unsigned char bytes[1 << 16];
    unsigned head[2];
    ssize_t len;

    strcpy(links[1].peer, "feth21001");
    links[0].fd = device(0);
    links[1].fd = device(1);
    watch_wire();
    compare(0, 0, "");
    while (fread(head, 4, 2, stdin) == 2) {
        if (fread(bytes, 1, head[1], stdin) != head[1])
            return 3;
        if (head[0] < 3 && send(host[head[0]], bytes, head[1], 0) == -1)
            return 3;
        if (head[0] >= 3)
            look((int)head[0] - 3);
    }
    while ((len = recv(host[1], bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        printf("the far end sent %zd bytes\n", len);
    return verdict();
}
"#;

const UTUN: u32 = 0;
const FETH: u32 = 1;
const LO0: u32 = 2;

/// Something that a device gave in one read.
type Read = (u32, Vec<u8>);

/// A record of BPF: the times, how much was caught, how long the packet is, the header's length.
fn record(packet: &[u8], head: u16) -> Vec<u8> {
    let len = u32::try_from(packet.len()).unwrap();
    let mut bytes = [7, 5, len, len].map(u32::to_ne_bytes).concat();
    bytes.extend(head.to_ne_bytes());
    bytes.resize(head.into(), 0);
    bytes.extend(packet);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// What a utun gives: the family in network order, Darwin's.
fn of_utun(packet: &[u8]) -> Vec<u8> {
    let family = if packet[0] >> 4 == 6 { 30 } else { 2 };
    [&[0, 0, 0, family], packet].concat()
}

fn udp(from: &str, to: &str, data: &[u8], kind: build::Link) -> Vec<u8> {
    let at = |text: &str| text.parse::<SocketAddr>().unwrap();
    build::udp(kind, at(from), at(to), 64, data).unwrap()
}

const ETHERNET: build::Link =
    build::Link::Ethernet { src: Mac([2, 0, 0, 0, 1, 1]), dst: Mac([2, 0, 0, 0, 1, 2]) };

/// `bsd/net/bpf.c` 4452: a packet of Ethernet, whose header has 14 bytes, is at a multiple of four behind
/// 18, one of `DLT_NULL` behind 20.
const BEHIND: [u16; 2] = [18, 20];

/// The frames that the host sends, each by its device, and those of others that are passed over.
struct Sent {
    /// Two datagrams by the utun, of both versions.
    utun: [Vec<u8>; 2],
    /// An ARP request and two datagrams by the feth, of odd lengths.
    feth: [Vec<u8>; 3],
    /// A datagram by loopback of this program's socket, and two fragments of it.
    loopback: [Vec<u8>; 3],
}

fn sent() -> Sent {
    let arp =
        "ffffffffffff020000000101 08060001080006040001 020000000101 c6336401 000000000000 c6336404";
    let arp: String = arp.split(' ').collect();
    let byte = |at: usize| u8::from_str_radix(&arp[at..at + 2], 16).unwrap();
    let own = "127.0.0.1:40000";
    let whole = udp(own, "127.0.0.1:9", &[b'x'; 40], build::Link::Ip);
    let mut parts = [whole[..44].to_vec(), [&whole[..20], &whole[44..]].concat()];
    for (part, offset) in parts.iter_mut().zip([0x2000_u16, 3]) {
        let len = u16::try_from(part.len()).unwrap();
        part[2..4].copy_from_slice(&len.to_be_bytes());
        part[4..6].copy_from_slice(&[7, 7]);
        part[6..8].copy_from_slice(&offset.to_be_bytes());
    }
    let [first, later] = parts;
    Sent {
        utun: [
            udp("192.0.2.1:50000", "192.0.2.2:9", b"one", build::Link::Ip),
            udp("[fe80::1]:50000", "[fe80::2]:9", b"two", build::Link::Ip),
        ],
        feth: [
            (0..arp.len()).step_by(2).map(byte).collect(),
            udp("198.51.100.1:50001", "198.51.100.2:9", b"odd", ETHERNET),
            udp("198.51.100.1:50001", "198.51.100.2:9", b"even", ETHERNET),
        ],
        loopback: [udp(own, "127.0.0.1:9", b"lo", build::Link::Ip), first, later],
    }
}

/// What the devices give of them: the utun a read for each, BPF all in one, with what others said between.
fn reads(sent: &Sent) -> Vec<Read> {
    let mdns = udp("198.51.100.1:5353", "224.0.0.251:5353", b"my-mac", ETHERNET);
    let others = udp("127.0.0.1:1", "127.0.0.1:2", b"others", build::Link::Ip);
    let feth = [&sent.feth[0], &mdns, &sent.feth[1], &sent.feth[2]];
    let feth = feth.map(|frame| record(frame, BEHIND[0])).concat();
    let loopback = [&sent.loopback[0], &others, &sent.loopback[1], &sent.loopback[2]];
    let behind_family = |packet: &&Vec<u8>| [&2u32.to_ne_bytes()[..], packet].concat();
    let loopback = loopback.iter().map(behind_family).map(|p| record(&p, BEHIND[1])).collect();
    let loopback: Vec<Vec<u8>> = loopback;
    let utun = sent.utun.iter().map(|packet| (UTUN, of_utun(packet)));
    utun.chain([(FETH, feth), (LO0, loopback.concat())]).collect()
}

/// What was observed: the same frames, as a trace has them.
fn trace(sent: &Sent) -> Trace {
    let frame = |link: &str, bytes: Vec<u8>| Event::Frame {
        op: 0,
        at_ns: 0,
        link: link.to_owned(),
        dir: Direction::Out,
        bytes: Hex(bytes),
    };
    let of_lo = |packet: &Vec<u8>| [&[0; 12][..], &[8, 0], packet].concat();
    let utun = sent.utun.iter().map(|bytes| frame("link0", bytes.clone()));
    let feth = sent.feth.iter().map(|bytes| frame("link1", bytes.clone()));
    let loopback = sent.loopback.iter().map(|bytes| frame("lo", of_lo(bytes)));
    let link = |name: &str| LinkFact {
        name: name.to_owned(),
        index: 1,
        kind: None,
        mac: Hex(vec![0; 6]),
        unseen: false,
    };
    Trace {
        schema: harness::SCHEMA,
        case: "mac/wire".to_owned(),
        began_ns: 0,
        links: vec![link("lo")],
        events: utun.chain(feth).chain(loopback).collect(),
        end: End::Done,
        pauses_ms: Vec::new(),
        disturbed: Vec::new(),
        beyond: None,
        own: None,
        program: None,
        served: Vec::new(),
    }
}

fn case() -> Case {
    let links = vec![Link::new(LinkKind::Tun, "link0"), Link::new(LinkKind::Tap, "link1")];
    Case {
        id: "mac/wire".to_owned(),
        title: "What does it see?".to_owned(),
        catalogue: Vec::new(),
        lab: Lab { links, setup: Vec::new() },
        ops: Vec::new(),
        window_ms: 0,
        threads: Threads::default(),
    }
}

/// The program's text, as `reports/src/repro/parts.rs` chooses its lines.
fn program() -> String {
    let observed = frames::observed(&case(), &trace(&sent()));
    assert_eq!(observed.len(), 8, "{observed:?}");
    let row = |(op, text): &(u32, String)| format!("    {{{op}, {}}},\n", quoted(text.as_bytes()));
    let rows = observed.iter().map(row).collect::<Vec<_>>().concat();
    let words = [
        ("@@FRAMES@@", format!("{rows}    {{-1, NULL}},")),
        ("@@OBSERVED@@", "    {0, 0, \"\", NULL},".to_owned()),
        ("@@ANSWERING@@", "    {1, \"198.51.100.4\"},".to_owned()),
        ("@@CALLED@@", "\"link0\", \"link1\", ".to_owned()),
        ("@@LINKS@@", "2".to_owned()),
        ("@@SERVED@@", String::new()),
    ];
    let mut text = String::from("#define _GNU_SOURCE\n");
    for line in PARTS.into_iter().chain([LAST]).flat_map(str::lines) {
        let Some(tagged) = line.strip_prefix('@').filter(|rest| !rest.starts_with('@')) else {
            text.extend([line, "\n"]);
            continue;
        };
        let (tags, rest) = tagged.split_once(' ').unwrap_or((tagged, ""));
        let has = |tag: &str| match tag.strip_prefix('!') {
            Some(tag) => !HAS.contains(&tag),
            None => HAS.contains(&tag),
        };
        if tags.split(',').all(has) {
            text.extend([rest, "\n"]);
        }
    }
    let text = words.iter().fold(text, |text, (word, with)| text.replace(word, with));
    text + MAIN
}

fn compiled(folder: &Path) -> PathBuf {
    let (source, compiled) = (folder.join("repro.c"), folder.join("repro"));
    std::fs::create_dir(folder.join("net")).unwrap();
    std::fs::write(folder.join("net/bpf.h"), BPF_H).unwrap();
    std::fs::write(&source, program()).unwrap();
    let mut cc = Command::new("cc");
    let cc = cc.args(FLAGS).arg("-I").arg(folder).arg("-o").args([&compiled, &source]);
    let cc = cc.output().unwrap();
    assert!(cc.status.success(), "{}", String::from_utf8_lossy(&cc.stderr));
    compiled
}

/// What the program says of what the devices gave, all of it before its one call has returned.
fn said(program: &Path, reads: &[Read]) -> (String, String, Option<i32>) {
    let mut program = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = Vec::new();
    for (device, bytes) in reads.iter().chain([&(3, Vec::new())]) {
        input.extend(device.to_ne_bytes());
        input.extend(u32::try_from(bytes.len()).unwrap().to_ne_bytes());
        input.extend(bytes);
    }
    program.stdin.take().unwrap().write_all(&input).unwrap();
    let output = program.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

#[test]
fn what_a_mac_reads_is_what_was_observed() {
    if !has_cc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (text, errors, status) = said(&compiled(folder.path()), &reads(&sent()));
    let last = "the calls and the frames agree\nREPRODUCED\n";
    assert!(text.ends_with(last) && status == Some(0), "{text}{errors}");
    // The neighbour answers: 42 bytes of ARP.
    assert!(text.contains("the far end sent 42 bytes\n"), "{text}");
    assert!(text.contains("    < link1 ARP is-at 198.51.100.4 tell 198.51.100.1\n"), "{text}");
    // What others said is not shown: their names are in it.
    assert!(!text.contains("my-mac") && !text.contains("others"), "{text}");
    let printed = text.lines().filter(|line| line.starts_with("    > ")).count();
    assert_eq!(printed, 8, "{text}");
}

/// Writes a number of a record's header anew.
fn set(bytes: &mut [u8], at: usize, with: u32) {
    bytes[at..at + 4].copy_from_slice(&with.to_ne_bytes());
}

/// Something wrong with what the devices give: its name, how it is planted, what the program says of it.
type Fault = (&'static str, fn(&mut Vec<Read>), &'static str);

const FAULTS: [Fault; 17] = [
    ("caplen beyond", |reads| set(&mut reads[2].1, 8, 4000), "what BPF gave is not whole"),
    ("caplen short", |reads| set(&mut reads[2].1, 8, 30), "what BPF gave is not whole"),
    (
        "caplen of a cut packet",
        |reads| {
            set(&mut reads[2].1, 8, 30);
            set(&mut reads[2].1, 12, 30);
        },
        "not whole",
    ),
    ("header too short", |reads| reads[2].1[16] = 17, "what BPF gave is not whole"),
    ("header beyond", |reads| reads[2].1[17] = 0xff, "what BPF gave is not whole"),
    ("not aligned", |reads| drop(reads[2].1.drain(60..62)), "what BPF gave is not whole"),
    ("end missing", |reads| reads[2].1.truncate(150), "what BPF gave is not whole"),
    (
        "utun frame missing",
        |reads| drop(reads.remove(0)),
        "observed, and did not come: > link0 IPv4",
    ),
    ("feth frame missing", |reads| drop(reads[2].1.drain(..60)), "did not come: > link1 ARP"),
    (
        "lo frame missing",
        |reads| drop(reads[3].1.drain(..56)),
        "observed, and did not come: > lo IPv4",
    ),
    (
        "extra frame",
        |reads| {
            let one = reads[0].clone();
            reads.push(one);
        },
        "came, and was not observed: > link0 IPv4",
    ),
    (
        "family in host order",
        |reads| reads[0].1[..4].copy_from_slice(&[2, 0, 0, 0]),
        "did not come: > link0 IPv4",
    ),
    ("other family", |reads| reads[1].1[3] = 2, "did not come: > link0 IPv6"),
    ("no family", |reads| drop(reads[1].1.drain(..4)), "did not come: > link0 IPv6"),
    ("other payload", |reads| *reads[0].1.last_mut().unwrap() ^= 1, "did not come: > link0 IPv4"),
    ("not fragmented", |reads| reads[3].1[30] ^= 0x40, "came, and was not observed: > lo IPv4"),
    (
        "another link",
        |reads| {
            let frame = reads[2].1[18..60].to_vec();
            reads[0].1 = of_utun(&frame);
        },
        "did not come",
    ),
];

#[test]
fn faults_are_not_reproduced() {
    if !has_cc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = compiled(folder.path());
    // Each waits a second for what does not come.
    std::thread::scope(|scope| {
        for (name, plant, why) in FAULTS {
            let program = &program;
            scope.spawn(move || {
                let mut reads = reads(&sent());
                plant(&mut reads);
                let (text, errors, status) = said(program, &reads);
                let no = text.ends_with("\nnot reproduced\n") && status == Some(1);
                assert!(no && errors.contains(why), "{name}: {text}{errors}");
            });
        }
    });
}
