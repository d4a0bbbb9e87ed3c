//! Whether lines of JSON are what their schema says: as much of JSON Schema as that uses, and a word of it that is not
//! known here is a fault.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::sync::OnceLock;

use far::{Seen, Told, Witness};
use serde_json::Value;

/// Tells what was seen; what is told is what the schema says.
pub(crate) fn told(witness: &mut dyn Witness, seen: &Seen) -> Told {
    let told = witness.tell(seen);
    check(&told);
    told
}

/// That what was told is what the schema says, if it is a line at all.
pub(crate) fn check(told: &Told) {
    if !told.json.is_null() {
        fits(&told.json);
    }
}

/// That a line is what the schema says.
pub(crate) fn fits(line: &Value) {
    assert!(is_line(line), "the schema knows no such line: {line}\n{}", nearest(line));
}

fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(far::schema)
}

/// Whether a line is what the schema says.
pub(crate) fn is_line(line: &Value) -> bool {
    is(schema(), line)
}

/// What is wrong with a line, if it is meant to be the one whose keys differ least.
fn nearest(line: &Value) -> String {
    let all = schema()["$defs"].as_object().into_iter().flatten();
    let wrong = |part: &Value| -> Vec<String> {
        let known = &part["properties"];
        let extra = keys(line).filter(|key| known.get(key).is_none());
        let less = texts(&part["required"]).filter(|key| line.get(key).is_none());
        let other =
            keys(line).filter(|key| known.get(key).is_some_and(|part| !is(part, &line[*key])));
        extra
            .map(|key| format!("{key} is unknown"))
            .chain(less.map(|key| format!("{key} is missing")))
            .chain(other.map(|key| format!("{key} is wrong: {}", known[key])))
            .collect()
    };
    let all = all.filter(|(_, part)| part.get("properties").is_some());
    let found = all.map(|(name, part)| (wrong(part), name)).min_by_key(|(wrong, _)| wrong.len());
    found.map_or(String::new(), |(wrong, name)| format!("nearest is {name}: {}", wrong.join("; ")))
}

/// Whether a value is what a schema says.
fn is(schema: &Value, value: &Value) -> bool {
    match schema {
        Value::Bool(any) => *any,
        Value::Object(words) => words.iter().all(|(word, what)| is_so(schema, word, what, value)),
        _ => panic!("no schema: {schema}"),
    }
}

/// Whether one word of a schema holds for a value.
fn is_so(whole: &Value, word: &str, what: &Value, value: &Value) -> bool {
    let is_limit = |n: f64, is: fn(&f64, &f64) -> bool| what.as_f64().is_some_and(|m| is(&n, &m));
    let len = value.as_array().map(Vec::len);
    let limit = what.as_u64().and_then(|limit| usize::try_from(limit).ok());
    match word {
        "$schema" | "title" | "description" | "$defs" => true,
        "$ref" => {
            let name = what.as_str().and_then(|name| name.strip_prefix("#/$defs/"));
            let part = name.and_then(|name| schema()["$defs"].get(name));
            is(part.unwrap_or_else(|| panic!("no {what}")), value)
        }
        "oneOf" => items(what).iter().filter(|part| is(part, value)).count() == 1,
        "type" => match what {
            Value::Array(all) => all.iter().any(|name| is_of(value, name)),
            name => is_of(value, name),
        },
        "enum" => items(what).contains(value),
        "const" => value == what,
        "minimum" => value.as_f64().is_none_or(|n| is_limit(n, f64::ge)),
        "maximum" => value.as_f64().is_none_or(|n| is_limit(n, f64::le)),
        "minItems" => len.is_none_or(|len| Some(len) >= limit),
        "maxItems" => len.is_none_or(|len| Some(len) <= limit),
        "required" => !value.is_object() || texts(what).all(|key| value.get(key).is_some()),
        "properties" => {
            keys(what).all(|key| value.get(key).is_none_or(|value| is(&what[key], value)))
        }
        "additionalProperties" => {
            assert_eq!(*what, Value::Bool(false), "more than that is not read");
            keys(value).all(|key| whole["properties"].get(key).is_some())
        }
        "prefixItems" => items(what).iter().zip(items(value)).all(|(part, value)| is(part, value)),
        "items" => {
            let first = items(&whole["prefixItems"]).len();
            items(value).iter().skip(first).all(|value| is(what, value))
        }
        _ => panic!("{word:?} is not read here"),
    }
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    items(list).iter().filter_map(Value::as_str)
}

fn keys(object: &Value) -> impl Iterator<Item = &str> {
    object.as_object().into_iter().flat_map(|object| object.keys()).map(String::as_str)
}

/// Whether a value is of the type with that name.
fn is_of(value: &Value, name: &Value) -> bool {
    match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => panic!("{name} is no type"),
    }
}
