//! Logs of programs, straced here, become cases that come to the same here.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::{SOCKEYE, has_labs, is_linux, sockeye, stderr, stdout, text};

/// Sends twice to a port where nobody listens: the second send reports what the first one caused.
const CLOSED_PORT: &str = "\
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('127.0.0.1', 9))
s.send(b'x')
try:
    s.send(b'y')
except ConnectionRefusedError:
    pass
s.close()
";

/// A server and its client in two threads, data that is longer than strace shows, options, a timeout.
const THREADS: &str = "\
import socket, threading
l = socket.socket()
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind(('127.0.0.1', 0))
l.listen(1)
def serve():
    c, _ = l.accept()
    c.sendall(c.recv(1000) + b'!')
    c.close()
t = threading.Thread(target=serve)
t.start()
s = socket.create_connection(l.getsockname())
s.sendall(b'x' * 300)
print(len(s.recv(1000)))
t.join()
print(s.recv(1000))
s.settimeout(0.05)
a, b = socket.socketpair()
a.send(b'hello')
print(b.recv(10))
b.settimeout(0.05)
try:
    b.recv(1)
except TimeoutError:
    pass
";

/// Whether a program is there; where it is not, the tests that need it say so.
fn has(program: &str) -> bool {
    let mut command = Command::new(program);
    let has = command.arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !has {
        eprintln!("skipped: this host has no {program}");
    }
    has
}

/// The real program behind a name that may be a script of a version manager's.
fn python() -> String {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let output = output.expect("python3 runs");
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

fn strace(folder: &Path, program: &str, more: &[&str]) -> String {
    let log = folder.join("log");
    let strace = Command::new("strace")
        .args(["-f", "-yy", "-s", "256", "-e", "trace=network,desc", "-o", text(&log)])
        .args(more)
        .args([&python(), "-c", program])
        .stdin(Stdio::null())
        .output()
        .expect("strace runs");
    assert!(strace.status.success(), "{}", stderr(&strace));
    text(&log).to_owned()
}

fn able() -> bool {
    is_linux() && has("strace") && has("python3") && has_labs()
}

#[test]
fn a_straced_program_imports_and_reproduces() {
    if !able() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (number, form) in [&["-tt"][..], &["-ttt", "-T"], &["-r"], &[]].iter().enumerate() {
        let log = strace(folder.path(), CLOSED_PORT, form);
        let case = folder.path().join(format!("closed{number}.case"));
        let (case, out) = (text(&case), folder.path().join("out"));
        let wrote = sockeye(&["import", "strace", &log, "-o", case]);
        assert_eq!(wrote.status.code(), Some(0), "{}", stderr(&wrote));
        let written = fs::read_to_string(case).expect("the case");
        let twice =
            "send(s, \"x\", 1, 0) = 1\nsend(s, \"y\", 1, 0) = -1 ECONNREFUSED\nclose(s) = 0\n";
        assert!(written.ends_with(twice), "{written}");
        assert_eq!(stdout(&sockeye(&["import", "strace", &log])), written);
        let run = sockeye(&["run", case, "--strict", "--out", text(&out)]);
        assert_eq!(run.status.code(), Some(0), "{}{}", stdout(&run), stderr(&run));
        let repro = stdout(&sockeye(&["repro", case]));
        assert!(repro.contains("REPRODUCED") && repro.contains("connect("), "{repro}");
        // The same case asking for what did not come.
        fs::write(case, written.replace("-1 ECONNREFUSED", "1")).expect("the case is written");
        let run = sockeye(&["run", case, "--out", text(&out)]);
        assert_eq!(run.status.code(), Some(1), "{}", stdout(&run));
    }
}

#[test]
fn threads_and_long_data_of_a_straced_program_come_to_the_same() {
    if !able() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let log = strace(folder.path(), THREADS, &["-tt"]);
    let case = folder.path().join("client.case");
    let wrote = sockeye(&["import", "strace", &log, "-o", text(&case)]);
    assert_eq!(wrote.status.code(), Some(0), "{}", stderr(&wrote));
    let written = fs::read_to_string(&case).expect("the case");
    for part in [
        "# socket calls of the threads ",
        "# the log has not 44 of its 300 bytes",
        "connect(s2, {AF_INET 127.0.0.1:port(s)}) = 0",
        "send(a, \"hello\", 5, 0) = 5\nrecv(b, 10, 0) = 5, \"hello\"\n",
    ] {
        assert!(written.contains(part), "{part}\n{written}");
    }
    let out = folder.path().join("out");
    let run = sockeye(&["run", text(&case), "--out", text(&out)]);
    assert_eq!(run.status.code(), Some(0), "{}{}", stdout(&run), written);
}

/// Two dialogues with one server, another host with the same port, data that is looked at first, links by number.
const SERVERS: &str = r#"7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3
7 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("203.0.113.7")}, 16) = 0
7 sendto(3, "A", 1, 0, NULL, 0) = 1
7 recvfrom(3, "he", 2, MSG_PEEK, NULL, NULL) = 2
7 recvfrom(3, "hello", 5, 0, NULL, NULL) = 5
7 poll([{fd=3, events=POLLIN}], 1, 0) = 0 (Timeout)
7 recvfrom(3, "", 99, 0, NULL, NULL) = 0
7 close(3) = 0
7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3
7 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("203.0.113.7")}, 16) = 0
7 sendto(3, "B", 1, 0, NULL, 0) = 1
7 recvfrom(3, "bye", 99, 0, NULL, NULL) = 3
7 getpeername(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("203.0.113.7")}, [16]) = 0
7 close(3) = 0
7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3
7 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("203.0.113.8")}, 16) = 0
7 sendto(3, "A", 1, 0, NULL, 0) = 1
7 recvfrom(3, "hello", 5, 0, NULL, NULL) = 5
7 recvfrom(3, "", 99, 0, NULL, NULL) = 0
7 close(3) = 0
7 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3
7 setsockopt(3, SOL_IP, IP_MULTICAST_IF, [386377920], 4) = 0
7 setsockopt(3, SOL_SOCKET, SO_BINDTOIFINDEX, [23], 4) = 0
7 bind(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("0.0.0.0")}, 128) = 0
7 getsockname(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("0.0.0.0")}, [16]) = 0
7 socket(AF_INET6, SOCK_DGRAM, IPPROTO_IP) = 5
7 setsockopt(5, SOL_IPV6, IPV6_MULTICAST_IF, [24], 4) = -1 ENODEV (No such device)
"#;

