//! Whatever your project is: what it relies on is in `tests/cases`.
