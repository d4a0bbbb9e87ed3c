//! Calls, as strace writes them.

mod addr;
mod args;
mod print;
mod read;
mod value;

pub(crate) use addr::{host, port, print_host};
pub(crate) use print::print;
pub(crate) use read::{Call, NAMES, makes};
