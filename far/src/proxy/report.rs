//! What the proxy saw, in sentences and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::target::Host;
use super::{Ask, Ended, Inside, Seen, Way, socks};
use crate::text;
use crate::witness::{Seen as Any, Told, Witness, count};

/// How many clients are told apart; what others do is counted together.
const CLIENTS: usize = 500;
/// How many of a client's targets are kept.
const TARGETS: usize = 20;

/// Counts by client, and says what it came to.
#[derive(Debug, Default)]
pub(super) struct Report {
    clients: BTreeMap<String, Client>,
    /// Schemes that credentials came by.
    schemes: BTreeMap<String, usize>,
    /// Schemes that a 407 asked for, and how often.
    asked: BTreeMap<String, usize>,
    refused: Vec<String>,
    refusals: usize,
    odd: usize,
    names: usize,
    addresses: usize,
}

/// A program, as it calls itself.
#[derive(Debug, Default)]
struct Client {
    by: usize,
    around: usize,
    pac: usize,
    /// What it went around for.
    lines: BTreeSet<String>,
    /// What it got a 407 for and did not repeat with credentials yet: how often.
    asked: BTreeMap<String, usize>,
}

impl Report {
    fn client(&mut self, name: &str) -> &mut Client {
        let is_known = self.clients.contains_key(name) || self.clients.len() < CLIENTS;
        let name = if is_known { name } else { "other clients" };
        self.clients.entry(name.to_owned()).or_default()
    }

    fn ended(&mut self, ended: &Ended) -> Told {
        let ask = &ended.ask;
        let name = name(ended);
        let client = self.client(&name);
        match ask.way {
            Way::Pac => client.pac += 1,
            Way::Around => {
                client.around += 1;
                if client.lines.len() < TARGETS {
                    client.lines.insert(ask.line.clone());
                }
            }
            _ => {
                // What comes again with credentials after a 407 is the same request.
                let waits = client.asked.get_mut(&ask.line).filter(|n| **n > 0);
                let again = waits.filter(|_| ask.credentials.is_some()).map(|n| *n -= 1).is_some();
                client.by += usize::from(!again);
                if ended.code == Some(407) {
                    text::bump(&mut client.asked, &ask.line, TARGETS);
                }
                match ask.target.as_ref().map(|target| &target.host) {
                    Some(Host::Name(_)) if !again => self.names += 1,
                    Some(Host::Address(_)) if !again => self.addresses += 1,
                    _ => {}
                }
            }
        }
        if let Some(challenge) = &ended.challenge {
            let scheme = challenge.split(' ').next().unwrap_or_default().to_owned();
            *self.asked.entry(scheme).or_default() += 1;
        }
        if let Some(credentials) = &ask.credentials {
            text::bump(&mut self.schemes, &credentials.scheme, TARGETS);
        }
        if let Some(why) = &ended.why {
            self.refusals += 1;
            if self.refused.len() < 5 && !self.refused.contains(why) {
                self.refused.push(why.clone());
            }
        }
        Told { lines: outcome(ended), json: ended_json(ended), files: Vec::new(), counts: true }
    }

    fn total(&self, of: impl Fn(&Client) -> usize) -> usize {
        self.clients.values().map(of).sum()
    }

    fn auth(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (scheme, asked) in &self.asked {
            let gave_up = self.total(|client| client.asked.values().sum());
            let came = self.schemes.iter().find(|(s, _)| s.eq_ignore_ascii_case(scheme));
            let came = match came {
                Some((_, n)) => format!("{scheme} credentials came with {}", count(*n, "request")),
                None => format!("no {scheme} credentials came"),
            };
            let gave_up = match gave_up {
                0 => String::new(),
                n => format!("; {} went no further than the 407", count(n, "request")),
            };
            lines.push(format!("407 asked for {scheme} {}: {came}{gave_up}", times(*asked)));
        }
        for (scheme, n) in &self.schemes {
            if !self.asked.keys().any(|asked| asked.eq_ignore_ascii_case(scheme)) {
                let n = count(*n, "request");
                lines.push(format!("{scheme} credentials came with {n}"));
            }
        }
        lines
    }
}

