//! What to ask a Mac: the commands, as argument vectors, and what of their answers has a field.

use std::time::Duration;

use super::ask::Said;
use super::{Environment, Log};

/// Commands whose words are kept whole, `networksetup` and the like left out: they name networks.
pub const COMMANDS: &[&[&str]] = &[
    &["sw_vers"],
    // Each alone: which of them there are differs from version to version.
    &["sysctl", "net.cfil"],
    &["sysctl", "net.link.fake"],
    &["sysctl", "net.inet"],
    &["sysctl", "net.inet6"],
    &["sysctl", "net.necp"],
    &["sysctl", "kern.boottime"],
    &["sysctl", "hw.model"],
    &["ifconfig", "-a"],
    &["netstat", "-rn"],
    &["systemextensionsctl", "list"],
    &["scutil", "--nc", "list"],
    &["scutil", "--get", "ComputerName"],
    &["scutil", "--get", "LocalHostName"],
    &["pfctl", "-s", "info"],
    &["csrutil", "status"],
    &["/usr/libexec/ApplicationFirewall/socketfilterfw", "--getglobalstate"],
];

/// How long one of them may take.
pub const LIMIT: Duration = Duration::from_secs(10);

/// How long log(1) may take, which searches all of the day's log.
pub const LOG_LIMIT: Duration = Duration::from_secs(30);

/// The command that has the full name of a user, which is often that of the machine, too.
pub fn full_name(user: &str) -> [&str; 3] {
    ["id", "-F", user]
}

/// What the kernel said of content filters, links and sockets in between, from log(1). Times are
/// in seconds since 1970.
pub fn log_show(from_s: u64, to_s: u64) -> Vec<String> {
    let predicate = "process == \"kernel\" AND (eventMessage CONTAINS[c] \"cfil\" OR eventMessage \
                     CONTAINS \"sosend\" OR eventMessage CONTAINS \"necp\" OR eventMessage CONTAINS \
                     \"feth\" OR eventMessage CONTAINS \"utun\")";
    let (start, end) = (format!("@{from_s}"), format!("@{to_s}"));
    ["log", "show", "--style", "syslog", "--info", "--debug", "--start", &start, "--end", &end]
        .into_iter()
        .chain(["--predicate", predicate])
        .map(str::to_owned)
        .collect()
}

/// The lines of a log, without the heading that log(1) begins with, and why some may be missing.
pub fn log(said: &Said) -> Log {
    let lines = said.text.lines().filter(|line| !line.starts_with("Timestamp "));
    let missing = said.failed.as_ref().map(|why| format!("log: {why}"));
    Log { lines: lines.map(str::to_owned).collect(), missing }
}

/// Takes what `command` said, and notes what it did not say.
pub fn take(environment: &mut Environment, command: &[&str], said: &Said) {
    if !said.text.is_empty() || said.failed.is_none() {
        keep(environment, command, &said.text);
    }
    let unknown = said.failed.iter().map(|why| format!("{}: {why}", command.join(" ")));
    environment.unknown.extend(unknown);
}

/// Takes what `command` said into its fields, or keeps it whole.
pub fn keep(environment: &mut Environment, command: &[&str], said: &str) {
    match command {
        ["sw_vers"] => {
            let field = |name: &str| {
                let value = |line: &str| Some(line.strip_prefix(name)?.trim().to_owned());
                said.lines().find_map(value)
            };
            let name = field("ProductName:").unwrap_or_else(|| "macOS".to_owned());
            environment.os = field("ProductVersion:").map(|version| format!("{name} {version}"));
            environment.os_build = field("BuildVersion:");
        }
        ["sysctl", ..] => {
            for (name, value) in said.lines().filter_map(|line| line.split_once(": ")) {
                if name == "kern.boottime" {
                    let seconds = value.split_once("sec = ").map(|(_, rest)| rest);
                    let seconds = seconds.and_then(|rest| rest.split(',').next());
                    environment.booted_s = seconds.and_then(|s| s.trim().parse().ok());
                } else {
                    environment.sysctls.insert(name.to_owned(), value.trim().to_owned());
                }
            }
        }
        // They name the machine, and often its owner, and say nothing else.
        ["scutil", "--get", _] => {
            environment.private.hosts.extend(said.lines().map(|name| name.trim().to_owned()));
        }
        ["id", "-F", _] => {
            environment.private.users.extend(said.lines().map(|name| name.trim().to_owned()));
        }
        ["netstat", ..] => environment.routes = said.lines().map(str::to_owned).collect(),
        ["systemextensionsctl" | "scutil", ..] => {
            let what = command.join(" ");
            let lines = said.lines().filter(|line| !line.trim().is_empty());
            environment.filters.extend(lines.map(|line| format!("{what}: {}", line.trim())));
            if command[0] == "scutil" {
                environment.private.vpns.extend(said.lines().filter_map(vpn));
            }
        }
        _ => {
            environment.said.insert(command.join(" "), said.to_owned());
        }
    }
}

