//! `run.sh`: compiles the reproducers, runs them, says what came, takes away what it made.

use harness::case::Os;

use crate::repro;
use crate::runs::Line;

/// The script for programs with these names.
pub(super) fn script(programs: &[String], os: Os, lines: &[Line]) -> String {
    let root = lines.iter().any(|l| !l.case.lab.links.is_empty() || !l.case.lab.setup.is_empty());
    let flags: Vec<&str> = repro::FLAGS.iter().copied().filter(|flag| *flag != "-Werror").collect();
    let needs = match (os, root) {
        (Os::Macos, true) => {
            "[ \"$(id -u)\" -eq 0 ] || { echo \"run.sh: links are made by root alone: sudo sh run.sh\" >&2; exit 2; }\n"
        }
        _ => "",
    };
    format!(
        r#"#!/bin/sh
# Builds the lab, makes the calls, compares, cleans up. Exit status: 0 if every call did what the
# bundle says, 1 if one did anything else, 2 if it could not be tried here.
set -u
cd "$(dirname "$0")" || exit 2
cc=${{CC:-cc}}
command -v "$cc" >/dev/null 2>&1 || {{
    echo "run.sh: there is no C compiler called $cc here; CC names another one" >&2
    exit 2
}}
{needs}build=$(mktemp -d) || exit 2
trap 'rm -rf "$build"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
worst=0
for source in {sources}; do
    "$cc" {flags} -o "$build/repro" "$source" || {{
        echo "run.sh: $source does not compile here" >&2
        exit 2
    }}
    echo "== $source: what each call did; its first comment says what was observed"
    status=0
    "$build/repro" </dev/null || status=$?
    case $status in
    0) echo "== reproduced" ;;
    1) echo "== not reproduced" ;;
    *) echo "== not tried here (status $status)"; status=2 ;;
    esac
    [ "$status" -le "$worst" ] || worst=$status
done
exit "$worst"
"#,
        sources = programs.join(" "),
        flags = flags.join(" "),
    )
}
