//! The forum's program on an interface of the host's own, by the sockets of this very process.

use std::io::IoSliceMut;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrIn6, bind, getsockname, getsockopt,
    recvmsg, sendto, socket, sockopt::SocketError,
};

use super::Found;
use super::filter::{self, Seen};
use super::target::Target;

/// What the forum's program sends. Later sends say something else, so that the receiver can tell.
const FIRST: &[u8] = b"hello\0";
const LATER: &[u8] = b"again\0";

/// How many sockets are held open, to see whether a content filter sees them.
const SOCKETS: u32 = 8;

/// How long a datagram may take from one socket of the host's to another.
const PATIENCE: Duration = Duration::from_millis(300);

/// A send, and the error that the socket had afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    returned: Result<usize, Errno>,
    /// `SO_ERROR`, 0 if there was none.
    error: i32,
}

/// What came of three sends on one socket to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    to: String,
    sends: Vec<Sent>,
    /// Whether the first came to a receiver; nothing where nobody here can receive.
    heard: Option<bool>,
    /// Whether a content filter saw the socket.
    pub(super) seen: Seen,
}

/// Sends, with a receiver at every address of the host's.
pub(super) fn ask(to: &Target) -> Result<Asked, Errno> {
    asked(&to.to_string(), to.is_own, |port| to.at(port))
}

/// The control where no interface is up: what goes to `::1` comes.
pub(super) fn ask_loopback() -> Result<Asked, Errno> {
    asked("::1", true, |port| SocketAddrV6::new(Ipv6Addr::LOCALHOST, port, 0, 0))
}

fn udp() -> Result<OwnedFd, Errno> {
    socket(AddressFamily::Inet6, SockType::Datagram, SockFlag::empty(), None)
}

fn asked(to: &str, is_own: bool, at: impl Fn(u16) -> SocketAddrV6) -> Result<Asked, Errno> {
    let receiver = udp()?;
    let any = SockaddrIn6::from(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, 0, 0, 0));
    bind(receiver.as_raw_fd(), &any)?;
    let port = getsockname::<SockaddrIn6>(receiver.as_raw_fd())?.port();
    let at = SockaddrIn6::from(at(port));
    let before = harness::exec::filtered_sockets();
    let sender = udp()?;
    let send = |fd: &OwnedFd, bytes: &[u8]| sendto(fd.as_raw_fd(), bytes, &at, MsgFlags::empty());
    let mut sends = Vec::new();
    for bytes in [FIRST, LATER, LATER] {
        let returned = send(&sender, bytes);
        sends.push(Sent { returned, error: getsockopt(&sender, SocketError)? });
    }
    // More like it, so that other programs' sockets cannot be taken for it.
    let mut open = vec![sender];
    while before.is_some() && open.len() < SOCKETS as usize {
        let another = udp()?;
        // What it returns is what the first one's returned.
        let _ = send(&another, LATER);
        open.push(another);
    }
    let seen = filter::seen(before, harness::exec::filtered_sockets(), SOCKETS);
    let heard = is_own.then(|| has_heard(&receiver));
    drop(open);
    Ok(Asked { to: to.to_owned(), sends, heard, seen })
}

/// Whether the first datagram has come, or comes in time.
fn has_heard(receiver: &OwnedFd) -> bool {
    let mut waited = Duration::ZERO;
    loop {
        let mut bytes = [0; 64];
        let mut room = [IoSliceMut::new(&mut bytes)];
        let flags = MsgFlags::MSG_DONTWAIT;
        match recvmsg::<SockaddrIn6>(receiver.as_raw_fd(), &mut room, None, flags) {
            Ok(message) => {
                let len = message.bytes;
                if bytes[..len] == *FIRST {
                    return true;
                }
            }
            Err(Errno::EAGAIN) if waited < PATIENCE => {
                let step = Duration::from_millis(10);
                sleep(step);
                waited += step;
            }
            Err(_) => return false,
        }
    }
}

impl Asked {
    /// The calls, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (number, sent) in self.sends.iter().enumerate() {
            let text = if number == 0 { "hello" } else { "again" };
            let returned = match sent.returned {
                Ok(bytes) => bytes.to_string(),
                Err(errno) => format!("-1 {errno:?}"),
            };
            lines.push(format!("sendto(s, \"{text}\\0\", 6, 0, {{[{}]}}) = {returned}", self.to));
            if sent.error != 0 {
                lines.push(format!("  and then SO_ERROR is {:?}", Errno::from_raw(sent.error)));
            }
        }
        lines.push(match self.heard {
            Some(true) => "the first one came to a receiver".to_owned(),
            Some(false) => "the first one came to no receiver".to_owned(),
            None => "it is another host's address: nobody here receives at it".to_owned(),
        });
        lines
    }

    /// Whether the second send says what the first did not.
    pub(super) fn tells_later(&self) -> bool {
        matches!(self.sends[..], [Sent { returned: Ok(_), .. }, Sent { returned: Err(_), .. }, ..])
    }
}

