//! A process that is apart from the host: a network in which there is nothing but itself, and files for names.

use super::files::cover;
use super::host::enter;
use super::netlink::{LinkChange, Netlink};

/// Takes the calling process, which must have one thread, and all that it starts, there.
///
/// # Errors
/// One sentence that names what this host does not let it have.
pub(in crate::exec) fn enter_network_with_files(files: &[(&str, String)]) -> Result<(), String> {
    enter()?;
    cover(files, true)?;
    let index = nix::net::if_::if_nametoindex("lo").map_err(std::io::Error::from);
    let up = LinkChange { up: Some(true), ..LinkChange::default() };
    index
        .and_then(|index| Netlink::open()?.set_link(index, &up))
        .map_err(|e| format!("loopback cannot be set up: {e}"))
}
