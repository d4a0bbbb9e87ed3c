//! `sockeye observe`: all that a program sends, in order, and nothing of the host's.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::common::{SOCKEYE, has_labs, is_linux, sockeye, stderr, stdout, text};

/// What came of a program.
struct Observed {
    out: String,
    err: String,
    status: Option<i32>,
    folder: tempfile::TempDir,
}

impl Observed {
    /// The lines of the transcript that are frames of this link.
    fn frames(&self, link: &str) -> Vec<&str> {
        let [out, into] = [format!("> {link} "), format!("< {link} ")];
        let of = |line: &&str| line.contains(&out) || line.contains(&into);
        self.out.lines().filter(of).collect()
    }

    /// How many frames were lost: the last line but one of the output always says so.
    fn lost(&self) -> usize {
        let line = self.out.lines().find(|line| line.contains("; kept in ")).expect("a last line");
        if line.contains("frames, none lost;") {
            return 0;
        }
        let (_, rest) = line.split_once("frames, and ").expect("frames that were lost");
        rest.split(' ').next().and_then(|n| n.parse().ok()).expect("a number")
    }
}

/// A program of python3 in a lab; none where this host has no labs or no python3.
fn python(args: &[&str], program: &str) -> Option<Observed> {
    observe(args, &["python3", "-c", program])
}

fn observe(args: &[&str], command: &[&str]) -> Option<Observed> {
    if !has_labs() || !is_linux() {
        return None;
    }
    if Command::new(command[0]).arg("--version").output().is_err() {
        eprintln!("skipped: {} is not installed", command[0]);
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let output = sockeye(&[&["observe", "--out", path], args, &["--"], command].concat());
    let status = output.status.code();
    assert!(matches!(status, Some(0 | 1)), "{}", stderr(&output));
    Some(Observed { out: stdout(&output), err: stderr(&output), status, folder })
}

/// 5,000 datagrams as fast as they can be made: 1,877 to 5,000 of them were shown.
#[test]
fn every_datagram_is_shown_or_counted() {
    let program = "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(5000): s.sendto(i.to_bytes(4, 'big') + b'y' * 1396, ('192.0.2.2', 9))";
    let Some(seen) = python(&["--limit", "60"], program) else { return };
    let datagrams =
        seen.frames("link0").iter().filter(|line| line.contains("> 9 len 1400")).count();
    if seen.lost() == 0 {
        assert_eq!(datagrams, 5000);
    } else {
        // Others may be among the lost.
        assert!(datagrams < 5000 && datagrams + seen.lost() >= 5000, "{datagrams}");
    }
}

/// 20 MB over loopback: 19.16 MB of them were shown, and not a word was said of the others.
#[test]
fn every_byte_is_shown_or_counted() {
    let program = "import socket, threading
l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen()
def read():
    c, _ = l.accept()
    while c.recv(1 << 20): pass
t = threading.Thread(target=read); t.start()
c = socket.create_connection(l.getsockname()); c.sendall(b'x' * 20000000); c.close(); t.join()";
    let Some(seen) = python(&["--limit", "120"], program) else { return };
    let len = |line: &&str| -> Option<usize> {
        line.split_once(" len ")?.1.split(' ').next()?.parse().ok()
    };
    let bytes: usize = seen.frames("lo").iter().filter_map(len).sum();
    // More where a segment was sent again.
    assert!(bytes >= 20_000_000 || seen.lost() > 0, "{bytes} bytes, and none lost");
}

/// Several processes that send to a port of loopback's without end; `word` is in their arguments.
fn flood(word: &str) -> String {
    // Large, so that a ring that is full has few frames to write down.
    format!(
        "# {word}
import os, socket
for i in range(3): os.fork()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try: s.sendto(b'x' * 30000, ('127.0.0.1', 9))
    except OSError: pass"
    )
}

/// Who sends as fast as it is read kept the executor reading for ever, so that the limit never came.
#[test]
fn a_flood_ends_at_its_limit_and_what_is_lost_of_it_is_said() {
    if !has_labs() || !is_linux() || Command::new("python3").arg("--version").output().is_err() {
        return eprintln!("skipped: it takes a lab and python3");
    }
    let word = format!("sockeye-flood-{}", std::process::id());
    // On a busy machine two seconds may be over before python3 has begun.
    for _ in 0..5 {
        let seen = bounded(&["--limit", "2", "--", "python3", "-c", &flood(&word)]);
        assert!(seen.err.contains("killed after 2 s"), "{}", seen.err);
        assert_eq!(processes(&word), [""; 0]);
        // By the executor's own clock, whatever it takes to write all down.
        let took = seen.out.split_once("still waiting after ").expect("it was killed").1;
        let took: u32 = took.split(' ').next().and_then(|ms| ms.parse().ok()).expect("a number");
        assert!(took < 20_000, "its limit is 2 s, and it took {took} ms");
        let (shown, lost) = (seen.frames("lo").len(), seen.lost());
        println!("{took} ms: {shown} frames, {lost} lost");
        if shown > 100 && lost > 0 {
            return;
        }
    }
    panic!("nothing of a flood was lost, or none was seen");
}

/// `sockeye observe` with these arguments, which has to end, however long it writes.
fn bounded(args: &[&str]) -> Observed {
    let folder = tempfile::tempdir().expect("a folder");
    let [out, err] = [(), ()].map(|()| tempfile::NamedTempFile::new().expect("a file"));
    let handed = |file: &tempfile::NamedTempFile| Stdio::from(file.reopen().expect("opened"));
    let mut child = Command::new(SOCKEYE)
        .args(["observe", "--out", text(folder.path())])
        .args(args)
        .stdout(handed(&out))
        .stderr(handed(&err))
        .spawn()
        .expect("sockeye starts");
    let end = Instant::now() + Duration::from_mins(8);
    let status = loop {
        if let Some(status) = child.try_wait().expect("waited") {
            break status.code();
        }
        if Instant::now() > end {
            child.kill().expect("killed");
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let read = |file: &tempfile::NamedTempFile| fs::read_to_string(file.path()).expect("UTF-8");
    Observed { out: read(&out), err: read(&err), status, folder }
}

/// By the link and by loopback in turn, without a pause: all of the one stood before all of the other.
#[test]
fn frames_of_two_links_are_in_one_order() {
    let program = "import socket
r = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); r.bind(('127.0.0.1', 9))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(20): s.sendto(b'%02d' % i, (('192.0.2.2', '127.0.0.1')[i % 2], 9))";
    let Some(seen) = python(&[], program) else { return };
    let said: Vec<&str> = seen.out.lines().filter(|line| line.contains("> 9 len 2")).collect();
    assert_eq!(said.len(), 20, "{}", seen.out);
    for (number, line) in said.iter().enumerate() {
        let link = ["> link0 ", "> lo "][number % 2];
        assert!(line.contains(link) && line.contains(&format!("\"{number:02}\"")), "{}", seen.out);
    }
}

/// The processes of this host that have `word` among their arguments.
fn processes(word: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").expect("/proc").flatten();
    let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(word)).collect()
}

/// A daemon: its parent ends at once, it sends later, and goes on.
fn daemon(then: &str) -> String {
    format!(
        "import os, socket, time
if os.fork() == 0:
    os.setsid()
    time.sleep(0.5)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b'from the daemon', ('192.0.2.2', 9))
    {then}"
    )
}

