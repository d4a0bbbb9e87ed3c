//! What a case may not ask a kernel for, by number.
//!
//! `Case::check` has looked at the names. But a name stands for its number, and many stand for the same one; and which
//! family a socket has that goes by a name, the kernel alone knows. So what would reach the host, the executor's memory
//! or its descriptors is looked at again, right before the call. A case that asks for it ends there.

use libc::c_int;

use super::gave::Fault;
use super::process::cannot_act;
use super::run::is_here;
use super::runner::Runner;
use super::sockaddr::RawAddr;
use super::{calls, os};
use crate::case::addr::{Addr, SockAddr};
use crate::case::op::Opt;
use crate::case::unix::BEFORE_PATH;
use crate::case::{
    Case, Flags, KNOWN, Op, Os, Sym, is_fanout, is_of_links, netlink, packet, vsock,
};

/// As many bytes as have room for a pointer: with less no kernel takes one.
const A_POINTER: usize = 8;
/// As many as a descriptor has.
const A_DESCRIPTOR: usize = size_of::<c_int>();

/// Whether a case has addresses of a family, or it has none.
fn is_spoken(family: c_int) -> bool {
    [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX, libc::AF_UNSPEC].contains(&family)
}

fn refused(why: String) -> Result<(), Fault> {
    Err(Fault::Broken(why))
}

/// That an option may be set by a value of so many bytes, of a socket of this family if it is one.
pub(super) fn set(
    (level, name): (c_int, c_int),
    len: usize,
    family: Option<c_int>,
) -> Result<(), Fault> {
    let holds = |(of, first, last): &(c_int, c_int, c_int)| {
        *of == level && (*first..=*last).contains(&name)
    };
    if len >= A_POINTER && os::WITH_A_POINTER.iter().any(holds) {
        let why = "takes a pointer, which a case cannot write";
        return refused(format!("setsockopt: option {name} of level {level} {why}"));
    }
    let Some(family) = family.filter(|family| !is_spoken(*family)) else { return Ok(()) };
    // A number is none of its structures, of which a ring of memory is one; that of a group is none, either.
    let most = if is_fanout_option((level, name)) { packet::FANOUT } else { size_of::<c_int>() };
    if os::value("AF_PACKET") == Some(family) && len <= most {
        return Ok(());
    }
    let is_more = level != libc::SOL_SOCKET && len > size_of::<c_int>();
    if is_more || os::OF_MEMORY.contains(&level) {
        let why = "which a case may ask for numbers, and no more";
        return refused(format!("setsockopt: this is a socket of family {family}, {why}"));
    }
    Ok(())
}

/// Whether the option has `struct fanout_args`.
fn is_fanout_option((level, name): (c_int, c_int)) -> bool {
    let (of, option) = packet::FANOUT_OPTION;
    os::value(of) == Some(level) && os::value(option) == Some(name)
}

/// That an option without a name may be set by a value of so many bytes: which of it a kernel takes for a pointer,
/// nobody here knows.
pub(super) fn set_by_number(name: &Sym, len: usize) -> Result<(), Fault> {
    if name.number().is_some() && len >= A_POINTER {
        return refused(format!(
            "setsockopt: option {name} has no name here, and may be set to fewer than {A_POINTER} bytes: more could be a pointer"
        ));
    }
    Ok(())
}

/// That an option may be asked for, with room for so many bytes: a descriptor that it gives is to be closed.
pub(super) fn asked((level, name): (c_int, c_int), len: u32) -> Result<(), Fault> {
    let is_told = level == libc::SOL_SOCKET && len as usize >= A_DESCRIPTOR;
    if os::GIVES_A_DESCRIPTOR.contains(&(level, name)) && !is_told {
        let why = "gives a descriptor, which has no name here";
        return refused(format!("getsockopt: option {name} of level {level} {why}"));
    }
    Ok(())
}

/// What names a link by its index, with the bytes of the least structure that has one (ip(7), RFC 3542 §6).
const OF_A_LINK: [(c_int, &[&str], usize); 2] = [
    (libc::IPPROTO_IP, &["IP_PKTINFO"], 12),
    (libc::IPPROTO_IPV6, &["IPV6_PKTINFO", "IPV6_2292PKTINFO"], 20),
];

/// That a control message of so many bytes may be sent which names neither descriptors nor links of the case.
pub(super) fn control((level, kind): (c_int, c_int), len: usize) -> Result<(), Fault> {
    if (level, kind) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) && len >= A_DESCRIPTOR {
        return refused("sendmsg: descriptors are sent by name".to_owned());
    }
    let has_it = |names: &[&str]| names.iter().any(|name| os::value(name) == Some(kind));
    if OF_A_LINK.iter().any(|(of, names, least)| *of == level && len >= *least && has_it(names)) {
        return refused("sendmsg: a link is told by name".to_owned());
    }
    Ok(())
}

