//! What the lines of `sockeye control KIND --json` are, as JSON Schema: each kind describes its own beside its report.

use serde_json::{Map, Value, json};

use crate::offer::OFFERS;

/// The version of the lines. It grows when a key changes its meaning or goes; one that is new makes none.
pub const VERSION: u32 = 1;

/// The lines of a kind: of each what it is called among all of that kind, and its schema.
pub(crate) type Lines = Vec<(&'static str, Value)>;

/// A key: its name, what its value is, and what that says.
pub(crate) type Field = (&'static str, Value, &'static str);

/// The schema of every line.
pub fn schema() -> Value {
    let mut defs = Map::new();
    let own = [("first", vec![("line", first())]), ("last", vec![("line", last())])];
    let kinds = OFFERS.iter().map(|offer| (offer.name, offer.about, (offer.lines)()));
    let idle = ("idle", "Of `--idle-then`, whatever is served", crate::idle::schema::lines());
    let [begin, end] = own.map(|(name, lines)| (name, "Of every kind", lines));
    let mut all = Vec::new();
    for (kind, about, lines) in [begin, end, idle].into_iter().chain(kinds) {
        let mut refs = Vec::new();
        for (name, line) in lines {
            let name = format!("{kind}-{name}");
            refs.push(reference(&name));
            assert!(defs.insert(name.clone(), line).is_none(), "{name} stands twice");
        }
        all.push(reference(kind));
        defs.insert(kind.to_owned(), json!({ "description": about, "oneOf": refs }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("A line of sockeye control --json, version {VERSION}"),
        "description": "The first line says where it serves, the last sums up; `report.jsonl` of --out has neither.",
        "oneOf": all,
        "$defs": defs,
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn first() -> Value {
    object_and(
        "The first line: where it serves.",
        [
            ("url", text(), "What a client is given; it is in $SOCKEYE_URL, too."),
            ("script", text(), "What the server does, one of --list-scripts."),
        ],
        [("ca", text(), "The file of the CA to trust, as PEM; of tls and quic.")],
    )
}

fn last() -> Value {
    let expected = object(
        "Something that was expected.",
        [
            ("words", text(), "As they stood behind --expect."),
            ("so", truth(), "Whether it was so."),
        ],
    );
    object_and(
        "The last line: what it came to.",
        [("summary", list(text()), "Sentences; the first answers what was asked.")],
        [("expected", list(expected), "Of each --expect, in their order.")],
    )
}

/// An object that has all of these keys and no others.
pub(crate) fn object<const N: usize>(about: &str, fields: [Field; N]) -> Value {
    object_and(about, fields, [])
}

/// The same, and these keys may be absent.
pub(crate) fn object_and<const N: usize, const M: usize>(
    about: &str,
    fields: [Field; N],
    others: [Field; M],
) -> Value {
    let line = json!({
        "type": "object", "description": about, "properties": {}, "required": [],
        "additionalProperties": false,
    });
    let mut line = with(line, fields);
    for field in others {
        add(&mut line, field);
    }
    line
}

/// The same object with these keys, too.
pub(crate) fn with<const N: usize>(mut object: Value, fields: [Field; N]) -> Value {
    for field in fields {
        if let Value::Array(required) = &mut object["required"] {
            required.push(field.0.into());
        }
        add(&mut object, field);
    }
    object
}

fn add(object: &mut Value, (name, mut value, about): Field) {
    value["description"] = about.into();
    assert!(object["properties"].get(name).is_none(), "{name} stands twice");
    object["properties"][name] = value;
}

/// By which a line is told from others of its kind.
pub(crate) fn event(name: &str) -> Field {
    ("event", json!({ "const": name }), "Which line this is.")
}

/// The connection's number.
pub(crate) fn connection() -> Field {
    ("connection", number(), "The connection's number, from 1.")
}

/// When it was.
pub(crate) fn at() -> Field {
    ("at_ms", millis(), "When, in ms since the server began.")
}

/// Who is at the other end.
pub(crate) fn client() -> Field {
    ("client", text(), "The client's address and port.")
}

/// Text; what others wrote in it may have controls, which JSON escapes.
pub(crate) fn text() -> Value {
    json!({ "type": "string" })
}

/// A number that is counted.
pub(crate) fn number() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// A number of so many bits.
pub(crate) fn bits(n: u32) -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": (1_u64 << n) - 1 })
}

/// Milliseconds, to a microsecond.
pub(crate) fn millis() -> Value {
    json!({ "type": "number", "minimum": 0 })
}

/// Yes or no.
pub(crate) fn truth() -> Value {
    json!({ "type": "boolean" })
}

/// Nothing.
pub(crate) fn null() -> Value {
    json!({ "type": "null" })
}

/// One of these words.
pub(crate) fn word(words: &[&str]) -> Value {
    json!({ "enum": words })
}

/// So many of the same.
pub(crate) fn list(of: Value) -> Value {
    let mut list = json!({ "type": "array" });
    list["items"] = of;
    list
}

/// This, then that.
pub(crate) fn pair(first: Value, second: Value) -> Value {
    let mut pair = json!({ "type": "array", "items": false, "minItems": 2 });
    pair["prefixItems"] = vec![first, second].into();
    pair
}

/// That, or null.
pub(crate) fn maybe(mut of: Value) -> Value {
    if let Some(Value::Array(words)) = of.get_mut("enum") {
        words.push(Value::Null);
    } else {
        of["type"] = json!([of["type"], "null"]);
    }
    of
}

#[cfg(test)]
mod tests;
