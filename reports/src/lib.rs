//! What a trace becomes for people.
//!
//! - [`repro`]: a C program that makes the same calls;
//! - [`pcapng`]: the frames, for Wireshark.

pub mod pcapng;
pub mod repro;
