//! What `ioctl` and `fcntl` may be asked for.

use crate::case::op::{Given, Who};
use crate::case::process::{ProcessCall, Signal};
use crate::case::raw::Arg;
use crate::case::{Flags, Op};

/// The requests whose argument is an `int`, which they write (Linux tcp(7), udp(7), socket(7);
/// Darwin's `sys/filio.h`, `sys/sockio.h`), and those that read and write a `struct ifreq` that names a
/// link (netdevice(7)): the executor has room for no more.
const OF_AN_INT: [&str; 9] = [
    "FIOASYNC",
    "FIOGETOWN",
    "FIONBIO",
    "FIONREAD",
    "SIOCATMARK",
    "SIOCGPGRP",
    "SIOCINQ",
    "SIOCOUTQ",
    "SIOCOUTQNSD",
];
const OF_A_LINK: [&str; 8] = [
    "SIOCETHTOOL",
    "SIOCGIFADDR",
    "SIOCGIFFLAGS",
    "SIOCGIFINDEX",
    "SIOCGIFMETRIC",
    "SIOCGIFMTU",
    "SIOCGIFTXQLEN",
    "SIOCSHWTSTAMP",
];
/// Those that write a time, or a list of addresses.
const OF_MORE: [&str; 3] = ["SIOCGIFCONF", "SIOCGSTAMP", "SIOCGSTAMPNS"];
/// The commands that take flags or nothing, and give no descriptor that the case could not name.
const COMMANDS: [&str; 7] =
    ["F_GETFD", "F_GETFL", "F_GETOWN", "F_GETSIG", "F_SETFD", "F_SETFL", "F_SETOWN"];

/// That a request which changes a link is of one that the lab has made, and is told what it is changed to; that a
/// process is the case's own, or none; and so with all others.
fn asks_of(request: &str, link: Option<&str>, given: Option<Given>) -> Result<(), String> {
    let is_own = |who: Who| matches!(who, Who::Own | Who::Is(0));
    let of_the_lab = link.is_some_and(|link| link != "lo");
    let (fits, like) = match (request, given) {
        (name, None) if OF_AN_INT.contains(&name) || name == "TIOCOUTQ" => return Ok(()),
        (name, None) if OF_MORE.contains(&name) => (link.is_none(), "is of no link"),
        // Without a link an `int` would be given for a `struct ifreq`.
        (name, None) if OF_A_LINK.contains(&name) => (link.is_some(), "is of a link"),
        ("FIOSETOWN" | "SIOCSPGRP", Some(Given::Pid(who))) => {
            (is_own(who) && link.is_none(), "is given [own] or [0]")
        }
        ("SIOCGIFNAME", None) => (link.is_some(), "is given an index"),
        ("SIOCGIFNAME", Some(Given::Index(_))) => (link.is_none(), "is given one index"),
        ("SIOCSIFMTU", Some(Given::Mtu(_))) | ("SIOCSIFFLAGS", Some(Given::Up(_))) => {
            (of_the_lab, "changes a link that the lab has made, and no other")
        }
        _ => {
            return Err(format!(
                "ioctl: a case cannot write what {request} takes, or reads nothing of it"
            ));
        }
    };
    if fits { Ok(()) } else { Err(format!("ioctl: {request} {like}")) }
}

/// That signals which a case asks for do not end the executor: `SIGIO`, which `O_ASYNC` has sent to the owner, does
/// unless something is said of it.
pub(super) fn owners(ops: &[Op]) -> Result<(), String> {
    let (mut handled, mut owned, mut asked) = (false, false, false);
    for op in ops {
        match op {
            Op::Process { call: ProcessCall::Sigaction { signal: Signal::Io, .. } } => {
                handled = true;
            }
            Op::Fcntl { pid: Some(Who::Own), .. }
            | Op::Ioctl { given: Some(Given::Pid(Who::Own)), .. } => owned = true,
            Op::Fcntl { arg, .. } if arg.has("O_ASYNC") => asked = true,
            _ => {}
        }
        if owned && asked && !handled {
            let why = "it would be sent SIGIO, of which sigaction says nothing before";
            return Err(format!("{}: {why}", op.call()));
        }
    }
    Ok(())
}

/// That `ioctl` and `fcntl` are asked for what they can be asked for without a pointer, a process of the
/// host's or a descriptor that nobody closes.
pub(in crate::case) fn request(op: &Op) -> Result<(), String> {
    match op {
        Op::Raw { call, args } if call == "ioctl" => match args.get(1) {
            Some(Arg::Names(Flags(names))) => match &names[..] {
                [request] if OF_AN_INT.contains(&request.as_str()) => Ok(()),
                _ => Err("ioctl: a case cannot write what it takes".to_owned()),
            },
            _ => Ok(()),
        },
        Op::Ioctl { request, link, given, .. } => {
            asks_of(request.as_str(), link.as_deref(), *given)
        }
        Op::Fcntl { cmd, pid, arg, .. } if pid.is_some() || cmd.as_str() == "F_SETOWN" => {
            let is_own = matches!(pid, Some(Who::Own | Who::Is(0)));
            if is_own && cmd.as_str() == "F_SETOWN" && *arg == Flags::NONE {
                return Ok(());
            }
            Err("fcntl: F_SETOWN is given own or 0, and nothing else is".to_owned())
        }
        Op::Fcntl { cmd, .. } if !COMMANDS.contains(&cmd.as_str()) => {
            Err(format!("fcntl: {cmd} takes or gives what a case has no word for"))
        }
        _ => Ok(()),
    }
}
