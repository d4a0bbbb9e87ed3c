//! How Darwin lays out what programs and its kernel tell each other, as pure functions.
//!
//! None of it calls a kernel, so all of it is tested on any system. Sources: XNU 11417.101.15, whose
//! sizes and numbers a compiler took from the headers.

pub mod beyond;
pub mod bpf;
pub mod breaks;
pub mod down;
pub mod groups;
pub mod interface;
pub mod ioctl;
pub mod ledger;
pub mod orphans;
pub mod ours;
pub mod request;
pub mod route;
pub mod scope;
pub mod sockaddr;
pub mod utun;