/// That an address of this family may be given to a socket of that one, which was not written as a Unix socket's:
/// there its bytes would be a path. Linux refuses other families (`net/unix/af_unix.c` `unix_validate_addr`), Darwin
/// lets none pass for one, too (`bsd/kern/uipc_usrreq.c` `unp_bind`).
fn given(socket: c_int, (family, has_path): (c_int, bool), os: Option<Os>) -> Result<(), Fault> {
    let passes =
        family == libc::AF_UNIX || family == libc::AF_UNSPEC && has_path && os != Some(Os::Linux);
    if socket == libc::AF_UNIX && passes {
        return refused("a case cannot name a Unix socket: its path is the host's".to_owned());
    }
    Ok(())
}

/// Which constants are numbers of the same kind, by how their names begin, and what of those is none of the kind.
struct Names {
    begin: &'static [&'static str],
    but: &'static [&'static str],
}

const LEVELS: Names = Names { begin: &["IPPROTO_", "SOL_"], but: &["IPPROTO_HOPOPTS"] };
const FAMILIES: Names = Names { begin: &["AF_", "PF_"], but: &[] };
const PROTOCOLS: Names = Names { begin: &["IPPROTO_"], but: &[] };
const MESSAGE_FLAGS: Names = Names { begin: &["MSG_"], but: &[] };

/// Those of the options of a level.
fn options_of(level: c_int) -> Names {
    match level {
        libc::SOL_SOCKET => Names { begin: &["SO_"], but: &[] },
        libc::IPPROTO_IP => {
            Names { begin: &["IP_", "MCAST_"], but: &["IP_PMTUDISC_", "IP_DEFAULT_", "IP_MAX_"] }
        }
        libc::IPPROTO_IPV6 => Names { begin: &["IPV6_", "MCAST_"], but: &["IPV6_PMTUDISC_"] },
        libc::IPPROTO_TCP => Names { begin: &["TCP_"], but: &[] },
        libc::IPPROTO_UDP => Names { begin: &["UDP_"], but: &[] },
        _ => Names { begin: &[], but: &[] },
    }
}

impl Names {
    /// That the number in the place of a name has none here, bit for bit where `bits` says so: by its name the rules
    /// and whoever reads the transcript know what was asked for.
    fn lack(&self, call: &str, symbol: &Sym, bits: bool) -> Result<(), Fault> {
        let Some(number) = symbol.number() else { return Ok(()) };
        let is_of = |name: &&&str| {
            self.begin.iter().any(|begin| name.starts_with(begin))
                && !self.but.iter().any(|begin| name.starts_with(begin))
        };
        let is_it = |name: &&&str| {
            os::value(name).is_some_and(|n| n == number || bits && n != 0 && n & number == n)
        };
        match KNOWN.iter().filter(is_of).find(is_it) {
            Some(name) => {
                refused(format!("{call}: {symbol} is {name} here, by which a case calls it"))
            }
            None => Ok(()),
        }
    }
}

/// What of a step a kernel may have been made without.
fn optional(op: &Op) -> Option<&'static str> {
    match op {
        Op::Socket { domain, .. } if domain.plain() == "AF_VSOCK" => Some("AF_VSOCK"),
        Op::Socket { domain, .. } if domain.plain() == "AF_XDP" => Some("AF_XDP"),
        // Of a raw socket it is but a number.
        Op::Socket { protocol, r#type, .. }
            if protocol.has("IPPROTO_MPTCP") && !r#type.has("SOCK_RAW") =>
        {
            Some("IPPROTO_MPTCP")
        }
        Op::Setsockopt { option: Opt::Raw { name, .. }, .. }
        | Op::Getsockopt { option: Opt::Raw { name, .. }, .. }
            if name.as_str().starts_with("TCP_AO_") =>
        {
            Some("TCP_AO_INFO")
        }
        _ => None,
    }
}

/// Whether this kernel has none of it, as it says itself: a family it does not know, nor a protocol, nor an option. Any
/// other errno is somebody else's, and is told.
fn lacks(optional: &str) -> bool {
    let asked = |family, protocol| {
        let kind = if optional == "AF_XDP" { libc::SOCK_RAW } else { libc::SOCK_STREAM };
        let probe = c_int::try_from(calls::socket(family, kind, protocol)?).unwrap_or(-1);
        // As long as `struct tcp_ao_info_opt`.
        let room = &mut vec![0; 48];
        let option = os::value(optional).filter(|_| optional.starts_with("TCP_"));
        let asked = option.map(|option| calls::getsockopt(probe, libc::IPPROTO_TCP, option, room));
        let _ = calls::close(probe);
        asked.unwrap_or(Ok(0))
    };
    let Some(value) = os::value(optional) else { return false };
    match optional.split('_').next() {
        Some("AF") => asked(value, 0) == Err(libc::EAFNOSUPPORT),
        Some("IPPROTO") => asked(libc::AF_INET, value) == Err(libc::EPROTONOSUPPORT),
        _ => asked(libc::AF_INET, 0) == Err(libc::ENOPROTOOPT),
    }
}

