//! What a far end speaks that does more than a script of bytes.

use std::fmt;

use far::tls::certs::wrong_name;
use far::{Offer, Takes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::shown;

/// A protocol, as `sockeye control` serves it: `far` has them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Speaks {
    /// Which: one of [`Speaks::PROTOCOLS`].
    pub protocol: String,
    /// By which of its scripts; its first one, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// Names and addresses that its certificate is for, besides `localhost`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl Speaks {
    /// Those that need one connection, or datagrams alone, and no other host.
    pub const PROTOCOLS: [&str; 5] = ["http", "tls", "quic", "ws", "udp"];
    /// As many names as one certificate is for.
    const MOST_NAMES: usize = 16;

    /// Whether it is one of datagrams.
    pub fn is_of_datagrams(&self) -> bool {
        ["quic", "udp"].contains(&self.protocol.as_str())
    }

    /// What is wrong with it, as one sentence.
    pub(super) fn check(&self) -> Result<(), String> {
        let offer = far::OFFERS.iter().find(|offer| offer.name == self.protocol);
        let known = Self::PROTOCOLS.contains(&self.protocol.as_str());
        let Some(offer) = offer.filter(|_| known) else {
            let all = Self::PROTOCOLS.join(", ");
            return Err(format!("{} is no protocol of a far end: {all}", shown(&self.protocol)));
        };
        let protocol = &self.protocol;
        if let Some(script) = &self.script {
            offer.check(script).map_err(|_| {
                let near = offer.nearest(script);
                let near = near.map_or(String::new(), |near| format!("; nearest is {near}"));
                let all = format!("sockeye control {protocol} --list-scripts");
                format!("{protocol} has no script {}{near}, and {all} has them all", shown(script))
            })?;
        }
        self.check_names(offer)
    }

    /// That a certificate can be for them, where there is one.
    fn check_names(&self, offer: &Offer) -> Result<(), String> {
        let Some(first) = self.names.first() else { return Ok(()) };
        if !offer.takes.contains(&Takes::Hosts) {
            let protocol = &self.protocol;
            return Err(format!("{protocol} has no certificate that is for {}", shown(first)));
        }
        let (many, most) = (self.names.len(), Self::MOST_NAMES);
        if many > most {
            return Err(format!("a certificate for {many} names, {most} are the most"));
        }
        match wrong_name(&self.names) {
            Some((name, why)) => Err(format!("{} {why}", shown(name))),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Speaks {
    /// `tls self-signed for example.org`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.protocol)?;
        if let Some(script) = &self.script {
            write!(f, " {script}")?;
        }
        for (number, name) in self.names.iter().enumerate() {
            write!(f, "{}{name}", if number == 0 { " for " } else { " and " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("tls", None, "", Ok("tls"))]
    #[case(
        "tls",
        Some("self-signed"),
        "a.example b.example",
        Ok("tls self-signed for a.example and b.example")
    )]
    #[case("quic", Some("h3"), "", Ok("quic h3"))]
    // They would need other connections, other hosts, or addresses of the lab.
    #[case("ftp", None, "", Err("no protocol of a far end"))]
    #[case("proxy", None, "", Err("no protocol of a far end"))]
    #[case("dns", None, "", Err("no protocol of a far end"))]
    #[case("\u{1b}[31m", None, "", Err("no protocol of a far end"))]
    #[case("tls", Some("self-singed"), "", Err("has no script"))]
    #[case("tls", Some("self-singed"), "", Err("nearest is self-signed, and sockeye control tls"))]
    #[case("tls", Some("x"), "", Err("has no script \"x\", and"))]
    #[case("tls", None, "a..b", Err("is no name of a certificate"))]
    #[case("tls", None, "-bad-.example", Err("is no name of a certificate"))]
    #[case("tls", None, "a.*.example", Err("is no name of a certificate"))]
    #[case("tls", None, "a/b", Err("is no name of a certificate"))]
    #[case(
        "tls",
        None,
        "*.example a_b.example 192.0.2.1 ::1",
        Ok("tls for *.example and a_b.example and 192.0.2.1 and ::1")
    )]
    #[case("tls", None, "a.example b A.Example", Err("\"A.Example\" stands twice"))]
    #[case("quic", None, "a.example", Ok("quic for a.example"))]
    #[case("http", None, "a.example", Err("http has no certificate that is for \"a.example\""))]
    #[case("ws", Some("echo"), "a.example", Err("ws has no certificate"))]
    fn what_is_spoken_is_known(
        #[case] protocol: &str,
        #[case] script: Option<&str>,
        #[case] names: &str,
        #[case] expected: Result<&str, &str>,
    ) {
        let names = names.split_whitespace().map(str::to_owned).collect();
        let (protocol, script) = (protocol.to_owned(), script.map(str::to_owned));
        let speaks = Speaks { protocol, script, names };
        match (speaks.check(), expected) {
            (Ok(()), Ok(text)) => assert_eq!(speaks.to_string(), text),
            (Err(why), Err(part)) => {
                assert!(why.contains(part) && !why.contains('\u{1b}'), "{why}");
            }
            (got, _) => panic!("{got:?}"),
        }
    }

    #[test]
    fn every_protocol_is_offered() {
        for protocol in Speaks::PROTOCOLS {
            let speaks = Speaks { protocol: protocol.to_owned(), script: None, names: Vec::new() };
            assert_eq!(speaks.check(), Ok(()), "{protocol}");
        }
    }
}