#[test]
fn what_a_program_leaves_behind_is_waited_for() {
    let Some(seen) = python(&["--limit", "60"], &daemon("pass")) else { return };
    assert!(seen.out.contains("from the daemon"), "{}", seen.out);
    assert!(!seen.err.contains("left running"), "{}", seen.err);
}

#[test]
fn what_a_program_leaves_running_is_ended() {
    let word = format!("sockeye-daemon-{}", std::process::id());
    let program = format!("# {word}\n{}", daemon("time.sleep(600)"));
    let Some(seen) = python(&["--limit", "5"], &program) else { return };
    assert!(seen.out.contains("from the daemon"), "{}", seen.out);
    assert!(seen.err.contains("ended what the program had left running"), "{}", seen.err);
    assert!(seen.out.contains(") = 0 <"), "its own status is shown: {}", seen.out);
    assert_eq!(seen.status, Some(0), "{}", seen.err);
    assert_eq!(processes(&word), [""; 0]);
}

#[test]
fn nothing_of_a_killed_program_is_left() {
    let word = format!("sockeye-child-{}", std::process::id());
    let program =
        format!("# {word}\n(setsid sleep 600 # {word}\n) & sh -c 'sleep 600 # {word}'; :");
    let began = Instant::now();
    let Some(seen) = observe(&["--limit", "1"], &["sh", "-c", &program]) else { return };
    assert!(seen.err.contains("killed after 1 s"), "{}", seen.err);
    assert_eq!(seen.status, Some(1), "{}", seen.err);
    assert_eq!(processes(&word), [""; 0]);
    assert!(began.elapsed() < Duration::from_mins(5));
}