/// That what not every kernel has, nor every user, is here: else how the host's kernel was made, or what its user may,
/// would be told as what a kernel of that version says.
fn is_had(op: &Op) -> Result<(), Fault> {
    let unsupported = |name: &str| Err(Fault::Unsupported(name.to_owned()));
    match optional(op) {
        _ if cannot_act(op) => unsupported("seteuid"),
        Some(name) if lacks(name) => unsupported(name),
        _ => Ok(()),
    }
}

/// The bits of a type that are no flags (Linux `include/linux/net.h` `SOCK_TYPE_MASK`).
const OF_A_TYPE: c_int = 0xf;

/// That the number in the place of a type has none of those in it that have a name, nor of the flags beside them.
fn has_no_type(call: &str, symbol: &Sym) -> Result<(), Fault> {
    let Some(number) = symbol.number() else { return Ok(()) };
    let is_in = |name: &&&str| {
        os::value(name).filter(|_| name.starts_with("SOCK_")).is_some_and(|n| match n {
            0 => false,
            1..=OF_A_TYPE => number & OF_A_TYPE == n,
            flag => number & flag == flag,
        })
    };
    match KNOWN.iter().find(is_in) {
        Some(name) => refused(format!("{call}: {symbol} has {name} in it, which goes by its name")),
        None => Ok(()),
    }
}

