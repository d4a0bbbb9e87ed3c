//! What is wrong with a text, and where.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A mistake in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which bytes of the text.
    pub at: Range<usize>,
    /// One sentence.
    pub says: String,
    /// What would be right, if there is a good guess.
    pub help: Option<String>,
}

impl Fault {
    /// These bytes are wrong for this reason.
    pub fn new(at: Range<usize>, says: impl Into<String>) -> Self {
        Self { at, says: says.into(), help: None }
    }

    /// The same with what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with the nearest of these words, if one is near.
    #[must_use]
    pub fn nearest<'w>(self, word: &str, of: impl IntoIterator<Item = &'w str>) -> Self {
        match nearest(word, of) {
            Some(near) => self.help(format!("did you mean {near}?")),
            None => self,
        }
    }

    /// The same, the text being a part of a longer one that begins so many bytes later.
    #[must_use]
    pub fn later(mut self, by: usize) -> Self {
        self.at = self.at.start + by..self.at.end + by;
        self
    }
}

/// Among so many words the nearest is looked for: a stranger's table has as many as it likes.
const MOST_NEAR: usize = 2_000;

/// The word that differs in the fewest letters, if they are no more than a third of them.
pub(crate) fn nearest<'w>(word: &str, of: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    // Nobody means a name by a text that long.
    if word.len() > 64 {
        return None;
    }
    let near = of
        .into_iter()
        .take(MOST_NEAR)
        .map(|known| (strsim::damerau_levenshtein(word, known), known));
    let (distance, known) = near.min_by_key(|(distance, _)| *distance)?;
    (distance * 3 <= word.len().max(known.len())).then_some(known)
}

/// How many are told of one text.
const MOST_TOLD: usize = 50;

/// The faults of a file as a compiler would tell them: file, line, column, caret.
pub fn render(faults: &[Fault], file: &str, text: &str, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let told = faults.iter().take(MOST_TOLD).map(|fault| {
        let at = within(text, &fault.at);
        let snippet = Snippet::source(text).path(file).annotation(AnnotationKind::Primary.span(at));
        let mut group = Level::ERROR.primary_title(&fault.says).element(snippet);
        if let Some(help) = &fault.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    });
    let mut told: Vec<String> = told.collect();
    if let Some(more) = faults.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        told.push(format!("and {more} more"));
    }
    told.join("\n\n")
}

/// The bytes as far as there are so many, at the borders of characters.
fn within(text: &str, at: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(at.start.min(text.len()));
    start..text.ceil_char_boundary(at.end.clamp(start, text.len()))
}
