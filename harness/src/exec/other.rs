//! A system that sockeye has no lab and no names for: every case is skipped, and says so.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use libc::{c_int, sockaddr_storage, socklen_t};

use super::network::{Network, NoLab};
use crate::case::Sym;
use crate::case::lab::{Lab, LabOp};
use crate::trace::{Direction, LinkFact};

pub(super) type Request = libc::c_ulong;

pub(super) fn value(_: &str) -> Option<c_int> {
    None
}

pub(super) fn errno(value: c_int) -> Sym {
    Sym(format!("errno {value}").into())
}

pub(super) fn eai(value: c_int) -> Sym {
    Sym(format!("EAI {value}").into())
}

pub(super) fn eai_value(_: &str) -> Option<c_int> {
    None
}

pub(super) fn libc_name() -> String {
    String::new()
}

pub(super) fn see(_: &OwnedFd) -> Result<(), String> {
    Err("sockeye has no lab for this system yet".to_owned())
}

pub(super) fn control_name(level: c_int, kind: c_int) -> (String, String) {
    (level.to_string(), kind.to_string())
}

pub(super) fn set_family(storage: &mut sockaddr_storage, family: c_int, len: socklen_t) {
    storage.ss_family = family as libc::sa_family_t;
    storage.ss_len = len as u8;
}

pub(super) fn timeval(_: libc::time_t, _: u32) -> Vec<u8> {
    Vec::new()
}

/// `struct ip_mreq_source`: the source before the interface on the BSDs (xnu bsd/netinet/in.h).
pub(super) fn mreq_source(group: [u8; 4], interface: [u8; 4], source: [u8; 4]) -> Vec<u8> {
    [group, source, interface].concat()
}

/// `#pragma pack(4)` in xnu bsd/netinet/in.h.
pub(super) const BEFORE_STORAGE: usize = 0;

pub(super) fn isolate() -> Result<(), String> {
    Err("sockeye has no lab for this system yet".to_owned())
}

pub(super) fn stay(_: bool) {}

pub(super) mod init {
    pub(in crate::exec) fn is_first() -> bool {
        false
    }

    pub(in crate::exec) fn live() {}
}

pub(super) mod plant {
    use std::io;

    pub(in crate::exec) fn sendto_lies() -> io::Result<()> {
        Err(io::Error::other("faults can be planted on Linux only"))
    }

    pub(in crate::exec) fn happen(_: crate::exec::Mishap) -> io::Result<()> {
        sendto_lies()
    }
}

/// No lab ever stands here.
pub(super) enum NoSuchLab {}

impl Network for NoSuchLab {
    fn spec(&self) -> &Lab {
        match *self {}
    }
    fn enter(&mut self) -> Result<(), String> {
        match *self {}
    }
    fn files(&self) -> Option<Arc<OwnedFd>> {
        match *self {}
    }
    fn facts(&self) -> &[LinkFact] {
        match *self {}
    }
    fn step(&mut self, _: &LabOp) -> Result<(), String> {
        match *self {}
    }
    fn drain(&mut self, _: &mut dyn FnMut(&str, Direction, &[u8])) {
        match *self {}
    }
    fn restore(&mut self, _: bool) -> Result<bool, String> {
        match *self {}
    }
}

impl NoSuchLab {
    pub(super) fn make_files(&mut self) -> Result<(), String> {
        match *self {}
    }
}

#[derive(Default)]
pub(super) struct Labs;

impl Labs {
    pub(super) fn take(&mut self, _: &Lab) -> Result<NoSuchLab, NoLab> {
        Err(NoLab::Missing("sockeye has no lab for this system yet".to_owned()))
    }

    pub(super) fn put(&mut self, lab: NoSuchLab) {
        match lab {}
    }

    pub(super) fn discard(&mut self, lab: NoSuchLab) {
        match lab {}
    }
}
