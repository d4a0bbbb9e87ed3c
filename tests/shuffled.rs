//! Outcomes depend neither on the order of cases nor on how much memory a guest has.
//!
//! The newest User-Mode Linux that was fetched has little, and one suite is asked of it. With
//! `SOCKEYE_SHUFFLED=all` every suite is asked of every kernel that can be had, in order and shuffled.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use harness::subject::{Kernels, cache_folder};
use serde_json::Value;

use crate::common::{fetched, sockeye, stderr};

/// Every row by its kernel's folder and its id.
fn rows(out: &Path) -> BTreeMap<(String, String), Value> {
    let folders = fs::read_dir(out).expect("a folder").flatten();
    let read = |folder: fs::DirEntry| {
        let name = folder.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.path().join("results.jsonl")).unwrap_or_default();
        let rows: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        rows.into_iter().map(move |row| ((name.clone(), row["id"].to_string()), row))
    };
    folders.flat_map(read).collect()
}

fn run(args: &[&str]) -> BTreeMap<(String, String), Value> {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("UTF-8");
    let output = sockeye(&[&["run", "--out", folder], args].concat());
    eprintln!("{}", stderr(&output));
    rows(out.path())
}

/// Some of the multicast suite's labs are asked for by one case alone, so that many stand when cases
/// come in any order: the whole run had a guest's executors killed for want of memory, and called that
/// a change of the kernel.
#[test]
fn a_guest_with_little_memory_has_errors_and_no_changes() {
    let Some(uml) = fetched("uml-") else { return };
    let rows = run(&["multicast", "--on", &uml, "--shuffle", "7", "--memory", "220"]);
    let ok = rows.values().filter(|row| row["verdict"] == "ok").count();
    assert!(rows.len() > 1000 && ok > rows.len() / 2, "{ok} of {} ran", rows.len());
    for ((_, id), row) in rows {
        assert_ne!(row["verdict"], "changed", "{id}: {row:#}");
        let end = row["trace"]["end"].to_string();
        let says = row["verdict"] != "error" || end.contains("no memory left");
        assert!(says, "{id}: {end}");
    }
}

#[test]
fn all_kernels_say_the_same_in_any_order() {
    if std::env::var("SOCKEYE_SHUFFLED").as_deref() != Ok("all") {
        return eprintln!("skipped: SOCKEYE_SHUFFLED=all asks every kernel, for ten minutes");
    }
    let (ordered, shuffled) = (run(&["--on", "all"]), run(&["--on", "all", "--shuffle", "7"]));
    let kernels = Kernels::new(cache_folder());
    let offers = kernels.offers(false).expect("offers");
    let offers = offers.iter().filter(|offer| !offer.is_other).count();
    let of = |rows: &BTreeMap<(String, String), Value>| {
        let ran = rows.iter().filter(|(_, row)| row["verdict"] != "skipped");
        ran.map(|((kernel, _), _)| kernel.clone()).collect::<BTreeSet<_>>()
    };
    assert_eq!(of(&ordered), of(&shuffled));
    // This host beside those that there are.
    assert!(of(&ordered).len() > offers, "{:?} of {offers}", of(&ordered));
    assert_eq!(ordered.len(), shuffled.len());
    let mut wrong = Vec::new();
    for (key, row) in &shuffled {
        let before = ordered.get(key).map(|row| &row["outcome"]);
        // Where two threads of gVisor wait for one socket, either is woken; its calls that are none are not kept.
        if key.0.starts_with("gvisor") && row["verdict"] == "new" {
            continue;
        }
        if before != Some(&row["outcome"]) || row["verdict"] == "error" {
            wrong.push(format!("{key:?}: {} {}", row["verdict"], row["outcome"]));
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}