/// The name of a VPN in a line of `scutil --nc list`: the last text in quotes before its kind.
fn vpn(line: &str) -> Option<String> {
    let (before, _) = line.rsplit_once('[')?;
    let (_, quoted) = before.split_once('"')?;
    let (name, _) = quoted.rsplit_once('"')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_vpns_are_private() {
        let said = "Available network connection services in the current set (*=enabled):\n\
            * (Disconnected)   7A0C5F3E-0B0D-4F5C-9C6B-2C8E3B1D4F60 IPSec              \"Office \
            of \"A\" [Berlin]\"      [IPSec]\n\
            * (Connected)      0D8B5E1C-7B1C-4E39-8A55-9D7B6C2F1A02 VPN (com.wireguard.macos) \
            \"home-tunnel\"                    [VPN:com.wireguard.macos]\n";
        let mut environment = Environment::default();
        keep(&mut environment, &["scutil", "--nc", "list"], said);
        assert_eq!(environment.private.vpns, ["Office of \"A\" [Berlin]", "home-tunnel"]);
        assert_eq!(environment.filters.len(), 3);
        let mut other = Environment::default();
        keep(&mut other, &["systemextensionsctl", "list"], said);
        assert_eq!(other.private.vpns, [""; 0]);
    }

    #[test]
    fn the_build_and_the_settings_have_fields() {
        let mut environment = Environment::default();
        let version = "ProductName:\t\tmacOS\nProductVersion:\t\t15.3.1\nBuildVersion:\t\t24D70\n";
        keep(&mut environment, COMMANDS[0], version);
        assert_eq!(environment.os.as_deref(), Some("macOS 15.3.1"));
        assert_eq!(environment.os_build.as_deref(), Some("24D70"));
        let settings =
            "net.cfil.active_count: 1\nkern.boottime: { sec = 1738000000, usec = 7 } Mon\n";
        keep(&mut environment, &["sysctl", "net.cfil"], settings);
        assert_eq!(environment.sysctls["net.cfil.active_count"], "1");
        assert_eq!(environment.booted_s, Some(1_738_000_000));
        keep(&mut environment, &["ifconfig", "-a"], "lo0: flags=8049");
        assert_eq!(environment.said["ifconfig -a"], "lo0: flags=8049");
    }

    #[test]
    fn the_log_is_asked_for_one_window() {
        let argv = log_show(10, 12);
        assert_eq!(argv[..2], ["log", "show"]);
        let after = |flag: &str| &argv[argv.iter().position(|a| a == flag).unwrap() + 1];
        assert_eq!((after("--start").as_str(), after("--end").as_str()), ("@10", "@12"));
        assert!(after("--predicate").contains("[c] \"cfil\""));
        let text = "Timestamp  (process)[PID]\n2025-02-01 kernel: CFIL: sosend() failed 50\n";
        let line = "2025-02-01 kernel: CFIL: sosend() failed 50";
        let said = Said { text: text.to_owned(), failed: None };
        assert_eq!(log(&said), Log { lines: vec![line.to_owned()], missing: None });
        // What came before it was cut off is kept, and that it was.
        let cut = log(&Said { failed: Some("it had not ended".to_owned()), ..said });
        assert_eq!(cut.lines, [line]);
        assert_eq!(cut.missing.as_deref(), Some("log: it had not ended"));
    }

    /// `sysctl net.necp` of a kernel that has none ends with status 1.
    #[test]
    fn one_unknown_setting_loses_no_other() {
        let mut environment = Environment::default();
        let mut asked = 0;
        for command in COMMANDS.iter().filter(|command| command[0] == "sysctl") {
            let [_, name] = command[..] else { panic!("{command:?} asks for several") };
            asked += 1;
            let said = match name {
                "net.necp" => Said { text: String::new(), failed: Some("status 1".to_owned()) },
                // Some of what is below it cannot be read.
                "net.inet" => {
                    Said { text: "net.inet.ip.ttl: 64\n".to_owned(), failed: Some("1".to_owned()) }
                }
                name => Said { text: format!("{name}: 1\n"), failed: None },
            };
            take(&mut environment, command, &said);
        }
        // The boot time is none.
        assert_eq!((asked, environment.sysctls.len()), (7, 5));
        assert_eq!(environment.sysctls["net.inet.ip.ttl"], "64");
        assert_eq!(environment.unknown, ["sysctl net.inet: 1", "sysctl net.necp: status 1"]);
    }

    #[test]
    fn the_machines_name_and_its_owners_are_private_and_nothing_else() {
        let mut environment = Environment::default();
        for (command, said) in [
            (&["scutil", "--get", "ComputerName"][..], "Anna\u{2019}s MacBook Pro\n"),
            (&["scutil", "--get", "LocalHostName"], "Annas-MacBook-Pro\n"),
            (&full_name("anna"), "Anna Planted\n"),
        ] {
            keep(&mut environment, command, said);
        }
        let private = std::mem::take(&mut environment.private);
        assert_eq!(private.hosts, ["Anna\u{2019}s MacBook Pro", "Annas-MacBook-Pro"]);
        assert_eq!(private.users, ["Anna Planted"]);
        assert_eq!(environment, Environment::default());
    }
}
