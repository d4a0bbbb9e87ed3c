//! The kernels that this machine can start: by name, or by the path of an image.

use std::fs;
use std::path::{Path, PathBuf};

use super::console::Console;
use super::machine::Machine;
use super::offers::{self, Kind, Offer};
use super::packages::{Packages, Unavailable};
use super::store::Store;
use super::vm::{self, Options};

/// Packaged kernels, and what was fetched of them.
pub struct Kernels {
    cache: PathBuf,
    packages: Packages,
    store: Store,
}

impl Kernels {
    /// With what is kept in `cache`, see [`super::cache_folder`].
    pub fn new(cache: PathBuf) -> Self {
        let (packages, store) = (Packages::new(cache.clone()), Store::new(&cache));
        Self { cache, packages, store }
    }

    fn list(&self) -> PathBuf {
        self.cache.join("offers-3.json")
    }

    /// Every kernel that the mirror has. The list is made anew when it is a week old, or `always`.
    pub fn offers(&self, always: bool) -> Result<Vec<Offer>, Unavailable> {
        if std::env::consts::ARCH != "x86_64" {
            let why = "packaged kernels are started on x86-64 only; native and cmd: run anywhere";
            return Err(Unavailable::new(why));
        }
        self.packages.refresh(always)?;
        let fetched = self.packages.fetched();
        let written = fs::metadata(self.list()).and_then(|file| file.modified()).ok();
        if written >= fetched {
            let text = fs::read(self.list()).unwrap_or_default();
            if let Ok(offers) = serde_json::from_slice(&text) {
                return Ok(offers);
            }
        }
        let offers = offers::offers(&self.packages)?;
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.cache)?;
            serde_json::to_writer(&mut file, &offers)?;
            file.persist(self.list())?;
            Ok(())
        };
        write().map_err(|e| self.packages.unwritable(&e))?;
        self.store.prune(&offers);
        Ok(offers)
    }

    /// Whether it was fetched.
    pub fn is_cached(&self, offer: &Offer) -> bool {
        self.store.has(offer)
    }

    /// Fetches it, if need be.
    pub fn fetch(&self, offer: &Offer) -> Result<(), Unavailable> {
        self.store.get(offer, &self.packages).map(drop)
    }

    /// A machine with this kernel, which is fetched first if need be.
    pub fn machine(
        &self,
        offer: &Offer,
        options: &Options,
        console: Console,
    ) -> Result<Machine, Unavailable> {
        let folder = self.store.get(offer, &self.packages)?;
        let plan = match offer.kind {
            Kind::Linux => {
                let modules = fs::read(folder.join("modules.cpio"));
                let modules = modules.map_err(|e| Unavailable::new(e.to_string()))?;
                vm::linux(&folder.join("kernel"), &modules, options)?
            }
            Kind::Uml => vm::uml(&folder, options)?,
            Kind::Gvisor => vm::gvisor(&folder, &offer.name, options)?,
        };
        Ok(Machine::new(plan, console))
    }
}

/// A machine with the kernel whose image is at `path`: a bzImage or a vmlinux.
pub fn machine_of(
    path: &Path,
    options: &Options,
    console: Console,
) -> Result<Machine, Unavailable> {
    Ok(Machine::new(vm::image(path, options)?, console))
}
