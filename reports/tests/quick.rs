//! The fast lane's tests of reports, as one.

mod exports;
mod ranks;
mod runs;
