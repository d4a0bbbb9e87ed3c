//! Processes, users and groups: in an outcome those of the executor are `own`, since two runs, as root
//! or not, have others.

use super::bytes::{i32_at, u16_at, u32_at, u32s};
use super::parts::join;
use crate::trace::Credentials;

/// Whose numbers are looked at, and for whom.
pub(super) struct Whose<'a> {
    pub(super) own: Option<&'a Credentials>,
    pub(super) stable: bool,
}

/// What a user or group is that a namespace has not got (`/proc/sys/kernel/overflowuid`).
const OVERFLOW: u32 = 65534;

impl Whose<'_> {
    pub(super) fn pid(&self, pid: i32) -> String {
        match self.own {
            _ if !self.stable || pid <= 0 => pid.to_string(),
            Some(own) if own.pid == pid => "own".to_owned(),
            _ => "other".to_owned(),
        }
    }

    fn id(&self, id: u32, own: impl Fn(&Credentials) -> u32) -> String {
        match self.own {
            _ if id == u32::MAX => "-1".to_owned(),
            _ if !self.stable => id.to_string(),
            Some(known) if own(known) == id => "own".to_owned(),
            _ if id == OVERFLOW => "overflow".to_owned(),
            // A program that is compared with this one has another user.
            None => "other".to_owned(),
            Some(_) => id.to_string(),
        }
    }

    pub(super) fn uid(&self, uid: u32) -> String {
        self.id(uid, |own| own.uid)
    }

    pub(super) fn gid(&self, gid: u32) -> String {
        self.id(gid, |own| own.gid)
    }

    /// Supplementary groups, in whatever order.
    pub(super) fn groups(&self, groups: &[u32]) -> String {
        let sorted = |groups: &[u32]| {
            let mut groups = groups.to_vec();
            groups.sort_unstable();
            groups
        };
        match self.own {
            Some(own) if self.stable && sorted(&own.groups) == sorted(groups) => "own".to_owned(),
            None if self.stable => "other".to_owned(),
            _ => format!("[{}]", join(groups.iter().map(ToString::to_string))),
        }
    }
}

/// `struct ucred` (unix(7)), 12 bytes.
pub(super) fn ucred(bytes: &[u8], who: &Whose<'_>) -> String {
    let (pid, uid, gid) = (i32_at(bytes, 0), u32_at(bytes, 4), u32_at(bytes, 8));
    format!("{{pid={}, uid={}, gid={}}}", who.pid(pid), who.uid(uid), who.gid(gid))
}

/// `struct xucred` of Darwin (`bsd/sys/ucred.h`): version, user, and groups of which the first is the
/// effective one.
pub(super) fn xucred(bytes: &[u8], who: &Whose<'_>) -> String {
    let said = format!("cr_version={}, cr_uid={}", u32_at(bytes, 0), who.uid(u32_at(bytes, 4)));
    let groups = groups(bytes, 8);
    match groups.first() {
        None => format!("{{{said}, cr_groups=[]}}"),
        Some(gid) if who.stable => format!("{{{said}, cr_gid={}}}", who.gid(*gid)),
        Some(_) => format!("{{{said}, cr_groups={}}}", who.groups(&groups)),
    }
}

/// `struct cmsgcred` of Darwin (`bsd/sys/socket.h`), 84 bytes.
pub(super) fn cmsgcred(bytes: &[u8], who: &Whose<'_>) -> String {
    let id = |at| u32_at(bytes, at);
    let said = format!(
        "cmcred_pid={}, cmcred_uid={}, cmcred_euid={}, cmcred_gid={}",
        who.pid(i32_at(bytes, 0)),
        who.uid(id(4)),
        who.uid(id(8)),
        who.gid(id(12))
    );
    if who.stable {
        return format!("{{{said}}}");
    }
    format!("{{{said}, cmcred_groups={}}}", who.groups(&groups(bytes, 16)))
}

/// A count of 16 bits, its padding, and so many groups, as far as they are here.
fn groups(bytes: &[u8], at: usize) -> Vec<u32> {
    let room = bytes.get(at + 4..).unwrap_or_default();
    let count = usize::from(u16_at(bytes, at)).min(room.len() / 4);
    u32s(&room[..4 * count]).unwrap_or_default()
}
