//! What of a trace is let in: it may come from a stranger, and its words go into C, pages and files.

use super::{AddrInfo, ControlOut, Did, End, Event, Fingerprint, Out, Received, Trace};
use crate::case::Sym;
use crate::case::addr::SockAddr;
use crate::case::words::{is_id, is_line, is_word, shown};

/// The most characters of a constant's name, or of a link's.
const MOST_OF_NAME: usize = 64;
/// The most characters of a host's name or a service's, of which no DNS has more (RFC 1035 §2.3.4).
const MOST_OF_HOST: usize = 256;
/// The most characters of a line that somebody says.
const MOST_OF_LINE: usize = 4096;

/// A name, or `errno 134` and the like.
fn is_name(name: &str) -> bool {
    let (word, number) = name.split_once(' ').unwrap_or((name, "0"));
    is_word(word, MOST_OF_NAME) && is_word(number, MOST_OF_NAME)
}

fn named<'n>(mut names: impl Iterator<Item = &'n str>) -> Result<(), String> {
    match names.find(|name| !is_name(name)) {
        Some(name) => Err(format!("{} is no name", shown(name))),
        None => Ok(()),
    }
}

fn syms(syms: &[Sym]) -> Result<(), String> {
    named(syms.iter().map(Sym::as_str))
}

/// Text of several lines, such as what a console said.
fn is_text(text: &str) -> bool {
    text.len() <= 16 * MOST_OF_LINE
}

impl Trace {
    /// What is wrong with its words, as one sentence: a name that is none, a text that is longer than
    /// any. What was received is bytes, and a peer may have sent any.
    pub(super) fn check_words(&self) -> Result<(), String> {
        if !is_id(&self.case) {
            return Err(format!("{} is no id", shown(&self.case)));
        }
        let said = match &self.end {
            End::Died { how: said }
            | End::Skipped { reason: said }
            | End::Broken { reason: said } => said,
            End::Done | End::Unsupported | End::Hung => "",
        };
        let beyond =
            self.beyond.iter().flat_map(|beyond| beyond.watched.iter().chain(&beyond.left));
        let own = self.disturbed.iter().chain(&self.served);
        let mut all = own.chain(beyond).map(String::as_str).chain([said]);
        if let Some(text) = all.find(|text| !is_text(text)) {
            return Err(format!("a text is longer than any: {}", shown(text)));
        }
        self.events.iter().try_for_each(event)
    }
}

fn event(event: &Event) -> Result<(), String> {
    match event {
        Event::Began { addr, .. } => address(addr.as_ref()),
        Event::Call { addr, did, .. } => {
            address(addr.as_ref())?;
            call(did)
        }
        // The link of a frame is one of the trace's: `check_links`.
        Event::Lab { .. } | Event::Frame { .. } => Ok(()),
        Event::Signal { name, .. } => named([&**name].into_iter()),
    }
}

fn address(addr: Option<&SockAddr>) -> Result<(), String> {
    match addr {
        Some(SockAddr::Bare { family }) => named([&**family].into_iter()),
        Some(SockAddr::Unix(unix)) => unix.check(),
        Some(SockAddr::Packet(seen)) => seen.check(),
        _ => Ok(()),
    }
}

fn call(did: &Did) -> Result<(), String> {
    match did {
        Did::Returned { errno, out, .. } => {
            named(errno.iter().map(Sym::as_str))?;
            written(out)
        }
        Did::Unsupported { name } => named([&**name].into_iter()),
        Did::Hung { .. } => Ok(()),
    }
}

fn controls(all: &[ControlOut]) -> Result<(), String> {
    named(all.iter().flat_map(|control| [&*control.level, &control.name]))
}