/// As for `control`: a status of its own would be taken for one of sockeye's.
#[rstest]
#[case::succeeds("exit 0", 0, None)]
#[case::fails("exit 2", 1, Some("the command \"sh\" ended with status 2\n"))]
#[case::raises("kill -9 $$", 1, Some("ended with status 137, which is signal 9 to a shell\n"))]
fn a_program_that_fails_is_status_1(
    #[case] program: &str,
    #[case] status: i32,
    #[case] says: Option<&str>,
) {
    let Some(seen) = observe(&["--limit", "60"], &["sh", "-c", program]) else { return };
    assert_eq!(seen.status, Some(status), "{}", seen.err);
    assert_eq!(seen.err.contains("ended with status"), says.is_some(), "{}", seen.err);
    assert!(seen.err.ends_with(says.unwrap_or_default()), "{}", seen.err);
    assert!(seen.out.contains("; kept in "), "{}", seen.out);
}

/// A pipe was waited for and a device read without end, whatever the limit; of two servers one was never asked.
#[test]
fn what_cannot_be_served_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let pipe = format!("tcp:80=@{}", text(&pipe));
    for (serve, says) in [
        (&["tcp:80=@/dev/zero"][..], "/dev/zero is a device, and what is sent is in a file"),
        (&[&pipe], "is a pipe, and what is sent is in a file"),
        (&["tcp:80=x", "http"], "port 80 of TCP has --serve \"tcp:80=x\" already"),
        (&["udp:53"], "port 53 of UDP is where names are answered for"),
    ] {
        let serve: Vec<&str> = serve.iter().flat_map(|what| ["--serve", what]).collect();
        let seen = bounded(&[&serve[..], &["--", "true"]].concat());
        assert_eq!(seen.status, Some(2), "{}", seen.err);
        assert!(seen.err.contains(says) && seen.err.lines().count() == 1, "{}", seen.err);
    }
}

/// IPv6 needs 1280 (RFC 8200 §5): a link with less was refused.
#[test]
fn a_small_mtu_has_no_ipv6() {
    let program = "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'x' * 1000, ('203.0.113.7', 9))";
    let Some(seen) = python(&["--mtu", "576"], program) else { return };
    assert!(seen.err.contains("IPv4 alone: IPv6 needs an MTU of 1280, not 576"), "{}", seen.err);
    assert!(seen.out.contains("frag 0+552"), "{}", seen.out);
}

#[test]
fn output_and_errors_are_what_they_are_without_sockeye() {
    let program = "import sys; print('said'); print('wrong', file=sys.stderr)";
    let Some(seen) = python(&[], program) else { return };
    assert!(seen.out.starts_with("said\n-- what was sent:\n"), "{}", seen.out);
    assert!(seen.err.ends_with("wrong\n") && !seen.err.contains("said"), "{}", seen.err);
    // Before it runs.
    let said = "will hold the program's arguments, and every frame";
    assert!(seen.err.starts_with("sockeye: ") && seen.err.contains(said), "{}", seen.err);
}

#[test]
fn nothing_of_the_hosts_is_asked_for_names() {
    let program = "import os, socket
print(open('/etc/resolv.conf').read(), os.listdir('/run'), socket.gethostname(), os.getpid())
print(len(os.listdir('/etc')) > 9, os.path.exists('/proc/self/fd'), os.getcwd())
try: socket.getaddrinfo('www.example.com', 80)
except OSError as e: print('not resolved')";
    let Some(seen) = python(&["--limit", "60"], program) else { return };
    let here = std::env::current_dir().expect("a folder");
    let expected = [
        "nameserver 192.0.2.2\noptions timeout:1 attempts:2\n [] host 2\n",
        &format!("True True {}\n", here.display()),
        "not resolved\n",
        "192.0.2.1 > 192.0.2.2 ",
        " query A www.example.com",
    ];
    for text in expected {
        assert!(seen.out.contains(text), "{text}: {}", seen.out);
    }
}

