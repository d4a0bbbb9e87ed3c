//! `dns` against the resolvers that there are: dig, dnspython, and getaddrinfo of glibc and of musl.

mod clients;
mod common;
mod fits;

use std::process::Command;

use common::{Far, finished, has, output};
use far::Asked;
use rstest::rstest;

/// What the server says at its end of a client that is given its port.
fn asked(script: &str, client: impl FnOnce(u16) -> Command) -> (String, Vec<String>) {
    let far = Far::start("dns", &Asked { script: script.to_owned(), ..Asked::default() });
    let said = output(client(far.addr.port()));
    (said, far.end())
}

fn dig(script: &str, options: &[&str]) -> Option<(String, Vec<String>)> {
    has("dig", "-v").then(|| {
        asked(script, |port| {
            let mut command = Command::new("dig");
            command.args(["@127.0.0.1", "-p", &port.to_string(), "+time=1", "+tries=2"]);
            command.args(options);
            command
        })
    })
}

#[rstest]
#[case::found("found", &["+short", "a.example"], "127.0.0.1\n", &["a.example: A answered 127.0.0.1", "  the client was told an address, of IPv4; it asked for no AAAA", "1 query in all, by UDP; EDNS in all"])]
#[case::found_aaaa("found", &["+short", "a.example", "AAAA"], "::1\n", &["a.example: AAAA answered ::1"])]
#[case::its_case("found", &["+noedns", "A.eXample"], "A.eXample.\t", &["1 query in all, by UDP; EDNS in none, letters of both cases (0x20) in all"])]
#[case::tcp("found", &["+short", "+tcp", "a.example"], "127.0.0.1\n", &["1 query in all, by TCP; EDNS in all"])]
#[case::nxdomain("nxdomain", &["a.example"], "status: NXDOMAIN", &["a.example: A NXDOMAIN", "  the client was told that there is no such name; not asked again"])]
#[case::servfail("servfail", &["a.example"], "status: SERVFAIL", &["a.example: A SERVFAIL"])]
#[case::refused("refused", &["a.example"], "status: REFUSED", &["a.example: A REFUSED", "  the client was told REFUSED and nothing else; not asked again"])]
#[case::a_only("a-only", &["a.example", "AAAA"], "status: NOERROR", &["a.example: AAAA no such record (NODATA)"])]
#[case::aaaa_only("aaaa-only", &["+short", "a.example", "AAAA"], "::1\n", &["a.example: AAAA answered ::1"])]
#[case::truncated("truncated", &["+short", "a.example"], "127.0.0.1\n", &["a.example: A truncated (TC), then answered 127.0.0.1", "  told over UDP to ask by TCP (TC), it did"])]
#[case::truncated_and_ignored("truncated", &["+ignore", "a.example"], "flags: qr tc", &["  told over UDP to ask by TCP (TC), it did not"])]
#[case::truncated_no_tcp("truncated-no-tcp", &["a.example"], "connection", &["  told over UDP to ask by TCP (TC); connections by TCP were reset"])]
#[case::cname("cname", &["+short", "a.example"], "one.alias.test.\ntwo.alias.test.\n127.0.0.1\n", &["a.example: A answered 127.0.0.1 behind aliases"])]
#[case::cname_loop("cname-loop", &["+short", "a.example"], "one.alias.test.\ntwo.alias.test.\none.alias.test.\n", &["a.example: A aliases in a circle"])]
#[case::https("https", &["+short", "a.example", "HTTPS"], "1 . alpn=\"h2\" ipv4hint=127.0.0.1 ipv6hint=::1\n", &["a.example: HTTPS answered 1 . alpn=h2 ipv4hint=127.0.0.1 ipv6hint=::1", "  no address was asked for"])]
#[case::svcb("https", &["+short", "_dns.a.example", "SVCB"], "1 . alpn=\"h2\"", &["_dns.a.example: SVCB answered 1 . alpn=h2 ipv4hint=127.0.0.1 ipv6hint=::1"])]
#[case::slow("slow", &["+short", "+time=4", "a.example"], "127.0.0.1\n", &["  asked once: A by UDP"])]
#[case::too_slow("slow", &["+time=1", "+tries=1", "a.example"], "timed out", &["  asked once: A by UDP"])]
#[case::wrong_question("wrong-question", &["a.example"], "Question section mismatch", &["a.example: A answered 127.0.0.1 to another question"])]
#[case::no_edns("no-edns", &["a.example"], "status: FORMERR", &["  EDNS was answered by FORMERR: it was not asked again without"])]
#[case::subnet("found", &["+short", "+subnet=192.0.2.0/24", "a.example"], "127.0.0.1\n", &["1 query in all, by UDP; EDNS in all"])]
#[case::odd("odd", &["a.example", "AAAA"], "status: NXDOMAIN", &["a.example: AAAA NXDOMAIN"])]
fn dig_is_told(
    #[case] script: &str,
    #[case] options: &[&str],
    #[case] answered: &str,
    #[case] expected: &[&str],
) {
    let Some((said, summary)) = dig(script, options) else { return };
    assert!(said.contains(answered), "{said}");
    for line in expected {
        assert!(summary.iter().any(|l| l == line), "{line}\n{}", summary.join("\n"));
    }
}

