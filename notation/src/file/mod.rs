//! A file of cases: what stands above the calls, and what a line is.

mod condition;
mod draft;
mod line;
mod print;
mod read;
mod rows;
mod table;

pub(crate) use line::UNNAMED;
pub(crate) use print::{Remark, print_remarked};
pub use print::{print, print_written};
pub use read::{read, tables};

#[cfg(test)]
mod tests;
