//! What an executor does on Linux alone, as every other system does it.

/// None that is known.
pub(super) fn limits() -> Vec<crate::trace::HostLimit> {
    Vec::new()
}

/// The thread runs wherever the system likes.
pub(super) fn stay(_: bool) {}

/// With which rights root runs a program, the least first: there are no namespaces.
pub(super) const ROOTS_RIGHTS: &[super::confine::Rights] =
    &[super::confine::Rights::Nobody, super::confine::Rights::Same];

/// Nothing more can be taken away.
pub(super) fn lessen(_: super::confine::Rights) -> std::io::Result<()> {
    Ok(())
}

/// This is never the first process of a machine that was made for it.
pub(super) mod init {
    pub(in crate::exec) fn is_first() -> bool {
        false
    }

    pub(in crate::exec) fn live() {}
}

pub(super) mod plant {
    use std::io;

    pub(in crate::exec) fn sendto_lies() -> io::Result<()> {
        Err(io::Error::other("faults can be planted on Linux only"))
    }

    pub(in crate::exec) fn refuse(_: &str) -> io::Result<()> {
        sendto_lies()
    }

    pub(in crate::exec) fn happen(_: crate::exec::Mishap) -> io::Result<()> {
        sendto_lies()
    }
}
