//! The matrix: what kernels answered, side by side, as one page.
//!
//! [`model`](fn@model) makes rows, columns and cells of runs, and [`page`](fn@page) a file of them
//! that needs no network.

mod build;
mod model;
mod page;
mod story;
mod word;

#[cfg(test)]
mod tests;

pub use build::model;
pub use model::{
    Answer, Claim, Claimed, Column, Found, Input, Model, ModelError, Reason, Row, Source, Step,
    Story, Table, Texts,
};
pub use page::{GENERATOR, PageError, page};
pub use word::word;
