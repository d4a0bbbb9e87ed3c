//! Which case shows what an option does: said in `suites/coverage/effects.txt`, and held to account.

use std::sync::OnceLock;

/// What a case shows of an option, beyond that it can be set and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The option's name.
    pub option: String,
    /// The id of the case.
    pub case: String,
    /// Words of its outcome that would not be there without the option, and not in its own line.
    pub words: String,
    /// A case in whose outcome they are not: without the option, or with another value.
    pub unlike: String,
}

/// Every effect that the tables declare.
pub fn effects() -> &'static [Effect] {
    static ALL: OnceLock<Vec<Effect>> = OnceLock::new();
    ALL.get_or_init(|| read(include_str!("../../coverage/effects.txt")).expect("a test reads them"))
}

/// `OPTION CASE unlike CASE : WORDS`, a line each.
pub(super) fn read(text: &str) -> Result<Vec<Effect>, String> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| effect(line).ok_or_else(|| format!("effects.txt: {line:?}"))).collect()
}

fn effect(line: &str) -> Option<Effect> {
    let (said, words) = line.split_once(" : ")?;
    let mut parts = said.split(' ');
    let (option, case) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let ("unlike", unlike, None) = (parts.next()?, parts.next()?.to_owned(), parts.next()) else {
        return None;
    };
    Some(Effect { option, case, words: words.to_owned(), unlike })
}