impl Witness for Report {
    fn tell(&mut self, seen: &Any) -> Told {
        match seen {
            Any::Proxy(Seen::Asked(ask)) => asked(ask),
            Any::Proxy(Seen::Ended(ended)) => self.ended(ended),
            Any::Proxy(Seen::Odd { connection, at, client, why, bytes }) => {
                self.odd += 1;
                let mut lines = vec![format!("{}: {why}", text::place(*connection, *at))];
                if !bytes.is_empty() {
                    lines.push(format!("    \"{}\"", bytes.escape_ascii()));
                }
                let json = json!({
                    "event": "odd", "connection": connection, "at_ms": text::millis(*at),
                    "client": client.to_string(), "why": why,
                    "bytes": bytes.escape_ascii().to_string(),
                });
                Told { lines, json, ..Told::default() }
            }
            _ => Told::default(),
        }
    }

    fn summary(&self) -> Vec<String> {
        let (by, around) = (self.total(|c| c.by), self.total(|c| c.around));
        let pac = self.total(|c| c.pac);
        let mut lines = vec![if by + around == 0 {
            "no request: nothing came by the proxy, and nothing around it to the proxy's own port"
                .to_owned()
        } else if around == 0 {
            // What goes around it to somewhere else is seen there, if anywhere.
            format!(
                "{by} came by the proxy; nobody came around it to the proxy's own port, and what goes around it \
                 elsewhere is not seen here"
            )
        } else {
            format!("{by} came by the proxy, {around} went around it")
        }];
        for (name, client) in self.clients.iter().filter(|(_, c)| c.by + c.around > 0) {
            let mut line = format!("  {name}: {} by the proxy", client.by);
            if client.around > 0 {
                let lines: Vec<&str> = client.lines.iter().take(3).map(String::as_str).collect();
                let _ = write!(line, ", {} around it ({})", client.around, lines.join(", "));
            }
            lines.push(line);
        }
        if self.names + self.addresses > 0 {
            let (names, addresses) = (self.names, self.addresses);
            lines.push(format!("targets named by name {names}, by address {addresses}"));
        }
        lines.extend(self.auth());
        let fetched: Vec<String> = self
            .clients
            .iter()
            .filter(|(_, c)| c.pac > 0)
            .map(|(name, c)| format!("{name} {}", times(c.pac)))
            .collect();
        if pac > 0 {
            lines.push(format!("the PAC file was fetched by {}", fetched.join(", ")));
        }
        if self.refusals > 0 {
            lines.push(format!("not let through: {}", count(self.refusals, "request")));
            lines.extend(self.refused.iter().map(|why| format!("  {why}")));
        }
        if self.odd > 0 {
            lines.push(format!("silent or malformed: {}", count(self.odd, "connection")));
        }
        lines
    }

    fn expectations(&self) -> &'static [(&'static str, &'static str)] {
        &[
            (
                "proxied",
                "something came by the proxy, and nothing around it to the proxy's own port",
            ),
            ("around", "something went around the proxy, to the proxy's own port"),
            ("no request", "nothing came but for the PAC file"),
            ("pac", "the PAC file was fetched"),
            ("auth SCHEME", "credentials came by basic, digest, ntlm, negotiate or socks5"),
        ]
    }

    fn holds(&self, words: &str) -> Result<bool, String> {
        let (by, around) = (self.total(|c| c.by), self.total(|c| c.around));
        match words {
            "proxied" => Ok(by > 0 && around == 0),
            "around" => Ok(around > 0),
            "no request" => Ok(by + around == 0),
            "pac" => Ok(self.total(|c| c.pac) > 0),
            _ => {
                let known = ["basic", "digest", "ntlm", "negotiate", "socks5"];
                let scheme = words.strip_prefix("auth ").map(str::to_ascii_lowercase);
                let scheme = scheme.filter(|scheme| known.contains(&scheme.as_str()));
                let scheme = scheme.ok_or_else(|| format!("{words:?} is nothing to expect"))?;
                let first = |name: &String| name.split(' ').next().map(str::to_ascii_lowercase);
                Ok(self.schemes.keys().any(|name| first(name).as_ref() == Some(&scheme)))
            }
        }
    }
}

/// What a client calls itself, in its request or within its tunnel.
fn name(ended: &Ended) -> String {
    let within = match &ended.inside {
        Some(Inside::Http(_, agent)) => agent.as_ref(),
        _ => None,
    };
    let name = ended.ask.agent.as_ref().or(within);
    name.map_or_else(|| "a client without a name".to_owned(), |name| short(name).to_owned())
}

/// Of what a browser calls itself the part that tells it from others; of others everything.
fn short(agent: &str) -> &str {
    let browsers = ["Edg/", "OPR/", "HeadlessChrome/", "Chrome/", "Firefox/", "Safari/"];
    let part = |name: &&str| agent.split(' ').find(|part| part.starts_with(*name));
    if agent.starts_with("Mozilla/") {
        browsers.iter().find_map(part).unwrap_or(agent)
    } else {
        agent
    }
}

