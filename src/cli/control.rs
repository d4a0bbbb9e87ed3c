//! The arguments of `control`: a command for each kind of server that there is, made from what that says of itself.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Subcommand};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use far::idle::{THENS, Then};
use far::{Asked, OFFERS, Offer, Takes};

/// A control experiment: a server of ordinary sockets, for a program that hides its own.
#[derive(Debug)]
pub(crate) struct Control {
    /// Which server.
    pub(crate) offer: &'static Offer,
    pub(crate) serve: Serve,
    pub(crate) keep: Keep,
    /// What is asked of the server itself.
    pub(crate) asked: Asked,
    /// One file for the exact bytes of all.
    pub(crate) raw: Option<PathBuf>,
    /// What becomes of idle connections.
    pub(crate) idle_then: Option<Then>,
    /// Whether the command shall resolve names by this server alone.
    pub(crate) resolve_for: bool,
}

/// What every server can be told, as far as it comes before what some can.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Where to listen; port 0 is one of the kernel's choice, which is printed
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: String,
    /// Let other hosts reach the server
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// What the server does
    #[arg(long, value_name = "NAME")]
    pub(crate) script: String,
    /// Say which scripts there are
    #[arg(long)]
    pub(crate) list_scripts: bool,
    /// Stop after so many of what came
    #[arg(long, value_name = "N", conflicts_with = "command",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) requests: Option<u64>,
    /// Print a line of JSON for each; the command's output goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
}

/// And what comes behind it.
#[derive(Args, Debug)]
pub(crate) struct Keep {
    /// Write what came to files, and report.jsonl
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Exit status 1 unless this was so; may be repeated. Other words list what can be expected
    #[arg(long, value_name = "WORDS")]
    pub(crate) expect: Vec<String>,
    /// The program to run, with the URL for {url} or {}, and in `$SOCKEYE_URL`; where it serves is {host} and
    /// {port}, and the file of the server's CA, if it has one, {ca} and `$SOCKEYE_CA`
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

impl Subcommand for Control {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(OFFERS.iter().map(of))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        OFFERS.iter().any(|offer| offer.name == name)
    }
}