#[rstest]
#[case::silent("silent", "A not answered", "nothing was answered, and it was asked again once")]
#[case::wrong_id(
    "wrong-id",
    "A answered 127.0.0.1 by another id",
    "what was sent fits no query, and was not believed: asked again once"
)]
fn dig_asks_again_what_is_not_answered(
    #[case] script: &str,
    #[case] told: &str,
    #[case] verdict: &str,
) {
    let Some((_, summary)) = dig(script, &["a.example"]) else { return };
    assert_eq!(summary[0], format!("a.example: {told}"));
    assert!(summary[1].starts_with("  asked 2 times in "), "{summary:?}");
    assert_eq!(summary[2], format!("  {verdict}"));
}

#[rstest]
#[case(
    "found",
    "m = resolver.resolve('a.example', 'A'); print(m[0])",
    "127.0.0.1",
    "a.example: A answered 127.0.0.1"
)]
#[case(
    "truncated",
    "print(resolver.resolve('a.example', 'AAAA')[0])",
    "::1",
    "a.example: AAAA truncated (TC), then answered ::1"
)]
#[case(
    "odd",
    "print(resolver.resolve('a.example', 'AAAA')[0])",
    "NXDOMAIN",
    "a.example: AAAA NXDOMAIN"
)]
#[case(
    "a-only",
    "print(resolver.resolve('a.example', 'AAAA')[0])",
    "NoAnswer",
    "a.example: AAAA no such record (NODATA)"
)]
#[case(
    "cname",
    "print(resolver.resolve('a.example', 'A').canonical_name)",
    "two.alias.test.",
    "a.example: A answered 127.0.0.1 behind aliases"
)]
#[case(
    "cname-loop",
    "print(resolver.resolve('a.example', 'A'))",
    "CNAME chain is too long",
    "a.example: A aliases in a circle"
)]
#[case(
    "found",
    "print('asks nothing')",
    "asks nothing",
    "no query came: no name was asked for here (by another resolver, from a cache or /etc/hosts, or not at all)"
)]
fn dnspython_is_told(
    #[case] script: &str,
    #[case] code: &str,
    #[case] answered: &str,
    #[case] expected: &str,
) {
    if !has("python3", "-c import dns.resolver") {
        return;
    }
    let (said, summary) = asked(script, |port| {
        let mut command = Command::new("python3");
        command.args(["-c", &format!(
            "import dns.resolver\nresolver = dns.resolver.Resolver(configure=False)\nresolver.nameservers = ['127.0.0.1']\nresolver.port = {port}\nresolver.lifetime = 3\n{code}"
        )]);
        command
    });
    assert!(said.contains(answered), "{said}");
    assert_eq!(summary[0], expected);
}