/// "once", "3 times".
fn times(n: usize) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

fn asked(ask: &Ask) -> Told {
    let what = match ask.way {
        Way::Around => "went around the proxy: ",
        Way::Pac => "the PAC file: ",
        Way::Socks5 => "SOCKS5 ",
        Way::Socks4 => "SOCKS4 ",
        Way::Connect | Way::Absolute => "",
    };
    let named = match ask.target.as_ref().map(|target| &target.host) {
        Some(Host::Name(_)) => ", by name",
        Some(Host::Address(_)) => ", by address",
        None => "",
    };
    let agent = match ask.agent.as_deref() {
        Some(agent) => format!("{}, ", short(agent)),
        None if ask.way.is_socks() => String::new(),
        None => "no User-Agent, ".to_owned(),
    };
    let place = text::place(ask.connection, ask.at);
    let mut lines = vec![format!(
        "request {} ({place}): {what}{}{named} — {agent}{}",
        ask.request, ask.line, ask.client
    )];
    if let Some(credentials) = &ask.credentials {
        let user = credentials.user.as_ref().map(|user| format!(" of the user {user:?}"));
        let about = credentials.about;
        let about = if about.is_empty() { String::new() } else { format!(" ({about})") };
        let scheme = &credentials.scheme;
        lines.push(format!(
            "  {scheme} credentials{}{about}; what is secret is not shown",
            user.unwrap_or_default()
        ));
    }
    Told { lines, json: asked_json(ask), ..Told::default() }
}

fn outcome(ended: &Ended) -> Vec<String> {
    let ask = &ended.ask;
    let answer = match ended.code {
        None => "no answer".to_owned(),
        Some(code) if ask.way.is_socks() => {
            let meaning = socks::meaning(code);
            let space = if meaning.is_empty() { "" } else { ", " };
            format!("reply {code}{space}{meaning}")
        }
        Some(code) => code.to_string(),
    };
    let taken = ended.at.saturating_sub(ask.at).as_secs_f64();
    let line = match (&ended.why, &ended.challenge) {
        (Some(why), _) => format!("request {}: {answer}: {why}", ask.request),
        (_, Some(challenge)) => {
            format!("request {}: {answer}, asked for {}", ask.request, text::cut(challenge))
        }
        _ => format!(
            "request {}: {answer}, {} up, {} down in {taken:.3} s; ended by {}",
            ask.request,
            count(ended.up, "byte"),
            count(ended.down, "byte"),
            ended.by
        ),
    };
    let inside = match &ended.inside {
        None => return vec![line],
        Some(Inside::Tls) => "TLS".to_owned(),
        Some(Inside::Other) => "no HTTP, no TLS".to_owned(),
        Some(Inside::Http(line, agent)) => {
            format!("{line} — {}", agent.as_deref().unwrap_or("no User-Agent"))
        }
    };
    vec![line, format!("  inside: {inside}")]
}

fn asked_json(ask: &Ask) -> Value {
    let target = ask.target.as_ref();
    json!({
        "event": "asked",
        "request": ask.request,
        "connection": ask.connection,
        "at_ms": text::millis(ask.at),
        "client": ask.client.to_string(),
        "agent": ask.agent,
        "way": ask.way.name(),
        "line": ask.line,
        "target": target.map(ToString::to_string),
        "named_by": target.map(|t| match t.host {
            Host::Name(_) => "name",
            Host::Address(_) => "address",
        }),
        "credentials": ask.credentials.as_ref().map(|c| json!({
            "scheme": c.scheme, "user": c.user, "about": c.about,
        })),
    })
}

fn ended_json(ended: &Ended) -> Value {
    let (inside, inside_agent) = match &ended.inside {
        None => (None, None),
        Some(Inside::Tls) => (Some("TLS"), None),
        Some(Inside::Other) => (Some("other"), None),
        Some(Inside::Http(line, agent)) => (Some(line.as_str()), agent.as_ref()),
    };
    json!({
        "event": "ended",
        "request": ended.ask.request,
        "connection": ended.ask.connection,
        "at_ms": text::millis(ended.at),
        "way": ended.ask.way.name(),
        "code": ended.code,
        "why": ended.why,
        "challenge": ended.challenge,
        "up": ended.up,
        "down": ended.down,
        "inside": inside,
        "inside_agent": inside_agent,
        "ended_by": ended.by,
    })
}
