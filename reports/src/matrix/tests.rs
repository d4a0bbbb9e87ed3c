//! Runs made by hand, and what the page makes of them.
