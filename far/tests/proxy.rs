//! Real clients that use the proxy, or go around it.

mod clients;
mod fits;
mod talk;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use clients::missing;
use rstest::rstest;
use talk::{Said, Serving, client, python, serve};

/// A web server behind the proxy, for so many connections.
fn target(connections: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or(0) == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\ntarget";
            let _ = stream.write_all(answer);
        }
    });
    addr
}

/// What curl makes of a proxy; each word's `{}` is its address, `{target}` that of the target.
fn curl(script: &str, words: &[&str]) -> Option<(String, Said)> {
    let proxy = serve("proxy", script);
    let target = target(1);
    let filled: Vec<String> = words.iter().map(|word| fill(word, &proxy, target)).collect();
    let mut all = vec!["curl", "-sS", "-m", "20"];
    all.extend(filled.iter().map(String::as_str));
    let came = client(&all)?;
    Some((came.out + &came.err, proxy.stop()))
}

fn fill(word: &str, proxy: &Serving, target: SocketAddr) -> String {
    let word = word.replace("{target}", &target.to_string());
    let word = word.replace("{port}", &target.port().to_string());
    word.replace("{}", &proxy.addr.to_string())
}

#[rstest]
#[case::absolute(&["-x", "http://{}", "http://{target}/"], "GET http://127.0.0.1:", "by address")]
#[case::tunnel(&["-p", "-x", "http://{}", "http://localhost:{port}/"], "CONNECT localhost:", "by name")]
#[case::socks(&["-x", "socks5://{}", "http://localhost:{port}/"], "SOCKS5 CONNECT 127.0.0.1:", "by address")]
#[case::socks_name(&["-x", "socks5h://{}", "http://localhost:{port}/"], "SOCKS5 CONNECT localhost:", "by name")]
fn curl_comes_by_the_proxy(#[case] words: &[&str], #[case] line: &str, #[case] named: &str) {
    let Some((out, said)) = curl("open", words) else { return };
    assert_eq!(out, "target", "{said}");
    said.has(&[line, named, "ended by"]);
    said.sums(&["1 came by the proxy; nobody came around it to the proxy's own port, and what goes around it elsewhere is not seen here", "  curl/"]);
    said.check(&["proxied"], &["around", "no request", "pac", "auth basic"]);
}

#[rstest]
#[case::noproxy(&["-x", "http://{}", "--noproxy", "*", "http://{}/x"], "0 came by the proxy, 1 went around it")]
#[case::own(&["-x", "http://{}", "http://{}/x"], "1 came by the proxy; nobody came around it to the proxy's own port, and what goes around it elsewhere is not seen here")]
#[case::own_tunnel(&["-p", "-x", "http://{}", "http://{}/x"], "1 came by the proxy; nobody came around it to the proxy's own port, and what goes around it elsewhere is not seen here")]
#[case::own_socks(&["-x", "socks5h://{}", "http://{}/x"], "1 came by the proxy; nobody came around it to the proxy's own port, and what goes around it elsewhere is not seen here")]
#[case::both(
    &["-x", "http://{}", "http://{}/x", "--next", "-sS", "http://{}/y"],
    "1 came by the proxy, 1 went around it"
)]
fn curl_that_goes_around_is_told(#[case] words: &[&str], #[case] expected: &str) {
    let Some((_, said)) = curl("open", words) else { return };
    said.sums(&[expected]);
    let is_around = !expected.contains("nobody came around it");
    said.check(&[if is_around { "around" } else { "proxied" }], &["no request", "pac"]);
}

#[rstest]
#[case::nothing("407-basic", &["-x", "http://{}"], &["no Basic credentials came", "went no further"], &[])]
#[case::basic("407-basic", &["-x", "http://a:hunter2@{}"], &["Basic credentials came"], &["auth basic"])]
#[case::wrong("407-digest", &["-x", "http://a:hunter2@{}"], &["no Digest credentials came", "Basic credentials came with 1"], &["auth basic"])]
#[case::digest("407-digest", &["--proxy-anyauth", "-x", "http://a:hunter2@{}"], &["Digest credentials came"], &["auth digest"])]
#[case::ntlm("407-ntlm", &["--proxy-ntlm", "-x", "http://a:hunter2@{}"], &["NTLM credentials came with 2 requests"], &["auth ntlm"])]
#[case::tunnel("407-basic", &["-p", "--proxy-anyauth", "-x", "http://a:hunter2@{}"], &["Basic credentials came"], &["auth basic"])]
#[case::socks("socks-auth", &["-x", "socks5h://a:hunter2@{}"], &["SOCKS5 user/password credentials came"], &["auth socks5"])]
#[case::socks_none("socks-auth", &["-x", "socks5h://{}"], &["the script wants user/password"], &[])]
#[case::refused("refuse", &["-x", "http://{}"], &["not let through: 1 request"], &["proxied"])]
#[case::slow("slow", &["-x", "http://{}"], &["1 came by the proxy"], &["proxied"])]
fn curl_is_asked_who_it_is(
    #[case] script: &str,
    #[case] words: &[&str],
    #[case] expected: &[&str],
    #[case] holds: &[&str],
) {
    let Some((_, said)) = curl(script, &[words, &["http://{target}/"]].concat()) else { return };
    said.sums(expected);
    said.sums(&["1 came by the proxy; nobody came around it to the proxy's own port, and what goes around it elsewhere is not seen here"]);
    said.check(holds, &["around", "no request", "auth negotiate"]);
    let secret = ["hunter2", "YTpodW50ZXIy"].iter().any(|s| said.lines.contains(s));
    assert!(!secret && !format!("{:?}", said.json).contains("YTpodW50ZXIy"), "{said}");
}