/// By what came of sends over an interface that is down, and of the same where nothing is.
/// `is_link` says that the control is an interface that is up, not loopback.
pub(super) fn found(down: &Asked, control: &Asked, is_link: bool) -> Found {
    let untold = |why: &str| Found::Untold(why.to_owned());
    let (Some(first), Some(up)) = (down.sends.first(), control.sends.first()) else {
        return untold("nothing was sent");
    };
    if let Err(errno) = up.returned {
        return Found::Untold(format!("the control failed: sendto to {}: {errno:?}", control.to));
    }
    if control.heard != Some(true) {
        return Found::Untold(format!(
            "the control failed: what went to {} never came",
            control.to
        ));
    }
    match first.returned {
        // By local network privacy, which does not ask for loopback (TN3179).
        Err(Errno::EHOSTUNREACH) if !is_link => {
            untold("EHOSTUNREACH may be local network privacy, and no interface is up to compare")
        }
        Err(_) => Found::NoBug,
        Ok(_) if first.error != 0 || down.heard == Some(true) => Found::NoBug,
        Ok(_) if down.heard.is_none() => untold(
            "sendto reported success, and nobody here receives at an \
             address of another host's; name one of the interface's own",
        ),
        Ok(_) => Found::Bug,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn asked(returned: Result<usize, Errno>, error: i32, heard: Option<bool>) -> Asked {
        let sends = vec![Sent { returned, error }, Sent { returned: Err(Errno::ENETDOWN), error }];
        Asked { to: "fe80::15%awdl0".to_owned(), sends, heard, seen: Seen::Unknown }
    }

    const DONE: Result<usize, Errno> = Ok(6);
    const REFUSED: Result<usize, Errno> = Err(Errno::ENETDOWN);
    const UNREACHABLE: Result<usize, Errno> = Err(Errno::EHOSTUNREACH);

    #[rstest]
    #[case::lost(DONE, 0, Some(false), "yes")]
    #[case::told_at_once(REFUSED, 0, Some(false), "no")]
    #[case::told_by_so_error(DONE, 50, Some(false), "no")]
    #[case::delivered(DONE, 0, Some(true), "no")]
    // Never "yes" without a receiver.
    #[case::nobody_receives(DONE, 0, None, "untold")]
    #[case::nobody_receives_and_told(REFUSED, 0, None, "no")]
    #[case::unreachable(UNREACHABLE, 0, Some(false), "no")]
    fn what_is_said_follows_from_the_calls(
        #[case] returned: Result<usize, Errno>,
        #[case] error: i32,
        #[case] heard: Option<bool>,
        #[case] expected: &str,
    ) {
        let word = |found: &Found| match found {
            Found::Bug => "yes",
            Found::NoBug => "no",
            Found::Untold(_) => "untold",
        };
        let (down, up) = (asked(returned, error, heard), asked(DONE, 0, Some(true)));
        assert_eq!(word(&found(&down, &up, true)), expected);
        // Without a control that works nothing is told.
        for broken in [asked(REFUSED, 0, Some(false)), asked(DONE, 0, Some(false))] {
            assert_eq!(word(&found(&down, &broken, true)), "untold");
        }
        // Over loopback alone a refusal of privacy's cannot be told from another.
        let alone = if returned == UNREACHABLE { "untold" } else { expected };
        assert_eq!(word(&found(&down, &up, false)), alone);
    }

    #[test]
    fn the_second_send_may_tell() {
        assert!(asked(DONE, 0, Some(false)).tells_later());
        assert!(!asked(REFUSED, 0, Some(false)).tells_later());
    }

    /// With the sockets of this host, to itself.
    #[test]
    fn what_goes_to_loopback_is_heard() {
        let Ok(asked) = ask_loopback() else { return eprintln!("skipped: there is no ::1 here") };
        let lines = asked.lines().join("\n");
        assert_eq!(asked.heard, Some(true), "{lines}");
        assert!(lines.starts_with("sendto(s, \"hello\\0\", 6, 0, {[::1]}) = 6\n"), "{lines}");
        assert_eq!(lines.lines().count(), 4, "{lines}");
    }
}
