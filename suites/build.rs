//! Lists the baselines, so that the program carries them and a changed one rebuilds it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut found = Vec::new();
    snapshots(&root.join("baselines"), &mut found);
    found.sort();
    let mut list = String::from("&[\n");
    for path in found {
        // baselines/PLATFORM/SUITE/TABLE.snap
        let platform = path.ancestors().nth(2).and_then(Path::file_name).expect("a platform");
        let (platform, file) = (platform.to_string_lossy(), path.to_string_lossy());
        let _ = writeln!(list, "({platform:?}, include_str!({file:?})),");
    }
    list.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("baselines.rs"), list).expect("the output folder can be written");
}

fn snapshots(folder: &Path, found: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            snapshots(&path, found);
        } else if path.extension().is_some_and(|e| e == "snap") {
            found.push(path);
        }
    }
}