#[test]
fn the_world_is_not_reached() {
    let Some((out, said)) = curl("open", &["-x", "http://{}", "http://192.0.2.1/"]) else { return };
    assert!(out.contains("--allow-upstream 192.0.2.1"), "{out}");
    said.sums(&["not let through: 1 request", "loopback alone"]);
    let words = ["-p", "-x", "socks5h://{}", "http://example.com/"];
    let Some((_, said)) = curl("open", &words) else { return };
    said.has(&["reply 2, not allowed: this proxy connects to loopback alone"]);
}

#[test]
fn who_reads_nothing_is_not_read_for() {
    let proxy = serve("proxy", "open");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let mut client = TcpStream::connect(proxy.addr).unwrap();
    write!(client, "CONNECT {addr} HTTP/1.1\r\nHost: {addr}\r\n\r\n").unwrap();
    let (mut target, _) = listener.accept().unwrap();
    target.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let zeros = vec![0; 1 << 16];
    let most = 256 << 20;
    let mut written = 0;
    while written < most
        && let Ok(n) = target.write(&zeros)
    {
        written += n;
    }
    assert!(written < most / 2, "{written} bytes were taken");
    drop(client);
    proxy.stop().has(&["ended by the client"]);
}

const URLLIB: &str = "
import sys, urllib.request
proxy, target = sys.argv[1:]
through = urllib.request.build_opener(urllib.request.ProxyHandler({'http': proxy} if proxy else {}))
print(through.open(target, timeout=20).read().decode())
";

#[rstest]
#[case::through(true)]
#[case::around(false)]
fn urllib_comes_as_it_is_told_to(#[case] through: bool) {
    let proxy = serve("proxy", "open");
    let by = if through { proxy.url.as_str() } else { "" };
    let Some(came) = python("urllib.request", URLLIB, &[by, &proxy.url]) else { return };
    assert!(came.ok, "{came:?}");
    let said = proxy.stop();
    said.sums(&["  Python-urllib/"]);
    let (so, not) = if through { ("proxied", "around") } else { ("around", "proxied") };
    said.check(&[so], &[not]);
}

#[test]
fn fetch_of_node_goes_around_whatever_the_environment_says() {
    let proxy = serve("proxy", "open");
    let program = format!("process.env.http_proxy = '{0}'; fetch('{0}')", proxy.url);
    let Some(came) = client(&["node", "-e", &program]) else { return };
    assert!(came.ok, "{came:?}");
    let said = proxy.stop();
    said.sums(&["0 came by the proxy, 1 went around it", "node"]);
    said.check(&["around"], &["proxied"]);
}

/// Chromium's page, loaded once with those flags.
fn chromium(proxy: &Serving, flags: &[String], url: &str) -> Option<String> {
    let name = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| std::process::Command::new(name).arg("--version").output().is_ok());
    let Some(name) = name else {
        missing("chromium");
        return None;
    };
    let folder = std::env::temp_dir().join(format!("far-proxy-{}", proxy.addr.port()));
    let profile = format!("--user-data-dir={}", folder.display());
    let mut words = vec![name, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"];
    words.extend(["--no-first-run", "--disable-background-networking", "--disable-sync"]);
    words.extend(["--disable-component-update", "--proxy-bypass-list=<-loopback>", &profile]);
    words.extend(flags.iter().map(String::as_str));
    words.extend(["--dump-dom", url]);
    let came = client(&words);
    let _ = std::fs::remove_dir_all(folder);
    came.map(|came| came.out)
}

#[test]
fn chromium_by_a_proxy_and_around_it() {
    let proxy = serve("proxy", "open");
    let flags = [format!("--proxy-server={}", proxy.addr)];
    let Some(page) = chromium(&proxy, &flags, &proxy.url) else { return };
    assert!(page.contains("you came by the proxy"), "{page}");
    let said = proxy.stop();
    said.sums(&["nobody came around it", "Chrome/"]);
    said.check(&["proxied"], &["around", "no request", "pac"]);

    let proxy = serve("proxy", "open");
    let page = chromium(&proxy, &["--no-proxy-server".to_owned()], &proxy.url).unwrap();
    assert!(page.contains("you came around the proxy"), "{page}");
    proxy.stop().check(&["around"], &["proxied", "pac"]);
}

#[test]
fn chromium_fetches_the_pac_file_and_obeys_it() {
    let proxy = serve("proxy", "open");
    let flags = [format!("--proxy-pac-url={}proxy.pac", proxy.url)];
    // Not localhost, which the browser asks no PAC file for; nobody is there, as the proxy says.
    let Some(page) = chromium(&proxy, &flags, "http://app.test/") else { return };
    assert!(page.contains("app.test is not that"), "{page}");
    let said = proxy.stop();
    said.sums(&["the PAC file was fetched by ", "not let through"]);
    said.has(&["GET /proxy.pac", "GET http://app.test/, by name"]);
    said.check(&["pac", "proxied"], &["around", "no request"]);
}
