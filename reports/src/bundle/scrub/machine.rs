//! A machine, its log, and what the harness says of it in words.

use std::collections::BTreeSet;
use std::net::IpAddr;

use harness::environment::allowed::{self, GONE};
use harness::environment::{Environment, Log, Private};
use harness::trace::{End, Fingerprint, Trace};
use harness::wire::Mac;
use serde_json::Value;

use super::super::forms::{Form, forms, whole_prefix};
use super::super::leading_number;
use super::super::words::lower;
use super::Scrub;

impl Scrub {
    /// Takes names of interfaces that are no kernel's for words, and the machine's own addresses as they
    /// are written elsewhere: in hexadecimal, in names.
    pub(super) fn learn(&mut self, machine: &Environment) {
        // A Mac's are in what ifconfig(8) says.
        let said = machine.said.iter().filter(|(command, _)| command.starts_with("ifconfig"));
        let said: Vec<&str> = said.flat_map(|(_, text)| text.lines()).collect();
        let heads = said.iter().filter_map(|line| Some(line.split_once(": flags=")?.0));
        for name in machine.interfaces.iter().map(|interface| interface.name.as_str()).chain(heads)
        {
            self.interface(name);
        }
        let addresses = machine.interfaces.iter().flat_map(|interface| &interface.addresses);
        let addresses = addresses.map(String::as_str).chain(said.iter().copied());
        for (_, _, form) in addresses.flat_map(forms) {
            match form {
                Form::Mac(mac) => self.learn_mac(mac),
                Form::Ip(IpAddr::V4(ip)) if self.v4(ip) != ip => {
                    let [a, b, c, d] = ip.octets();
                    let number = format!("addr-{}", self.v4.len());
                    for [a, b, c, d] in [[a, b, c, d], [d, c, b, a]] {
                        self.word(&format!("{a:02x}{b:02x}{c:02x}{d:02x}"), &number);
                        self.word(&format!("0x{a:02x}{b:02x}{c:02x}{d:02x}"), &number);
                    }
                }
                _ => {}
            }
        }
        self.words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    }

    fn learn_mac(&mut self, mac: Mac) {
        if self.mac(mac) == mac {
            return;
        }
        let with = format!("mac-{}", self.macs.len());
        let digits = mac.to_string().replace(':', "");
        let [third, fourth, fifth, last] =
            [&digits[4..6], &digits[6..8], &digits[8..10], &digits[10..]];
        self.word(&digits, &with);
        // The last half, as EUI-64s end with it (RFC 4291 appendix A).
        self.word(&format!("fe{fourth}:{fifth}{last}"), &with);
        self.word(&format!("{third}ff:fe{fourth}:{fifth}{last}"), &with);
        self.word(&format!("{fourth}:{fifth}:{last}"), &with);
        self.word(&format!("{fourth}{fifth}{last}"), &with);
    }

    fn word(&mut self, word: &str, with: &str) {
        if !self.words.iter().any(|(known, _)| known == word) {
            self.words.push((word.to_owned(), with.to_owned()));
        }
    }

    /// What an interface is called: by itself if a kernel names it so.
    fn interface(&mut self, name: &str) -> String {
        if self.off || allowed::is_interface(name) {
            return name.to_owned();
        }
        let number = self.interfaces.len() + 1;
        let with = self.interfaces.entry(name.to_owned()).or_insert_with(|| format!("if{number}"));
        let with = with.clone();
        // A word that everybody uses is one in a sentence, too.
        if !allowed::is_known(name) && name.chars().nth(1).is_some() {
            self.word(&lower(name), &with);
        }
        with
    }

    /// A machine as anybody may read of it, without the list of what is its own.
    pub fn machine(&mut self, machine: &Environment) -> Environment {
        let mut open = machine.clone();
        if self.off {
            return open;
        }
        self.learn(machine);
        open.private = Private::default();
        for interface in &mut open.interfaces {
            interface.name = self.interface(&interface.name);
        }
        open.routes = open.routes.iter().map(|line| self.route(line)).collect();
        open.command_line = open.command_line.as_deref().map(allowed::command_line);
        for (name, value) in &mut open.sysctls {
            if name != "hw.model" && !allowed::is_setting(value) {
                GONE.clone_into(value);
            }
        }
        for (command, said) in &mut open.said {
            if command.starts_with("ifconfig") {
                *said = said.lines().map(allowed::ifconfig).collect::<Vec<_>>().join("\n");
            }
        }
        for text in open.unknown.iter_mut().chain(&mut open.confinement) {
            *text = allowed::reason(text);
        }
        let kernel = open.kernel.take().map(|kernel| self.kernel(&kernel));
        let read = |value: Value| serde_json::from_value(self.json(value));
        let clean: Result<Environment, _> = serde_json::to_value(&open).and_then(read);
        match clean {
            Ok(clean) => Environment { kernel, ..clean },
            // Nothing is told of it rather than what might be private.
            Err(e) => Environment { unknown: vec![e.to_string()], ..Environment::default() },
        }
    }

