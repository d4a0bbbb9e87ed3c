//! macOS: its names and layouts, and labs of utun and feth.

mod abi;
mod beyond;
mod far_end;
mod host;
mod lab;
mod names;
mod own;
mod own_calls;
mod routes;
mod sys;
mod thread_state;

use crate::case::Case;
use crate::darwin::{beyond as beyond_lab, down, request};
use crate::trace::Product;

pub use super::commands::KernelLog;
pub(super) use super::commands::environment;
pub(super) use super::not_linux::{
    Files, Processes, ROOTS_RIGHTS, Rights, User, accept4, acting, enter_network_with_files,
    epoll_create1, family, files_of_its_own, init, leave_lab, lessen, lessened, limits,
    may_exceed_limits, plant, ppoll, prepared, raw_call, record, stay,
};
pub(super) use abi::{
    BEFORE_STORAGE, GIVES_A_DESCRIPTOR, OF_MEMORY, Request, WITH_A_POINTER, len_of_entry,
    mreq_source, reads_later, set_family, set_index, timeval,
};
pub(super) use host::{clean, left};
pub(super) use lab::Labs;
pub(super) use names::{control_name, eai, eai_value, errno, libc_name, value};
pub(super) use own::own_call;
pub(super) use thread_state::ThreadState;

pub(super) use crate::darwin::groups::disturbed;

/// Why no lab here does what the case asks of it, as one sentence.
pub(super) fn refused(case: &Case) -> Option<String> {
    let by_root = || {
        let more = request::needs_root(case) && !down::fits(case);
        let links = "links are made by root alone: run it by sudo";
        (more && !is_root()).then(|| links.to_owned())
    };
    let dangerous = || {
        let asked_for = std::env::var_os(request::DANGEROUS).is_some_and(|says| says == "1");
        let version = product().map(|product| product.version);
        if asked_for { None } else { request::dangerous(case, version.as_deref()) }
    };
    let strands = || {
        let online = beyond_lab::strands(case) && host::has_default_route().unwrap_or(true);
        let why = "a connection whose link goes would go on by this host's default route";
        online.then(|| why.to_owned())
    };
    request::refused(case).or_else(by_root).or_else(dangerous).or_else(strands)
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Which macOS this is, and whether a content filter sees what sockets send.
pub(super) fn product() -> Option<Product> {
    Some(Product {
        version: sys::setting("kern.osproductversion").ok()?,
        build: sys::setting("kern.osversion").ok()?,
        content_filter: sys::count("net.cfil.active_count").ok().map(|count| count > 0),
        default_route: host::has_default_route().ok(),
    })
}

/// `net.cfil.sock_attached_count`.
pub(super) fn filtered_sockets() -> Option<u32> {
    sys::count("net.cfil.sock_attached_count").ok().and_then(|count| u32::try_from(count).ok())
}

/// All labs are in the host's network, one at a time.
pub(super) const IS_SHARED: bool = true;

/// Takes the host's network for this process, if it may change it.
pub(super) fn isolate() -> Result<(), String> {
    if is_root() { host::begin() } else { Ok(()) }
}

pub(super) fn see(_: &Files) -> Result<(), String> {
    Err("a lab on macOS has no files of its own for names".to_owned())
}
