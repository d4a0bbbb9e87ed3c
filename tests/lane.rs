//! `scripts/ci-lane`, with a cargo and a program that write down how they are called, and `scripts/release`, with
//! a cargo whose program is of a size.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rstest::rstest;

/// A checkout that has nothing but the script.
struct Lane {
    folder: tempfile::TempDir,
}

impl Lane {
    /// The program ends a run with status `run`, cargo its tests with status `test`.
    fn new(run: u8, test: u8) -> Self {
        let lane = Self { folder: tempfile::tempdir().expect("a folder") };
        for folder in ["scripts", "bin", "target/release", "suites"] {
            fs::create_dir_all(lane.path(folder)).expect("made");
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/ci-lane");
        fs::copy(script, lane.path("scripts/ci-lane")).expect("copied");
        let calls = lane.path("calls").display().to_string();
        let program = format!(
            "#!/bin/sh\necho \"sockeye $*\" >> '{calls}'\ncase $1 in\n\
             list) printf 'a/x[1]\\na/x[2]\\na/y\\nb/z[1,2]\\n' ;;\nrun) echo verdicts; exit {run} ;;\n\
             doctor) echo no root; exit 3 ;;\n\
             subjects) printf 'native  this host\\nk-1  1.0  QEMU, fetched\\nk-2  2.0  QEMU\\n'; exit 3 ;;\nesac\n"
        );
        let cargo = format!(
            "#!/bin/sh\necho \"cargo $*\" >> '{calls}'\n[ \"$1\" != test ] || exit {test}\n"
        );
        lane.program("target/release/sockeye", &program);
        lane.program("bin/cargo", &cargo);
        // Asks for no password, and gives no rights.
        lane.program("bin/sudo", "#!/bin/sh\ncase $1 in --*) shift ;; esac\nexec \"$@\"\n");
        // Nothing of this host is changed.
        for name in ["chmod", "modprobe", "sysctl"] {
            lane.program(&format!("bin/{name}"), "#!/bin/sh\n");
        }
        lane
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).expect("a program");
    }

    fn go(&self, args: &[&str]) -> (Output, String) {
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new(self.path("scripts/ci-lane"))
            .args(args)
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .output()
            .expect("the script starts");
        (output, fs::read_to_string(self.path("calls")).unwrap_or_default())
    }
}

/// What a run ends with is no reason to leave the tests out, and is how the lane ends.
#[rstest]
#[case::all_is_well(0, 0, 0)]
#[case::an_answer(1, 0, 0)]
#[case::the_run_is_broken(3, 0, 3)]
#[case::the_tests_fail(0, 101, 101)]
#[case::both(3, 101, 3)]
fn the_tests_run_whatever_the_run_came_to(#[case] run: u8, #[case] test: u8, #[case] ends: i32) {
    for how in [&["root", "out", "test"][..], &["first", "out"]] {
        let lane = Lane::new(run, test);
        let (output, calls) = lane.go(how);
        assert_eq!(output.status.code(), Some(ends), "{how:?}: {output:?}");
        assert!(calls.contains("cargo test --workspace --locked"), "{how:?}: {calls}");
        assert!(lane.path("out/summary.md").is_file() && lane.path("out/doctor.txt").is_file());
    }
}

#[test]
fn a_first_look_is_one_case_of_each_table() {
    let lane = Lane::new(0, 0);
    let (output, calls) = lane.go(&["first", "out"]);
    assert!(output.status.success(), "{output:?}");
    assert!(calls.contains("sockeye run --out out/plain a/x[1] a/y b/z[1,2]\n"), "{calls}");
    let by_root = "sockeye run --format markdown --out out/run a/x[1] a/y b/z[1,2]\n";
    assert!(calls.contains(by_root), "{calls}");
    for file in
        ["doctor.txt", "doctor-plain.txt", "plain.txt", "claims.txt", "clean.txt", "test.txt"]
    {
        assert!(lane.path("out").join(file).is_file(), "{file}");
    }
    assert_eq!(lane.go(&["nonsense", "out"]).0.status.code(), Some(2));
}

/// Without root a host without labs has said so, and everything else is an answer to look at.
#[rstest]
#[case(0, 0)]
#[case(1, 1)]
#[case(3, 3)]
fn without_root_the_tests_run_too(#[case] run: u8, #[case] ends: i32) {
    let lane = Lane::new(run, 0);
    let (output, calls) = lane.go(&["plain", "out"]);
    assert_eq!(output.status.code(), Some(ends), "{output:?}");
    assert!(calls.contains("cargo test --workspace --locked"), "{calls}");
    assert!(calls.contains("sockeye run --format markdown --strict --out out/run"), "{calls}");
}

#[test]
fn a_lane_without_tests_runs_none() {
    let lane = Lane::new(0, 0);
    assert!(!lane.go(&["root", "out"]).1.contains("cargo test"));
}

/// One kernel cannot be fetched, which is how the lane ends; the others run. This host is no guest.
#[test]
fn each_kernel_that_is_fetched_is_a_lane() {
    let lane = Lane::new(1, 0);
    let (output, calls) = lane.go(&["kernels", "out", "test"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let runs: Vec<&str> = calls.lines().filter(|call| call.contains(" run ")).collect();
    assert_eq!(runs, ["sockeye run --on k-1 --format markdown --out out/k-1/run"]);
    assert!(lane.path("out/k-1/summary.md").is_file());
    assert!(calls.contains("cargo test --release --locked --test whole shuffled"), "{calls}");
}

/// A program for Linux is packed if it has fewer than seventeen million bytes, and nothing is if it has not.
#[rstest]
#[case(16_999_999, None)]
#[case(17_000_000, Some("the program for x86_64-unknown-linux-musl has 17000000 bytes"))]
fn a_program_that_is_too_large_is_not_released(#[case] bytes: u64, #[case] says: Option<&str>) {
    let lane = Lane::new(0, 0);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/release");
    fs::copy(script, lane.path("scripts/release")).expect("copied");
    for file in ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md"] {
        fs::write(lane.path(file), "x").expect("written");
    }
    let cargo = format!(
        "#!/bin/sh\ncase $1 in\nmetadata) echo '{{\"name\":\"sockeye\",\"version\":\"9.8.7\"}}' ;;\n\
         build) for target; do :; done; mkdir -p \"$CARGO_TARGET_DIR/$target/dist\"\n\
         head -c {bytes} /dev/zero > \"$CARGO_TARGET_DIR/$target/dist/sockeye\" ;;\nesac\n"
    );
    lane.program("bin/cargo", &cargo);
    lane.program("bin/rustup", "#!/bin/sh\necho x86_64-unknown-linux-musl\n");
    lane.program("bin/uname", "#!/bin/sh\necho Linux\n");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new(lane.path("scripts/release"))
        .args(["out", "x86_64-unknown-linux-musl"])
        .env("PATH", format!("{}:{path}", lane.path("bin").display()))
        .env("CARGO_TARGET_DIR", lane.path("target"))
        .output()
        .expect("the script starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.success(), says.is_none(), "{output:?}");
    assert!(says.is_none_or(|says| said.contains(says) && said.lines().count() == 1), "{said}");
    let packed = lane.path("out/sockeye-9.8.7-x86_64-linux-musl.tar.gz").exists();
    assert_eq!(packed, says.is_none(), "{said}");
}
