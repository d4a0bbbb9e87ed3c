//! What a reproducer says of a frame: the program's own C and Rust are given the same bytes, and must say
//! the same.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};

use harness::wire::{Mac, build};
use reports::repro::FLAGS;
use reports::repro::frames::{Compared, said};
use rstest::rstest;

use crate::common::compile::{ran, ran_by_tcc, warned};
use crate::common::has_cc;

/// Reads frames, each behind its `EtherType` and its length, and says each.
const MAIN: &str = r#"
int main(void)
{
    static unsigned char bytes[1 << 16];
    unsigned head[2];

    while (fread(head, 4, 2, stdin) == 2) {
        int what;

        if (fread(bytes, 1, head[1], stdin) != head[1])
            return 1;
        what = say_frame((int)head[0], bytes, head[1]);
        printf("%d %u %s\n", what, frame_seq, frame);
    }
    return 0;
}
"#;

/// Frames of every kind that the wire module builds, over both versions of IP.
fn built() -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
    let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
    for (from, to) in [
        ("192.0.2.1", "192.0.2.2"),
        ("fe80::1", "ff02::1"),
        ("::", "ff02::1:ff00:1"),
        ("::1.2.3.4", "::ffff:1.2.3.4"),
    ] {
        let (from, to) = (ip(from), ip(to));
        for protocol in [0u8, 1, 2, 6, 17, 43, 44, 58, 60, 132] {
            for len in [0u8, 7, 8, 20, 24, 41, 120] {
                let body: Vec<u8> =
                    (0..len).map(|n| n.wrapping_mul(37).wrapping_add(protocol)).collect();
                frames.extend(build::ip(build::Link::Ip, from, to, 64, protocol, &body).ok());
            }
        }
    }
    let ports = ["192.0.2.1:40000", "192.0.2.1:53", "192.0.2.1:9"];
    for from in ports {
        let frame = build::udp(build::Link::Ip, at(from), at("192.0.2.2:12345"), 1, b"he\"llo\0");
        frames.extend(frame.ok());
    }
    let lists: [&[u8]; 6] = [
        &[2, 4, 3, 232, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 7, 1, 3, 3, 7],
        &[1, 1, 5, 18, 0, 15, 66, 75, 0, 15, 66, 79, 0, 15, 66, 85, 0, 15, 66, 89],
        &[253, 4, 1, 2, 0, 0, 0, 0],
        &[253, 0, 1, 1],
        &[1, 1, 1, 9],
        &[5, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    for (options, flags) in
        lists.into_iter().flat_map(|list| [(list, "S"), (list, "."), (list, "R")])
    {
        let flags = flags.parse().expect("flags");
        let segment =
            build::Segment { flags, seq: 7, ack: 1_000_005, options, ..build::Segment::default() };
        let (from, to) = (at("192.0.2.1:40000"), at("192.0.2.2:80"));
        frames.extend(build::tcp_segment(build::Link::Ip, from, to, 64, &segment).ok());
    }
    let mac = Some(Mac([2, 0, 0, 0, 0, 1]));
    if let (IpAddr::V6(own), IpAddr::V6(asker)) = (ip("fe80::2"), ip("fe80::1")) {
        frames.push(build::neighbour_advertisement(build::Link::Ip, own, asker, mac));
    }
    let arp = "0001080006040001020000000001c0000201000000000000c0000202";
    let byte = |at: usize| u8::from_str_radix(&arp[at..at + 2], 16).expect("hex");
    frames.push((0..arp.len()).step_by(2).map(byte).collect());
    frames
}

/// The program's text with its part `TcpOptions` or without.
fn chosen(text: &str, options: bool) -> String {
    let line = |line: &str| {
        let (with, without) =
            (line.strip_prefix("@TcpOptions "), line.strip_prefix("@!TcpOptions "));
        match (with.or(line.strip_prefix("@TcpOptions")), without) {
            (Some(rest), _) => options.then(|| rest.to_owned()),
            (_, Some(rest)) => (!options).then(|| rest.to_owned()),
            _ => Some(line.replace("@@BY_HAND@@", "\"l\", ")),
        }
    };
    text.lines().filter_map(line).map(|line| line + "\n").collect()
}

#[rstest]
#[case::as_any(false)]
#[case::with_options(true)]
fn c_and_rust_say_the_same_of_a_frame(#[case] options: bool) {
    if !has_cc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("say.c"), folder.path().join("say"));
    let part = if options { include_str!("../reports/src/repro/c/tcp_options.c") } else { "" };
    let frame = include_str!("../reports/src/repro/c/frame.c");
    let text = concat!("#include <stddef.h>\n", include_str!("../reports/src/repro/c/be16.c"));
    let text = chosen(&format!("{text}{part}{frame}"), options);
    let main = if options {
        MAIN.replace("    while", "    tell_options(\"l\", 1);\n    while")
    } else {
        MAIN.to_owned()
    };
    std::fs::write(&source, format!("{text}{main}")).unwrap();
    let cc = Command::new("cc").args(FLAGS).arg("-o").args([&program, &source]).output().unwrap();
    assert!(cc.status.success(), "{}", String::from_utf8_lossy(&cc.stderr));
    // Numerical Recipes' generator: the same frames each time.
    let mut state = 7u32;
    let mut below = |n: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % n
    };
    let mut all: Vec<(u16, Vec<u8>)> = Vec::new();
    for frame in built() {
        let of = |frame: &[u8]| match frame.first() {
            Some(0) => 0x0806,
            Some(byte) if byte >> 4 == 6 => 0x86dd,
            _ => 0x0800,
        };
        all.push((of(&frame), frame.clone()));
        // Cut, and with some bytes changed.
        for _ in 0..20 {
            let mut other = frame.clone();
            for _ in 0..=below(3) {
                let at = below(other.len().min(90));
                other[at] = u8::try_from(below(256)).expect("less than that");
            }
            all.push((of(&frame), other));
            all.push((of(&frame), frame[..below(frame.len() + 1)].to_vec()));
        }
    }
    let mut given = Vec::new();
    for (protocol, bytes) in &all {
        given.extend(u32::from(*protocol).to_ne_bytes());
        given.extend(u32::try_from(bytes.len()).unwrap().to_ne_bytes());
        given.extend(bytes);
    }
    let input = folder.path().join("frames");
    std::fs::File::create(&input).unwrap().write_all(&given).unwrap();
    let stdin = Stdio::from(std::fs::File::open(&input).unwrap());
    let output = Command::new(&program).stdin(stdin).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), all.len());
    for (line, (protocol, bytes)) in text.lines().zip(&all) {
        let ours = said(*protocol, bytes, options);
        let what = match ours.compared {
            Compared::Never => 0,
            Compared::Once => 1,
            Compared::Always => 2,
        };
        assert_eq!(
            line,
            format!("{what} {} {}", ours.seq, ours.text),
            "{protocol:#x} {bytes:02x?}"
        );
    }
}

/// What tcc lets pass cc does not: the planted negative of a program that tcc compiles and cc reads alone.
#[test]
fn what_tcc_compiles_cc_has_read() {
    if !has_cc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let good = "#include <stdio.h>\n\nint main(void)\n{\n    puts(\"x\");\n    return 0;\n}\n";
    let warns = good.replace("    puts", "    int unused;\n\n    puts");
    for (text, is_fine) in [(good, true), (&warns, false)] {
        let by_cc = ran(text, folder.path());
        assert_eq!(by_cc.is_ok(), is_fine, "{by_cc:?}");
        let read = warned(folder.path());
        assert_eq!(read.is_ok(), is_fine, "{read:?}");
        if let Some(by_tcc) = ran_by_tcc(text, folder.path()) {
            assert_eq!(by_tcc.stdout, b"x\n");
        }
    }
}
