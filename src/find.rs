//! Which cases a user means by what they do: their calls, options, errnos, words and tags.

use std::collections::BTreeSet;

use clap::Args;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use harness::case::Case;
use suites::baseline::Baselines;
use suites::tag::{self, TAGS};
use suites::{Table, tables};

use crate::UsageError;

/// What cases are looked for by, besides their ids. All that is asked for must be so.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which cases")]
pub(crate) struct Find {
    /// Only cases that make this call, such as sendmsg
    #[arg(long = "call", value_name = "CALL", add = ArgValueCandidates::new(|| words(&calls())))]
    pub(crate) calls: Vec<String>,
    /// Only cases that set, ask or send along this option, such as `IPV6_DONTFRAG`
    #[arg(long = "option", value_name = "OPTION", add = ArgValueCandidates::new(|| words(&options())))]
    pub(crate) options: Vec<String>,
    /// Only cases in which a call was seen to fail so on some platform, or left that as a pending error,
    /// such as EMSGSIZE
    #[arg(long = "errno", value_name = "ERRNO", add = ArgValueCandidates::new(|| words(&errnos())))]
    pub(crate) errnos: Vec<String>,
    /// Only cases whose id, title, question or observed outcome has this text in it
    #[arg(long = "text", value_name = "TEXT")]
    pub(crate) texts: Vec<String>,
    /// Only cases that are about this, such as df, pmtu or dual-stack: `list --tags` has all
    #[arg(long = "tag", value_name = "TAG", add = ArgValueCandidates::new(tags))]
    pub(crate) tags: Vec<String>,
}

fn words(all: &BTreeSet<String>) -> Vec<CompletionCandidate> {
    all.iter().map(CompletionCandidate::new).collect()
}

fn tags() -> Vec<CompletionCandidate> {
    let tags = TAGS.iter();
    tags.map(|tag| CompletionCandidate::new(tag.name).help(Some(tag.about.into()))).collect()
}

fn all_cases() -> Vec<Case> {
    tables().into_iter().flat_map(|table| table.cases).collect()
}

fn calls() -> BTreeSet<String> {
    let cases = all_cases();
    cases.iter().flat_map(|case| &case.ops).map(|op| op.call().to_owned()).collect()
}

fn options() -> BTreeSet<String> {
    let cases = all_cases();
    cases.iter().flat_map(|case| case.ops.iter().flat_map(|op| tag::options(case, op))).collect()
}

fn errnos() -> BTreeSet<String> {
    let cases = all_cases();
    let outcomes = cases.iter().flat_map(|case| outcomes(&case.id));
    outcomes.flat_map(errnos_of).map(str::to_owned).collect()
}

/// The errors of an outcome: what calls failed with, those of `getaddrinfo` among them, and the pending
/// ones that `SO_ERROR` gave. What a payload says is none.
fn errnos_of(outcome: &str) -> impl Iterator<Item = &str> {
    outcome.lines().filter_map(|line| {
        // Behind the last ` = `: a call's arguments may have one, and a frame has none.
        let (call, returned) = line.rsplit_once(" = ")?;
        let (number, error) = returned.split_once(' ')?;
        let failed = number.starts_with('-') && call.ends_with([')', '>']);
        let pending = number == "0," && call.ends_with(" SO_ERROR)");
        let error = error.split([' ', ',']).next().filter(|error| error.starts_with('E'));
        error.filter(|_| failed || pending)
    })
}

/// What was observed of a case, on whichever platform.
fn outcomes(id: &str) -> Vec<&'static str> {
    let all = Baselines::embedded().of_case(id);
    all.map(|(_, outcome)| outcome).collect()
}

