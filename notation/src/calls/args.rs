//! The arguments of a call, one after the other, each as what it is meant to be.

use std::ops::Range;

use harness::case::{Flags, Hex, KNOWN, Payload, Sym, written};

use crate::fault::Fault;
use crate::tree::{Node, What};

/// What is left of some arguments.
pub(crate) struct Args<'n, 'a> {
    nodes: &'n [Node<'a>],
    /// Behind the last one.
    end: Range<usize>,
    /// Whose they are.
    of: &'n str,
}

impl<'n, 'a> Args<'n, 'a> {
    pub(crate) fn new(of: &'n str, nodes: &'n [Node<'a>], end: Range<usize>) -> Self {
        Self { nodes, end, of }
    }

    /// Where the next one stands.
    pub(crate) fn here(&self) -> Range<usize> {
        self.nodes.first().map_or_else(|| self.end.clone(), |node| node.at.clone())
    }

    /// How many are left.
    pub(crate) fn left(&self) -> usize {
        self.nodes.len()
    }

    /// The next one, which is `what`.
    pub(crate) fn next(&mut self, what: &str) -> Result<&'n Node<'a>, Fault> {
        let Some((first, rest)) = self.nodes.split_first() else {
            let says = format!("{} wants {what} here", self.of);
            return Err(Fault::new(self.end.clone(), says));
        };
        self.nodes = rest;
        Ok(first)
    }

    /// The next one, if there is one.
    pub(crate) fn maybe(&mut self) -> Option<&'n Node<'a>> {
        let (first, rest) = self.nodes.split_first()?;
        self.nodes = rest;
        Some(first)
    }

    /// That none is left.
    pub(crate) fn end(self) -> Result<(), Fault> {
        match self.nodes.first() {
            None => Ok(()),
            Some(node) => {
                Err(Fault::new(node.at.clone(), format!("{} takes no more than that", self.of)))
            }
        }
    }

    pub(crate) fn socket(&mut self) -> Result<String, Fault> {
        name(self.next("a socket")?, "the name of a socket")
    }

    pub(crate) fn sym(&mut self, what: &str) -> Result<Sym, Fault> {
        sym(self.next(what)?)
    }

    pub(crate) fn flags(&mut self, what: &str) -> Result<Flags, Fault> {
        flags(self.next(what)?)
    }

    /// A family: what has no name may be a number.
    pub(crate) fn sym_or_number(&mut self, what: &str) -> Result<Sym, Fault> {
        sym_or_number(self.next(what)?)
    }

    /// Flags of messages, a type or a protocol: what has no name may be a number.
    pub(crate) fn numbered(&mut self, what: &str) -> Result<Flags, Fault> {
        let node = self.next(what)?;
        match &node.what {
            What::Number(0) => Ok(Flags::NONE),
            What::Or(all) => Ok(Flags(all.iter().map(sym_or_number).collect::<Result<_, _>>()?)),
            _ => Ok(Flags(vec![sym_or_number(node)?])),
        }
    }

    pub(crate) fn number<T: TryFrom<i64>>(&mut self, what: &str) -> Result<T, Fault> {
        number(self.next(what)?, what)
    }

    /// Data, and its length if more than `behind` arguments are left.
    pub(crate) fn payload(&mut self, behind: usize) -> Result<Payload, Fault> {
        let node = self.next("data")?;
        let payload = payload(node)?;
        if self.left() > behind {
            let said = self.next("a length")?;
            let len: u32 = number(said, "a length")?;
            if len as usize != payload.len() {
                let has = payload.len();
                let says = format!("the data has {has} bytes, and this says {len}");
                return Err(Fault::new(said.at.clone(), says)
                    .help(format!("write {has}, or nothing: the length is that of the data")));
            }
        }
        Ok(payload)
    }
}

/// That is something else.
pub(crate) fn not(node: &Node<'_>, what: &str) -> Fault {
    Fault::new(node.at.clone(), format!("{what} is expected here, and this is {}", node.kind()))
}

pub(crate) fn name(node: &Node<'_>, what: &str) -> Result<String, Fault> {
    match node.what {
        What::Word(word) => Ok(word.to_owned()),
        _ => Err(not(node, what)),
    }
}

pub(crate) fn sym(node: &Node<'_>) -> Result<Sym, Fault> {
    let What::Word(word) = node.what else { return Err(not(node, "a name")) };
    KNOWN.binary_search(&word).map(|at| Sym::from(KNOWN[at])).map_err(|_| {
        let says = format!("{word} is no name of the sockets API");
        Fault::new(node.at.clone(), says).nearest(word, KNOWN.iter().copied())
    })
}

/// A constant by its name, or a number that has none: in bytes, it is their big-endian number.
pub(crate) fn sym_or_number(node: &Node<'_>) -> Result<Sym, Fault> {
    let number = match &node.what {
        What::Word(_) => return sym(node),
        What::Number(number) => number.to_string(),
        What::Hex(bytes) => format!("0x{}", Hex(bytes.clone())),
        What::Odd(digits) => (*digits).to_owned(),
        _ => String::new(),
    };
    let said = written(&number).map(|_| Sym(number.into()));
    said.ok_or_else(|| not(node, "a name, or a number such as 44 or 0x40000000,"))
}

pub(crate) fn flags(node: &Node<'_>) -> Result<Flags, Fault> {
    match &node.what {
        What::Number(0) => Ok(Flags::NONE),
        What::Word(_) => Ok(Flags(vec![sym(node)?])),
        What::Or(all) => Ok(Flags(all.iter().map(sym).collect::<Result<_, _>>()?)),
        _ => Err(not(node, "0 or names with | between")),
    }
}

pub(crate) fn number<T: TryFrom<i64>>(node: &Node<'_>, what: &str) -> Result<T, Fault> {
    let What::Number(number) = node.what else { return Err(not(node, what)) };
    // What else might stand there has no range.
    let what = what.split(',').next().unwrap_or(what);
    let too = || Fault::new(node.at.clone(), format!("{number} is out of range for {what}"));
    T::try_from(number).map_err(|_| too())
}

pub(crate) fn payload(node: &Node<'_>) -> Result<Payload, Fault> {
    match &node.what {
        // Each byte is a character of Latin-1.
        What::Text(bytes) => Ok(Payload::Text(bytes.iter().copied().map(char::from).collect())),
        What::Pattern(len) => Ok(Payload::Pattern(*len)),
        _ => Err(not(node, "data in quotes or pattern[0..LENGTH]")),
    }
}

/// Text that is no data: a name of a host, a word of a command.
pub(crate) fn text(node: &Node<'_>) -> Result<String, Fault> {
    let What::Text(bytes) = &node.what else { return Err(not(node, "text in quotes")) };
    let read = String::from_utf8(bytes.clone());
    read.map_err(|_| Fault::new(node.at.clone(), "this text is no UTF-8"))
}

/// `NULL` or text.
pub(crate) fn maybe_text(node: &Node<'_>) -> Result<Option<String>, Fault> {
    if node.what == What::Word("NULL") { Ok(None) } else { text(node).map(Some) }
}

/// The fields of a structure.
pub(crate) struct Fields<'n, 'a> {
    all: Vec<(&'a str, &'n Node<'a>)>,
    at: Range<usize>,
}

impl<'n, 'a> Fields<'n, 'a> {
    /// Those of `{a=1, b=2}`, each once.
    pub(crate) fn of(node: &'n Node<'a>, what: &str) -> Result<Self, Fault> {
        let What::Group(within) = &node.what else { return Err(not(node, what)) };
        let mut all: Vec<(&str, &Node<'_>)> = Vec::with_capacity(within.len());
        for field in within {
            let What::Pair(name, value) = &field.what else {
                return Err(not(field, "a field such as name=value"));
            };
            if all.iter().any(|(known, _)| known == name) {
                return Err(Fault::new(field.at.clone(), format!("{name} is here twice")));
            }
            all.push((name, value));
        }
        Ok(Self { all, at: node.at.clone() })
    }

    /// Whether there is a field of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all.iter().any(|(known, _)| *known == name)
    }

