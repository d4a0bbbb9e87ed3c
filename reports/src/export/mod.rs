//! A run, or how two differ, for other people's programs.
//!
//! An [`Export`] is what all formats are made from: tests in tables, each with what came of it.
//! [`junit()`], [`ktap()`], [`markdown()`] and, for a run, [`kcidb()`] write it.

mod junit;
mod kcidb;
mod ktap;
mod markdown;
mod model;

pub use junit::junit;
pub use kcidb::kcidb;
pub use ktap::ktap;
pub use markdown::markdown;
pub use model::{Came, Export, Part, Table, Test};
