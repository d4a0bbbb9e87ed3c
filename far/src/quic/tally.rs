//! What may be expected, of all connections: also of those whose account is not kept.

use std::collections::{BTreeMap, BTreeSet};

use super::h3::Part;
use super::seen::{Closed, End, What, is_clients, is_one_way};
use super::summary::Retry;

/// How many connections are told apart. The machine tells no more attempts apart, and has fewer open.
const ATTEMPTS: usize = 512;
/// How many streams, codes, protocols and versions are kept.
const MOST: usize = 4096;

/// No more than [`MOST`] of what came.
#[derive(Debug)]
pub(super) struct Few<T> {
    all: BTreeSet<T>,
    has_more: bool,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self { all: BTreeSet::new(), has_more: false }
    }
}

impl<T: Ord> Few<T> {
    fn add(&mut self, one: T) {
        if self.all.len() < MOST {
            self.all.insert(one);
        } else {
            self.has_more |= !self.all.contains(&one);
        }
    }

    pub(super) fn has(&self, one: &T) -> bool {
        self.all.contains(one)
    }

    pub(super) fn any(&self, is: impl FnMut(&T) -> bool) -> bool {
        self.all.iter().any(is)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// What has to be known of one connection to judge what comes next.
#[derive(Debug, Default)]
struct Attempt {
    version: Option<u32>,
    retry: Retry,
    is_open: bool,
    used_0: bool,
    alpn: Option<Vec<u8>>,
    settings: bool,
}

impl Attempt {
    fn is_h3(&self) -> bool {
        self.alpn.as_deref() == Some(b"h3")
    }
}

/// A code of a close.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Code {
    pub(super) application: bool,
    pub(super) number: u64,
    pub(super) is_h3: bool,
}

/// It.
#[derive(Debug, Default)]
pub(super) struct Tally {
    attempts: BTreeMap<u64, Attempt>,
    /// How many connections there were: the number of the last.
    pub(super) connections: u64,
    pub(super) handshakes: u64,
    /// On how many the client opened stream 0.
    pub(super) used_0: u64,
    /// Streams that clients opened, but for those that a later one opened; how which were ended.
    pub(super) used: Few<u64>,
    pub(super) fins: Few<u64>,
    pub(super) resets: Few<u64>,
    pub(super) alpns: Few<String>,
    pub(super) codes: Few<Code>,
    /// Of the last Initials of those that are no attempt any more.
    versions: Few<u32>,
    facts: BTreeSet<Fact>,
}

/// What was seen of some connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    /// SETTINGS of HTTP/3 came.
    H3,
    Request,
    Datagram,
    /// Early data was accepted.
    Early,
    Moved,
    /// A client came back with the token of a Retry.
    Retried,
}

impl Tally {
    pub(super) fn tell(&mut self, connection: u64, what: &What) {
        self.connections = self.connections.max(connection);
        if self.attempts.len() >= ATTEMPTS && !self.attempts.contains_key(&connection) {
            self.forget();
        }
        let attempt = self.attempts.entry(connection).or_default();
        match what {
            What::Initial { version, token, .. } => {
                attempt.version = Some(*version);
                if attempt.retry == Retry::Sent && *token > 0 {
                    attempt.retry = Retry::Returned;
                    self.facts.insert(Fact::Retried);
                }
            }
            What::Retried => attempt.retry = Retry::Sent,
            What::Connected { alpn, early } => {
                attempt.is_open = true;
                attempt.alpn.clone_from(alpn);
                self.handshakes += 1;
                // Early data may have brought them.
                self.facts.extend((attempt.is_h3() && attempt.settings).then_some(Fact::H3));
                self.facts.extend(early.then_some(Fact::Early));
                if let Some(alpn) = alpn {
                    self.alpns.add(String::from_utf8_lossy(alpn).into_owned());
                }
            }
            What::Opened { id, implied: false } if is_clients(*id) => self.uses(connection, *id),
            What::Stream(stream) => {
                match stream.end {
                    Some(End::Fin) => self.fins.add(stream.id),
                    Some(End::Reset(_)) => self.resets.add(stream.id),
                    None => {}
                }
                if is_clients(stream.id) && stream.is_used() {
                    self.uses(connection, stream.id);
                }
            }
            What::Datagram { .. } => {
                self.facts.insert(Fact::Datagram);
            }
            What::Http { part: Part::Settings(_), .. } => {
                attempt.settings = true;
                self.facts.extend(attempt.is_h3().then_some(Fact::H3));
            }
            What::Http { id, part: Part::Fields(_) } if is_clients(*id) && !is_one_way(*id) => {
                self.facts.insert(Fact::Request);
            }
            What::Moved { .. } => {
                self.facts.insert(Fact::Moved);
            }
            What::Closed { how, .. } => {
                attempt.is_open = false;
                if let Closed::By { application, code, .. } = *how {
                    let is_h3 = attempt.is_h3();
                    self.codes.add(Code { application, number: code, is_h3 });
                }
            }
            _ => {}
        }
    }

    pub(super) fn saw(&self, fact: Fact) -> bool {
        self.facts.contains(&fact)
    }

    fn uses(&mut self, connection: u64, id: u64) {
        self.used.add(id);
        if let Some(attempt) = self.attempts.get_mut(&connection).filter(|_| id == 0) {
            self.used_0 += u64::from(!std::mem::replace(&mut attempt.used_0, true));
        }
    }

    /// Of the oldest that is not open nothing more will come.
    fn forget(&mut self) {
        let oldest = self.attempts.iter().find(|(_, attempt)| !attempt.is_open);
        let oldest = oldest.or_else(|| self.attempts.iter().next()).map(|(number, _)| *number);
        let attempt = oldest.and_then(|number| self.attempts.remove(&number));
        if let Some(version) = attempt.and_then(|attempt| attempt.version) {
            self.versions.add(version);
        }
    }

    /// Whether some client's last Initial was of such a version.
    pub(super) fn any_version(&self, is: impl Fn(u32) -> bool) -> bool {
        self.attempts.values().filter_map(|attempt| attempt.version).any(&is)
            || self.versions.any(|version| is(*version))
    }

    /// Whether there were more of a kind than are kept.
    pub(super) fn has_more(&self) -> bool {
        let streams = [&self.used, &self.fins, &self.resets].iter().any(|few| few.has_more);
        streams || self.alpns.has_more || self.codes.has_more || self.versions.has_more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_says_so() {
        let mut tally = Tally::default();
        for id in 0..MOST as u64 {
            tally.tell(1, &What::Opened { id: id * 4, implied: false });
            // An attempt each, with versions over and over.
            let peer = "127.0.0.1:1".parse().unwrap();
            let version = u32::try_from(id % 9).unwrap();
            let (len, token, early) = (1200, 0, false);
            tally.tell(id + 2, &What::Initial { peer, len, version, token, early });
        }
        tally.tell(1, &What::Opened { id: 4, implied: false });
        assert!(!tally.has_more() && tally.attempts.len() == ATTEMPTS);
        assert!(tally.any_version(|version| version == 3) && !tally.any_version(|v| v == 9));
        assert_eq!((tally.connections, tally.used_0), (MOST as u64 + 1, 1));
        tally.tell(1, &What::Opened { id: MOST as u64 * 4, implied: false });
        assert!(tally.has_more() && tally.used.all.len() == MOST);
    }
}