#[test]
fn what_hosts_and_links_of_a_log_become_comes_to_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, case) = (folder.path().join("log"), folder.path().join("servers.case"));
    fs::write(&log, SERVERS).expect("a log");
    let wrote = sockeye(&["import", "strace", text(&log), "-o", text(&case)]);
    assert!(
        stdout(&wrote).contains("27 calls, 0 as comments"),
        "{}{}",
        stdout(&wrote),
        stderr(&wrote)
    );
    let written = fs::read_to_string(&case).expect("the case");
    for private in ["203.0.113", "386377920", "192.168"] {
        assert!(!written.contains(private), "{written}");
    }
    if is_linux() && has_labs() {
        let out = folder.path().join("out");
        let run = sockeye(&["run", text(&case), "--out", text(&out)]);
        assert_eq!(run.status.code(), Some(0), "{}{written}", stdout(&run));
    }
}

/// A child has its parent's sockets and closes them: the parent's stay open.
const CHILD: &str = "\
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 0))
if os.fork() == 0:
    s.close()
    t = socket.socket()
    t.close()
    os._exit(0)
os.wait()
s.sendto(b'x', s.getsockname())
print(s.recv(10, socket.MSG_PEEK), s.recv(10))
s.close()
";

#[test]
fn a_child_of_a_straced_program_is_another_process() {
    if !able() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    for (number, with) in ["trace=network,desc", "trace=network,desc,process"].iter().enumerate() {
        let log = strace(folder.path(), CHILD, &["-e", with]);
        let case = folder.path().join(format!("child{number}.case"));
        let wrote = sockeye(&["import", "strace", &log, "-o", text(&case)]);
        assert_eq!(wrote.status.code(), Some(0), "{}", stderr(&wrote));
        let written = fs::read_to_string(&case).expect("the case");
        assert!(written.contains("of another process, --pid "), "{written}");
        let told = written.contains(": from here on another process has these sockets, too");
        assert_eq!(told, with.ends_with("process"), "{written}");
        assert!(
            written.contains("recv(s, 10, MSG_PEEK) = 1, \"x\"\nrecv(s, 10, 0) = 1, \"x\"\n"),
            "{written}"
        );
        assert!(written.ends_with("close(s) = 0\n") && !written.contains("s2"), "{written}");
        let run = sockeye(&["run", text(&case), "--out", text(&out)]);
        assert_eq!(run.status.code(), Some(0), "{}{written}", stdout(&run));
    }
}

