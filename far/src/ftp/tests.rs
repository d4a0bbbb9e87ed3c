//! The machine by plain values, and what its witness says of it.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::fits;
use crate::machine::{Do, Input, Side, SideDo, whole};
use crate::witness::Witness;

const LOGIN: &str = "USER anonymous\r\nPASS hunter2\r\n";

/// What a server said, what was to be done, what was told.
struct Ran {
    sent: String,
    todo: Vec<Do>,
    lines: Vec<String>,
    witness: Box<dyn Witness>,
}

fn run(script: &str, inputs: &[Input<'_>]) -> Ran {
    let made = make(&Asked { script: script.to_owned(), ..Asked::default() }).unwrap();
    let (mut kind, witness) = (made.kind, made.witness);
    let mut stream = kind.stream(1).unwrap();
    let mut ran = Ran { sent: String::new(), todo: Vec::new(), lines: Vec::new(), witness };
    whole(&mut *stream, 21, inputs, |out| {
        for todo in out.todo {
            match todo {
                Do::Send(bytes) => ran.sent += &String::from_utf8_lossy(&bytes),
                other => ran.todo.push(other),
            }
        }
        for seen in &out.seen {
            ran.lines.extend(fits::told(&mut *ran.witness, seen).lines);
        }
    });
    ran
}

/// The same after a login, whose lines are left out.
fn talk(script: &str, text: &str, more: &[Input<'_>]) -> Ran {
    let text = format!("{LOGIN}{text}");
    let mut ran = run(script, &[&[Input::Bytes(text.as_bytes())], more].concat());
    let at = ran.sent.find("230 you are in\r\n").unwrap();
    ran.sent.drain(..at + 16);
    ran
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn side(todo: SideDo) -> Do {
    Do::Side(todo)
}

const HELLO: &[u8] = b"hello,\r\nthis is a far end\r\n";

#[rstest]
#[case("PWD\r\n", "257 \"/\" is where you are\r\n")]
#[case("CWD /nowhere\r\n", "550 there is no such file\r\n")]
#[case("SIZE hello.txt\r\nTYPE I\r\nSIZE hello.txt\r\n", "213 27\r\n200 type I\r\n213 25\r\n")]
#[case("DELE hello.txt\r\n", "550 nothing is changed here\r\n")]
#[case("RETR nothing\r\n", "550 there is no such file\r\n")]
#[case("RETR hello.txt\r\n", "425 say PASV, EPSV, PORT or EPRT first\r\n")]
#[case(
    "REST 99\r\nRETR hello.txt\r\n",
    "350 the next transfer begins at 99\r\n554 the file is shorter than REST\r\n"
)]
#[case(
    "PORT 10,0,0,1,9,9\r\n",
    "504 10.0.0.1 is not your address, which is 127.0.0.1; nothing is sent there\r\n"
)]
#[case("EPRT |1|127.0.0.1|80|\r\n", "504 port 80 is below 1024; nothing is sent there\r\n")]
#[case("NONSENSE\r\n", "500 no such command\r\n")]
#[case("QUIT\r\nPWD\r\n", "221 bye\r\n")]
fn a_command_is_answered(#[case] text: &str, #[case] expected: &str) {
    let ran = talk("usual", text, &[]);
    assert_eq!(ran.sent, expected);
    let connects = ran.todo.iter().any(|todo| matches!(todo, Do::Side(SideDo::Connect(_))));
    assert!(!connects, "{:?}", ran.todo);
}

/// After QUIT the server sends no more; it was told as the client's doing.
#[rstest]
#[case("QUIT\r\n", "the server closed first (FIN), then the client")]
#[case("PWD\r\n", "the client closed it (FIN)")]
fn who_closed_first_is_told(#[case] text: &str, #[case] expected: &str) {
    let ran = talk("usual", text, &[Input::End]);
    assert!(ran.lines.concat().ends_with(expected), "{:?}", ran.lines);
}

