//! The modules of a kernel that labs need, in the order in which they have to be loaded.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::elf;
use super::image::unpack;
use super::initramfs::Archive;

/// What labs and the way to the host need; what a kernel has built in, or lacks, is passed over.
const WANTED: &[&str] = &["virtio_pci", "virtio_console", "ipv6", "af_packet", "tun"];

/// An archive with the modules below `folder` that are wanted, and `order`, which says how to load
/// them.
pub(in crate::subject) fn archive(folder: &Path) -> io::Result<Vec<u8>> {
    let mut files = BTreeMap::new();
    find(folder, &mut files)?;
    let mut chosen = Vec::new();
    for name in WANTED {
        choose(name, &files, &mut chosen)?;
    }
    let mut archive = Archive::new();
    let place = Path::new("/modules");
    let mut order = String::new();
    for (name, bytes) in &chosen {
        order.push_str(name);
        order.push_str(".ko\n");
        archive.file(&place.join(format!("{name}.ko")), bytes);
    }
    archive.file(&place.join("order"), order.as_bytes());
    Ok(archive.finish())
}

/// Every module below `folder`, by its name.
fn find(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
        if kind.is_dir() {
            find(&path, files)?;
        } else if let Some((name, _)) =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once(".ko"))
        {
            files.insert(name.replace('-', "_"), path);
        }
    }
    Ok(())
}

/// A module behind all that it needs.
fn choose(
    name: &str,
    files: &BTreeMap<String, PathBuf>,
    chosen: &mut Vec<(String, Vec<u8>)>,
) -> io::Result<()> {
    let name = name.replace('-', "_");
    let Some(path) = files.get(&name).filter(|_| chosen.iter().all(|(other, _)| *other != name))
    else {
        return Ok(());
    };
    let bytes = unpack(&fs::read(path)?)?;
    for needed in elf::depends(&bytes).map_err(io::Error::other)? {
        choose(&needed, files, chosen)?;
    }
    chosen.push((name, bytes));
    Ok(())
}
