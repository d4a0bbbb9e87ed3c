//! What was made of packages, kept: a folder for each, put in place when it is whole.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::boot::{image, modules};
use super::cleanup::keep_until_end;
use super::offers::{Kind, Offer};
use super::packages::{Packages, Unavailable};

/// The file that has the length of every other.
const LENGTHS: &str = "lengths.json";

/// Kernels that were fetched and unpacked.
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(super) fn new(cache: &Path) -> Self {
        Self { folder: cache.join("kernels") }
    }

    fn place(&self, offer: &Offer) -> PathBuf {
        self.folder.join(offer.folder())
    }

    /// Whether all of it is there, at its full length.
    pub(super) fn has(&self, offer: &Offer) -> bool {
        is_whole(&self.place(offer))
    }

    /// The folder of what `offer` needs to start, fetched if need be.
    pub(super) fn get(&self, offer: &Offer, packages: &Packages) -> Result<PathBuf, Unavailable> {
        let place = self.place(offer);
        if is_whole(&place) {
            return Ok(place);
        }
        let unwritable = |e: io::Error| packages.unwritable(&e);
        fs::create_dir_all(&self.folder).map_err(unwritable)?;
        let beside = self.folder.join(format!(".{}.{}", offer.folder(), std::process::id()));
        let beside = keep_until_end(beside);
        let (raw, made) = (beside.path().join("raw"), beside.path().join("made"));
        fs::create_dir_all(&raw).and_then(|()| fs::create_dir_all(&made)).map_err(unwritable)?;
        packages.unpack(&offer.packages, &raw)?;
        let done = match offer.kind {
            Kind::Linux => linux(&raw, &made),
            Kind::Uml => uml(&raw, &made),
            Kind::Gvisor => fs::rename(raw.join("usr/bin/runsc"), made.join("runsc")),
        };
        done.and_then(|()| seal(&made)).map_err(|e| match e.kind() {
            io::ErrorKind::StorageFull => packages.unwritable(&e),
            _ => Unavailable::new(format!("{} is not as expected: {e}", offer.packages.join(" "))),
        })?;
        // One that was cut short, or that another run has put there meanwhile.
        if !is_whole(&place) {
            let _ = fs::remove_dir_all(&place);
        }
        match fs::rename(&made, &place) {
            Err(e) if !is_whole(&place) => Err(packages.unwritable(&e)),
            _ => Ok(place),
        }
    }

    /// Removes what none of `offers` needs.
    pub(super) fn prune(&self, offers: &[Offer]) {
        let wanted: Vec<String> = offers.iter().map(Offer::folder).collect();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // What begins with a dot, another run may be making.
            if !name.starts_with('.') && !wanted.contains(&name) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

fn lengths(folder: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut lengths = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != LENGTHS {
            lengths.insert(name, entry.metadata()?.len());
        }
    }
    Ok(lengths)
}

fn seal(folder: &Path) -> io::Result<()> {
    fs::write(folder.join(LENGTHS), serde_json::to_vec(&lengths(folder)?)?)
}

fn is_whole(folder: &Path) -> bool {
    let sealed = fs::read(folder.join(LENGTHS)).ok();
    let sealed = sealed.and_then(|text| serde_json::from_slice::<BTreeMap<_, _>>(&text).ok());
    sealed.is_some_and(|sealed| lengths(folder).is_ok_and(|found| found == sealed))
}

/// The first file below one of `folders` whose path ends with what `is_it` wants.
fn find(folder: &Path, depth: usize, is_it: &dyn Fn(&str) -> bool) -> Option<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = entries.iter().find(|path| is_it(&name(path))).cloned();
    let below = || entries.iter().filter(|path| path.is_dir() && !path.is_symlink());
    found.or_else(|| {
        let depth = depth.checked_sub(1)?;
        below().find_map(|path| find(path, depth, is_it))
    })
}

fn missing(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no {what} in it"))
}

/// `kernel` and `modules.cpio`.
fn linux(raw: &Path, made: &Path) -> io::Result<()> {
    let found = find(raw, 5, &|name| name.starts_with("vmlinuz"));
    let image = fs::read(found.ok_or_else(|| missing("kernel"))?)?;
    fs::write(made.join("kernel"), image::fastest(image))?;
    write_modules(raw, made)
}

fn write_modules(raw: &Path, made: &Path) -> io::Result<()> {
    let modules = match find(raw, 6, &|name| name == "kernel") {
        Some(folder) => modules::archive(&folder)?,
        None => Vec::new(),
    };
    fs::write(made.join("modules.cpio"), modules)
}

/// Where the kernel's loader stands, relative to the folder that it is started in.
const LOADER: &[u8] = b"/lib64/ld-linux-x86-64.so.2\0";
const LOADER_HERE: &[u8] = b"./ld-linux-x86-64.so.2";

/// `linux` and the C library that it asks for, beside it: nothing has to be installed for it, and
/// no root to be changed. It starts itself anew, so that naming the loader on the command line is
/// not enough: the path in the file is made to lead here.
fn uml(raw: &Path, made: &Path) -> io::Result<()> {
    let mut program = fs::read(raw.join("usr/bin/linux.uml"))?;
    let at = program.windows(LOADER.len()).position(|window| window == LOADER);
    let at = at.ok_or_else(|| missing("loader's path"))?;
    program[at..at + LOADER.len()].fill(0);
    program[at..at + LOADER_HERE.len()].copy_from_slice(LOADER_HERE);
    fs::write(made.join("linux"), program)?;
    let access = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(made.join("linux"), access)?;
    let libraries = raw.join("usr/lib/x86_64-linux-gnu");
    for name in
        ["ld-linux-x86-64.so.2", "libc.so.6", "libutil.so.1", "librt.so.1", "libpthread.so.0"]
    {
        fs::copy(libraries.join(name), made.join(name))?;
    }
    write_modules(raw, made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_cut_short_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let kernel = folder.path().join("kernel");
        fs::write(&kernel, "a kernel").unwrap();
        assert!(!is_whole(folder.path()), "not sealed");
        seal(folder.path()).unwrap();
        assert!(is_whole(folder.path()));
        fs::write(&kernel, "a ker").unwrap();
        assert!(!is_whole(folder.path()), "cut short");
        fs::remove_file(&kernel).unwrap();
        assert!(!is_whole(folder.path()), "gone");
    }
}