    fn route(&mut self, line: &str) -> String {
        let whole = whole_prefix(line);
        let names = whole.split(' ').map(|word| {
            if self.interfaces.contains_key(word) { self.interface(word) } else { word.to_owned() }
        });
        names.collect::<Vec<_>>().join(" ")
    }

    /// What a kernel says of itself: the numbers that its release begins with are no address.
    pub fn kernel(&mut self, kernel: &Fingerprint) -> Fingerprint {
        let none = BTreeSet::new();
        let mut clean = kernel.clone();
        if !self.off {
            let number = leading_number(&kernel.release);
            let own = &kernel.release[number.len()..];
            clean.release = format!("{number}{}", self.text(own, &none));
            clean.version = self.text(&kernel.version, &none);
        }
        clean
    }

    /// A kernel's log, likewise.
    pub fn log(&mut self, log: &Log) -> Log {
        if self.off {
            return log.clone();
        }
        let none = BTreeSet::new();
        let lines =
            log.lines.iter().map(|line| self.text(&allowed::log_line(line), &none)).collect();
        Log { lines, missing: log.missing.as_ref().map(|why| self.reason(why)) }
    }

    /// A sentence of the harness's: names, addresses, and paths that are not the system's.
    pub fn reason(&mut self, text: &str) -> String {
        if self.off {
            return text.to_owned();
        }
        let text = self.text(text, &BTreeSet::new());
        allowed::reason(&text)
    }

    /// What a subject is called: of a program or an image its file's name alone, since folders and
    /// arguments may say anything. A short hash tells those apart that have the same.
    pub fn subject(&mut self, name: &str) -> String {
        let (kind, rest) =
            if let Some(rest) = name.strip_prefix("cmd:") { ("cmd:", rest) } else { ("", name) };
        let mut words = rest.splitn(2, char::is_whitespace);
        let (path, behind) = (words.next().unwrap_or(""), words.next());
        // What a shell is given may begin with anything, such as `TOKEN=… program`.
        let is_plain = |c: char| c.is_alphanumeric() || "._+-".contains(c);
        let is_bare = behind.is_none_or(is_hash) && path.chars().all(is_plain);
        if self.off || (kind.is_empty() && !name.contains('/')) || is_bare {
            return self.text(name, &BTreeSet::new());
        }
        let file = path.rsplit('/').next().filter(|file| file.chars().all(is_plain));
        let file = file.filter(|file| !file.is_empty()).unwrap_or("program");
        format!("{kind}{} {GONE}{:04x}", self.text(file, &BTreeSet::new()), hash(name))
    }

    /// A trace as a run keeps it, where it has words of the host's: how it ended, names of interfaces. Its
    /// frames are the lab's.
    pub fn told(&mut self, trace: &Trace) -> Option<Trace> {
        let plain = matches!(trace.end, End::Done | End::Unsupported | End::Hung);
        if self.off || (plain && trace.beyond.is_none()) {
            return None;
        }
        let mut told = trace.clone();
        self.ending(&mut told);
        Some(told)
    }

    /// How a trace ended and what it says of the host's interfaces.
    pub(super) fn ending(&mut self, trace: &mut Trace) {
        if self.off {
            return;
        }
        match &mut trace.end {
            End::Died { how: text }
            | End::Skipped { reason: text }
            | End::Broken { reason: text } => {
                *text = self.reason(text);
            }
            End::Done | End::Unsupported | End::Hung => {}
        }
        if let Some(beyond) = &mut trace.beyond {
            for name in &mut beyond.watched {
                *name = self.interface(name);
            }
            for line in &mut beyond.left {
                *line = self.reason(line);
            }
        }
    }
}

/// Whether that is what stands for arguments.
fn is_hash(text: &str) -> bool {
    text.strip_prefix(GONE).is_some_and(|hash| hash.len() == 4)
}

/// FNV-1a, folded: too short to find out by it what was said.
fn hash(text: &str) -> u16 {
    let one = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let [a, b, c, d] = text.bytes().fold(0x811c_9dc5, one).to_be_bytes();
    u16::from_be_bytes([a ^ c, b ^ d])
}
