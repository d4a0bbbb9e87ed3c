//! Linux: network namespaces, TUN and TAP, rtnetlink.

mod abi;
mod barrier;
mod host;
pub(in crate::exec) mod init;
mod lab;
mod link;
mod names;
mod netlink;
pub(in crate::exec) mod plant;

pub(in crate::exec) use abi::{Request, set_family, timeval};
pub(in crate::exec) use barrier::stay;
pub(in crate::exec) use host::isolate;
pub(in crate::exec) use lab::Labs;
pub(in crate::exec) use names::{control_name, eai, errno, value};
