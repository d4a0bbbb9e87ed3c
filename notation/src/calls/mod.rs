//! Calls, as strace writes them.

mod addr;
mod args;
mod more;
mod print;
mod process;
mod raw;
mod read;
mod value;

pub(crate) use addr::{host, port, print_host};
pub(crate) use print::print;
pub(crate) use read::{Call, NAMES, makes};

#[cfg(test)]
mod tests;
