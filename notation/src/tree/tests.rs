use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<Vec<Node<'_>>, Fault> {
    let mut cursor = Cursor::new(text, 0);
    let nodes = cursor.nodes()?;
    cursor.done().map(|()| nodes)
}

fn one(text: &str) -> What<'_> {
    let nodes = read(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    assert_eq!((nodes.len(), nodes[0].at.clone()), (1, 0..text.len()), "{text}");
    nodes.into_iter().next().expect("one").what
}

#[test]
fn pieces_are_told_apart() {
    assert_eq!(one("AF_INET"), What::Word("AF_INET"));
    assert_eq!(one("-1"), What::Number(-1));
    assert_eq!(one("0x0aff"), What::Hex(vec![10, 255]));
    assert_eq!(one("0x80000"), What::Odd("0x80000"));
    assert_eq!(one("::"), What::Ip("::".parse().unwrap()));
    assert_eq!(one("192.0.2.1"), What::Ip("192.0.2.1".parse().unwrap()));
    assert_eq!(one(r#""a\0\x41\377\"""#), What::Text(b"a\0A\xff\"".to_vec()));
    assert_eq!(one("pattern[0..14]"), What::Pattern(14));
    assert_eq!(one("(uint16_t)100"), What::Cast("uint16_t", 100));
    assert!(matches!(one("A|B|C"), What::Or(all) if all.len() == 3));
    assert!(matches!(one("{a=1, b=[2]}"), What::Group(all) if all.len() == 2));
    assert!(matches!(one("own(link0, ll)"), What::Apply("own", all) if all.len() == 2));
}

#[test]
fn an_address_is_a_family_beside_a_host_and_a_port() {
    for text in [
        "{AF_INET 192.0.2.1:9}",
        "{AF_INET own(link0):port(s)}",
        "{AF_INET6 [fe80::1%tap0]:9}",
        "{AF_INET6 [neighbour(tap0, ll)%7]:9}",
        "{AF_INET6 ::1:9}",
    ] {
        let What::Group(within) = one(text) else { panic!("{text}") };
        let What::Beside(words) = &within[0].what else { panic!("{text}") };
        assert_eq!(words.len(), 2, "{text}: {words:?}");
    }
}

#[test]
fn what_cannot_be_read_is_told_where_it_stands() {
    for (text, at, says) in [
        ("a, {b", 5, "} at the end of the structure is expected here"),
        ("\"ab", 3, "a quote at the end of the text is expected here"),
        ("\"a\\q\"", 3, "an escape such as"),
        ("a, ", 3, "an argument is expected here"),
        ("0x12g", 0, "an even number"),
        ("0x123456789", 0, "an even number"),
        ("a, 12ab", 3, "a name, a number, or an address"),
        ("a b)", 3, "nothing more"),
    ] {
        let fault = read(text).expect_err(text);
        assert!(fault.at.start == at && fault.says.contains(says), "{text}: {fault:?}");
    }
    let deep = "[".repeat(100_000);
    assert!(read(&deep).expect_err("too deep").says.contains("fewer brackets"));
}

proptest! {
    #[test]
    fn no_text_panics(text in ".*") {
        let _ = read(&text);
    }

    #[test]
    fn no_text_of_its_own_letters_panics(text in r#"[a{}()\[\],|:%= "\\0x1.-]{0,60}"#) {
        let _ = read(&text);
    }
}
