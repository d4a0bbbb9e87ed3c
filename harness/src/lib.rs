//! The stages of sockeye that know how a socket call is described, made and recorded.
//!
//! Data flows one way, and each stage is a module:
//!
//! - [`case`]: a short program of socket calls, as data;
//! - [`exec`]: the only code that touches a kernel: it runs cases in a lab and writes traces;
//! - [`darwin`]: how Darwin lays out what programs and its kernel tell each other, as pure functions;
//! - [`trace`]: all that happened, as data;
//! - [`wire`]: frames decoded, rendered and built;
//! - [`outcome`]: a trace made stable and rendered like strace;
//! - [`subject`]: a kernel under test, reached through the executor's protocol;
//! - [`environment`]: the machine on which it was asked, as data;
//! - [`files`]: files that others may have put there, opened;
//! - [`text`]: what others wrote, made fit to be shown;
//! - [`threads`]: threads and locks, where a host or another thread may fail;
//! - [`verdict`]: the words for what a case came to.
//!
//! Everything but [`exec`], [`files`], [`subject`] and [`threads`] is pure: no kernel, no clock, no `unsafe`.

pub mod case;
pub mod darwin;
pub mod environment;
pub mod exec;
pub mod files;
pub mod outcome;
pub mod subject;
pub mod text;
pub mod threads;
pub mod trace;
pub mod verdict;
pub mod wire;

/// The version of the JSON shapes of [`case::Case`] and [`trace::Trace`], and of the protocol
/// between `sockeye` and `sockeye exec`. It grows by one when an older reader would misread.
pub const SCHEMA: u32 = 1;
