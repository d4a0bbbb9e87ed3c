//! Lines that fit and lines that do not: that the check of all others can fail.

use rstest::rstest;

use super::*;
use crate::fits::is_line;

const FRAME: &str = r#"{"event":"frame","connection":1,"frame":1,"at_ms":0.5,"opcode":1,"name":"text","fin":true,"rsv":0,
    "mask":[0,1,2,255],"length":2,"came":2,"begins":"hi","about":null,"faults":[]}"#;
const CLOSED: &str = r#"{"event":"closed","connection":1,"at_ms":3,"how":"given up","by":null,"streams_blocked":[0,1]}"#;
const SETTINGS: &str =
    r#"{"event":"http3","connection":1,"at_ms":3,"stream":2,"settings":[["SETTINGS_ONE",1]]}"#;

fn read(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[rstest]
#[case(r#"{"url":"http://127.0.0.1:80/","script":"cookies"}"#)]
#[case(r#"{"url":"https://127.0.0.1:80/","script":"good","ca":"/tmp/ca.pem"}"#)]
#[case(r#"{"summary":[]}"#)]
#[case(r#"{"summary":["no query came"],"expected":[{"words":"no query","so":true}]}"#)]
#[case(r#"{"event":"unanswered","query":1,"why":"too many wait"}"#)]
#[case(r#"{"event":"lost","connection":1,"at_ms":1.25,"of_connection":null,"bytes":7}"#)]
#[case(FRAME)]
#[case(CLOSED)]
#[case(SETTINGS)]
fn a_line_fits(#[case] line: &str) {
    assert!(is_line(&read(line)), "{line}");
}

/// Each is one of the above with one thing that is wrong.
#[rstest]
#[case::no_line("{}", "/", "null")]
#[case::unknown_key(FRAME, "/extra", "1")]
#[case::unknown_key_of_the_first(r#"{"url":"u","script":"s"}"#, "/kind", "\"http\"")]
#[case::unknown_key_within(
    r#"{"summary":[],"expected":[{"words":"a","so":true}]}"#,
    "/expected/0/why",
    "1"
)]
#[case::unknown_event(FRAME, "/event", "\"frames\"")]
#[case::event_of_another_kind(FRAME, "/event", "\"command\"")]
#[case::no_event(FRAME, "/event", "null")]
#[case::unknown_word(FRAME, "/name", "\"texts\"")]
#[case::text_for_a_number(FRAME, "/frame", "\"1\"")]
#[case::part_of_a_number(FRAME, "/frame", "1.5")]
#[case::below_nothing(FRAME, "/at_ms", "-1")]
#[case::more_than_its_bits(FRAME, "/opcode", "16")]
#[case::null_for_text(FRAME, "/begins", "null")]
#[case::too_few_items(FRAME, "/mask", "[0,1,2]")]
#[case::too_many_items(FRAME, "/mask", "[0,1,2,3,4]")]
#[case::an_item_of_another_type(FRAME, "/faults", "[1]")]
#[case::a_list_for_an_object(CLOSED, "/by", "[]")]
#[case::too_short_a_pair(SETTINGS, "/settings/0", "[\"a\"]")]
#[case::too_long_a_pair(SETTINGS, "/settings/0", "[\"a\",1,2]")]
#[case::a_pair_the_other_way_around(SETTINGS, "/settings/0", "[1,\"a\"]")]
fn a_line_with_a_fault_does_not(#[case] line: &str, #[case] place: &str, #[case] value: &str) {
    let mut line = read(line);
    let (object, key) = place.rsplit_once('/').unwrap();
    let object = line.pointer_mut(object).unwrap();
    match object {
        Value::Array(all) => all[key.parse::<usize>().unwrap()] = read(value),
        object => object[key] = read(value),
    }
    assert!(!is_line(&line), "{line}");
}

/// Whatever is left out is missed, but for what may be.
#[rstest]
#[case(FRAME)]
#[case(CLOSED)]
#[case(SETTINGS)]
fn every_key_has_to_be_there(#[case] line: &str) {
    let Value::Object(line) = read(line) else { panic!("{line} is an object") };
    for key in line.keys() {
        let mut less = line.clone();
        less.remove(key);
        assert!(!is_line(&less.into()), "{key}");
    }
}

/// Every key is described, and takes no others than those that are.
#[test]
fn every_object_is_closed_and_every_key_described() {
    fn walk(schema: &Value, at: &str) {
        if let Some(keys) = schema.get("properties").and_then(Value::as_object) {
            assert_eq!(schema["additionalProperties"], false, "{at}");
            for (key, what) in keys {
                assert!(
                    what["description"].as_str().is_some_and(|s| s.ends_with('.')),
                    "{at}/{key}"
                );
            }
        }
        let parts = schema.as_object().into_iter().flatten();
        parts.for_each(|(key, part)| walk(part, &format!("{at}/{key}")));
        schema.as_array().into_iter().flatten().for_each(|part| walk(part, at));
    }
    walk(&schema(), "");
}

/// What fails says which key it is.
#[rstest]
#[case(FRAME, "extra", "1", "nearest is ws-frame: extra is unknown")]
#[case(FRAME, "fin", "1", "nearest is ws-frame: fin is wrong: {\"description\":\"Whether")]
fn a_fault_is_named(
    #[case] line: &str,
    #[case] key: &str,
    #[case] value: &str,
    #[case] expected: &str,
) {
    let mut line = read(line);
    line[key] = read(value);
    let why = std::panic::catch_unwind(|| crate::fits::fits(&line)).unwrap_err();
    let why = why.downcast_ref::<String>().unwrap();
    assert!(why.contains(expected), "{why}");
}
