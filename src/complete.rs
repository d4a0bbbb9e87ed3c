//! Completions, man pages and help: what is known of commands, and of cases while one types.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{CompleteEnv, Shells};

use crate::cli::{Cli, Man};
use crate::{Status, UsageError, out, select};

/// The variable by which a shell's completion asks this program: none that others have.
const ASKED: &str = "SOCKEYE_COMPLETE";

/// Answers a shell that completes a line; whether one has asked. It asks behind `--`, so that the
/// variable alone, in whose environment ever, changes nothing that a command does.
pub(crate) fn answer() -> Result<bool> {
    let words = std::env::args_os();
    if std::env::args_os().nth(1).is_none_or(|word| word != "--") {
        return Ok(false);
    }
    Ok(CompleteEnv::with_factory(Cli::command).var(ASKED).try_complete(words, None)?)
}

/// Suites and tables that begin so; behind a bracket, or where there is but one table, its cases.
pub(crate) fn cases(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let tables = suites::tables();
    let begins = |word: &str| word.starts_with(typed);
    let in_table = |name: &str| typed.strip_prefix(name).is_some_and(|rest| rest.starts_with('['));
    let named: Vec<_> =
        tables.iter().filter(|table| begins(&table.name) || in_table(&table.name)).collect();
    let mut found: Vec<CompletionCandidate> = Vec::new();
    let mut suites: Vec<&str> = named.iter().filter_map(|t| t.name.split('/').next()).collect();
    suites.dedup();
    found.extend(suites.iter().filter(|suite| begins(suite)).map(CompletionCandidate::new));
    for table in &named {
        if begins(&table.name) {
            let question = table.question.to_string();
            let name = CompletionCandidate::new(table.name.as_ref());
            found.push(name.help(Some(question.into())));
        }
    }
    if let [table] = &named[..] {
        let ids = table.cases.iter().filter(|case| begins(&case.id) && case.id != table.name);
        found.extend(
            ids.map(|case| {
                CompletionCandidate::new(&case.id).help(Some(case.title.clone().into()))
            }),
        );
    }
    found
}

/// Prints what makes a shell complete.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Status> {
    let mut text = Vec::new();
    let name = shell.to_string();
    let shells = Shells::builtins();
    let completer = shells.completer(&name).with_context(|| format!("nothing completes {name}"))?;
    completer.write_registration(ASKED, "sockeye", "sockeye", "sockeye", &mut text)?;
    out::text(&String::from_utf8(text)?);
    Ok(Status::Expected)
}

/// Prints the page of the program or of a command, or writes all of them into a folder.
pub(crate) fn man(args: &Man) -> Result<Status> {
    let mut command = Cli::command();
    if let Some(folder) = &args.out {
        return pages(command, folder);
    }
    command.build();
    let mut command = &command;
    for word in &args.command {
        let known = command.find_subcommand(word);
        command = known.ok_or_else(|| UsageError(unknown(word)))?;
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    out::text(&String::from_utf8(text)?);
    Ok(Status::Expected)
}

fn pages(command: Command, folder: &Path) -> Result<Status> {
    let cannot = || format!("{} cannot be written", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)?;
    clap_mangen::generate_to(command, folder).with_context(cannot)?;
    Ok(Status::Expected)
}

fn unknown(word: &str) -> String {
    let near = near(word);
    let near =
        if near.is_empty() { String::new() } else { format!("; there is {}", near.join(", ")) };
    format!("no command is called {word:?}{near}")
}

/// The commands that are spelt nearly so.
fn near(word: &str) -> Vec<String> {
    let command = Cli::command();
    let far = |name: &str| strsim::damerau_levenshtein(word, name);
    let names =
        command.get_subcommands().map(|c| c.get_name().to_owned()).chain(["help".to_owned()]);
    let mut near: Vec<(usize, String)> = names
        .map(|name| (far(&name), name))
        .filter(|(far, name)| *far <= 1 || *far == 2 && name.len() > 4)
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| format!("`sockeye {name}`")).collect()
}

/// What is to be said where the first word is no command, no case either, and spelt nearly like one.
pub(crate) fn mistyped(words: &[String]) -> Option<UsageError> {
    let word = words.first().filter(|word| !word.starts_with('-'))?;
    let known = Cli::command().find_subcommand(word).is_some() || word == "help";
    let near = near(word);
    if known || near.is_empty() || select::chosen(std::slice::from_ref(word)).is_ok() {
        return None;
    }
    Some(UsageError(format!(
        "{word:?} is no command and no case; did you mean {}? `sockeye help` has all commands",
        near.join(" or ")
    )))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("lst", Some("`sockeye list`"))]
    #[case("shwo", Some("`sockeye show`"))]
    #[case("subject", Some("`sockeye subjects`"))]
    #[case("list", None)]
    #[case("link-state", None)]
    #[case("--list", None)]
    #[case("frobnicate", None)]
    fn a_mistyped_command_is_known_for_one(#[case] word: &str, #[case] meant: Option<&str>) {
        let said = mistyped(&[word.to_owned()]).map(|error| error.0);
        assert_eq!(said.is_some(), meant.is_some(), "{said:?}");
        assert!(said.is_none_or(|said| said.contains(meant.unwrap_or_default())));
    }

    #[test]
    fn cases_are_completed() {
        let values = |typed: &str| -> Vec<String> {
            let all = cases(OsStr::new(typed));
            all.iter().map(|c| c.get_value().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(values("link-st")[..1], ["link-state"]);
        assert!(values("link-st").contains(&"link-state/netdown".to_owned()));
        assert!(values("").iter().all(|id| !id.contains('[')), "too many at once");
        let typed = "link-state/udp-sendto[tap,down";
        let found = values(typed);
        assert!(!found.is_empty() && found.iter().all(|id| id.starts_with(typed)), "{found:?}");
        assert_eq!(values("nothing"), [""; 0]);
    }
}