/// What calls wrote: names are names; hosts and services are what a name server says, as one line.
fn written(out: &Out) -> Result<(), String> {
    let line = |text: Option<&String>| match text.filter(|text| !is_line(text, MOST_OF_HOST)) {
        Some(text) => Err(format!("{} is no line of text", shown(text))),
        None => Ok(()),
    };
    match out {
        Out::Nothing | Out::Int(_) | Out::Offset(_) | Out::Bytes(_) | Out::Ip(_) => Ok(()),
        Out::Addr(addr) => address(Some(addr)),
        Out::Data { from, flags, control, .. } => {
            address(from.as_ref())?;
            syms(flags)?;
            controls(control)
        }
        Out::Text(text) => line(Some(text)),
        Out::Sets(sets) => named(sets.iter().flatten().map(String::as_str)),
        Out::Ready(all) => all.iter().try_for_each(|ready| {
            syms(&ready.events)?;
            named([ready.fd.as_str()].into_iter())
        }),
        Out::Interfaces(all) => all.iter().try_for_each(|interface| {
            address(interface.addr.as_ref())?;
            syms(&interface.flags)?;
            line(Some(&interface.link))
        }),
        Out::Errno(name) => named([name.as_str()].into_iter()),
        Out::Poll(lists) => lists.iter().try_for_each(|list| syms(list)),
        Out::Messages(all) => {
            all.iter().try_for_each(|Received { from, flags, control, .. }| {
                address(from.as_ref())?;
                syms(flags)?;
                controls(control)
            })
        }
        Out::Events(all) => all.iter().try_for_each(|event| {
            syms(&event.flags)?;
            syms(&event.fflags)?;
            let others = [event.fd.as_str(), event.filter.as_str()].into_iter();
            named(others.chain(event.error.iter().map(Sym::as_str)))
        }),
        Out::Addrs(all) => all.iter().try_for_each(|info| {
            let AddrInfo { addr, r#type, protocol, canonname } = info;
            address(Some(addr))?;
            named([r#type.as_str(), protocol.as_str()].into_iter())?;
            line(canonname.as_ref())
        }),
        Out::Names { host, service } => {
            line(host.as_ref())?;
            line(service.as_ref())
        }
    }
}

impl Fingerprint {
    /// What is wrong with its words, as one sentence. They become names of platforms, titles and
    /// options of files: each is a line, and uname(2) has 65 bytes for each of them.
    pub fn check(&self) -> Result<(), String> {
        let product = self.product.iter().flat_map(|p| [&p.version, &p.build]);
        let short = [&self.system, &self.release, &self.machine, &self.libc];
        let mut all = short.into_iter().chain(product).map(|text| (text, 200));
        let limits = self.limits.iter().flat_map(|limit| [&limit.why, &limit.mend]);
        let long = limits.chain([&self.version]).map(|text| (text, MOST_OF_LINE));
        match all.by_ref().chain(long).find(|(text, most)| !is_line(text, *most)) {
            Some((text, _)) => Err(format!("a kernel calls itself {}", shown(text))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::addr::{Unix, UnixName};

    fn trace(did: Did) -> Trace {
        let call = Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did };
        Trace::new("s/t", Vec::new(), vec![call], End::Done)
    }

    fn returned(errno: &str) -> Trace {
        let errno = Some(Sym(errno.to_owned().into()));
        trace(Did::Returned { ret: -1, errno, out: Out::Nothing })
    }

    /// The word of an error once stood in a program as it was.
    #[test]
    fn an_errno_is_a_name() {
        assert_eq!(returned("ENETDOWN").check_words(), Ok(()));
        assert_eq!(returned("errno 134").check_words(), Ok(()));
        assert!(returned("\", NULL}}; int x = system(\"touch F\"); //").check_words().is_err());
        let name = "IP_X\n#include </etc/passwd>".to_owned();
        assert!(trace(Did::Unsupported { name }).check_words().is_err());
    }

    /// The name of a Unix socket is shown, and stands in a program.
    #[test]
    fn a_socket_has_a_plain_name() {
        let named = |name: UnixName| {
            let out = Out::Addr(SockAddr::Unix(Unix::new(name)));
            trace(Did::Returned { ret: 0, errno: None, out }).check_words()
        };
        assert_eq!(named(UnixName::Path("s.sock".to_owned())), Ok(()));
        assert_eq!(named(UnixName::Abstract("0a1b2".to_owned())), Ok(()));
        for hostile in ["\u{1b}[2J", "/etc/passwd", "a\"); system(\"x", "a\nb", "\u{202e}x"] {
            let said = named(UnixName::Path(hostile.to_owned())).unwrap_err();
            assert!(said.contains("no plain name") && !said.contains('\u{1b}'), "{said}");
            assert!(named(UnixName::Abstract(hostile.to_owned())).is_err(), "{hostile:?}");
        }
        let family = "AF_UNIX 0x2f746d702f61".to_owned();
        let out = Out::Addr(SockAddr::Bare { family });
        assert_eq!(trace(Did::Returned { ret: 0, errno: None, out }).check_words(), Ok(()));
    }

    #[test]
    fn a_kernel_calls_itself_something() {
        let mut kernel = Fingerprint { release: "6.18.44".into(), ..Fingerprint::default() };
        assert_eq!(kernel.check(), Ok(()));
        kernel.release = "6".repeat(2_000_000);
        let said = kernel.check().unwrap_err();
        assert!(said.len() < 200 && said.ends_with("2000000 bytes"), "{said}");
        kernel.release = "</title><script>\u{1b}[2J".into();
        assert!(kernel.check().is_err());
    }
}