#[test]
fn nobody_lists_without_a_login_and_no_password_is_told() {
    let ran = run("usual", &[Input::Bytes(b"PASV\r\nUSER a\r\nPASS hunter2\r\nPASS hunter")]);
    assert!(ran.sent.contains("530 say USER and PASS first"), "{}", ran.sent);
    assert!(!ran.lines.concat().contains("hunter"), "{:?}", ran.lines);
    assert_eq!(ran.witness.holds("login"), Ok(true));
    let ran = run("usual", &[Input::Bytes(b"USER a\r\n")]);
    assert_eq!(ran.witness.holds("login"), Ok(false));
    assert!(ran.witness.summary().contains(&"nobody logged in".to_owned()));
}

#[rstest]
#[case("usual", "PASV", "227 connect to (127,0,0,1,4,1)\r\n", "1 by PASV")]
#[case("usual", "EPSV", "229 connect to (|||1025|)\r\n", "1 by EPSV")]
#[case("broken-pasv", "PASV", "227 connect to (127,255,255,254,4,1)\r\n", "1 by PASV")]
fn a_file_is_sent_by_a_passive_connection(
    #[case] script: &str,
    #[case] verb: &str,
    #[case] reply: &str,
    #[case] way: &str,
) {
    let text = format!("{verb}\r\nRETR hello.txt\r\nQUIT\r\n");
    let listens = Input::Side(Side::Listens(at("127.0.0.1:1025")));
    let opened = Input::Side(Side::Opened(at("127.0.0.1:50001")));
    let ran = talk(script, &text, &[listens, opened, Input::End]);
    assert_eq!(ran.sent, format!("{reply}150 here it comes\r\n226 that is all\r\n221 bye\r\n"));
    assert!(ran.todo.contains(&side(SideDo::Send(HELLO.to_vec()))), "{:?}", ran.todo);
    let summary = ran.witness.summary();
    assert_eq!(summary[0], format!("1 connection: 5 commands, 1 data connection ({way})"));
    for (words, so) in [
        ("passive", true),
        ("active", false),
        ("download", true),
        ("upload", false),
        ("quit", true),
        ("no data", false),
        ("resume", false),
        ("abort", false),
        ("no connection", false),
        ("command retr", true),
        ("command STOR", false),
    ] {
        assert_eq!(ran.witness.holds(words), Ok(so), "{words}");
    }
    assert!(ran.witness.holds("command").is_err() && ran.witness.holds("data").is_err());
}

#[test]
fn a_file_comes_by_an_active_connection() {
    let text = "PORT 127,0,0,1,4,1\r\nREST 3\r\nSTOR ../x\r\n";
    let opened = Input::Side(Side::Opened(at("127.0.0.1:1025")));
    let bytes = Input::Side(Side::Bytes(b"abc"));
    let ran = talk("usual", text, &[opened, bytes, bytes, Input::Side(Side::End)]);
    assert!(ran.todo.contains(&side(SideDo::Connect(at("127.0.0.1:1025")))));
    assert!(ran.sent.ends_with("226 it came\r\n"), "{}", ran.sent);
    assert!(ran.witness.summary().contains(&"1 file came whole, 6 bytes in all".to_owned()));
    for (words, so) in
        [("active", true), ("passive", false), ("upload", true), ("resume", true), ("quit", false)]
    {
        assert_eq!(ran.witness.holds(words), Ok(so), "{words}");
    }
}

#[test]
fn several_files_are_files_and_each_word_is_said_once() {
    let opened = Input::Side(Side::Opened(at("127.0.0.1:1025")));
    let ran = talk("usual", "PORT 127,0,0,1,4,1\r\nRETR hello.txt\r\n", &[opened]);
    let mut witness = ran.witness;
    assert!(witness.summary().contains(&"1 file or listing sent whole".to_owned()));
    let transfer = |way, fate| {
        Seen::Transfer(Box::new(Transfer {
            connection: 1,
            transfer: 2,
            at: Duration::ZERO,
            verb: "RETR".to_owned(),
            name: "hello.txt".to_owned(),
            way,
            peer: None,
            from: 0,
            sent: 0,
            came: 0,
            fate,
            reply: String::new(),
        }))
    };
    fits::told(&mut *witness, &transfer(Some(Way::Port), Fate::Done).into());
    fits::told(
        &mut *witness,
        &transfer(None, Fate::NotOpened("nobody said how".to_owned())).into(),
    );
    let summary = witness.summary();
    for line in ["2 files or listings sent whole", "no data connection: nobody said how"] {
        assert!(summary.contains(&line.to_owned()), "{summary:?}");
    }
}

