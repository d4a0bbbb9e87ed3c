//! Cases as JSON: one, a list of them, or one behind the other.

use harness::case::Case;
use notation::Written;

/// A mistake in a text: the line and the column from 1, and one sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) says: String,
}

/// The cases of a text, in their order. Their ids begin with `file` in place of a suite.
pub(super) fn read(file: &str, text: &str) -> Result<Vec<Written>, Wrong> {
    let mut place = Place { text, at: 0, counted: (0, 0) };
    let mut all = Vec::new();
    place.blank();
    let list = place.takes("[");
    loop {
        place.blank();
        if list && all.is_empty() && place.takes("]") {
            break;
        }
        if !list && place.rest().is_empty() {
            break;
        }
        let (line, _) = place.line();
        let mut case = place.case()?;
        case.id = renamed(file, &case.id);
        all.push(Written { case, asked: Vec::new(), lines: Vec::new(), line: number(line) });
        place.blank();
        if list && place.takes("]") {
            break;
        }
        if list && !place.takes(",") {
            return Err(place.wrong("a comma or the end of the list is expected here"));
        }
    }
    place.blank();
    if !place.rest().is_empty() {
        return Err(place.wrong("nothing is expected behind the list"));
    }
    if all.is_empty() {
        return Err(place.wrong("there is no case"));
    }
    Ok(all)
}

fn number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// `mine/send[inet]` of the file `udp` is `udp/send[inet]`.
fn renamed(file: &str, id: &str) -> String {
    let table = id.find('[').unwrap_or(id.len());
    let own = id[..table].find('/').map_or(id, |slash| &id[slash + 1..]);
    format!("{file}/{own}")
}

/// How far a text was read.
struct Place<'t> {
    text: &'t str,
    at: usize,
    /// Up to where lines were counted, and how many there are before.
    counted: (usize, usize),
}

impl<'t> Place<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn blank(&mut self) {
        let space = |c: char| " \t\r\n".contains(c);
        self.at = self.text.len() - self.rest().trim_start_matches(space).len();
    }

    fn takes(&mut self, what: &str) -> bool {
        let there = self.rest().starts_with(what);
        self.at += if there { what.len() } else { 0 };
        there
    }

    /// The line and the column, from 1.
    fn line(&mut self) -> (usize, usize) {
        let (from, lines) = self.counted;
        let lines = lines + self.text[from..self.at].matches('\n').count();
        self.counted = (self.at, lines);
        let begin = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
        (lines + 1, self.at - begin + 1)
    }

    fn wrong(&mut self, says: &str) -> Wrong {
        let (line, column) = self.line();
        Wrong { line, column, says: says.to_owned() }
    }

    /// Reads a case.
    fn case(&mut self) -> Result<Case, Wrong> {
        let mut cases = serde_json::Deserializer::from_str(self.rest()).into_iter::<Case>();
        let (line, column) = self.line();
        match cases.next() {
            Some(Ok(case)) => {
                self.at += cases.byte_offset();
                Ok(case)
            }
            Some(Err(e)) => {
                let text = e.to_string();
                let place = format!(" at line {} column {}", e.line(), e.column());
                let says = text.strip_suffix(&place).unwrap_or(&text).to_owned();
                let before = if e.line() <= 1 { column - 1 } else { 0 };
                let (line, column) = (line + e.line().saturating_sub(1), before + e.column());
                Err(Wrong { line, column, says })
            }
            None => Err(self.wrong("a case is expected here")),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const CASE: &str = r#"{"id": "mine/a[x]", "title": "Is it?", "ops": []}"#;

    #[rstest]
    #[case(CASE.to_owned(), &[1])]
    #[case(format!("\n{CASE}\n\n{CASE}\n"), &[2, 4])]
    #[case(format!("[\n{CASE},\n {CASE}]\n"), &[2, 3])]
    #[case(format!("{CASE}{CASE}"), &[1, 1])]
    fn one_a_list_and_lines_are_read(#[case] text: String, #[case] lines: &[u32]) {
        let all = read("udp", &text).unwrap();
        assert_eq!(all.iter().map(|written| written.line).collect::<Vec<_>>(), lines);
        assert!(all.iter().all(|written| written.case.id == "udp/a[x]"), "{all:?}");
    }

    #[rstest]
    #[case("", (1, 1), "no case")]
    #[case("[]", (1, 3), "no case")]
    #[case("{\"id\": \"a\"}", (1, 11), "missing field `title`")]
    #[case("[\n {\"id\": 7}]", (2, 9), "invalid type: integer `7`")]
    #[case("7", (1, 1), "invalid type: integer `7`")]
    #[case("{}\n{", (1, 2), "missing field")]
    #[case("[{\"id\": \"a\", \"title\": \"\", \"ops\": []} 7]", (1, 38), "a comma")]
    #[case("[{\"id\": \"a\", \"title\": \"\", \"ops\": []}] 7", (1, 39), "nothing is expected")]
    fn another_shape_is_told(#[case] text: &str, #[case] at: (usize, usize), #[case] says: &str) {
        let wrong = read("udp", text).unwrap_err();
        assert_eq!((wrong.line, wrong.column), at, "{wrong:?}");
        assert!(wrong.says.contains(says), "{wrong:?}");
    }

    #[rstest]
    #[case("mine/a[x/y]", "udp/a[x/y]")]
    #[case("a[x/y]", "udp/a[x/y]")]
    #[case("a", "udp/a")]
    #[case("mine/a/b", "udp/a/b")]
    fn a_case_keeps_its_table(#[case] id: &str, #[case] is: &str) {
        assert_eq!(renamed("udp", id), is);
    }
}
