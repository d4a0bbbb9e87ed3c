//! What names a person or a machine is replaced, everywhere by the same.
//!
//! Three kinds. Of what the system says in its own words (its command line, its log, settings, names of
//! interfaces) only what is known to matter to sockets is let through: see
//! [`harness::environment::allowed`]. Words that the machine itself knows to be its own (host and user names, domains,
//! serial numbers, names of wireless networks and VPNs, folders) become `host-1`, `user-1` and so on. What shows by
//! its form (hardware and IP addresses, UUIDs, mail addresses, names in `/home` and `/Users`) is replaced unless it
//! is the lab's; addresses by addresses that nobody has, so that text and frames stay readable and
//! agree: `0a:00:00:00:00:01`, 198.18.0.0/15 (RFC 2544) and `2001:2::/48` (RFC 5180).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use harness::environment::{Environment, Private};
use harness::wire::Mac;
use serde_json::Value;

use super::forms::{Form, forms, is_escape, reverse, shorthand};
use super::words::{domains_of, is_common, lower, spellings, unescaped};

mod frames;
mod machine;
#[cfg(test)]
mod tests;

/// What replaces what.
#[derive(Clone, Debug, Default)]
pub struct Scrub {
    /// Nothing is replaced.
    off: bool,
    /// In lower case, the longest first.
    words: Vec<(String, String)>,
    /// Which of them were found.
    found: BTreeSet<String>,
    /// Names in paths that are none of those words.
    users: BTreeMap<String, String>,
    ids: BTreeMap<String, String>,
    mails: BTreeMap<String, String>,
    /// Names of interfaces that are no kernel's.
    interfaces: BTreeMap<String, String>,
    macs: BTreeMap<Mac, Mac>,
    v4: BTreeMap<Ipv4Addr, Ipv4Addr>,
    v6: BTreeMap<Ipv6Addr, Ipv6Addr>,
    /// Addresses of the case itself, and what only looks like one.
    public: BTreeSet<IpAddr>,
}

impl Scrub {
    /// Replaces nothing.
    pub fn off() -> Self {
        Self { off: true, ..Self::default() }
    }

    /// Whether nothing is replaced.
    pub fn is_off(&self) -> bool {
        self.off
    }

    /// Replaces these words, and what shows by its form.
    pub fn new(private: &Private) -> Self {
        let mut scrub = Self::default();
        let domains = [private.domains.clone(), domains_of(&private.hosts)].concat();
        let kinds = [
            ("host", &private.hosts),
            ("user", &private.users),
            ("domain", &domains),
            ("serial", &private.serials),
            ("ssid", &private.ssids),
            ("vpn", &private.vpns),
            ("path", &private.paths),
        ];
        for (kind, words) in kinds {
            let mut number = 0;
            for word in words {
                let spellings = spellings(kind, word);
                let known = |word: &String| scrub.words.iter().find(|(known, _)| known == word);
                let with = spellings.iter().find_map(known).map(|(_, with)| with.clone());
                let fresh: Vec<String> = spellings
                    .into_iter()
                    .filter(|word| !is_common(word))
                    .filter(|word| known(word).is_none())
                    .collect();
                if with.is_none() && !fresh.is_empty() {
                    number += 1;
                }
                let with = with.unwrap_or_else(|| format!("{kind}-{number}"));
                scrub.words.extend(fresh.into_iter().map(|word| (word, with.clone())));
            }
        }
        scrub.words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        scrub
    }

    /// Replaces what `machine` knows to be its own, its interfaces and addresses too.
    pub fn of(machine: &Environment) -> Self {
        let mut scrub = Self::new(&machine.private);
        scrub.learn(machine);
        scrub
    }

