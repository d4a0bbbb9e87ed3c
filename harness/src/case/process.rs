//! What the process of a case may have and be, and how it takes signals: its dispositions (signal(7)), its limits
//! (getrlimit(2)), its capabilities (capabilities(7)), its effective user (credentials(7)). Each is as it was before when
//! the case is over.
//!
//! What can be named is here and nothing else: no signal that would end the executor, no resource but descriptors.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lab::LabOp;
use super::op::Name;
use super::{Case, Op};

/// Words of headers, each a value of a type, and no others.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[allow(missing_docs, reason = "the words are the manual pages'")]
        pub enum $name {
            $(#[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As the headers have it.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// A signal that nothing else here is about.
    Signal {
        Usr1 = "SIGUSR1",
        Usr2 = "SIGUSR2",
        Urg = "SIGURG",
        Io = "SIGIO",
    }
}

words! {
    /// What becomes of a signal: a handler that does nothing, without and with `SA_RESTART`, or nothing at all.
    Disposition {
        Interrupts = "0",
        Restarts = "SA_RESTART",
        Ignored = "SIG_IGN",
    }
}

words! {
    /// Of what there may be only so much.
    Resource {
        Nofile = "RLIMIT_NOFILE",
    }
}

words! {
    /// A right of root's that is about sockets, or files.
    Capability {
        DacOverride = "CAP_DAC_OVERRIDE",
        NetAdmin = "CAP_NET_ADMIN",
        NetBindService = "CAP_NET_BIND_SERVICE",
        NetBroadcast = "CAP_NET_BROADCAST",
        NetRaw = "CAP_NET_RAW",
        Setgid = "CAP_SETGID",
        Setuid = "CAP_SETUID",
        SysAdmin = "CAP_SYS_ADMIN",
        SysResource = "CAP_SYS_RESOURCE",
    }
}

/// That a mask has each signal once.
pub(super) fn mask(op: &Op) -> Result<(), String> {
    let Some(mask) = op.mask() else { return Ok(()) };
    let twice = mask.iter().enumerate().find(|(at, one)| mask[..*at].contains(one));
    match twice {
        Some((_, signal)) => Err(format!("{}: {signal} is in its mask twice", op.call())),
        None => Ok(()),
    }
}

/// A call that is about the process.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the arguments are those of the manual page")]
pub enum ProcessCall {
    /// `sigaction(signal, {handler, flags}, NULL)`.
    Sigaction { signal: Signal, how: Disposition },
    /// `pthread_kill(thread, signal)`, of a thread that waits in a call; one that does not is gone, `ESRCH`.
    #[serde(rename = "pthread_kill")]
    PthreadKill { thread: Name, signal: Signal },
    /// `setrlimit(resource, {soft, as it is})`, which holds for the calls of the case.
    Setrlimit { resource: Resource, soft: u32 },
    /// `capset(2)`: the effective set is all that the process may have, without these. Linux's.
    Capset { without: Vec<Capability> },
    /// `seteuid(2)`: root acts for another user, and with 0 for itself again. Where nobody may, or there is no such
    /// user, it is not here.
    Seteuid { uid: u32 },
}

/// The last user that a case may act for, `nobody` on Linux: those behind it are what no two systems agree on.
const MOST_OF_USERS: u32 = 65_534;

/// The most descriptors that a case may ask for: as many as Linux gives to one process by itself.
pub(crate) const MOST_OF_FILES: u32 = 1024;

impl ProcessCall {
    /// The C function's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sigaction { .. } => "sigaction",
            Self::PthreadKill { .. } => "pthread_kill",
            Self::Setrlimit { .. } => "setrlimit",
            Self::Capset { .. } => "capset",
            Self::Seteuid { .. } => "seteuid",
        }
    }

    /// Whether Linux alone has it.
    pub fn is_linuxs(&self) -> bool {
        matches!(self, Self::Capset { .. })
    }
}