/// One thing that is asked for.
enum Asked<'f> {
    Call(&'f str),
    Option(&'f str),
    Errno(&'f str),
    Text(String),
    Tag(&'f str),
}

impl Asked<'_> {
    fn is_so(&self, case: &Case, question: &str) -> bool {
        match self {
            Self::Call(call) => case.ops.iter().any(|op| op.call() == *call),
            Self::Option(option) => {
                let has = |name: &String| name.eq_ignore_ascii_case(option);
                case.ops.iter().any(|op| tag::options(case, op).iter().any(has))
            }
            Self::Errno(errno) => outcomes(&case.id)
                .into_iter()
                .flat_map(errnos_of)
                .any(|error| error.eq_ignore_ascii_case(errno)),
            Self::Text(text) => [case.id.as_str(), &case.title, question]
                .into_iter()
                .chain(outcomes(&case.id))
                .any(|words| words.to_lowercase().contains(text.as_str())),
            Self::Tag(name) => tag::of(case).any(|tag| tag.name == *name),
        }
    }

    /// That nothing is so at all, with what would be.
    fn unknown(&self) -> UsageError {
        let (what, word, all) = match self {
            Self::Call(call) => ("makes the call", *call, calls()),
            Self::Option(option) => ("has the option", *option, options()),
            Self::Errno(errno) => ("was seen to say", *errno, errnos()),
            Self::Tag(name) => {
                ("is about", *name, TAGS.iter().map(|tag| tag.name.to_owned()).collect())
            }
            Self::Text(text) => return UsageError(format!("no case has {text:?} in its words")),
        };
        let wanted = word.to_lowercase();
        let far = |known: &String| strsim::damerau_levenshtein(&wanted, &known.to_lowercase());
        let mut near: Vec<(usize, &String)> = all.iter().map(|word| (far(word), word)).collect();
        near.sort_unstable();
        let near: Vec<&str> = near.iter().take(3).map(|(_, word)| word.as_str()).collect();
        UsageError(format!("no case {what} {word:?}; nearest are {}", near.join(", ")))
    }
}

impl Find {
    fn asked(&self) -> Vec<Asked<'_>> {
        let calls = self.calls.iter().map(|word| Asked::Call(word));
        let options = self.options.iter().map(|word| Asked::Option(word));
        let errnos = self.errnos.iter().map(|word| Asked::Errno(word));
        let texts = self.texts.iter().map(|text| Asked::Text(text.to_lowercase()));
        let tags = self.tags.iter().map(|word| Asked::Tag(word));
        calls.chain(options).chain(errnos).chain(texts).chain(tags).collect()
    }

    /// Keeps of the tables what is looked for. What no case at all has is a mistake, and so is what no
    /// case has together.
    pub(crate) fn keep(&self, tables: &mut Vec<Table>) -> Result<(), UsageError> {
        let asked = self.asked();
        if asked.is_empty() {
            return Ok(());
        }
        for table in tables.iter_mut() {
            let question = &table.question;
            table.cases.retain(|case| asked.iter().all(|asked| asked.is_so(case, question)));
        }
        tables.retain(|table| !table.cases.is_empty());
        if !tables.is_empty() {
            return Ok(());
        }
        let everything = suites::tables();
        let is_so = |asked: &&Asked<'_>| {
            everything.iter().any(|t| t.cases.iter().any(|case| asked.is_so(case, &t.question)))
        };
        match asked.iter().find(|asked| !is_so(asked)) {
            Some(asked) => Err(asked.unknown()),
            None => Err(UsageError("no case is all of that; ask for less".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(find: &Find) -> Result<Vec<Case>, UsageError> {
        let mut tables = tables();
        find.keep(&mut tables)?;
        Ok(tables.into_iter().flat_map(|table| table.cases).collect())
    }

    fn asked(call: &str, option: &str, errno: &str, text: &str, tag: &str) -> Find {
        let all = |word: &str| if word.is_empty() { vec![] } else { vec![word.to_owned()] };
        let [calls, options, errnos, texts, tags] = [call, option, errno, text, tag].map(all);
        Find { calls, options, errnos, texts, tags }
    }

    #[test]
    fn cases_are_found_by_what_they_do() {
        let cases = found(&asked("setsockopt", "IPV6_DONTFRAG", "EMSGSIZE", "", "")).unwrap();
        assert!(!cases.is_empty());
        for case in &cases {
            assert!(case.ops.iter().any(|op| op.call() == "setsockopt"), "{}", case.id);
            assert!(outcomes(&case.id).iter().any(|text| text.contains("EMSGSIZE")), "{}", case.id);
        }
        // It leaves out what is not so: without the errno there are more.
        let more = found(&asked("setsockopt", "ipv6_dontfrag", "", "", "")).unwrap();
        assert!(more.len() > cases.len(), "{} and {}", more.len(), cases.len());
        let tagged = found(&asked("", "", "", "PORT", "urgent")).unwrap();
        assert!(!tagged.is_empty() && tagged.len() < 300, "{} cases", tagged.len());
    }

    #[test]
    fn an_errno_is_what_a_call_gave() {
        let of = |outcome: &'static str| errnos_of(outcome).collect::<Vec<_>>();
        for (outcome, expected) in [
            ("bind(s, {AF_INET 192.0.2.1:80}) = -1 EADDRNOTAVAIL\n", &["EADDRNOTAVAIL"][..]),
            ("getaddrinfo(\"a\", NULL, {AF_INET, 0, 0}) = -2 EAI_NONAME", &["EAI_NONAME"]),
            ("getsockopt(s, SOL_SOCKET, SO_ERROR) = 0, ECONNREFUSED", &["ECONNREFUSED"]),
            ("t: <... accept resumed> = -1 EINVAL", &["EINVAL"]),
            ("getsockopt(s, SOL_SOCKET, SO_ERROR) = 0, 0", &[]),
            ("send(c, \"EPRT |1|192.0.2.1|9|\\r\\n\", 24, 0) = 24", &[]),
            ("send(c, \"x) = -1 EPERM\", 13, 0) = 13", &[]),
            ("    > link0 IPv4 192.0.2.1 > 192.0.2.2 ttl 64 UDP 1 > 2 len 4 \"EPSV\"", &[]),
            ("a() = -1 EPERM\nb() = 0\nc() = -1 EBADF", &["EPERM", "EBADF"]),
        ] {
            assert_eq!(of(outcome), expected, "{outcome}");
        }
        // Completion and the search are of one mind.
        let all = errnos();
        assert!(all.contains("EMSGSIZE") && all.contains("EAI_NONAME"), "{all:?}");
        assert!(!all.contains("EPRT") && !all.contains("EPSV"), "{all:?}");
        for errno in &all {
            assert!(!found(&asked("", "", errno, "", "")).unwrap().is_empty(), "{errno}");
        }
    }

    #[test]
    fn what_no_case_has_is_said_with_what_some_have() {
        let error = |find: Find| found(&find).unwrap_err().0;
        let said = error(asked("setsocktop", "", "", "", ""));
        assert!(said.contains("nearest are setsockopt"), "{said}");
        let said = error(asked("", "IPV6_DONTFRAGS", "", "", ""));
        assert!(said.contains("nearest are IPV6_DONTFRAG,"), "{said}");
        // A command of FTP's, which stands in payloads.
        let said = error(asked("", "", "EPRT", "", ""));
        assert!(said.contains("no case was seen to say \"EPRT\"; nearest are E"), "{said}");
        let said = error(asked("", "", "EMSGSISE", "", ""));
        assert!(said.contains("nearest are EMSGSIZE"), "{said}");
        let said = error(asked("", "", "", "", "pmtus"));
        assert!(said.contains("nearest are pmtu"), "{said}");
        assert!(error(asked("", "", "", "no such words", "")).contains("in its words"));
        assert!(error(asked("kevent", "", "", "", "dns")).contains("no case is all of that"));
    }
}
