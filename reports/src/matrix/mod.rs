//! The matrix: what kernels answered, side by side, as one page.
//!
//! [`model`](fn@model) makes rows, columns and cells of runs, and [`page`](fn@page) a file of them
//! that needs no network.

mod model;
mod page;
mod word;

#[cfg(test)]
mod tests;

pub use model::{Answer, Column, Found, Model, ModelError, Row, Source, Table, model};
pub use page::{PageError, page};
pub use word::word;