    /// Leaves alone every address that stands in `text`: a case's own, which anybody may read.
    pub fn allow(&mut self, text: &str) {
        for (_, _, form) in forms(text) {
            let Form::Ip(ip) = form else { continue };
            self.public.insert(ip);
            if let IpAddr::V6(ip) = ip {
                let [.., a, b] = ip.segments();
                let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (a & 0xff), b);
                self.public.insert(group.into());
            }
        }
        let numbers = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
        self.public.extend(numbers.filter_map(shorthand).map(IpAddr::V4));
    }

    /// How many of which kind were replaced: `2 hardware addresses`.
    pub fn replaced(&self) -> Vec<String> {
        let counts = [
            ("names and serial numbers", self.found.len() + self.users.len()),
            ("identifiers", self.ids.len()),
            ("mail addresses", self.mails.len()),
            ("hardware addresses", self.macs.len()),
            ("IPv4 addresses", self.v4.len()),
            ("IPv6 addresses", self.v6.len()),
        ];
        counts.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{n} {what}")).collect()
    }

    /// The text with everything replaced; words of `vocabulary` stay.
    pub fn text(&mut self, text: &str, vocabulary: &BTreeSet<String>) -> String {
        if self.off {
            return text.to_owned();
        }
        let text = self.words_of(&self.plain(text), vocabulary);
        let text = self.paths(&text);
        self.forms(&text)
    }

    /// With what is written as in a URL (RFC 3986 §2.1) written out, where that shows what is private.
    fn plain(&self, text: &str) -> String {
        // Formats of printf(3) are none: `%02x`.
        let is_escape = |(at, _): (usize, &str)| {
            let behind = &text.as_bytes()[at + 1..];
            matches!(behind, [b'2'..=b'9' | b'a'..=b'f' | b'A'..=b'F', low, ..] if low.is_ascii_hexdigit())
        };
        if !text.match_indices('%').any(is_escape) {
            return text.to_owned();
        }
        let mut seen = Self { found: BTreeSet::new(), ..self.clone() };
        let ends = |c: char| c.is_whitespace() || "\"'<>()[]{},;".contains(c);
        let mut out = String::with_capacity(text.len());
        for piece in text.split_inclusive(ends) {
            match unescaped(piece) {
                Some(plain) if seen.text(&plain, &BTreeSet::new()) != plain => out.push_str(&plain),
                _ => out.push_str(piece),
            }
        }
        out
    }

    fn words_of(&mut self, text: &str, vocabulary: &BTreeSet<String>) -> String {
        let mut text = text.to_owned();
        for (word, with) in &self.words {
            if vocabulary.contains(word) {
                continue;
            }
            let lower = lower(&text);
            let mut out = String::with_capacity(text.len());
            let mut last = 0;
            for (at, _) in lower.match_indices(word.as_str()) {
                let end = at + word.len();
                if at >= last && is_apart(&text, at, end) {
                    out.push_str(&text[last..at]);
                    out.push_str(with);
                    self.found.insert(with.clone());
                    last = end;
                }
            }
            out.push_str(&text[last..]);
            text = out;
        }
        text
    }

    /// Who has a folder in `/home` or `/Users`.
    fn paths(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((at, root)) =
            ["/home/", "/Users/"].iter().filter_map(|root| Some((rest.find(root)?, *root))).min()
        {
            let (before, after) = rest.split_at(at + root.len());
            out.push_str(before);
            let len = after.find(|c: char| !c.is_alphanumeric() && !"._-".contains(c));
            let (name, behind) = after.split_at(len.unwrap_or(after.len()));
            if !name.is_empty() && !is_numbered(name, "user-") && name != "Shared" {
                let known = self.words.iter().map(|(_, with)| with);
                let known: BTreeSet<_> = known.filter(|with| is_numbered(with, "user-")).collect();
                let number = known.len() + self.users.len() + 1;
                let key = name.to_lowercase();
                out.push_str(self.users.entry(key).or_insert_with(|| format!("user-{number}")));
            } else {
                out.push_str(name);
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }

    /// Addresses and identifiers.
    fn forms(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut last = 0;
        for (start, end, form) in forms(text) {
            let was = &text[start..end];
            let with = match form {
                Form::Ip(ip) if self.ip(ip) == ip => continue,
                Form::Ip(ip) => self.ip(ip).to_string(),
                Form::Reverse(ip) if self.ip(ip) == ip => continue,
                Form::Reverse(ip) => reverse(self.ip(ip)),
                Form::Mac(mac) if self.mac(mac) == mac => continue,
                Form::Mac(mac) if was.matches('.').count() == 2 => {
                    let digits = self.mac(mac).to_string().replace(':', "");
                    [&digits[..4], &digits[4..8], &digits[8..]].join(".")
                }
                Form::Mac(mac) => {
                    let between = was.matches(|c: char| !c.is_ascii_hexdigit()).next();
                    self.mac(mac).to_string().replace(':', between.unwrap_or(":"))
                }
                Form::Dashed(ip) if self.ip(ip) == ip => continue,
                Form::Dashed(ip) => self.ip(ip).to_string().replace('.', "-"),
                Form::Mail => {
                    let number = self.mails.len() + 1;
                    let mail = self.mails.entry(was.to_lowercase());
                    mail.or_insert_with(|| format!("mail-{number}")).clone()
                }
                Form::Uuid => {
                    let number = self.ids.len() + 1;
                    let id = self.ids.entry(was.to_lowercase());
                    id.or_insert_with(|| format!("id-{number}")).clone()
                }
            };
            out.push_str(&text[last..start]);
            out.push_str(&with);
            last = end;
        }
        out.push_str(&text[last..]);
        out
    }

    /// Every text in a JSON value, names of fields too.
    pub fn json(&mut self, value: Value) -> Value {
        let none = BTreeSet::new();
        match value {
            Value::String(text) => Value::String(self.text(&text, &none)),
            Value::Array(all) => Value::Array(all.into_iter().map(|one| self.json(one)).collect()),
            Value::Object(all) => {
                let field =
                    |(name, one): (String, Value)| (self.text(&name, &none), self.json(one));
                Value::Object(all.into_iter().map(field).collect())
            }
            other => other,
        }
    }

    fn mac(&mut self, mac: Mac) -> Mac {
        let [a, b, c, ..] = mac.0;
        let lab = matches!((a, b, c), (0x02 | 0x0a, 0, 0) | (0x33, 0x33, _) | (1, 0, 0x5e));
        if self.off || lab || mac == Mac::ZERO || mac == Mac::BROADCAST {
            return mac;
        }
        let [.., high, low] = number(self.macs.len());
        *self.macs.entry(mac).or_insert(Mac([0x0a, 0, 0, 0, high, low]))
    }

    fn ip(&mut self, ip: IpAddr) -> IpAddr {
        if self.off || self.public.contains(&ip) {
            return ip;
        }
        match ip {
            IpAddr::V4(ip) => self.v4(ip).into(),
            IpAddr::V6(ip) => self.v6(ip).into(),
        }
    }

    fn v4(&mut self, ip: Ipv4Addr) -> Ipv4Addr {
        let [a, b, ..] = ip.octets();
        let ours = ip.is_documentation() || ip.is_loopback() || ip.is_multicast();
        // Netmasks and the network 0 name nobody.
        if ours
            || a == 0
            || a == 255
            || (a == 198 && b & 0xfe == 18)
            || self.public.contains(&ip.into())
        {
            return ip;
        }
        let [.., high, low] = number(self.v4.len());
        *self.v4.entry(ip).or_insert(Ipv4Addr::new(198, 18, high, low))
    }

    fn v6(&mut self, ip: Ipv6Addr) -> Ipv6Addr {
        if let Some(v4) = ip.to_ipv4_mapped() {
            return self.v4(v4).to_ipv6_mapped();
        }
        let s = ip.segments();
        let plain = ip.is_unspecified() || ip.is_loopback();
        let lab = s[0] == 0xfe80 && s[1..6] == [0; 5];
        // The group of an address by its last 24 bits tells those (RFC 4291 §2.7.1).
        let solicited = s[..7] == [0xff02, 0, 0, 0, 0, 1, s[6]] && s[6] & 0xff00 == 0xff00;
        let lab_group = s[6] & 0xff < 16 && s[7] < 0x100;
        let group = ip.is_multicast() && (!solicited || lab_group);
        let ours = s[..3] == [0x2001, 2, 0] || s[..2] == [0x2001, 0xdb8];
        // A prefix alone, such as fe80::/64 in a route.
        let prefix = s[1..] == [0; 7];
        if plain || lab || group || ours || prefix || self.public.contains(&ip.into()) {
            return ip;
        }
        let last = number(self.v6.len());
        let last = u16::from_be_bytes(last);
        *self.v6.entry(ip).or_insert(Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, last))
    }
}

/// The number behind `count` others, from 1, in two bytes.
fn number(count: usize) -> [u8; 2] {
    u16::try_from(count + 1).unwrap_or(u16::MAX).to_be_bytes()
}

fn is_numbered(text: &str, kind: &str) -> bool {
    text.strip_prefix(kind).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether no letter or digit stands at either side.
fn is_apart(text: &str, start: usize, end: usize) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let before = text[..start].chars().next_back().is_some_and(word);
    let behind = text[end..].chars().next().is_some_and(word);
    // What has colons in it is part of a longer address where more stands behind one.
    let hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let (head, tail) = (&text.as_bytes()[..start], &text.as_bytes()[end..]);
    let within = matches!(head, [.., one, b':'] if hex(Some(one)))
        || matches!(tail, [b':', one, ..] if hex(Some(one)));
    let part = within && text[start..end].contains(':');
    (!before || is_escape(head)) && !behind && !part
}
