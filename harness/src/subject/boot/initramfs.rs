//! The file system that a kernel starts with: a cpio archive (`newc`, cpio(5)).

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::elf;

/// An archive that is being written.
pub(in crate::subject) struct Archive {
    bytes: Vec<u8>,
    inodes: u32,
    folders: BTreeSet<PathBuf>,
}

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const FILE: u32 = 0o100_644;
const LINK: u32 = 0o120_777;
const DEVICE: u32 = 0o020_600;

impl Archive {
    pub(in crate::subject) fn new() -> Self {
        Self { bytes: Vec::new(), inodes: 0, folders: BTreeSet::new() }
    }

    /// A file that may be run.
    pub(in crate::subject) fn program(&mut self, path: &Path, contents: &[u8]) {
        self.add(path, PROGRAM, contents, (0, 0));
    }

    pub(in crate::subject) fn file(&mut self, path: &Path, contents: &[u8]) {
        self.add(path, FILE, contents, (0, 0));
    }

    pub(in crate::subject) fn link(&mut self, path: &Path, to: &Path) {
        self.add(path, LINK, to.as_os_str().as_encoded_bytes(), (0, 0));
    }

    /// The device that the first process has as its standard streams.
    fn console(&mut self) {
        self.add(Path::new("/dev/console"), DEVICE, b"", (5, 1));
    }

    fn add(&mut self, path: &Path, mode: u32, contents: &[u8], device: (u32, u32)) {
        for folder in path.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
            if folder.file_name().is_some() && self.folders.insert(folder.to_owned()) {
                self.entry(folder, FOLDER, b"", (0, 0));
            }
        }
        self.entry(path, mode, contents, device);
    }

    fn entry(&mut self, path: &Path, mode: u32, contents: &[u8], device: (u32, u32)) {
        self.inodes += 1;
        let name = path.strip_prefix("/").unwrap_or(path).as_os_str().as_encoded_bytes();
        let sizes = (contents.len(), name.len() + 1);
        // Inode, mode, uid, gid, links, mtime, size, device of the file and of what it is, name.
        let _ = write!(
            self.bytes,
            "070701{:08x}{mode:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
            self.inodes, 0, 0, 1, 0, sizes.0, 0, 0, device.0, device.1, sizes.1, 0
        );
        self.bytes.extend_from_slice(name);
        self.bytes.push(0);
        self.align();
        self.bytes.extend_from_slice(contents);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// The whole archive. A kernel reads several, one behind the other.
    pub(in crate::subject) fn finish(mut self) -> Vec<u8> {
        self.entry(Path::new("TRAILER!!!"), 0, b"", (0, 0));
        self.bytes
    }
}

/// Files of the host's that its C library reads: names in a machine mean what they mean here.
const SETTINGS: &[&str] = &[
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/protocols",
    "/etc/services",
];

/// This very program as `/init`, with the shared objects that it runs with, each under its path.
pub(in crate::subject) fn of_this_program() -> io::Result<Vec<u8>> {
    let mut archive = Archive::new();
    archive.console();
    // As on the host: /lib may be a link to /usr/lib, and the loader's path leads through it.
    for name in ["/lib", "/lib64", "/lib32"] {
        if let Ok(to) = fs::read_link(name) {
            archive.link(Path::new(name), &to);
        }
    }
    let program = fs::read("/proc/self/exe")?;
    let loadable =
        |bytes: &[u8]| elf::loadable(bytes).map(<[u8]>::to_vec).map_err(io::Error::other);
    archive.program(Path::new("/init"), &loadable(&program)?);
    for path in shared_objects()? {
        let bytes = fs::read(&path)?;
        archive.program(&path, &loadable(&bytes)?);
        let name = elf::soname(&bytes).ok().flatten();
        if let Some(alias) = name.map(|name| path.with_file_name(name)).filter(|a| *a != path) {
            archive.link(&alias, &path);
        }
    }
    if let Some(loader) = elf::interpreter(&program).map_err(io::Error::other)? {
        let real = fs::canonicalize(&loader)?;
        let folder = Path::new(&loader).parent().map(fs::canonicalize).transpose()?;
        let loader =
            folder.unwrap_or_default().join(Path::new(&loader).file_name().unwrap_or_default());
        if loader != real {
            archive.link(&loader, &real);
        }
    }
    for path in SETTINGS {
        if let Ok(text) = fs::read(path) {
            archive.file(Path::new(path), &text);
        }
    }
    Ok(archive.finish())
}

/// The files that are mapped into this process as code, but for the program itself: proc(5).
fn shared_objects() -> io::Result<BTreeSet<PathBuf>> {
    let itself = fs::read_link("/proc/self/exe")?;
    let maps = fs::read_to_string("/proc/self/maps")?;
    let files = maps.lines().filter_map(|line| {
        let code = line.split(' ').nth(1)?.contains('x');
        let path = line.find('/').map(|at| PathBuf::from(&line[at..]))?;
        code.then_some(path)
    });
    Ok(files.filter(|path| *path != itself).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Os;

    #[test]
    fn an_archive_has_its_folders_before_its_files() {
        let mut archive = Archive::new();
        archive.file(Path::new("/a/b/c"), b"hello");
        archive.link(Path::new("/a/d"), Path::new("b/c"));
        let bytes = archive.finish();
        assert_eq!(bytes.len() % 4, 0);
        let text = String::from_utf8_lossy(&bytes);
        let names: Vec<usize> = ["a\0", "a/b\0", "a/b/c\0", "hello", "a/d\0", "TRAILER!!!\0"]
            .map(|n| text.find(n).unwrap())
            .into();
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(text.matches("070701").count(), 5);
    }

    #[test]
    fn this_program_is_packed_with_its_shared_objects() {
        if Os::host() != Some(Os::Linux) {
            return eprintln!("skipped: this program is no ELF file");
        }
        let bytes = of_this_program().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("init\0"));
        for path in shared_objects().unwrap() {
            let name = path.strip_prefix("/").unwrap().to_str().unwrap().to_owned() + "\0";
            assert!(text.contains(&name), "{name}");
        }
    }
}