/// Each log of the documentation becomes the case beneath it, which comes to what it says.
#[test]
fn the_documentation_is_so() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/import.md");
    let page = fs::read_to_string(page).expect("the page");
    let block = |of: &str| {
        let from = page.split_once(&format!("```{of}\n")).expect("a block").1;
        from.split_once("```").expect("its end").0.to_owned()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (log, case) = (folder.path().join("log"), folder.path().join("doc.case"));
    fs::write(&log, block("strace")).expect("a log");
    assert_eq!(stdout(&sockeye(&["import", "strace", text(&log)])), block("case"));
    fs::write(&case, block("case")).expect("a case");
    if has_labs() {
        let out = folder.path().join("out");
        let run = sockeye(&["run", text(&case), "--out", text(&out)]);
        assert_eq!(run.status.code(), Some(0), "{}", stdout(&run));
    }
}

#[test]
fn what_is_no_log_is_refused_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, case) = (folder.path().join("log"), folder.path().join("x.case"));
    let (log, case) = (text(&log), text(&case));
    let refused = |args: &[&str], says: &str| {
        let output = sockeye(&[&["import", "strace"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        let error = stderr(&output);
        assert!(error.contains(says) && error.lines().count() == 1, "{args:?}: {error}");
    };
    refused(&[log, "-o", case], "is not there");
    fs::write(log, "12:00 IP 10.0.0.1 > 10.0.0.2: ICMP\u{1b}[31m\n").expect("a file");
    refused(
        &[log, "-o", case],
        "no log of strace: a line such as socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3 was",
    );
    fs::write(log, "7 close(3) = 0\n").expect("a file");
    refused(&[log, "-o", case], "no call of it is about a socket");
    fs::write(log, "7 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3\n").expect("a file");
    refused(&[log, "--pid", "8", "-o", case], "no thread 8 of it");
    refused(&[text(folder.path()), "-o", case], "is a folder");
    assert!(!Path::new(case).exists());
    fs::write(case, "mine").expect("a file");
    refused(&[log, "-o", case], "is there already");
    assert_eq!(fs::read_to_string(case).expect("mine"), "mine");
    refused(&[log, "-o", text(&folder.path().join("x.txt"))], "ends in .case");
}

#[test]
fn a_log_is_read_from_standard_input() {
    let mut child = Command::new(SOCKEYE)
        .args(["import", "strace", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("its input");
    std::io::Write::write_all(&mut input, b"socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3\n")
        .expect("read");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(stdout(&output).ends_with("socket(AF_INET, SOCK_DGRAM, 0) = s\n"), "{output:?}");
}

#[test]
fn a_program_that_is_observed_becomes_a_case_without_an_strace() {
    if !is_linux() || !has("python3") || !has_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (case, out) = (folder.path().join("seen.case"), folder.path().join("out"));
    let (case, out) = (text(&case), text(&out));
    let observe = |case: &str, program: &[&str]| {
        sockeye(&[&["observe", "--case", case, "--out", out, "--"], program].concat())
    };
    for program in [CLOSED_PORT, THREADS] {
        let seen = observe(case, &[&python(), "-c", program]);
        assert_eq!(seen.status.code(), Some(0), "{}", stderr(&seen));
        assert!(stdout(&seen).contains(&format!("wrote {case}: ")), "{}", stdout(&seen));
        let written = fs::read_to_string(case).expect("the case");
        let run = sockeye(&["run", case, "--out", out]);
        assert_eq!(run.status.code(), Some(0), "{}{written}", stdout(&run));
        if program == CLOSED_PORT {
            let twice = "send(s, \"x\", 1, 0) = 1\nsend(s, \"y\", 1, 0) = -1 ECONNREFUSED\n";
            assert!(written.contains(twice), "{written}");
            fs::write(case, written.replace("-1 ECONNREFUSED", "1")).expect("written");
            let run = sockeye(&["run", case, "--out", out]);
            assert_eq!(run.status.code(), Some(1), "{}", stdout(&run));
        }
        // What is there stays.
        assert_eq!(observe(case, &["true"]).status.code(), Some(2));
        fs::remove_file(case).expect("removed");
    }
    // How it ends is told as without a tracer.
    let ends = "import socket, sys; socket.socket().close(); sys.exit(7)";
    let seen = observe(case, &[&python(), "-c", ends]);
    assert!(stdout(&seen).contains(") = 7 <"), "{}", stdout(&seen));
    fs::remove_file(case).expect("removed");
    let none = observe(case, &["true"]);
    assert_eq!(none.status.code(), Some(3));
    assert!(stderr(&none).contains("no call of it is about a socket"), "{}", stderr(&none));
    assert!(!Path::new(case).exists());
}

/// What is begun and ended here, as `sockeye observe --case` does it; where no case is written its text is empty.
fn observed(more: &[&str], program: &[&str]) -> (Output, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let (case, out) = (folder.path().join("seen.case"), folder.path().join("out"));
    let args = [&["observe", "--case", text(&case), "--out", text(&out)], more, &["--"], program];
    let seen = sockeye(&args.concat());
    (seen, fs::read_to_string(&case).unwrap_or_default())
}

const SENDS: &str = "\
import os, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'x', ('127.0.0.1', 9))
s.close()
";

#[test]
fn calls_of_a_program_that_does_not_end_are_kept() {
    if !is_linux() || !has("python3") || !has_labs() {
        return;
    }
    let program = format!("{SENDS}time.sleep(60)");
    let (seen, written) = observed(&["--limit", "2"], &[&python(), "-c", &program]);
    assert!(stderr(&seen).contains("killed after 2 s"), "{}", stderr(&seen));
    assert!(
        written.ends_with("sendto(s, \"x\", 1, 0, {AF_INET 127.0.0.1:9}) = 1\nclose(s) = 0\n"),
        "{written}"
    );
}

#[test]
fn what_a_program_leaves_behind_does_not_change_how_it_ended() {
    if !is_linux() || !has("python3") || !has_labs() {
        return;
    }
    let program = format!("{SENDS}os.fork() or time.sleep(60)\nos._exit(7)");
    let (seen, written) = observed(&["--limit", "2"], &[&python(), "-c", &program]);
    assert!(stderr(&seen).contains("ended what the program had left running"), "{}", stderr(&seen));
    assert!(
        stdout(&seen).contains(") = 7 <") && written.contains("close(s) = 0"),
        "{}",
        stdout(&seen)
    );
    // Of a signal it is told as without a tracer.
    let killed = format!("{SENDS}os.kill(os.getpid(), 9)");
    let (seen, _) = observed(&[], &[&python(), "-c", &killed]);
    assert!(stdout(&seen).contains(") = 137 <"), "{}", stdout(&seen));
}

#[test]
fn a_program_that_is_not_there_is_told_as_without_a_case() {
    if !is_linux() || !has_labs() {
        return;
    }
    let (seen, written) = observed(&[], &["no-such-program"]);
    assert_eq!((seen.status.code(), written.as_str()), (Some(3), ""));
    let error = stderr(&seen);
    assert!(
        error.ends_with(
            "sockeye: nothing ran: no-such-program: No such file or directory (os error 2)\n"
        ),
        "{error}"
    );
    assert!(seen.stdout.is_empty(), "{}", stdout(&seen));
}

/// A child stops itself, its parent sees that and lets it go on.
#[test]
fn a_program_that_stops_is_stopped() {
    if !is_linux() || !has("python3") || !has_labs() {
        return;
    }
    let program = format!(
        "{SENDS}
import signal
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(5)
_, status = os.waitpid(child, os.WUNTRACED)
print('stopped', os.WIFSTOPPED(status))
os.kill(child, signal.SIGCONT)
_, status = os.waitpid(child, os.WUNTRACED)
print('ended', os.WEXITSTATUS(status), flush=True)
"
    );
    let (seen, written) = observed(&["--limit", "20"], &[&python(), "-c", &program]);
    assert!(stdout(&seen).starts_with("stopped True\nended 5\n"), "{}", stdout(&seen));
    // Its socket is closed by then: nobody else has it.
    assert!(written.ends_with("close(s) = 0\n"), "{written}");
}

/// `dup` by `int 0x80` has the number that `socket` has otherwise.
#[test]
fn calls_by_another_table_are_not_read_by_this_one() {
    let program = format!(
        "{SENDS}
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes.fromhex('53b82900000031dbcd805bc3'))
at = ctypes.addressof(ctypes.c_char.from_buffer(code))
fd = ctypes.CFUNCTYPE(ctypes.c_int)(at)()
sys.stdout.flush()
os._exit(0 if fd > 2 else 1)
"
    );
    if !cfg!(target_arch = "x86_64") || !is_linux() || !has("python3") || !has_labs() {
        return;
    }
    let plain = Command::new(python()).args(["-c", &program]).stdin(Stdio::null()).output();
    if !plain.expect("python3 runs").status.success() {
        eprintln!("skipped: this kernel takes no calls of 32 bits");
        return;
    }
    let (seen, written) = observed(&[], &[&python(), "-c", &program]);
    assert!(stdout(&seen).contains(") = 0 <"), "{}", stdout(&seen));
    assert!(written.contains("calls of another architecture"), "{written}");
    assert_eq!(written.matches(") = s").count(), 1, "{written}");
}