/// What of the program's own end is done in a network of its own: the server at port 53, and whoever asks what
/// `resolv.conf` says.
#[test]
fn inside() {
    let Some((script, client)) = common::inside_args() else { return };
    output(common::shell("ip link set lo up"));
    let folder = std::env::temp_dir().join(format!("far-dns-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let conf = folder.join("resolv.conf");
    std::fs::write(&conf, "nameserver 127.0.0.1\noptions timeout:1 attempts:2 edns0\n").unwrap();
    let mounted = output(common::shell(&format!(
        "mount --bind {} \"$(readlink -f /etc/resolv.conf)\" && echo mounted",
        conf.display()
    )));
    assert_eq!(mounted, "mounted\n");
    let asked = Asked { script, ..Asked::default() };
    let far = Far::start_at("127.0.0.1:53", "dns", &asked);
    let said = output(common::shell(&client));
    println!("SAID {}", said.replace('\n', " "));
    far.end().iter().for_each(|line| println!("LINE {line}"));
    let _ = std::fs::remove_dir_all(folder);
}

/// `getent ahosts` is glibc's getaddrinfo, with its defaults.
const GLIBC: &str = "getent ahosts a.example || echo none";

#[rstest]
#[case::found("found", "STREAM", &["127.0.0.1", "::1"], "  the client was told an address, of IPv4 and of IPv6")]
#[case::nxdomain("nxdomain", "none", &["A NXDOMAIN", "AAAA NXDOMAIN"], "  the client was told that there is no such name; not asked again")]
#[case::odd("odd", "127.0.0.1", &["A answered 127.0.0.1", "AAAA NXDOMAIN"], "  NXDOMAIN for AAAA denies the name itself (RFC 8020): a client that believes it gives up, though A was answered")]
#[case::a_only("a-only", "127.0.0.1", &["AAAA no such record (NODATA)"], "  the client was told an address, of IPv4 alone")]
#[case::truncated("truncated", "127.0.0.1", &["A truncated (TC), then answered 127.0.0.1"], "  told over UDP to ask by TCP (TC), it did")]
#[case::no_edns("no-edns", "none", &["A FORMERR", "AAAA FORMERR"], "  EDNS was answered by FORMERR: it was not asked again without")]
#[case::silent("silent", "none", &["A not answered", "AAAA not answered"], "  nothing was answered, and it was asked again 2 times")]
fn glibc_is_told(
    #[case] script: &str,
    #[case] answered: &str,
    #[case] told: &[&str],
    #[case] verdict: &str,
) {
    let Some((said, summary)) = common::outside("inside", script, GLIBC) else { return };
    assert!(said.contains(answered), "{said}");
    let first = summary.iter().find(|line| line.starts_with("a.example: ")).expect("the name");
    for part in told {
        assert!(first.contains(part), "{first}");
    }
    assert!(summary.iter().any(|line| line == verdict), "{}", summary.join("\n"));
}

const MUSL: &str = r#"
#include <netdb.h>
#include <stdio.h>
#include <arpa/inet.h>
int main(void) {
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all;
    int e = getaddrinfo("a.example", 0, &hints, &all);
    if (e) { puts(gai_strerror(e)); return 0; }
    for (; all; all = all->ai_next) {
        char text[64];
        void *at = all->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)all->ai_addr)->sin_addr
            : (void *)&((struct sockaddr_in6 *)all->ai_addr)->sin6_addr;
        puts(inet_ntop(all->ai_family, at, text, sizeof text));
    }
}
"#;

/// The fault by which a name is found by one program and not by another: glibc takes the answer for A, musl believes
/// that there is no such name.
#[rstest]
#[case::found("found", "127.0.0.1", "  the client was told an address, of IPv4 and of IPv6")]
#[case::odd(
    "odd",
    "Name does not resolve",
    "  NXDOMAIN for AAAA denies the name itself (RFC 8020): a client that believes it gives up, though A was answered"
)]
#[case::a_only("a-only", "127.0.0.1", "  the client was told an address, of IPv4 alone")]
fn musl_is_told(#[case] script: &str, #[case] answered: &str, #[case] verdict: &str) {
    if !has("musl-gcc", "--version") {
        return;
    }
    let folder = std::env::temp_dir().join(format!("far-musl-{script}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (source, program) = (folder.join("ask.c"), folder.join("ask"));
    std::fs::write(&source, MUSL).unwrap();
    let mut compile = Command::new("musl-gcc");
    compile.args(["-static", "-o"]).arg(&program).arg(&source);
    assert!(finished(compile).status.success());
    let outside = common::outside("inside", script, &program.display().to_string());
    let _ = std::fs::remove_dir_all(folder);
    let Some((said, summary)) = outside else { return };
    assert!(said.contains(answered), "{said}");
    assert!(summary.iter().any(|line| line == verdict), "{}", summary.join("\n"));
}
