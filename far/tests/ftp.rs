//! Real clients of FTP.

mod clients;
mod fits;
mod talk;

use clients::missing;
use rstest::rstest;
use talk::{Said, client, client_with, python, serve};

/// What curl makes of a script; `{}` is the URL.
fn curl(script: &str, words: &[&str]) -> Option<(bool, String, Said)> {
    let server = serve("ftp", script);
    let filled: Vec<String> = words.iter().map(|word| word.replace("{}", &server.url)).collect();
    let mut all = vec!["curl", "-sS", "-m", "20"];
    all.extend(filled.iter().map(String::as_str));
    let came = client(&all)?;
    Some((came.ok, came.out + &came.err, server.stop()))
}

const HELLO: &str = "hello,\nthis is a far end\n";

#[rstest]
#[case::epsv("usual", &["{}hello.txt"], "(1 by EPSV)")]
#[case::pasv("usual", &["--disable-epsv", "{}hello.txt"], "(1 by PASV)")]
#[case::eprt("usual", &["--ftp-port", "-", "{}hello.txt"], "(1 by EPRT)")]
#[case::port("usual", &["--ftp-port", "-", "--disable-eprt", "{}hello.txt"], "(1 by PORT)")]
#[case::old("old", &["{}hello.txt"], "(1 by PASV)")]
#[case::old_active("old", &["--ftp-port", "-", "{}hello.txt"], "(1 by PORT)")]
#[case::broken_pasv("broken-pasv", &["{}hello.txt"], "(1 by PASV)")]
#[case::multiline("multiline", &["{}hello.txt"], "(1 by EPSV)")]
#[case::slow("slow", &["{}hello.txt"], "(1 by EPSV)")]
fn curl_fetches_a_file(#[case] script: &str, #[case] words: &[&str], #[case] way: &str) {
    let Some((ok, out, said)) = curl(script, words) else { return };
    assert!(ok && out == HELLO, "{out}\n{said}");
    said.sums(&["1 connection: ", ", 1 data connection ", way, "1 file or listing sent whole"]);
    said.has(&["USER anonymous — 331", "PASS (not shown) — 230", "RETR hello.txt"]);
    let passive = if way.contains('V') { ("passive", "active") } else { ("active", "passive") };
    said.check(
        &["login", "download", "quit", passive.0],
        &[passive.1, "no data", "abort", "upload"],
    );
    let refused = matches!(script, "old" | "broken-pasv") || way.contains("PORT");
    assert!(refused || !said.summary.contains("refused: E"), "{said}");
}

#[rstest]
#[case::no_data("no-data", &["{}hello.txt"], "no data connection: EPSV: the port was told, and nobody connected", "no data")]
#[case::no_data_active("no-data", &["--ftp-port", "-", "{}hello.txt"], "no data connection: EPRT", "no data")]
#[case::reset("reset", &["{}hello.txt"], "data connection broken off: EPSV: the script reset it", "passive")]
#[case::broken_pasv("broken-pasv", &["--no-ftp-skip-pasv-ip", "{}hello.txt"], "no data connection: PASV: the port was told, and nobody connected", "no data")]
#[case::nothing("usual", &["{}nothing"], "refused: SIZE (550)", "command SIZE")]
fn curl_does_not_get_it(
    #[case] script: &str,
    #[case] words: &[&str],
    #[case] summary: &str,
    #[case] holds: &str,
) {
    let Some((ok, out, said)) = curl(script, words) else { return };
    assert!(!ok, "{out}\n{said}");
    said.sums(&[summary]);
    said.check(&["login", holds], &["download", "upload", "no connection"]);
}

#[test]
fn curl_resumes_and_uploads() {
    let Some((ok, out, said)) = curl("usual", &["-C", "3", "{}hello.txt"]) else { return };
    assert!(ok && out == HELLO[3..], "{out}\n{said}");
    said.sums(&["1 transfer began behind the first byte (REST)"]);
    said.has(&["REST 3 — 350", "from byte 3 by EPSV"]);
    said.check(&["resume", "download"], &["upload"]);

    let (ok, out, said) = curl("usual", &["-T", "/dev/null", "{}empty"]).unwrap();
    assert!(ok, "{out}\n{said}");
    said.sums(&["1 file came whole, 0 bytes in all"]);
    said.check(&["upload", "command STOR"], &["resume", "download"]);

    let (ok, _, said) = curl("old", &["-C", "3", "{}hello.txt"]).unwrap();
    assert!(!ok, "{said}");
    said.check(&["command REST"], &["resume", "download"]);
}

const FTPLIB: &str = r#"
import ftplib, io, sys
ftp = ftplib.FTP()
ftp.connect("127.0.0.1", int(sys.argv[1]), timeout=5 if "short" in sys.argv else 20)
ftp.login("me", "hunter2")
if "active" in sys.argv:
    ftp.set_pasv(False)
try:
    if "abort" in sys.argv:
        conn = ftp.transfercmd("RETR bytes.bin")
        print("got", len(conn.recv(16)))
        print(ftp.abort())
        conn.close()
        print(ftp.voidresp())
        print(ftp.pwd())
    elif "store" in sys.argv:
        print(ftp.storbinary("STOR up", io.BytesIO(b"x" * 100000)))
    elif "mlsd" in sys.argv:
        print([name for name, facts in ftp.mlsd()])
    else:
        print(ftp.nlst())
    print(ftp.quit())
