//! A call as it is written, addresses by their part in the lab.

use harness::case::addr::{Addr, Host};
use harness::case::op::{Opt, Value};
use harness::case::payload::quoted;
use harness::case::{Op, Payload};
use harness::outcome::{self, Words};

use super::addr;

/// `sendto(s, "hello\0", 6, 0, {AF_INET neighbour(tap0):12345})`, and behind it ` = s` if the call makes
/// a socket. Steps of the lab are none.
pub(crate) fn print(op: &Op) -> String {
    let call = outcome::call(&AsWritten, op);
    match op {
        _ if op.gives_a_descriptor() => format!("{call} = {}", op.makes().join(", ")),
        Op::Run { limit_ms, .. } => format!("{call} within {limit_ms} ms"),
        _ => call,
    }
}

/// What a case alone says, all of it.
struct AsWritten;

impl Words for AsWritten {
    fn addr(&self, _: &str, addr: &Addr) -> String {
        addr::print(addr)
    }

    fn host(&self, host: &Host) -> String {
        addr::print_host(host, None)
    }

    fn option(&self, _: &str, option: &Opt, value: &Value) -> (String, String, Value) {
        let (said, name) = match option {
            Opt::Raw { level, name } => (format!("{level}, {name}"), name.to_string()),
            // A link by its name, whichever the option takes.
            Opt::Intent(intent) => (quoted(intent.text().as_bytes()), "SO_BINDTODEVICE".to_owned()),
        };
        (said, name, value.clone())
    }

    fn data(&self, data: &Payload) -> String {
        match data {
            Payload::Text(_) | Payload::Parts(_) => quoted(&data.bytes()),
            Payload::Pattern(len) => format!("pattern[0..{len}]"),
        }
    }
}
