//! Lists for some rows, values that name others, words for what is long.

use super::*;

pub(super) const LISTS: &str = "case lists
# {size} bytes and {text}
for path in v4: AF_INET, v6: AF_INET6
for most in 1280, 1500
without path=v6 most=1280: IPv6 asks for more
if path=v4: for size in fit: most-28, fit+1: most-27
if path=v6: for size in
    1, fit: most-48
for text in a: \"a, b\", b \"words\": \"c: d\"
tun link0 mtu most
if path=v4 size=fit: serve link0 80: expect text,
    send \"ok\",
    close
socket(path, SOCK_DGRAM, 0) = s
write(s, pattern[0..size+1])
";

/// A parameter has another list in other rows, a value names what stands above it, a script has several lines.
#[test]
fn a_list_is_of_some_rows_and_a_value_names_another() {
    let tables =
        tables("mine", LISTS).unwrap_or_else(|f| panic!("{}", render(&f, "m", LISTS, false)));
    let rows = &tables[0].written;
    let of = |one: &Written| {
        let Op::Write { data, .. } = &one.case.ops[1] else { panic!("a write") };
        (one.case.id["mine/lists".len()..].to_owned(), one.case.title.clone(), data.len())
    };
    let told: Vec<_> = rows.iter().map(of).collect();
    let row = |id: &str, title: &str, len| (id.to_owned(), title.to_owned(), len);
    assert_eq!(told.len(), 12, "{told:?}");
    assert_eq!(told[0], row("[v4,1280,fit,a]", "1252 bytes and \"a, b\"", 1253));
    assert_eq!(told[7], row("[v4,1500,fit+1,b]", "1473 bytes and words", 1474));
    assert_eq!(told[8], row("[v6,1500,1,a]", "1 bytes and \"a, b\"", 2));
    assert_eq!(told[10], row("[v6,1500,fit,a]", "1452 bytes and \"a, b\"", 1453));
    assert_eq!(tables[0].left_out.len(), 4);
    let served = |one: &Written| one.case.lab.setup.len();
    assert_eq!(rows.iter().map(served).collect::<Vec<_>>(), [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!((&*rows[0].lines, &*rows[8].lines), (&[14, 15][..], &[14, 15][..]));
}

#[rstest]
#[case(
    "for a in x, y\nif a=x: for b in z\n",
    "if a=x: for b in z",
    "no list of b is for the rows a=y"
)]
#[case("for a in x\nif a=x: for b in z\nif a!=y: for b in w\n", "y", "a is never y")]
#[case(
    "for a in x, y\nif a=x|y: for b in z\nif a=y: for b in w\n",
    "if a=y: for b in w",
    "more than one list of b"
)]
#[case(
    "for a in x\nfor b in z\nif a=x: for b in w\n",
    "if a=x: for b in w",
    "more than one list of b"
)]
#[case("for a in x\nif a=x: for b in z\nfor b in w\n", "b", "a parameter b already")]
#[case("for a in x\nfor b in z\nif b=z: for a in w\n", "a", "a parameter a already")]
#[case("for a in x\nif b=z: for b in z\n", "b", "there is no parameter b")]
#[case("for a in x\nif a=x: for a in z\n", "a", "there is no parameter a")]
#[case("for a in x, y\nif a=x: let b = z\n", "if a=x: let b = z", "no let of b")]
#[case("let b = z\nlet b = w\n", "b", "a parameter b already")]
#[case("for a in x\nlet b = z\nif a=x: for b in w\n", "b", "a parameter b already")]
#[case("let b\n", "let b", "let NAME = VALUE")]
#[case("let 1b = x\n", "1b", "no name of a parameter")]
#[case("tun link0\nserve link0 80: expect \"x\",\n", "\n", "is expected here")]
fn a_list_of_no_rows_or_of_two_is_told(#[case] text: &str, #[case] at: &str, #[case] says: &str) {
    let told = wrong(&format!("{text}\nsocket(AF_INET, SOCK_DGRAM, 0) = s"));
    assert!(told[0].0 == at && told[0].1.contains(says), "{text}: {told:?}");
}

/// What `let` says is no part of an id, may have commas, and is of some rows.
#[test]
fn a_word_stands_for_what_is_long_and_is_said_often() {
    let text = "case said\n# {to} hears {data}\nlet both = [a, b]\nfor to in x, y\n\
        if to=x: let data = \"x, y\"\nif to=y: let data = \"\\0\"\nlet len = 5\n\
        title \"{to} hears {data}\"\n\
        socketpair(AF_UNIX, SOCK_STREAM, 0, both)\nsend(a, data, 0)\nrecv(b, len+1, 0)\n";
    let rows = cases(text);
    let told: Vec<_> = rows.iter().map(|one| (&*one.case.id, &*one.case.title)).collect();
    let (x, y) = ("x hears \"x, y\"", "y hears \"\\0\"");
    assert_eq!(told, [("mine/said[x]", x), ("mine/said[y]", y)]);
    let Op::Send { data, .. } = &rows[1].case.ops[1] else { panic!("a send") };
    assert_eq!(data.bytes(), [0]);
    assert!(matches!(rows[0].case.ops[2], Op::Recv { len: 6, .. }));
    assert_eq!(one("let a = AF_INET\nsocket(a, SOCK_DGRAM, 0) = s\n").case.id, "mine/case");
}

/// Values that name values are as long as a line may be, and no longer.
#[test]
fn values_that_double_themselves_end() {
    let mut text = "for a0 in x: \"0123456789\"\n".to_owned();
    text.extend((1..60).map(|n| format!("for a{n} in x: [a{0}, a{0}]\n", n - 1)));
    text += "socket(AF_INET, SOCK_DGRAM, 0) = s\nwrite(s, a59)\n";
    assert!(read("mine", &text).is_err());
    text.extend((60..70).map(|n| format!("for a{n} in x\n")));
    let told = wrong(&text);
    assert!(
        told.iter().any(|(at, says)| at == "for a64 in x" && says.contains("64 parameters")),
        "{told:?}"
    );
}