except (ftplib.Error, OSError) as e:
    print("failed", type(e).__name__, e)
"#;

/// What Python's ftplib makes of a script.
fn ftplib(script: &str, what: &[&str]) -> Option<(String, Said)> {
    let server = serve("ftp", script);
    let port = server.addr.port().to_string();
    let came = python("ftplib", FTPLIB, &[&[port.as_str()], what].concat())?;
    assert!(came.ok, "{came:?}");
    Some((came.out, server.stop()))
}

#[rstest]
#[case::list("usual", &[], "['hello.txt', 'bytes.bin']", &["passive", "download", "quit"])]
#[case::active("usual", &["active"], "['hello.txt', 'bytes.bin']", &["active", "download", "command PORT"])]
#[case::store("usual", &["store"], "226 it came", &["upload", "quit"])]
#[case::mlsd("usual", &["mlsd"], "['hello.txt', 'bytes.bin']", &["command MLSD", "download"])]
#[case::old("old", &["mlsd"], "failed error_perm 500", &["passive", "command MLSD"])]
#[case::multiline("multiline", &[], "['hello.txt', 'bytes.bin']", &["download", "quit"])]
#[case::reset("reset", &["store"], "failed", &["command STOR"])]
#[case::no_data("no-data", &["active", "short"], "failed TimeoutError", &["no data"])]
fn ftplib_of_python(
    #[case] script: &str,
    #[case] what: &[&str],
    #[case] out: &str,
    #[case] holds: &[&str],
) {
    let Some((got, said)) = ftplib(script, what) else { return };
    assert!(got.contains(out), "{got}\n{said}");
    let so: Vec<&str> =
        holds.iter().copied().filter(|h| *h != "passive" || script != "old").collect();
    said.check(&so, &["abort", "abort urgent", "no connection", "resume"]);
    assert!(!said.lines.contains("hunter2"));
    if what == ["store"] && script == "usual" {
        said.sums(&["1 file came whole, 100000 bytes in all"]);
        assert_eq!(said.files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>(), 100_000);
    }
}

#[test]
fn ftplib_aborts_with_urgent_data() {
    let Some((got, said)) = ftplib("slow", &["abort"]) else { return };
    assert!(got.contains("426 the transfer is aborted") && got.contains("226"), "{got}\n{said}");
    said.sums(&["1 ABOR came, 1 with urgent data"]);
    said.has(&["aborted by ABOR", "  with urgent data"]);
    said.check(&["abort", "abort urgent", "passive"], &["download", "no data"]);
}

/// `ftp` of a command line, whichever it is: by lines on its standard input.
fn command_line(name: &str, script: &str, lines: &str) -> Option<(String, Said)> {
    let server = serve("ftp", script);
    let port = server.addr.port().to_string();
    let came = client_with(&[name, "-n", "127.0.0.1", &port], lines)?;
    Some((came.out + &came.err, server.stop()))
}

#[rstest]
#[case::tnftp("tnftp", "usual", &["passive", "download", "quit"])]
#[case::tnftp_old("tnftp", "old", &["passive", "download", "quit"])]
#[case::tnftp_broken("tnftp", "broken-pasv", &["login", "quit", "command PASV"])]
#[case::inetutils("inetutils-ftp", "usual", &["download", "quit"])]
fn the_command_line(#[case] name: &str, #[case] script: &str, #[case] holds: &[&str]) {
    let lines = "user me hunter2\nget hello.txt /dev/null\nquit\n";
    let Some((got, said)) = command_line(name, script, lines) else { return };
    println!("{got}\n{said}");
    said.check(holds, &["abort", "upload", "no connection"]);
}

const INTERRUPTED: &str = r#"
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp("tnftp", ["tnftp", "-n", "127.0.0.1", sys.argv[1]])
said = b""
def until(word):
    global said
    while word not in said and select.select([fd], [], [], 20)[0]:
        said += os.read(fd, 4096)
until(b"ftp> ")
os.write(fd, b"user me hunter2\n")
until(b"230 ")
os.write(fd, b"get bytes.bin /dev/null\n")
until(b"150 ")
select.select([fd], [], [], 1)
os.write(fd, b"\x03")
until(b"226 ")
print(said)
os.close(fd)
os.waitpid(pid, 0)
"#;

#[test]
fn an_interrupted_ftp_aborts_with_urgent_data_behind_telnet() {
    let installed = std::process::Command::new("tnftp").arg("-?").output().is_ok();
    if !installed {
        missing("tnftp");
        return;
    }
    let server = serve("ftp", "slow");
    let port = server.addr.port().to_string();
    let Some(came) = python("pty", INTERRUPTED, &[&port]) else { return };
    let said = server.stop();
    assert!(came.out.contains("426 the transfer is aborted"), "{came:?}\n{said}");
    said.has(&["  with urgent data, behind Telnet IP, DM", "aborted by ABOR"]);
    said.check(&["abort", "abort urgent"], &["download"]);
}
