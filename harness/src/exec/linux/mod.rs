//! Linux: network namespaces, TUN and TAP, rtnetlink.

mod abi;
mod apart;
mod barrier;
mod capabilities;
mod capture;
mod environment;
mod files;
mod host;
pub(in crate::exec) mod init;
mod kernel_log;
mod lab;
mod labs;
mod left_behind;
mod lessen;
mod limits;
mod link;
mod names;
mod needs;
mod netlink;
mod own;
pub(in crate::exec) mod plant;
mod processes;
mod raw;
mod recorder;
mod settings;
mod sysctl;
mod thread_state;
mod usable;

pub(in crate::exec) use super::not_macos::{disturbed, filtered_sockets};
pub(in crate::exec) use abi::{
    BEFORE_STORAGE, GIVES_A_DESCRIPTOR, OF_MEMORY, Request, WITH_A_POINTER, len_of_entry,
    mreq_source, reads_later, set_family, set_index, timeval,
};
pub(in crate::exec) use apart::enter_network_with_files;
pub(in crate::exec) use barrier::stay;
pub(in crate::exec) use capabilities::{Rights, User, acting, lessened, may_exceed_limits};
pub(in crate::exec) use environment::environment;
pub(in crate::exec) use files::{Files, files_of_its_own, see};
pub(in crate::exec) use host::{isolate, leave_lab};
pub use kernel_log::KernelLog;
pub(in crate::exec) use labs::Labs;
pub(in crate::exec) use lessen::{ROOTS_RIGHTS, lessen};
pub(in crate::exec) use limits::{limits, refused};
pub(in crate::exec) use names::{control_name, eai, eai_value, errno, libc_name, value};
pub(in crate::exec) use own::{accept4, epoll_create1, family, own_call, ppoll, prepared};
pub(in crate::exec) use processes::Processes;
pub(in crate::exec) use raw::raw_call;
pub(in crate::exec) use recorder::record;
pub(in crate::exec) use thread_state::ThreadState;

/// Each lab has a network of its own.
pub(in crate::exec) const IS_SHARED: bool = false;

/// Nothing: a network goes with the last process in it.
#[allow(clippy::unnecessary_wraps, reason = "the shape is that of a system where it can fail")]
pub(in crate::exec) fn clean() -> Result<Vec<String>, String> {
    Ok(Vec::new())
}

/// Likewise.
#[allow(clippy::unnecessary_wraps, reason = "the shape is that of a system where it can fail")]
pub(in crate::exec) fn left() -> Result<Vec<String>, String> {
    Ok(Vec::new())
}

/// None: a distribution decides nothing that its kernel and its C library do not.
pub(in crate::exec) fn product() -> Option<crate::trace::Product> {
    None
}
