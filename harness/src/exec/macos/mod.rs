//! macOS: the names of its sockets API. It has no lab yet.

mod abi;
mod names;

pub use super::commands::KernelLog;
pub(super) use super::commands::environment;
pub(super) use super::no_lab::{Labs, init, isolate, plant, see, stay};
pub(super) use abi::{BEFORE_STORAGE, Request, mreq_source, set_family, timeval};
pub(super) use names::{control_name, eai, eai_value, errno, libc_name, value};
