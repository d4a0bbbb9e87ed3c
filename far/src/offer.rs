//! What can be served: names, scripts, and who makes a server of them.

use std::net::SocketAddr;

use serde_json::Value;

use crate::machine::Kind;
use crate::witness::Witness;

/// A kind of server.
#[derive(Debug)]
pub struct Offer {
    /// By what it is called: `http`.
    pub name: &'static str,
    /// What it says of a client, in one line.
    pub about: &'static str,
    /// What it can be told to do; the first is the default.
    pub scripts: &'static [Script],
    /// The port that is its protocol's.
    pub port: u16,
    /// What [`crate::Told::counts`] counts, many of them: `requests`.
    pub counts: &'static str,
    /// What it can be asked beside what all can.
    pub takes: &'static [Takes],
    /// Makes one.
    pub make: fn(&Asked) -> Result<Made, String>,
    /// What its lines of JSON are ([`crate::schema()`]): of each what it is called, and its JSON Schema.
    pub lines: fn() -> Vec<(&'static str, Value)>,
}

/// A script: what a server does, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
}

/// What can be asked of some kinds alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// `--raw FILE`: [`crate::Told::files`] are the exact bytes of what it counts, which are put behind each other.
    Raw,
    /// `--idle-then`: it serves TCP, and something else may end its connections ([`crate::idle`]).
    IdleThen,
    /// `--allow-upstream`: [`Asked::upstream`].
    Upstream,
    /// `--http` and `--ldap`: [`Asked::within`].
    Within,
    /// `--join`: [`Asked::groups`].
    Groups,
    /// `--name`: [`Asked::names`].
    Hosts,
    /// `--resolve-for`: it answers names, and a program can be given no other server.
    Names,
}

/// What a user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The script, one of [`Offer::scripts`].
    pub script: String,
    /// Beside loopback, the hosts that a proxy may connect to, as `name`, `name:port` or an address.
    pub upstream: Vec<String>,
    /// Of `tls`: what is spoken within, `http` or `ldap`; by default whichever the client begins.
    pub within: Option<String>,
    /// Of `udp`: groups to join, with the interface's name behind `%` if one is meant.
    pub groups: Vec<String>,
    /// Of `tls` and `quic`: names and addresses that the certificate is for besides `localhost`, `127.0.0.1` and `::1`.
    pub names: Vec<String>,
}

/// A server that can be started, and who tells of it.
pub struct Made {
    /// What it does.
    pub kind: Box<dyn Kind>,
    /// What it says.
    pub witness: Box<dyn Witness>,
    /// What a client is given, `http://127.0.0.1:8080/` say, of where it serves.
    pub url: fn(SocketAddr) -> String,
    /// The certificate that a client is to trust, as PEM.
    pub ca: Option<String>,
}

impl Offer {
    /// That the script is one of its own.
    pub fn check(&self, script: &str) -> Result<(), String> {
        named(self.scripts, |known| known.name, script).map(drop)
    }

    /// The script that is most likely meant, if its name differs in no more than a third of its letters.
    pub fn nearest(&self, script: &str) -> Option<&'static str> {
        // Nobody means one by a text that long.
        if script.len() > 64 {
            return None;
        }
        let all = self.scripts.iter().map(|known| known.name);
        let near = all.map(|known| (strsim::levenshtein(script, known), known)).min()?;
        (near.0 * 3 <= script.len().max(near.1.len())).then_some(near.1)
    }
}

/// A row of a table of scripts.
pub(crate) const fn row<T>(name: &'static str, about: &'static str, does: T) -> (Script, T) {
    (Script { name, about }, does)
}

/// All scripts of a table, which has `N`.
pub(crate) const fn scripts<T, const N: usize>(rows: &[(Script, T)]) -> [Script; N] {
    assert!(rows.len() == N, "as many as there are rows");
    let mut all = [rows[0].0; N];
    let mut i = 0;
    while i < N {
        all[i] = rows[i].0;
        i += 1;
    }
    all
}

/// What the script of that name does.
pub(crate) fn find<T>(rows: &'static [(Script, T)], name: &str) -> Result<&'static T, String> {
    named(rows, |(script, _)| script.name, name).map(|(_, does)| does)
}

fn named<'a, T>(all: &'a [T], name: fn(&T) -> &'static str, script: &str) -> Result<&'a T, String> {
    all.iter().find(|one| name(one) == script).ok_or_else(|| {
        let near = all.iter().map(name).min_by_key(|name| strsim::levenshtein(script, name));
        let near = near.unwrap_or_default();
        format!("there is no script {script:?}; nearest is {near:?}, --list-scripts has them all")
    })
}

/// Every kind of server.
pub const OFFERS: &[Offer] = &[
    crate::http::OFFER,
    crate::quic::OFFER,
    crate::tls::OFFER,
    Offer {
        name: "dns",
        about: "Answer queries for names: which are asked for, by which types and transports, and what is told",
        scripts: &crate::dns::SCRIPTS,
        port: 53,
        counts: "queries",
        takes: &[Takes::Names],
        make: crate::dns::make,
        lines: crate::dns::schema::lines,
    },
    Offer {
        name: "proxy",
        about: "Be an HTTP and SOCKS5 proxy to loopback: who uses it, and who goes around it",
        scripts: &crate::proxy::SCRIPTS,
        port: 8080,
        counts: "requests",
        takes: &[Takes::IdleThen, Takes::Upstream],
        make: crate::proxy::make,
        lines: crate::proxy::schema::lines,
    },
    Offer {
        name: "ws",
        about: "Serve WebSocket: the handshake or its absence, each frame, and what breaks RFC 6455",
        scripts: &crate::ws::SCRIPTS,
        port: 80,
        counts: "connections",
        takes: &[Takes::IdleThen],
        make: crate::ws::make,
        lines: crate::ws::schema::lines,
    },
    Offer {
        name: "ftp",
        about: "Serve FTP: commands and data connections as they came",
        scripts: &crate::ftp::SCRIPTS,
        port: 21,
        counts: "connections",
        takes: &[Takes::IdleThen],
        make: crate::ftp::make,
        lines: crate::ftp::schema::lines,
    },
    Offer {
        name: "udp",
        about: "Take datagrams: whole or in fragments, by which interface, TTL, ECN, which numbers are missing",
        scripts: &crate::udp::SCRIPTS,
        port: 9999,
        counts: "datagrams",
        takes: &[Takes::Groups],
        make: crate::udp::make,
        lines: crate::udp::schema::lines,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_found_by_its_whole_name() {
        const ROWS: &[(Script, u8)] = &[row("echo", "once", 1), row("fin", "twice", 2)];
        const SCRIPTS: [Script; 2] = scripts(ROWS);
        assert_eq!(SCRIPTS.map(|script| script.name), ["echo", "fin"]);
        assert_eq!(find(ROWS, "fin"), Ok(&2));
        let why = find(ROWS, "ech").unwrap_err();
        assert!(why.contains("no script \"ech\"; nearest is \"echo\""), "{why}");
    }
}
