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

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::process::Command;

    use super::*;

    /// In a thread, which it then is for: a program that it starts has the same.
    #[test]
    fn a_program_asks_whom_its_files_name() {
        let work = || {
            let files = [("resolv.conf", "nameserver 127.0.0.1\n".to_owned())];
            enter_network_with_files(&files)?;
            let server = UdpSocket::bind("127.0.0.1:53").map_err(|e| e.to_string())?;
            let seen = Command::new("cat").arg("/etc/resolv.conf").output();
            let seen = seen.map_err(|e| e.to_string())?.stdout;
            let asked =
                UdpSocket::bind("127.0.0.1:0").and_then(|s| s.send_to(b"x", "127.0.0.1:53"));
            asked.and_then(|_| server.recv(&mut [0])).map_err(|e| e.to_string())?;
            Ok(String::from_utf8_lossy(&seen).into_owned())
        };
        match std::thread::spawn(work).join().unwrap() {
            // A user namespace is for a process that has one thread.
            Err(why) if !nix::unistd::geteuid().is_root() => eprintln!("skipped: {why}"),
            said => assert_eq!(said, Ok::<_, String>("nameserver 127.0.0.1\n".to_owned())),
        }
    }
}