impl fmt::Display for ProcessCall {
    /// Its arguments: `SIGUSR1, SA_RESTART`, `t, SIGUSR1`, `RLIMIT_NOFILE, 0`, `{without=CAP_NET_RAW}`, `65534`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sigaction { signal, how } => write!(f, "{signal}, {how}"),
            Self::PthreadKill { thread, signal } => write!(f, "{thread}, {signal}"),
            Self::Setrlimit { resource, soft } => write!(f, "{resource}, {soft}"),
            Self::Capset { without } if without.is_empty() => f.write_str("{without=0}"),
            Self::Capset { without } => {
                let words: Vec<&str> = without.iter().map(|one| one.word()).collect();
                write!(f, "{{without={}}}", words.join("|"))
            }
            Self::Seteuid { uid } => uid.fmt(f),
        }
    }
}

impl Case {
    /// What it does to its process, step by step.
    pub fn of_the_process(&self) -> impl Iterator<Item = (usize, &ProcessCall)> {
        self.ops.iter().enumerate().filter_map(|(at, op)| match op {
            Op::Process { call } => Some((at, call)),
            _ => None,
        })
    }

    /// What is wrong with that, as one sentence.
    pub(super) fn check_process(&self) -> Result<(), String> {
        let mut handled = Vec::new();
        let mut lessened = None;
        for (at, call) in self.of_the_process() {
            match call {
                ProcessCall::Sigaction { signal, .. } => handled.push(*signal),
                ProcessCall::PthreadKill { thread, signal } => {
                    if !handled.contains(signal) {
                        return Err(format!("pthread_kill: {signal} has no disposition before"));
                    }
                    let steps = self.threads.0.get(thread);
                    if !steps.is_some_and(|steps| steps.iter().any(|step| (*step as usize) < at)) {
                        return Err(format!("pthread_kill: no thread {thread:?} has begun before"));
                    }
                }
                ProcessCall::Setrlimit { soft, .. } if *soft > MOST_OF_FILES => {
                    return Err(format!("setrlimit: {soft}, {MOST_OF_FILES} are the most"));
                }
                ProcessCall::Capset { without } if without.len() > Capability::ALL.len() => {
                    let (many, most) = (without.len(), Capability::ALL.len());
                    return Err(format!("capset: {many} at once, {most} are the most"));
                }
                ProcessCall::Setrlimit { .. }
                | ProcessCall::Capset { .. }
                | ProcessCall::Seteuid { .. } => lessened = Some(call.name()),
            }
        }
        self.check_users()?;
        // What the executor itself does in a step would be lessened with it: its threads, its files.
        let own = |op: &Op| matches!(op, Op::File { .. } | Op::Run { .. } | Op::Lab { .. });
        let waits = |op: &Op| matches!(op, Op::Lab { step: LabOp::Wait { .. } });
        let is_more = !self.lab.links.is_empty()
            || !self.threads.is_empty()
            || self.resolves()
            || self.ops.iter().any(|op| own(op) && !waits(op));
        match lessened {
            Some(call) if is_more => Err(format!(
                "{call}: such a case has neither links nor threads nor a tmpfile, looks nothing up, and waits alone"
            )),
            _ => Ok(()),
        }
    }
}

impl Case {
    /// Whether it acts for other users than the executor's.
    pub fn acts_for_others(&self) -> bool {
        self.of_the_process().any(|(_, call)| matches!(call, ProcessCall::Seteuid { .. }))
    }

