//! git, as somebody has it who sends a mail to a list.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::text;

/// A program of git's, which may not be installed.
fn has_git(command: &str) -> bool {
    let exec = Command::new("git").arg("--exec-path").output();
    let folder = exec.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let found =
        folder.is_some_and(|folder| Path::new(&folder).join(format!("git-{command}")).exists());
    if !found {
        eprintln!("skipped: this host has no git {command}");
    }
    found
}

/// `git`, with no configuration and no identity but these, and no way to a server.
fn git(folder: &Path, args: &[&str], stdin: Option<&Path>) -> Output {
    let stdin =
        stdin.map_or_else(Stdio::null, |path| Stdio::from(fs::File::open(path).expect("a mail")));
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "A Person")))
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "a@x.example")))
        .stdin(stdin)
        .output();
    output.expect("git starts")
}

/// What `git send-email` and `git mailinfo` make of the mails in a folder.
pub(crate) fn goes_by_git(files: &Path, mail: &str) {
    if has_git("send-email") {
        let args = ["send-email", "--dry-run", "--confirm=never", "--suppress-cc=all"];
        let from = ["--from=A Person <a@x.example>", "mail.txt", "mail-program.txt"];
        let sent = git(files, &[&args[..], &from].concat(), None);
        let said = String::from_utf8_lossy(&sent.stdout).into_owned();
        assert!(sent.status.success(), "{sent:?}");
        let subject = mail.lines().find(|line| line.starts_with("Subject: ")).expect("a subject");
        assert!(said.contains(subject) && said.contains("In-Reply-To: <"), "{said}");
        assert_eq!(said.matches("Result: OK").count(), 2, "{said}");
        let to = mail.lines().find_map(|line| line.strip_prefix("To: ")).expect("whom it is to");
        assert!(said.contains(to.trim_end_matches(',')), "{said}");
    }
    if has_git("mailinfo") {
        let parts = ["message", "patch"].map(|name| files.join(name));
        let args = ["mailinfo", text(&parts[0]), text(&parts[1])];
        let output = git(files, &args, Some(&files.join("mail.txt")));
        assert!(output.status.success(), "{output:?}");
        let info = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(info.lines().any(|line| line.starts_with("Subject: ")), "{info}");
        let read = fs::read_to_string(&parts[0]).expect("what it says");
        let body = mail.split_once("\n\n").expect("a body").1;
        assert_eq!(read.trim_end(), body.trim_end());
        assert_eq!(fs::read_to_string(&parts[1]).expect("no patch"), "");
    }
}
