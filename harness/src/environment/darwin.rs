//! What to ask a Mac: the commands, as argument vectors, and what of their answers has a field.

use super::{Environment, Log};

/// Commands whose words are kept whole, `networksetup` and the like left out: they name networks.
pub const COMMANDS: &[&[&str]] = &[
    &["sw_vers"],
    &[
        "sysctl",
        "net.cfil",
        "net.link.fake",
        "net.inet",
        "net.inet6",
        "net.necp",
        "kern.boottime",
        "hw.model",
    ],
    &["ifconfig", "-a"],
    &["netstat", "-rn"],
    &["systemextensionsctl", "list"],
    &["scutil", "--nc", "list"],
    &["pfctl", "-s", "info"],
    &["csrutil", "status"],
    &["/usr/libexec/ApplicationFirewall/socketfilterfw", "--getglobalstate"],
];

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

/// The lines of a log, without the heading that log(1) begins with.
pub fn log(text: &str) -> Log {
    let lines = text.lines().filter(|line| !line.starts_with("Timestamp ")).map(str::to_owned);
    Log { lines: lines.collect(), missing: None }
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
        keep(&mut environment, COMMANDS[1], settings);
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
        assert_eq!(log(text).lines, ["2025-02-01 kernel: CFIL: sosend() failed 50"]);
    }
}
