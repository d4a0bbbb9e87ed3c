//! Which calls of a case are another thread's than the first's.
//!
//! Such a step begins when its turn comes, and the next one is taken when the call has returned or its
//! thread is known to wait in it: then what ends it is a later step of somebody else's. A thread makes
//! one call at a time, and the case is over when all of them have returned.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{MOST_OF_SOCKET, is_word, sockets};
use super::{Case, Op};

/// The most threads beside the first.
const MOST: usize = 4;

/// The numbers of the steps that are a thread's, from 0 and rising, by the thread's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Threads(pub BTreeMap<String, Vec<u32>>);

impl Threads {
    /// Every step is the first thread's.
    pub const NONE: Self = Self(BTreeMap::new());

    /// Whether every step is the first thread's.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of the thread whose call this step is; none for those of the first.
    pub fn of(&self, step: u32) -> Option<&str> {
        self.number(step).map(|(_, name)| name)
    }

    /// The same, and which of them it is, from 0.
    pub(crate) fn number(&self, step: u32) -> Option<(usize, &str)> {
        let has = |steps: &[u32]| steps.binary_search(&step).is_ok();
        let found = self.0.iter().enumerate().find(|(_, (_, steps))| has(steps));
        found.map(|(number, (name, _))| (number, name.as_str()))
    }
}

/// Whether another thread may make the call: on a socket that is there, since such a thread is in none of
/// the lab's namespaces.
fn may_be_anothers(op: &Op) -> bool {
    let waits = matches!(
        op,
        Op::Poll { .. }
            | Op::Ppoll { .. }
            | Op::Select { .. }
            | Op::Pselect { .. }
            | Op::EpollWait { .. }
            | Op::EpollPwait { .. }
            | Op::Recvmmsg { .. }
    );
    op.is_transfer() || waits
}

impl Case {
    /// The name of the thread whose call this step is; none for those of the first.
    pub fn thread_of(&self, step: u32) -> Option<&str> {
        self.threads.of(step)
    }

    /// What is wrong with its threads, as one sentence.
    pub(super) fn check_threads(&self) -> Result<(), String> {
        let threads = &self.threads.0;
        if threads.len() > MOST {
            return Err(format!("it has more than {MOST} threads"));
        }
        if !threads.is_empty() && self.runs_a_program() {
            return Err("a program has its own threads, and the case around it one".to_owned());
        }
        let mut taken: Vec<u32> = Vec::new();
        for (name, steps) in threads {
            if !is_word(name, MOST_OF_SOCKET) {
                return Err(format!("{name:?} is no name of a thread"));
            }
            if self.ops.iter().flat_map(sockets).any(|socket| socket == name) {
                return Err(format!("the thread {name} has the name of a socket"));
            }
            if steps.is_empty() || !steps.is_sorted_by(|a, b| a < b) {
                return Err(format!("the thread {name} has no steps, or not in their order"));
            }
            for step in steps {
                let Some(op) = self.ops.get(*step as usize) else {
                    return Err(format!("the thread {name} has step {step}, which is none"));
                };
                if !may_be_anothers(op) {
                    return Err(format!("{} cannot be a call of another thread", op.call()));
                }
                if taken.contains(step) {
                    return Err(format!("step {step} is two threads'"));
                }
            }
            taken.extend(steps);
        }
        self.check_process()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::case::{Flags, Lab};

    fn case(threads: &[(&str, &[u32])]) -> Case {
        let (fd, domain, r#type) =
            (|| "s".to_owned(), "AF_INET".into(), Flags::of(&["SOCK_DGRAM"]));
        let recv = || Op::Recv { fd: fd(), len: 1, flags: Flags::NONE };
        let shutdown = Op::Shutdown { fd: fd(), how: "SHUT_RD".into() };
        let threads = threads.iter().map(|(name, steps)| ((*name).to_owned(), steps.to_vec()));
        Case {
            id: "s/t".to_owned(),
            title: String::new(),
            catalogue: Vec::new(),
            lab: Lab::loopback(),
            ops: vec![
                Op::Socket { fd: fd(), domain, r#type, protocol: Flags::NONE },
                recv(),
                recv(),
                shutdown,
            ],
            window_ms: 0,
            threads: Threads(threads.collect()),
        }
    }

    #[rstest]
    #[case::none(vec![], true)]
    #[case::one(vec![("t", vec![1, 3])], true)]
    #[case::two(vec![("t", vec![1]), ("u", vec![2])], true)]
    #[case::of_a_socket(vec![("s", vec![1])], false)]
    #[case::code(vec![("t);system(\"x\"", vec![1])], false)]
    #[case::empty(vec![("t", vec![])], false)]
    #[case::back(vec![("t", vec![2, 1])], false)]
    #[case::again(vec![("t", vec![1, 1])], false)]
    #[case::both(vec![("t", vec![1]), ("u", vec![1])], false)]
    #[case::beyond(vec![("t", vec![4])], false)]
    #[case::makes_a_socket(vec![("t", vec![0])], false)]
    #[case::many(vec![("a", vec![1]), ("b", vec![2]), ("c", vec![3]), ("d", vec![1]), ("e", vec![1])], false)]
    fn threads_are_checked(#[case] threads: Vec<(&str, Vec<u32>)>, #[case] holds: bool) {
        let threads: Vec<(&str, &[u32])> = threads.iter().map(|(n, s)| (*n, &s[..])).collect();
        assert_eq!(case(&threads).check().is_ok(), holds);
    }

    #[test]
    fn a_case_without_threads_reads_as_before() {
        let (plain, with) = (case(&[]), case(&[("t", &[1])]));
        let text = serde_json::to_string(&plain).expect("JSON");
        assert!(!text.contains("threads"), "{text}");
        assert_eq!(serde_json::from_str::<Case>(&text).expect("a case"), plain);
        let text = serde_json::to_string(&with).expect("JSON");
        assert!(text.contains(r#""threads":{"t":[1]}"#), "{text}");
        assert_eq!(serde_json::from_str::<Case>(&text).expect("a case"), with);
        assert_eq!((with.thread_of(1), with.thread_of(2)), (Some("t"), None));
    }
}
