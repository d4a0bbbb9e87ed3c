//! A table: one question, asked for each row of its parameters.

use std::borrow::Cow;

use harness::case::Case;

/// A family of cases that differ in their parameters.
#[derive(Clone, Debug)]
pub struct Table {
    /// `suite/table`.
    pub name: Cow<'static, str>,
    /// The question that its rows answer, as one sentence.
    pub question: Cow<'static, str>,
    /// One case a row, in the order of the rows.
    pub cases: Vec<Case>,
    /// The combinations of parameters that are no rows.
    pub left_out: Vec<LeftOut>,
}

/// A combination of parameters that is no row, and why.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// The id that the case would have.
    pub id: String,
    /// One sentence.
    pub why: Cow<'static, str>,
}

/// What one combination of parameters becomes.
pub(crate) enum Row {
    /// This case, still without an id.
    Case(Case),
    /// Nothing, for this reason.
    LeftOut(&'static str),
}

impl Table {
    /// A table of these cases, which leaves nothing out.
    pub fn of(name: Cow<'static, str>, question: Cow<'static, str>, cases: Vec<Case>) -> Self {
        Self { name, question, cases, left_out: Vec::new() }
    }

    /// An empty table.
    pub(crate) fn new(name: &'static str, question: &'static str) -> Self {
        Self::of(name.into(), question.into(), Vec::new())
    }

    /// Adds the row of these parameters.
    pub(crate) fn push(&mut self, parameters: &[&str], row: Row) {
        let id = if parameters.is_empty() {
            self.name.to_string()
        } else {
            format!("{}[{}]", self.name, parameters.join(","))
        };
        match row {
            Row::Case(case) => self.cases.push(Case { id, ..case }),
            Row::LeftOut(why) => self.left_out.push(LeftOut { id, why: why.into() }),
        }
    }
}