impl FromArgMatches for Control {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (offer, matches) = matches
            .subcommand()
            .and_then(|(name, of)| Some((OFFERS.iter().find(|offer| offer.name == name)?, of)))
            .ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
        let serve = Serve::from_arg_matches(matches)?;
        let keep = Keep::from_arg_matches(matches)?;
        let takes = |what| offer.takes.contains(&what);
        let flag = |name: &str| matches.get_flag(name);
        let all = |name: &str| -> Vec<String> {
            matches.get_many(name).into_iter().flatten().cloned().collect()
        };
        let mut asked = Asked { script: serve.script.clone(), ..Asked::default() };
        if takes(Takes::Upstream) {
            asked.upstream = all("allow-upstream");
        }
        if takes(Takes::Within) {
            asked.within = WITHIN.iter().find(|what| flag(what)).map(|what| (*what).to_owned());
        }
        if takes(Takes::Groups) {
            asked.groups = all("join");
        }
        if takes(Takes::Hosts) {
            asked.names = all("name");
        }
        let raw = takes(Takes::Raw).then(|| matches.get_one("raw").cloned()).flatten();
        let idle_then = takes(Takes::IdleThen).then(|| matches.get_one("idle-then").copied());
        let resolve_for = takes(Takes::Names) && flag("resolve-for");
        let idle_then = idle_then.flatten();
        Ok(Self { offer, serve, keep, asked, raw, idle_then, resolve_for })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What can be spoken within another protocol.
const WITHIN: [&str; 2] = ["http", "ldap"];

/// The command of a server.
fn of(offer: &'static Offer) -> Command {
    let many = offer.counts;
    let one = one(many);
    let takes = |what| offer.takes.contains(&what);
    let scripts = offer.scripts;
    let script = move |typed: &OsStr| {
        let typed = typed.to_str().unwrap_or_default();
        let begin = scripts.iter().filter(|script| script.name.starts_with(typed));
        let found = begin.map(|s| CompletionCandidate::new(s.name).help(Some(s.about.into())));
        found.collect::<Vec<_>>()
    };
    let mut command = Serve::augment_args(Command::new(offer.name))
        .mut_arg("script", |arg| {
            let default = scripts.first().map_or("", |script| script.name);
            arg.required(false).default_value(default).add(ArgValueCompleter::new(script))
        })
        .mut_arg("requests", |arg| arg.help(format!("Stop after so many {many}")))
        .mut_arg("json", |arg| {
            let to = "the command's output goes to standard error";
            arg.help(format!("Print a line of JSON for each {one}; {to}"))
        });
    if takes(Takes::Raw) {
        let help = format!("Write the exact bytes of all {many} to one file");
        let raw = option("raw", "FILE", &help).value_parser(clap::value_parser!(PathBuf));
        command = command.arg(raw);
    }
    command = Keep::augment_args(command);
    if takes(Takes::Raw) {
        let help =
            format!("Write the exact bytes of each {one} to a file of its own, and report.jsonl");
        command = command.mut_arg("out", |arg| arg.help(help));
    }
    if takes(Takes::IdleThen) {
        command = command.arg(idle_then());
    }
    if takes(Takes::Upstream) {
        let help =
            "Let it connect to this host, too, and not to this machine alone; may be repeated";
        command = command.arg(option("allow-upstream", "HOST[:PORT]", help).action(APPEND));
    }
    if takes(Takes::Within) {
        let flag = |name, help| Arg::new(name).long(name).help(help).action(SET_TRUE);
        command = command
            .arg(flag("http", "Answer HTTP within it").conflicts_with("ldap"))
            .arg(flag("ldap", "Answer an LDAP bind within it"));
    }
    if takes(Takes::Hosts) {
        let help = "Have the certificate be for this name or address, too; may be repeated";
        command = command.arg(option("name", "HOST", help).action(APPEND));
    }
    if takes(Takes::Groups) {
        let help = "Join this multicast group, on an interface if one is named; may be repeated";
        command = command.arg(option("join", "GROUP[%IF]", help).action(APPEND));
    }
    if takes(Takes::Names) {
        let help = "Have COMMAND ask this server alone for names, in a network of its own (Linux)";
        let arg = Arg::new("resolve-for").long("resolve-for").help(help).action(SET_TRUE);
        command = command.arg(arg.requires("command").conflicts_with("listen"));
    }
    // Those of the arguments' own documentation stand there by now.
    command.about(offer.about).long_about(None).after_help(
        "Exit status: 0 if it served; 1 if COMMAND failed, or what was expected was not so; \
         2 wrong usage, or no such command; 3 it could not serve.\nCtrl-C ends it with the summary.",
    )
}

const APPEND: clap::ArgAction = clap::ArgAction::Append;
const SET_TRUE: clap::ArgAction = clap::ArgAction::SetTrue;

fn option(name: &'static str, value: &'static str, help: &str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help.to_owned())
}

fn idle_then() -> Arg {
    let what: Vec<String> =
        THENS.iter().map(|(name, _, about)| format!("{name}: {about}")).collect();
    let ms = far::idle::IDLE.as_millis();
    let help = format!(
        "End a connection that is idle for {ms} ms once something was answered; {}",
        what.join("; ")
    );
    let parser = PossibleValuesParser::new(THENS.map(|(name, ..)| name));
    let parser =
        parser.map(|word| THENS.iter().find(|(name, ..)| *name == word).map(|(_, then, _)| *then));
    let parser = parser.map(|then| then.unwrap_or(Then::Close));
    option("idle-then", "HOW", &help).value_parser(parser)
}

/// "queries" is many of what one is: "query".
fn one(many: &str) -> String {
    match many.strip_suffix("ies") {
        Some(begin) => format!("{begin}y"),
        None => many.strip_suffix('s').unwrap_or(many).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_it_is_for() {
        let command = Control::augment_subcommands(Command::new("control"));
        for offer in OFFERS {
            let known = command.find_subcommand(offer.name).unwrap();
            assert_eq!(known.get_about().unwrap().to_string(), offer.about);
            assert!(known.get_long_about().is_none());
        }
    }

    #[test]
    fn one_of_many() {
        assert_eq!(["requests", "queries", "data"].map(one), ["request", "query", "data"]);
    }

    /// Whatever a server can be asked, its command is one that clap takes.
    #[test]
    fn every_option_can_stand_with_the_others() {
        use Takes::{Groups, Hosts, IdleThen, Names, Raw, Upstream, Within};
        static ALL: Offer = Offer {
            takes: &[Raw, IdleThen, Upstream, Within, Groups, Hosts, Names],
            ..far::http::OFFER
        };
        of(&ALL).debug_assert();
        let text = of(&ALL).render_long_help().to_string();
        for option in [
            "--raw",
            "--idle-then",
            "--allow-upstream",
            "--ldap",
            "--join",
            "--name",
            "--resolve-for",
        ] {
            assert!(text.contains(option), "{option}: {text}");
        }
    }
}
