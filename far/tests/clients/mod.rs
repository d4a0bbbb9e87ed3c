//! Clients that may not be installed.

/// Says that a test asks nothing, since its client is not here. Where all have to be (CI), it fails.
pub(crate) fn missing(what: &str) {
    assert!(
        std::env::var_os("SOCKEYE_ALL_CLIENTS").is_none(),
        "{what} is not installed, and SOCKEYE_ALL_CLIENTS asks for every client"
    );
    println!("skipped: {what} is not installed");
}
