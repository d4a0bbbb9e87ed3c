//! All other tests of reports, as one: programs in C, and what is private.

mod private;
mod repro_cases;
mod repro_compiles;
mod repro_darwin;
mod repro_more;
mod repro_raw;
mod repro_unix;