    /// That a case acts for another user as a process does that root began: who is another cannot become a third, and
    /// which rights one has beside that depends on what came first.
    fn check_users(&self) -> Result<(), String> {
        let mut acts_for = 0;
        for (_, call) in self.of_the_process() {
            match call {
                ProcessCall::Seteuid { uid } if *uid > MOST_OF_USERS => {
                    return Err(format!("seteuid: {uid}, {MOST_OF_USERS} is the last"));
                }
                ProcessCall::Seteuid { uid } if ![0, acts_for].contains(uid) && acts_for != 0 => {
                    return Err(format!("seteuid: from {acts_for} to {uid} it goes by 0"));
                }
                ProcessCall::Seteuid { uid } => acts_for = *uid,
                ProcessCall::Capset { .. } if self.acts_for_others() => {
                    return Err(
                        "capset: not in a case that has seteuid, whose rights it sets".to_owned()
                    );
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SOCKET: &str = r#"{"socketpair":{"a":"p","b":"s","domain":"AF_UNIX","type":["SOCK_STREAM"],"protocol":[]}},"#;
    const HANDLED: &str =
        r#"{"process":{"call":{"sigaction":{"signal":"SIGUSR1","how":"SA_RESTART"}}}},"#;
    const WAITS: &str = r#"{"recv":{"fd":"s","len":1,"flags":[]}},"#;
    const KILLS: &str =
        r#"{"process":{"call":{"pthread_kill":{"thread":"t","signal":"SIGUSR1"}}}}"#;
    const LIMITED: &str =
        r#"{"process":{"call":{"setrlimit":{"resource":"RLIMIT_NOFILE","soft":0}}}}"#;
    const LESS: &str = r#"{"process":{"call":{"capset":{"without":["CAP_NET_RAW"]}}}}"#;
    const OTHER: &str = r#"{"process":{"call":{"seteuid":{"uid":65534}}}}"#;
    const THIRD: &str = r#"{"process":{"call":{"seteuid":{"uid":7}}}}"#;
    const ROOT: &str = r#"{"process":{"call":{"seteuid":{"uid":0}}}}"#;

    fn case(lab: &str, ops: &str, threads: &str) -> Result<Case, String> {
        let text = format!(
            r#"{{"id":"a/b","title":"","lab":{{{lab}}},"ops":[{ops}],"threads":{{{threads}}}}}"#
        );
        serde_json::from_str(&text).map_err(|e| e.to_string())
    }

    #[rstest]
    #[case(&[SOCKET, HANDLED, WAITS, KILLS], r#""t":[2]"#, true)]
    #[case::of_no_disposition(&[SOCKET, WAITS, KILLS], r#""t":[1]"#, false)]
    #[case::of_nobody(&[SOCKET, HANDLED, KILLS], "", false)]
    #[case::before_it_begins(&[SOCKET, HANDLED, KILLS, ",", r#"{"recv":{"fd":"s","len":1,"flags":[]}}"#], r#""t":[3]"#, false)]
    #[case::limited(&[SOCKET, LIMITED], "", true)]
    #[case::limited_thread(&[SOCKET, WAITS, LIMITED], r#""t":[1]"#, false)]
    #[case::less(&[LESS], "", true)]
    #[case::other(&[SOCKET, OTHER], "", true)]
    #[case::back(&[SOCKET, OTHER, ",", ROOT, ",", THIRD], "", true)]
    #[case::by_nobody(&[SOCKET, OTHER, ",", THIRD], "", false)]
    #[case::with_rights(&[SOCKET, OTHER, ",", LESS], "", false)]
    #[case::nobody_there(&[SOCKET, r#"{"process":{"call":{"seteuid":{"uid":65535}}}}"#], "", false)]
    #[case::other_thread(&[SOCKET, WAITS, OTHER], r#""t":[1]"#, false)]
    #[case::file(&[r#"{"tmpfile":{"new":"f","data":{"text":"x"}}},"#, LESS], "", false)]
    fn the_process_is_checked(#[case] ops: &[&str], #[case] threads: &str, #[case] holds: bool) {
        let checked = case("", &ops.concat(), threads).expect("a case").check();
        assert_eq!(checked.is_ok(), holds, "{checked:?}");
    }

    #[test]
    fn links_are_the_executors() {
        let link = r#""links":[{"name":"l","kind":"tun","mtu":1500,"ranges":["v4"]}]"#;
        for less in [LIMITED, LESS, OTHER] {
            assert!(case(link, less, "").expect("a case").check().is_err());
        }
    }

    #[rstest]
    #[case(KILLS.replace("SIGUSR1", "SIGKILL"))]
    #[case(LIMITED.replace("RLIMIT_NOFILE", "RLIMIT_CPU"))]
    #[case(LESS.replace("CAP_NET_RAW", "CAP_KILL"))]
    #[case(HANDLED.trim_end_matches(',').replace("SA_RESTART", "SIG_DFL"))]
    fn no_other_word_is_one(#[case] op: String) {
        assert!(case("", &op, "").is_err(), "{op}");
    }

    #[test]
    fn numbers_have_an_end() {
        let limit =
            |soft: &str| case("", &LIMITED.replace(":0", soft), "").expect("a case").check();
        assert!(limit(":1024").is_ok());
        assert!(limit(":1025").unwrap_err().contains("are the most"));
    }
}
