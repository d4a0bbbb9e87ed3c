//! What a trace becomes for people, and a run on disk.
//!
//! - [`repro`]: a C program that makes the same calls;
//! - [`pcapng`]: the frames, for Wireshark;
//! - [`bundle`]: one bug as one zip, to be filed;
//! - [`export`]: runs as JUnit, KTAP and Markdown;
//! - [`matrix`]: what kernels answered, side by side, as one page;
//! - [`runs`]: what a run leaves behind, and what everything else here is made from.

pub mod bundle;
pub mod export;
pub mod matrix;
pub mod pcapng;
pub mod repro;
pub mod runs;
mod text;