#[rstest]
#[case::nobody("usual", "EPSV", &[], "no data connection: EPSV: nobody connected")]
#[case::script("no-data", "EPSV", &[], "no data connection: EPSV: the script opens none")]
#[case::refused("usual", "PORT 127,0,0,1,4,1",
    &[Input::Side(Side::Failed("connection refused"))], "no data connection: PORT: connection refused")]
#[case::broken("slow", "PORT 127,0,0,1,4,1",
    &[Input::Side(Side::Opened(SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1025))),
      Input::Side(Side::Broken("reset (RST)"))], "data connection broken off: PORT: reset (RST)")]
fn what_goes_wrong_with_data_is_told(
    #[case] script: &str,
    #[case] how: &str,
    #[case] inputs: &[Input<'_>],
    #[case] expected: &str,
) {
    let listens = Input::Side(Side::Listens(at("127.0.0.1:1025")));
    let text = format!("{how}\r\nLIST\r\n");
    let first: &[Input<'_>] = if how == "EPSV" { &[listens] } else { &[] };
    let ran = talk(script, &text, &[first, inputs, &[Input::Time]].concat());
    let summary = ran.witness.summary();
    assert!(summary.contains(&expected.to_owned()), "{summary:?}\n{}", ran.sent);
    let none = expected.starts_with("no data");
    assert_eq!(ran.witness.holds("no data"), Ok(none));
    assert!(
        ran.sent.ends_with(if none {
            "425 there is no data connection\r\n"
        } else {
            "426 the data connection broke\r\n"
        }),
        "{}",
        ran.sent
    );
}

#[rstest]
#[case::telnet(true, b"\xff\xf4\xff\xf2ABOR\r\n")]
#[case::urgent(true, b"ABOR\r\n")]
#[case::plain(false, b"abor\r\n")]
fn an_abort_is_heard_in_the_middle(#[case] urgent: bool, #[case] bytes: &[u8]) {
    let opened = Input::Side(Side::Opened(at("127.0.0.1:1025")));
    let mut inputs = vec![opened, Input::Time];
    if urgent {
        inputs.push(Input::Urgent);
    }
    inputs.push(Input::Bytes(bytes));
    let ran = talk("slow", "PORT 127,0,0,1,4,1\r\nRETR bytes.bin\r\nNOOP\r\n", &inputs);
    assert!(
        ran.sent.ends_with(
            "426 the transfer is aborted\r\n226 nothing is going on now\r\n200 fine\r\n"
        ),
        "{}",
        ran.sent
    );
    assert_eq!(ran.witness.holds("abort"), Ok(true));
    assert_eq!(ran.witness.holds("abort urgent"), Ok(urgent));
    assert_eq!(
        ran.lines.iter().any(|l| l == "  with urgent data, behind Telnet IP, DM"),
        bytes[0] == 0xff
    );
    assert!(
        ran.lines.iter().any(|l| l.contains("16 bytes sent, aborted by ABOR")),
        "{:?}",
        ran.lines
    );
}

#[test]
fn scripts_do_as_they_say() {
    let ran = talk("old", "EPSV\r\nMLSD\r\nREST 1\r\nSYST\r\n", &[]);
    assert_eq!(ran.sent, format!("{}215 UNIX Type: L8\r\n", "500 no such command\r\n".repeat(3)));
    assert!(
        ran.witness.summary().contains(&"refused: EPSV (500); MLSD (500); REST (500)".to_owned())
    );
    let ran = talk("multiline", "NOOP\r\n", &[]);
    assert!(
        ran.sent
            .ends_with("200-this reply has three lines\r\n 200 is not the last\r\n200 fine\r\n")
    );
    let opened = Input::Side(Side::Opened(at("127.0.0.1:1025")));
    let ran = talk("reset", "PORT 127,0,0,1,4,1\r\nRETR hello.txt\r\n", &[opened]);
    let half = side(SideDo::Send(HELLO[..13].to_vec()));
    assert!(ran.todo.ends_with(&[half, side(SideDo::Reset)]), "{:?}", ran.todo);
    let listens = Input::Side(Side::Listens(at("127.0.0.1:1025")));
    let ran = talk("no-data", "PASV\r\n", &[listens]);
    assert!(ran.todo.contains(&side(SideDo::Close)));
    let none = "no data connection: PASV: the port was told, and nobody connected".to_owned();
    assert!(ran.witness.summary().contains(&none));
    assert_eq!(ran.witness.holds("no data"), Ok(true));
}

#[test]
fn nobody_came() {
    let made = make(&Asked { script: "usual".to_owned(), ..Asked::default() }).unwrap();
    assert_eq!(made.witness.summary(), ["no connection came"]);
    for (words, _) in made.witness.expectations() {
        let so = *words == "no connection";
        assert_eq!(made.witness.holds(&words.replace("VERB", "USER")), Ok(so), "{words}");
    }
}

#[test]
fn commands_in_a_heap_are_bounded() {
    let ran = talk("usual", &format!("PASV\r\n{}", "NOOP\r\n".repeat(1000)), &[]);
    assert!(ran.sent.ends_with("421 too many commands at once\r\n"), "{}", ran.sent);
}

const WORDS: &[&str] = &[
    "USER a\r\n",
    "PASS b\r\n",
    "PASV\r\n",
    "EPSV\r\n",
    "EPSV ALL\r\n",
    "PORT 127,0,0,1,9,9\r\n",
    "EPRT |2|::1|5000|\r\n",
    "LIST\r\n",
    "RETR hello.txt\r\n",
    "STOR x\r\n",
    "ABOR\r\n",
    "REST 5\r\n",
    "REST 99999999999999999999\r\n",
    "QUIT\r\n",
    "\n",
    "é \r\n",
];

proptest! {
    #[test]
    fn any_commands_in_any_pieces_are_the_same(
        script in 0..ROWS.len(),
        words in prop::collection::vec(prop::sample::select(WORDS), 0..12),
        cut in 0usize..200,
    ) {
        let text = format!("{LOGIN}{}", words.concat());
        let bytes = text.as_bytes();
        let cut = cut.min(bytes.len());
        let script = SCRIPTS[script].name;
        let whole = run(script, &[Input::Bytes(bytes)]);
        let cut = run(script, &[Input::Bytes(&bytes[..cut]), Input::Bytes(&bytes[cut..])]);
        prop_assert_eq!(whole.sent, cut.sent);
        prop_assert_eq!(whole.todo, cut.todo);
        prop_assert_eq!(whole.lines, cut.lines);
    }

    #[test]
    fn whatever_happens_in_whatever_order(
        script in 0..ROWS.len(),
        steps in prop::collection::vec((0usize..8, prop::sample::select(WORDS)), 0..30),
        noise in prop::collection::vec(any::<u8>(), 0..30),
    ) {
        let addr = at("127.0.0.1:1025");
        let inputs: Vec<Input<'_>> = steps.iter().map(|(step, word)| match step {
            0 => Input::Side(Side::Listens(addr)),
            1 => Input::Side(Side::Opened(addr)),
            2 => Input::Side(Side::Bytes(b"data")),
            3 => Input::Side(Side::End),
            4 => Input::Side(Side::Broken("broken")),
            5 => Input::Side(Side::Failed("failed")),
            6 => Input::Time,
            _ => Input::Bytes(word.as_bytes()),
        }).collect();
        let ran = run(SCRIPTS[script].name, &[&[Input::Bytes(LOGIN.as_bytes())], &inputs[..], &[Input::Bytes(&noise)]].concat());
        prop_assert!(ran.witness.summary()[0].starts_with("1 connection: "));
    }
}
