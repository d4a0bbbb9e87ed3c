//! What a trace becomes for people, and a run on disk.
//!
//! - [`repro`]: a C program that makes the same calls;
//! - [`pcapng`]: the frames, for Wireshark;
//! - [`bundle`]: one bug as one zip, to be filed;
//! - [`runs`]: what a run leaves behind, and what everything else here is made from.

pub mod bundle;
pub mod pcapng;
pub mod repro;
pub mod runs;