/// TCP and UDP at every address, and every name: each program ended at its first SYN.
#[test]
fn the_far_end_serves() {
    let program = "import socket, urllib.request
print(urllib.request.urlopen('http://www.example.com/', timeout=30).read())
c = socket.create_connection(('203.0.113.7', 25), 30)
print(c.recv(99), c.recv(99))
c = socket.create_connection(('2001:db8:7::7', 25), 30)
print(c.recv(99))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(30)
s.sendto(b'again', ('198.51.100.7', 7)); print(s.recvfrom(99))";
    let serve = ["http", "tcp:25=220 hello", "udp:7"];
    let args: Vec<&str> = serve.iter().flat_map(|what| ["--serve", what]).collect();
    let Some(seen) = python(&[&args[..], &["--limit", "120"]].concat(), program) else { return };
    let expected = "b'request 1 (connection 1): GET /\\nCookie sent: no\\n'\nb'220 hello' b''\nb'220 hello'\n\
                    (b'again', ('198.51.100.7', 7))\n";
    assert!(seen.out.starts_with(expected), "{}\n{}", seen.out, seen.err);
    for said in
        ["-- the far end speaks http at port 80\n", "GET / — Cookie sent: no\n", "1 datagram"]
    {
        assert!(seen.out.contains(said), "{said}: {}", seen.out);
    }
    assert!(seen.out.contains("response A www.example.com: NOERROR, A 192.0.2.2"), "{}", seen.out);
    assert_eq!(seen.lost(), 0, "{}", seen.out);
}

/// A client that trusts the far end's CA finishes, and what one that does not says is told by its name.
#[test]
fn what_is_said_within_tls_is_seen() {
    if Command::new("curl").arg("--version").output().is_err() {
        return eprintln!("skipped: curl is not installed");
    }
    let url = "https://www.example.com/secret";
    let trusts = ["curl", "-sS", "--max-time", "30", "--cacert", "{ca}", url];
    let Some(seen) = observe(&["--serve", "tls", "--limit", "60"], &trusts) else { return };
    for said in ["handshake completed", "SNI: www.example.com", "GET /secret"] {
        assert!(seen.out.contains(said), "{said}: {}", seen.out);
    }
    assert!(seen.err.contains("and what it says within TLS"), "{}", seen.err);
    assert_eq!(seen.lost(), 0, "{}", seen.out);
    let Some(seen) = observe(&["--serve", "tls=expired", "--limit", "60"], &trusts) else { return };
    assert!(seen.out.contains("alert certificate_expired"), "{}", seen.out);
    assert_eq!(seen.status, Some(1), "{}", seen.err);
    assert!(!seen.out.contains("GET /secret"), "{}", seen.out);
    let Some(seen) = observe(&["--serve", "tls", "--limit", "60"], &["true"]) else { return };
    assert!(seen.out.contains("no connection came"), "{}", seen.out);
}

/// A tun of the program's own: struct ifreq by hand, since `ip` may not be there.
#[test]
fn a_link_that_the_program_makes_is_seen() {
    let program = "import fcntl, socket, struct
tun = open('/dev/net/tun', 'r+b', buffering=0)
fcntl.ioctl(tun, 0x400454ca, struct.pack('16sH22x', b'own0', 0x1001))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ip = struct.pack('16sHH4s16x', b'own0', socket.AF_INET, 0, socket.inet_aton('10.9.8.1'))
fcntl.ioctl(s, 0x8916, ip)
fcntl.ioctl(s, 0x8914, struct.pack('16sH22x', b'own0', 0x41))
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'own0')
s.sendto(b'by my own', ('10.9.8.1', 9)); s.sendto(b'by my own', ('10.9.8.7', 9))";
    let Some(seen) = python(&[], program) else { return };
    let own = seen.frames("own0");
    assert!(own.iter().any(|line| line.contains("\"by my own\"")), "{}", seen.out);
    let file = fs::read(seen.folder.path().join("wire/observe.pcapng")).expect("a file");
    assert!(file.windows(4).any(|bytes| bytes == b"own0"), "no such interface");
}

/// A run is passed on: what names a person or a machine in the arguments is replaced.
#[test]
fn arguments_are_scrubbed_where_they_are_kept() {
    let argument = "/home/jqpublic/notes-00:11:22:33:44:55";
    let Some(seen) = observe(&[], &["true", argument]) else { return };
    assert!(seen.out.contains(argument), "{}", seen.out);
    for file in ["results.jsonl", "manifest.json", "wire/observe.pcapng"] {
        let bytes = fs::read(seen.folder.path().join(file)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("jqpublic") && !text.contains("00:11:22"), "{file}: {text}");
    }
}

/// A folder that cannot be had is said before the program runs: what it did would be lost.
#[test]
fn a_folder_that_is_refused_is_refused_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, mark) = (folder.path().join("out"), folder.path().join("mark"));
    fs::create_dir(&out).expect("made");
    fs::write(out.join("notes.txt"), "mine").expect("written");
    let [out, mark_at] = [&out, &mark].map(|path| path.to_str().expect("UTF-8"));
    let output = sockeye(&["observe", "--out", out, "--", "touch", mark_at]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!mark.exists(), "it ran");
}