    /// Takes a field.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'n Node<'a>> {
        let at = self.all.iter().position(|(known, _)| *known == name)?;
        Some(self.all.remove(at).1)
    }

    /// Takes a field that must be there.
    pub(crate) fn want(&mut self, name: &str) -> Result<&'n Node<'a>, Fault> {
        let at = self.at.clone();
        self.take(name).ok_or_else(|| Fault::new(at, format!("the field {name} is missing")))
    }

    /// That no field is left, those that might have been being these.
    pub(crate) fn end(&self, known: &[&str]) -> Result<(), Fault> {
        let Some((name, node)) = self.all.first() else { return Ok(()) };
        let before = node.at.start.saturating_sub(name.len() + 1);
        let at = before..node.at.end;
        if known.contains(name) {
            return Err(Fault::new(
                at,
                format!("the field {name} does not go with the others here"),
            ));
        }
        let fault = Fault::new(at, format!("there is no field {name} here"));
        Err(fault.nearest(name, known.iter().copied()))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    /// Each was told that it is what it is, or that something else stands there.
    #[rstest]
    #[case::group(
        "setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, {imr_ifindex=1})",
        "the field imr_multiaddr is missing"
    )]
    #[case::group_of_v6(
        "setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, {ipv6mr_interface=0})",
        "the field ipv6mr_multiaddr is missing"
    )]
    #[case::of_another(
        "setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, {imr_multiaddr=224.0.0.9, imr_interface=192.0.2.1, imr_ifindex=0})",
        "the field imr_ifindex does not go with the others here"
    )]
    #[case::unknown(
        "setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, {imr_multiaddr=224.0.0.9, imr_interfaces=192.0.2.1})",
        "the field imr_ifindex is missing"
    )]
    #[case::port("bind(s, {AF_INET 127.0.0.1:70000})", "70000 is out of range for a port")]
    #[case::pattern("send(s, pattern[64..128], 0)", "which begins at 0")]
    fn what_is_wrong_with_an_argument(#[case] call: &str, #[case] says: &str) {
        let text = format!("socket(AF_INET, SOCK_DGRAM, 0) = s\n{call}\n");
        let faults = crate::read("x", &text).expect_err(call);
        assert!(faults[0].says.contains(says), "{}", faults[0].says);
        assert!(!faults[0].says.contains("or port("), "{}", faults[0].says);
    }
}