/// That what a step has by number has no name here.
fn has_no_name(op: &Op) -> Result<(), Fault> {
    let call = op.call();
    let flags = match op {
        Op::Setsockopt { option: Opt::Raw { level, name }, .. }
        | Op::Getsockopt { option: Opt::Raw { level, name }, .. } => {
            LEVELS.lack(call, level, false)?;
            let of = level.number().or_else(|| os::value(level.as_str()));
            return of.map_or(Ok(()), |of| options_of(of).lack(call, name, false));
        }
        Op::Socket { domain, r#type, protocol, .. }
        | Op::Socketpair { domain, r#type, protocol, .. } => {
            FAMILIES.lack(call, domain, false)?;
            r#type.0.iter().try_for_each(|one| has_no_type(call, one))?;
            return protocol.0.iter().try_for_each(|one| PROTOCOLS.lack(call, one, false));
        }
        Op::Recv { flags, .. }
        | Op::Recvfrom { flags, .. }
        | Op::Recvmsg { flags, .. }
        | Op::Recvmmsg { flags, .. } => Some(flags),
        op => op.send_flags(),
    };
    let mut flags = flags.into_iter().flat_map(|flags| &flags.0);
    flags.try_for_each(|flag| MESSAGE_FLAGS.lack(call, flag, true))
}

/// Whether a kernel may read what the case sends when it sends it: what waits in a lab for a neighbour would be other
/// memory by then.
pub(super) fn is_read_later(case: &Case) -> bool {
    let later = |flags: &Flags| {
        let bits = flags.0.iter().filter_map(|name| os::value(name.as_str()));
        os::reads_later(bits.fold(0, |all, bits| all | bits))
    };
    case.ops.iter().any(|op| match op {
        Op::Send { flags, .. }
        | Op::Sendto { flags, .. }
        | Op::Sendmsg { flags, .. }
        | Op::Sendmmsg { flags, .. } => later(flags),
        _ => false,
    })
}

/// `SOCK_PACKET`, whose sockets name an interface by its name (packet(7), COMPATIBILITY).
const OBSOLETE: c_int = 10;

impl Runner<'_> {
    /// That a packet socket may have an address or send. In a network of the lab's own there are no other links; the
    /// host's are none of a case's.
    fn may_reach_links(&self, name: &str, op: &Op) -> Result<(), Fault> {
        let mut kind = vec![0; size_of::<c_int>()];
        let asked =
            calls::getsockopt(self.fd(name), libc::SOL_SOCKET, libc::SO_TYPE, &mut kind).is_ok();
        if !asked || kind == OBSOLETE.to_ne_bytes() {
            return refused(format!("{}: {name} is an obsolete packet socket", op.call()));
        }
        if self.lab.is_shared() {
            return refused(format!("{}: the links here are the host's", op.call()));
        }
        Ok(())
    }

    /// An option of the level of sockets that is a number; none of what has none.
    fn asked_for(&self, name: &str, option: c_int) -> Option<c_int> {
        let mut value = vec![0; size_of::<c_int>()];
        calls::getsockopt(self.fd(name), libc::SOL_SOCKET, option, &mut value).ok()?;
        value.try_into().ok().map(c_int::from_ne_bytes)
    }

    /// That no address which a step gives a socket of this family is one of it by another form, whose bytes would say
    /// somebody else.
    fn has_its_form(
        &self,
        op: &Op,
        family: c_int,
        of_it: impl Fn(&Addr) -> bool,
    ) -> Result<(), Fault> {
        for addr in op.addrs().filter(|addr| !of_it(addr)) {
            // What is wrong with it, the call itself says.
            if self.addr(addr, &mut None).is_ok_and(|raw| raw.family() == family) {
                return refused(format!(
                    "{}: an address of family {family} has its form",
                    op.call()
                ));
            }
        }
        Ok(())
    }

    /// That a socket of `AF_VSOCK` is one of connections, and that what listens is this machine's alone.
    fn may_reach_machines(&self, name: &str, op: &Op, family: c_int) -> Result<(), Fault> {
        let kind = self.asked_for(name, libc::SO_TYPE);
        if ![Some(libc::SOCK_STREAM), Some(libc::SOCK_SEQPACKET)].contains(&kind) {
            return refused(format!("{}: {name} would send datagrams to a hypervisor", op.call()));
        }
        let mut own = RawAddr::room();
        let _ = calls::getsockname(self.fd(name), &mut own);
        let is_here = |cid, port| cid == vsock::CID_LOCAL || port == vsock::ANY;
        match own.read() {
            Some(SockAddr::Vsock { cid, port })
                if matches!(op, Op::Listen { .. }) && !is_here(cid, port) =>
            {
                refused(format!("listen: {name} would be there for machines beyond the lab"))
            }
            _ => self.has_its_form(op, family, |addr| addr.as_vsock().is_some()),
        }
    }

    /// That a socket of `AF_NETLINK` is of a network of the lab's own and speaks a protocol of which a case has
    /// messages, and that these change nothing.
    fn may_ask_the_kernel(&self, name: &str, op: &Op, family: c_int) -> Result<(), Fault> {
        if self.lab.is_shared() {
            return refused(format!("{}: the network here is the host's", op.call()));
        }
        let protocol = os::value("SO_PROTOCOL").and_then(|option| self.asked_for(name, option));
        match protocol.and_then(netlink::is_route) {
            Some(true) => netlink::asks(op).or_else(refused)?,
            Some(false) => {}
            None => {
                let why = "whose protocol a case may make and ask, and no more";
                return refused(format!(
                    "{}: {name} is a socket of family {family}, {why}",
                    op.call()
                ));
            }
        }
        self.has_its_form(op, family, |addr| addr.as_netlink().is_some())
    }

    /// That this system has the call, that the socket on which it is made is of a family which the case may speak, and
    /// that an address is none of the host's.
    pub(super) fn may_be_made(&self, op: &Op) -> Result<(), Fault> {
        is_here(Os::host(), op)?;
        is_had(op)?;
        if self.process.counts(op) {
            return Err(Fault::Unsupported("CAP_SYS_RESOURCE".to_owned()));
        }
        has_no_name(op)?;
        let speaker = op.speaker().map(|name| (name, self.fd(name)));
        let Some((name, family)) = speaker.and_then(|(name, fd)| Some((name, os::family(fd)?)))
        else {
            return Ok(());
        };
        // As nearly all are: the names of the others need not be looked for.
        if matches!(family, libc::AF_INET | libc::AF_INET6) {
            return Ok(());
        }
        let is_of_packets = os::value("AF_PACKET") == Some(family);
        if is_of_packets && (is_of_links(op) || is_fanout(op)) {
            return self.may_reach_links(name, op);
        }
        if os::value("AF_VSOCK") == Some(family) && is_of_links(op) {
            return self.may_reach_machines(name, op, family);
        }
        if os::value("AF_NETLINK") == Some(family) && is_of_links(op) {
            return self.may_ask_the_kernel(name, op, family);
        }
        if !is_spoken(family) {
            let (call, why) = (op.call(), "which a case may make and ask, and no more");
            return refused(format!("{call}: {name} is a socket of family {family}, {why}"));
        }
        if family != libc::AF_UNIX {
            return Ok(());
        }
        for addr in op.addrs().filter(|addr| addr.as_unix().is_none()) {
            // What is wrong with it, the call itself says.
            if let Ok(raw) = self.addr(addr, &mut None) {
                let has_path = raw.bytes()[BEFORE_PATH as usize] != 0;
                given(family, (raw.family(), has_path), Os::host())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
