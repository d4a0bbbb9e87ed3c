//! A call with its arguments, in the manner of strace.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::names::Names;
use super::parts::{hex, join, timeval};
use super::{control, data};
use crate::case::addr::{Addr, Host, SockAddr};
use crate::case::op::{Change, Control, Given, Index, Opt, PollFd, Value};
use crate::case::payload::quoted;
use crate::case::raw::{Arg, Message, Part};
use crate::case::{Flags, Hex, Op, Payload, intent, plain};

/// How those things are said of which a case and a trace know different names.
pub trait Words {
    /// The address that a call on `fd` is given.
    fn addr(&self, fd: &str, addr: &Addr) -> String;

    /// The address that it comes from, of a call that is given both.
    fn source(&self, fd: &str, addr: &Addr) -> String {
        self.addr(fd, addr)
    }

    /// Somebody in the lab.
    fn host(&self, host: &Host) -> String;

    /// An option as it is written; the name by which the form of its value goes, and that value.
    fn option(&self, fd: &str, option: &Opt, value: &Value) -> (String, String, Value);

    /// Data, without its length.
    fn data(&self, data: &Payload) -> String;
}

/// `sendto(s, "hello\0", 6, 0, {AF_INET6 [fe80::2%tap0]:12345})`
pub fn call(words: &dyn Words, op: &Op) -> String {
    format!("{}({})", op.call(), args(words, op))
}

/// As an outcome says it: where the call was made, with the address that it was given.
pub(super) struct Resolved<'n> {
    pub(super) names: &'n Names<'n>,
    pub(super) addr: Option<&'n SockAddr>,
}

impl Words for Resolved<'_> {
    fn addr(&self, fd: &str, addr: &Addr) -> String {
        self.names.addr(fd, addr, self.addr)
    }

    fn source(&self, fd: &str, addr: &Addr) -> String {
        self.names.addr(fd, addr, None)
    }

    fn host(&self, host: &Host) -> String {
        self.names.host(host)
    }

    /// An intent by the option that says it on this system.
    fn option(&self, fd: &str, option: &Opt, value: &Value) -> (String, String, Value) {
        let family = match option {
            Opt::Raw { .. } => None,
            Opt::Intent(_) => self.names.case().family(fd),
        };
        match (intent::concrete(self.names.os(), family, option, value), option) {
            (Some((level, name, value)), _) => {
                (format!("{level}, {name}"), name.to_string(), value)
            }
            (None, Opt::Intent(intent)) => {
                (quoted(intent.text().as_bytes()), String::new(), value.clone())
            }
            (None, Opt::Raw { level, name }) => {
                (format!("{level}, {name}"), name.to_string(), value.clone())
            }
        }
    }

    fn data(&self, data: &Payload) -> String {
        data::payload(data)
    }
}

