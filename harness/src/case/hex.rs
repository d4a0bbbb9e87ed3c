//! Bytes as hexadecimal text in JSON.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// Bytes; in JSON a string of two hexadecimal digits each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hex(pub Vec<u8>);

/// The two digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    let (digits, mut pairs, mut byte) = (b"0123456789abcdef", [[0; 2]; 256], 0);
    while byte < pairs.len() {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl FromStr for Hex {
    type Err = ();

    /// What `Display` shows.
    fn from_str(text: &str) -> Result<Self, ()> {
        parse(text).map(Self).ok_or(())
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // By hand, since a trace is mostly this.
        let text: Vec<[u8; 2]> = self.0.iter().map(|byte| PAIRS[usize::from(*byte)]).collect();
        let text = std::str::from_utf8(text.as_flattened()).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(text)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HexVisitor;
        impl Visitor<'_> for HexVisitor {
            type Value = Hex;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an even number of hexadecimal digits")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Hex, E> {
                parse(text)
                    .map(Hex)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(HexVisitor)
    }
}

/// What each digit counts, of either case; anything else has a bit that none has.
const DIGITS: [u8; 256] = {
    let (mut digits, mut value) = ([0x80; 256], 0);
    while value < 16 {
        let digit = PAIRS[value as usize][1];
        digits[digit as usize] = value;
        digits[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    digits
};

fn parse(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let (mut bytes, mut all) = (Vec::with_capacity(pairs.len()), 0);
    for [high, low] in pairs {
        let [high, low] = [high, low].map(|digit| DIGITS[usize::from(*digit)]);
        all |= high | low;
        bytes.push(high << 4 | low);
    }
    (all < 16).then_some(bytes)
}

impl JsonSchema for Hex {
    fn schema_name() -> Cow<'static, str> {
        "Hex".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([0-9a-f]{2})*$", "description": "Bytes, two hexadecimal digits each." })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_survive_json(bytes: Vec<u8>) {
            let text = serde_json::to_string(&Hex(bytes.clone())).unwrap();
            prop_assert_eq!(serde_json::from_str::<Hex>(&text).unwrap().0, bytes);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = parse(&text);
        }
    }
}
