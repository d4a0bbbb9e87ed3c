//! Packs the baselines, so that the program carries them and a changed one rebuilds it: seven megabytes of
//! text that are much alike, in a tenth of it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut found = Vec::new();
    snapshots(&root.join("baselines"), &mut found);
    found.sort();
    // One after the other, each behind a line that says of which platform it is and how many bytes it has.
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    for path in found {
        // baselines/PLATFORM/SUITE/TABLE.snap
        let platform = path.ancestors().nth(2).and_then(Path::file_name).expect("a platform");
        let text = fs::read_to_string(&path).expect("a snapshot");
        let heading = format!("{} {}\n", platform.to_string_lossy(), text.len());
        packed.write_all(heading.as_bytes()).expect("memory takes it");
        packed.write_all(text.as_bytes()).expect("memory takes it");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let packed = packed.finish().expect("memory takes it");
    fs::write(out.join("baselines"), packed).expect("the output folder can be written");
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