fn args(words: &dyn Words, op: &Op) -> String {
    match op {
        Op::Socket { domain, r#type, protocol, .. } => format!("{domain}, {type}, {protocol}"),
        Op::Socketpair { a, b, domain, r#type, protocol } => {
            format!("{domain}, {type}, {protocol}, [{a}, {b}]")
        }
        Op::Bind { fd, addr } | Op::Connect { fd, addr } => {
            format!("{fd}, {}", words.addr(fd, addr))
        }
        Op::Listen { fd, backlog } => format!("{fd}, {backlog}"),
        Op::Accept { fd, .. }
        | Op::Dup { fd, .. }
        | Op::Sockatmark { fd }
        | Op::Close { fd }
        | Op::Getsockname { fd }
        | Op::Getpeername { fd } => fd.clone(),
        Op::Send { fd, data, flags } => format!("{fd}, {}, {flags}", sized(words, data)),
        Op::Sendto { fd, data, flags, addr } => {
            format!("{fd}, {}, {flags}, {}", sized(words, data), words.addr(fd, addr))
        }
        Op::Sendmsg { .. } => sendmsg(words, op),
        Op::Recv { fd, len, flags } | Op::Recvfrom { fd, len, flags } => {
            format!("{fd}, {len}, {flags}")
        }
        Op::Recvmsg { fd, len, lens, control_len, flags } => {
            let lens = if lens.is_empty() { std::slice::from_ref(len) } else { lens };
            format!("{fd}, {}, {flags}", room(lens, *control_len))
        }
        Op::Writev { .. } | Op::Readv { .. } | Op::Sendfile { .. } | Op::Splice { .. } => {
            gathered(words, op)
        }
        Op::Accept4 { fd, flags, .. } => format!("{fd}, {flags}"),
        Op::Pipe { read, write } => format!("[{read}, {write}]"),
        Op::File { data, .. } => words.data(data),
        Op::Mkdir { .. } | Op::Unlink { .. } | Op::Symlink { .. } | Op::Chmod { .. } => {
            of_a_file(op)
        }
        Op::Write { fd, data } => format!("{fd}, {}", sized(words, data)),
        Op::Read { fd, len } => format!("{fd}, {len}"),
        Op::Shutdown { fd, how } => format!("{fd}, {how}"),
        Op::Setsockopt { .. } | Op::Getsockopt { .. } => option(words, op),
        Op::Poll { fds, timeout_ms } => format!("{}, {timeout_ms}", polled(fds)),
        Op::Ppoll { .. }
        | Op::Select { .. }
        | Op::Pselect { .. }
        | Op::EpollCreate1 { .. }
        | Op::EpollCtl { .. }
        | Op::EpollWait { .. }
        | Op::EpollPwait { .. } => waited(op),
        Op::Getifaddrs {} => String::new(),
        Op::Ioctl { .. } | Op::Fcntl { .. } => controlled(op),
        Op::Getaddrinfo { .. }
        | Op::Getnameinfo { .. }
        | Op::InetPton { .. }
        | Op::InetAton { .. }
        | Op::IfNametoindex { .. }
        | Op::IfIndextoname { .. } => looked_up(words, op),
        Op::Connectx { .. }
        | Op::Disconnectx { .. }
        | Op::SendmsgX { .. }
        | Op::Sendmmsg { .. }
        | Op::RecvmsgX { .. }
        | Op::Recvmmsg { .. }
        | Op::Kevent { .. } => darwins(words, op),
        Op::Raw { args, .. } => join(args.iter().map(|arg| raw(words, op, arg))),
        Op::Run { argv, .. } => join(argv.iter().map(|word| quoted(word.as_bytes()))),
        Op::Process { call } => call.to_string(),
        Op::Lab { step } => step.to_string(),
    }
}

/// `{msg_iov=[64], msg_controllen=100}`
fn room(lens: &[u32], control_len: u32) -> String {
    let lens = join(lens.iter().map(u32::to_string));
    match control_len {
        0 => format!("{{msg_iov=[{lens}]}}"),
        control => format!("{{msg_iov=[{lens}], msg_controllen={control}}}"),
    }
}

/// The arguments of `ioctl` and `fcntl`.
fn controlled(op: &Op) -> String {
    match op {
        Op::Ioctl { fd, request, link, given } => {
            let name = link.as_ref().map(|link| match request.as_str() {
                "SIOCGIFNAME" => format!("ifr_ifindex={}", index_of(link)),
                _ => format!("ifr_name={}", quoted(link.as_bytes())),
            });
            let more = given.map(|given| match given {
                Given::Pid(who) => format!("[{who}]"),
                Given::Index(index) => format!("ifr_ifindex={index}"),
                Given::Mtu(mtu) => format!("ifr_mtu={mtu}"),
                Given::Up(true) => "ifr_flags=IFF_UP".to_owned(),
                Given::Up(false) => "ifr_flags=0".to_owned(),
            });
            match (name, more) {
                (None, None) => format!("{fd}, {request}"),
                (None, Some(pid)) if matches!(given, Some(Given::Pid(_))) => {
                    format!("{fd}, {request}, {pid}")
                }
                (name, more) => {
                    format!("{fd}, {request}, {{{}}}", join(name.into_iter().chain(more)))
                }
            }
        }
        Op::Fcntl { fd, cmd, arg, pid: None }
            if *arg == Flags::NONE && ["F_GETFL", "F_GETOWN"].contains(&cmd.as_str()) =>
        {
            format!("{fd}, {cmd}")
        }
        Op::Fcntl { fd, cmd, pid: Some(pid), .. } => format!("{fd}, {cmd}, {pid}"),
        Op::Fcntl { fd, cmd, arg, .. } => format!("{fd}, {cmd}, {arg}"),
        _ => String::new(),
    }
}

/// Those that look something up.
fn looked_up(words: &dyn Words, op: &Op) -> String {
    match op {
        Op::Getaddrinfo { node, service, family, r#type, flags } => {
            let text = |text: &Option<String>| {
                text.as_ref().map_or_else(|| "NULL".to_owned(), |text| quoted(text.as_bytes()))
            };
            let (node, service) = (text(node), text(service));
            format!("{node}, {service}, {{{family}, {type}, {flags}}}")
        }
        Op::Getnameinfo { addr, host_len, service_len, flags } => {
            let addr = words.addr("", addr);
            format!("{addr}, {host_len}, {service_len}, {flags}")
        }
        Op::InetPton { family, text } => format!("{family}, {}", quoted(text.as_bytes())),
        Op::InetAton { text } => quoted(text.as_bytes()),
        Op::IfNametoindex { name } => quoted(name.as_bytes()),
        Op::IfIndextoname { index: Index::Of(link) } => index_of(link),
        Op::IfIndextoname { index: Index::Is(index) } => index.to_string(),
        _ => String::new(),
    }
}

/// An argument that is written out.
fn raw(words: &dyn Words, op: &Op, arg: &Arg) -> String {
    match arg {
        Arg::Fd(fd) => fd.clone(),
        Arg::Number(n) => n.to_string(),
        Arg::Names(names) => names.to_string(),
        Arg::Null => "NULL".to_owned(),
        Arg::Bad => "BAD".to_owned(),
        Arg::Room => "ROOM".to_owned(),
        Arg::At(n) => format!("[{n}]"),
        Arg::Bytes(bytes) => hex(bytes),
        Arg::Addr(addr) => words.addr(op.fd().unwrap_or_default(), addr),
        Arg::Edge(bytes) => format!("{} BAD", hex(bytes)),
        Arg::Parts(parts) => {
            let part = |part: &Part| format!("{{{}, {}}}", raw(words, op, &part.base), part.len);
            format!("[{}]", join(parts.iter().map(part)))
        }
        Arg::Message(message) => structure(words, op, message),
    }
}

/// `{msg_name=BAD, msg_namelen=16, msg_iov=[{BAD, 4}]}`: what is null is left out but for the data, and so is a length
/// that is right.
fn structure(words: &dyn Words, op: &Op, message: &Message) -> String {
    let Message { name, namelen, iov, iovlen, control, controls, controllen } = message;
    let pointer = |field: &str, arg: &Arg| format!("{field}={}", raw(words, op, arg));
    let maybe = |field: &str, arg: &Arg| (*arg != Arg::Null).then(|| pointer(field, arg));
    let controls = controls.iter().map(|one| control_message(words, one));
    let controls = join(controls);
    let sent = (!controls.is_empty()).then(|| format!("msg_control=[{controls}]"));
    let len = |field: &str, len: &Option<i64>| len.map(|len| format!("{field}={len}"));
    let fields = [
        maybe("msg_name", name),
        len("msg_namelen", namelen),
        Some(pointer("msg_iov", iov)),
        len("msg_iovlen", iovlen),
        sent.or_else(|| maybe("msg_control", control)),
        len("msg_controllen", controllen),
    ];
    format!("{{{}}}", join(fields.into_iter().flatten()))
}

/// `mkdir("d", 0700)`: a call that is about a file, of which no trace knows another name.
pub fn file_call(op: &Op) -> String {
    format!("{}({})", op.call(), of_a_file(op))
}

/// With a mode in octal digits.
fn of_a_file(op: &Op) -> String {
    let quoted = |path: &str| quoted(path.as_bytes());
    match op {
        Op::Mkdir { path, mode: 0 } | Op::Chmod { path, mode: 0 } => format!("{}, 0", quoted(path)),
        Op::Mkdir { path, mode } | Op::Chmod { path, mode } => {
            format!("{}, 0{mode:o}", quoted(path))
        }
        Op::Unlink { path } => quoted(path),
        Op::Symlink { target, path } => format!("{}, {}", quoted(target), quoted(path)),
        _ => String::new(),
    }
}

/// Those that take data apart, or from one descriptor to another.
fn gathered(words: &dyn Words, op: &Op) -> String {
    match op {
        Op::Writev { fd, data } => {
            let each = data.iter().map(|data| format!("{{{}}}", sized(words, data)));
            format!("{fd}, [{}], {}", join(each), data.len())
        }
        Op::Readv { fd, lens } => {
            format!("{fd}, [{}], {}", join(lens.iter().map(u32::to_string)), lens.len())
        }
        Op::Sendfile { fd, file, offset, count } => {
            let offset = offset.map_or_else(|| "NULL".to_owned(), |offset| format!("[{offset}]"));
            format!("{fd}, {file}, {offset}, {count}")
        }
        Op::Splice { from, to, count, flags } => {
            format!("{from}, NULL, {to}, NULL, {count}, {flags}")
        }
        _ => String::new(),
    }
}

/// `[{s, POLLIN}]`
fn polled(fds: &[PollFd]) -> String {
    let fds = fds.iter().map(|one| format!("{{{}, {}}}", one.fd, one.events));
    format!("[{}]", join(fds))
}

/// NULL, or a `struct timespec`.
fn timespec(ms: Option<u32>) -> String {
    ms.map_or_else(
        || "NULL".to_owned(),
        |ms| format!("{{tv_sec={}, tv_nsec={}}}", ms / 1000, u64::from(ms % 1000) * 1_000_000),
    )
}

/// NULL, or the signals that are blocked meanwhile: `{SIGUSR1, SIGUSR2}`.
fn mask(op: &Op) -> String {
    op.mask().map_or_else(
        || "NULL".to_owned(),
        |mask| format!("{{{}}}", join(mask.iter().map(ToString::to_string))),
    )
}

/// Those that wait for several, but for `poll`. How many descriptors `select` looks at is told by its sets.
fn waited(op: &Op) -> String {
    let set = |fds: &[String]| {
        if fds.is_empty() { "NULL".to_owned() } else { format!("[{}]", fds.join(", ")) }
    };
    let sets = |all: [&[String]; 3]| join(all.map(set));
    match op {
        Op::Ppoll { fds, timeout_ms, .. } => {
            format!("{}, {}, {}", polled(fds), timespec(*timeout_ms), mask(op))
        }
        Op::Select { read, write, except, timeout_ms } => {
            let time = timeout_ms.map_or_else(
                || "NULL".to_owned(),
                |ms| timeval(i64::from(ms / 1000), i64::from(ms % 1000) * 1000),
            );
            format!("{}, {time}", sets([read, write, except]))
        }
        Op::Pselect { read, write, except, timeout_ms, .. } => {
            format!("{}, {}, {}", sets([read, write, except]), timespec(*timeout_ms), mask(op))
        }
        Op::EpollCreate1 { flags, .. } => flags.to_string(),
        Op::EpollCtl { fd, op, target, events } => {
            format!("{fd}, {op}, {target}, {{events={events}}}")
        }
        Op::EpollWait { fd, max, timeout_ms } => format!("{fd}, {max}, {timeout_ms}"),
        Op::EpollPwait { fd, max, timeout_ms, .. } => {
            format!("{fd}, {max}, {timeout_ms}, {}", mask(op))
        }
        _ => String::new(),
    }
}

/// The arguments of Darwin's own calls, and of those of Linux's that are like them.
fn darwins(words: &dyn Words, op: &Op) -> String {
    match op {
        Op::Connectx { .. } => connectx(words, op),
        Op::Disconnectx { fd } => format!("{fd}, SAE_ASSOCID_ANY, SAE_CONNID_ANY"),
        Op::SendmsgX { fd, data, flags, addr } | Op::Sendmmsg { fd, data, flags, addr, .. } => {
            let name = addr.as_ref().map(|addr| format!("msg_name={}", words.addr(fd, addr)));
            let controls = if let Op::Sendmmsg { control, .. } = op { &control[..] } else { &[] };
            let each = data.iter().enumerate().map(|(at, data)| {
                let iov = format!("msg_iov=[{}]", sized(words, data));
                let control = control_of(words, controls.get(at).map_or(&[][..], |all| all));
                format!("{{{}}}", join(name.iter().cloned().chain([iov]).chain(control)))
            });
            // Of none that are sent the address is said all the same.
            let none = name.iter().filter(|_| data.is_empty()).map(|name| format!("{{{name}}}"));
            format!("{fd}, [{}], {}, {flags}", join(each.chain(none)), data.len())
        }
        Op::RecvmsgX { fd, count, len, control_len, flags }
        | Op::Recvmmsg { fd, count, len, control_len, flags, .. } => {
            let time = match op {
                Op::Recvmmsg { timeout_ms, .. } => format!(", {}", timespec(*timeout_ms)),
                _ => String::new(),
            };
            format!("{fd}, {}, {count}, {flags}{time}", room(&[*len], *control_len))
        }
        Op::Kevent { changes, timeout_ms } => {
            format!("[{}], {timeout_ms}", join(changes.iter().map(change)))
        }
        _ => String::new(),
    }
}

/// `{s, EVFILT_READ, EV_ADD, NOTE_LOWAT, 10}`, as `EV_SET` has it.
fn change(change: &Change) -> String {
    let Change { fd, filter, flags, fflags, data } = change;
    format!("{{{fd}, {filter}, {flags}, {fflags}, {data}}}")
}

fn connectx(words: &dyn Words, op: &Op) -> String {
    let Op::Connectx { fd, link, source, addr, flags, data } = op else { return String::new() };
    let mut ends: Vec<String> = link.iter().map(|link| format!("sae_srcif={link}")).collect();
    let source = source.as_ref().map(|source| words.source(fd, source));
    ends.extend(source.map(|source| format!("sae_srcaddr={source}")));
    ends.push(format!("sae_dstaddr={}", words.addr(fd, addr)));
    let data =
        data.as_ref().map_or_else(|| "NULL".to_owned(), |data| format!("[{}]", sized(words, data)));
    format!("{fd}, {{{}}}, SAE_ASSOCID_ANY, {flags}, {data}", join(ends))
}

fn sized(words: &dyn Words, data: &Payload) -> String {
    format!("{}, {}", words.data(data), data.len())
}

/// `"x", 1`, or each part by itself: `{"x", 1}, {"yy", 2}`.
fn iov(words: &dyn Words, data: &Payload) -> String {
    match data {
        Payload::Parts(parts) => {
            join(parts.iter().map(|part| format!("{{{}}}", sized(words, part))))
        }
        whole => sized(words, whole),
    }
}

fn sendmsg(words: &dyn Words, op: &Op) -> String {
    let Op::Sendmsg { fd, data, flags, addr, control } = op else { return String::new() };
    let name = match addr {
        Some(addr) => format!("msg_name={}, ", words.addr(fd, addr)),
        None => String::new(),
    };
    let messages = control_of(words, control).map_or_else(String::new, |all| format!(", {all}"));
    format!("{fd}, {{{name}msg_iov=[{}]{messages}}}, {flags}", iov(words, data))
}

/// `msg_control=[{SOL_SOCKET, SCM_RIGHTS, [s]}]`; none if there is none.
fn control_of(words: &dyn Words, control: &[Control]) -> Option<String> {
    let all = join(control.iter().map(|message| control_message(words, message)));
    (!control.is_empty()).then(|| format!("msg_control=[{all}]"))
}

fn control_message(words: &dyn Words, message: &Control) -> String {
    match message {
        Control::Int { level, name, value, width } => {
            format!("{{{level}, {name}, {}}}", control::sent(name.as_str(), *value, *width))
        }
        Control::Rights { fds } => format!("{{SOL_SOCKET, SCM_RIGHTS, [{}]}}", fds.join(", ")),
        Control::Credentials { pid, uid, gid } => {
            let who = format!("{{pid={pid}, uid={uid}, gid={gid}}}");
            format!("{{SOL_SOCKET, SCM_CREDENTIALS, {who}}}")
        }
        Control::Bytes { level, kind, data } => format!("{{{level}, {kind}, {}}}", hex(data)),
        Control::PktInfo { level, link, source } => {
            let v6 = level.plain() == "IPPROTO_IPV6";
            let (name, wildcard) =
                if v6 { ("IPV6_PKTINFO", "::") } else { ("IP_PKTINFO", "0.0.0.0") };
            let link = link.as_deref().unwrap_or("0");
            let source =
                source.as_ref().map_or_else(|| wildcard.to_owned(), |host| words.host(host));
            format!("{{{level}, {name}, {{{link}, {source}}}}}")
        }
    }
}

/// The arguments of `setsockopt` and `getsockopt`.
fn option(words: &dyn Words, op: &Op) -> String {
    match op {
        Op::Setsockopt { fd, option, value: given } => {
            let (option, name, given) = words.option(fd, option, given);
            format!("{fd}, {option}, {}", value(words, &name, &given))
        }
        Op::Getsockopt { fd, option: of, len } => {
            let (option, ..) = words.option(fd, of, &Value::Int(1));
            let is_plain = *len == 4 && of.room() == 4;
            format!("{fd}, {option}{}", if is_plain { String::new() } else { format!(", {len}") })
        }
        _ => String::new(),
    }
}

fn value(words: &dyn Words, option: &str, value: &Value) -> String {
    match value {
        Value::Int(value) => value.to_string(),
        Value::Named(name) => name.to_string(),
        Value::Link(link) if option == "SO_BINDTODEVICE" => quoted(link.as_bytes()),
        Value::Link(link) => index_of(link),
        Value::Host(host) => words.host(host),
        Value::Linger { on, seconds } => format!("{{l_onoff={on}, l_linger={seconds}}}"),
        Value::Timeval { ms } => timeval(i64::from(ms / 1000), i64::from(ms % 1000) * 1000),
        Value::Membership { group, link } => {
            let index = link.as_ref().map_or_else(|| "0".to_owned(), |link| index_of(link));
            match group {
                IpAddr::V4(group) => format!("{{imr_multiaddr={group}, imr_ifindex={index}}}"),
                IpAddr::V6(group) => {
                    format!("{{ipv6mr_multiaddr={group}, ipv6mr_interface={index}}}")
                }
            }
        }
        Value::Source { group, link, source } if option.starts_with("MCAST_") => {
            let index = link.as_ref().map_or_else(|| "0".to_owned(), |link| index_of(link));
            format!("{{gsr_interface={index}, gsr_group={group}, gsr_source={source}}}")
        }
        Value::Source { group, link, source } => {
            let own = own4(words, link.as_deref());
            format!("{{imr_multiaddr={group}, imr_interface={own}, imr_sourceaddr={source}}}")
        }
        Value::Filter { group, link, mode, sources } => {
            let sources = join(sources.iter().map(ToString::to_string));
            if option == "MCAST_MSFILTER" {
                let index = link.as_ref().map_or_else(|| "0".to_owned(), |link| index_of(link));
                format!(
                    "{{gf_interface={index}, gf_group={group}, gf_fmode={mode}, \
                     gf_slist=[{sources}]}}"
                )
            } else {
                let own = own4(words, link.as_deref());
                format!(
                    "{{imsf_multiaddr={group}, imsf_interface={own}, imsf_fmode={mode}, \
                     imsf_slist=[{sources}]}}"
                )
            }
        }
        Value::Bytes(bytes) => membership(option, &bytes.0).unwrap_or_else(|| hex(bytes)),
    }
}

/// A membership that no lab's link is in, by its fields: `struct ip_mreq`, `struct ip_mreqn` without an address, whose
/// index no link has, `struct ipv6_mreq` with such a one.
fn membership(option: &str, bytes: &[u8]) -> Option<String> {
    let v4 = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(at..at + 4)?).ok()?));
    let index = || bytes.get(bytes.len() - 4..).map(|index| hex(&Hex(index.to_vec())));
    match (plain(option), bytes.len()) {
        ("IP_ADD_MEMBERSHIP" | "IP_DROP_MEMBERSHIP", 8) => {
            Some(format!("{{imr_multiaddr={}, imr_interface={}}}", v4(0)?, v4(4)?))
        }
        ("IP_ADD_MEMBERSHIP" | "IP_DROP_MEMBERSHIP", 12) if v4(4)?.is_unspecified() => {
            Some(format!("{{imr_multiaddr={}, imr_ifindex={}}}", v4(0)?, index()?))
        }
        ("IPV6_ADD_MEMBERSHIP" | "IPV6_DROP_MEMBERSHIP", 20) => {
            let group = Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[..16]).ok()?);
            Some(format!("{{ipv6mr_multiaddr={group}, ipv6mr_interface={}}}", index()?))
        }
        _ => None,
    }
}

/// The link's own IPv4 address, by which older options name it.
fn own4(words: &dyn Words, link: Option<&str>) -> String {
    link.map_or_else(|| "0.0.0.0".to_owned(), |link| words.host(&Host::own4(link)))
}

/// An argument that is an interface index, as strace says it.
fn index_of(link: &str) -> String {
    format!("if_nametoindex({})", quoted(link.as_bytes()))
}
