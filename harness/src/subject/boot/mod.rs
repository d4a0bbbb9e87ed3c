//! What a machine starts from: a kernel's image, its modules, and this program as the first
//! process.

pub(super) mod elf;
pub(super) mod image;
pub(super) mod initramfs;
pub(super) mod modules;
