//! Arguments as strace writes them.

use crate::import::log::Arg;

/// How deep brackets may stand in brackets.
const DEEPEST: u8 = 16;

/// A text that is read from its beginning to its end, once.
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Reads `text` if it stands here.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let is_there = self.rest().starts_with(text);
        if is_there {
            self.at += text.len();
        }
        is_there
    }

    /// Skips blanks and what stands between `/*` and `*/`.
    pub(super) fn blanks(&mut self) {
        loop {
            while self.byte().is_some_and(|b| b" \t".contains(&b)) {
                self.at += 1;
            }
            if !self.rest().starts_with("/*") {
                return;
            }
            let end = self.rest().find("*/").map_or(self.text.len(), |end| self.at + end + 2);
            self.at = end;
        }
    }

    /// Arguments up to this bracket, which is read, too; none if it does not come.
    pub(super) fn list(&mut self, end: u8, deep: u8) -> Option<Vec<Arg>> {
        let deeper = deep.checked_add(1).filter(|deep| *deep <= DEEPEST)?;
        let mut all = Vec::new();
        loop {
            self.blanks();
            match self.byte()? {
                b if b == end => {
                    self.at += 1;
                    return Some(all);
                }
                b',' => self.at += 1,
                _ => all.push(self.arg(deeper)?),
            }
        }
    }

    fn arg(&mut self, deep: u8) -> Option<Arg> {
        let first = self.one(deep)?;
        self.blanks();
        if !self.eat("=>") {
            return Some(first);
        }
        self.blanks();
        let now = self.one(deep)?;
        Some(Arg::Change(Box::new(first), Box::new(now)))
    }

    fn one(&mut self, deep: u8) -> Option<Arg> {
        // A socket's name that is none of a file's begins with it; a set of signals may be told by the others.
        while self.byte().is_some_and(|b| b"@~".contains(&b)) {
            self.at += 1;
        }
        match self.byte()? {
            b'"' => self.quoted(),
            b'[' => {
                self.at += 1;
                self.list(b']', deep).map(Arg::List)
            }
            b'{' => {
                self.at += 1;
                self.list(b'}', deep).map(Arg::Group)
            }
            b'(' => {
                self.at += 1;
                self.list(b')', deep).map(Arg::List)
            }
            _ => self.word(deep),
        }
    }

    /// `htons(9)`, `sin_port=…`, `3<TCP:[…]>`, `AF_INET`
    fn word(&mut self, deep: u8) -> Option<Arg> {
        let from = self.at;
        while let Some(b) = self.byte() {
            let shifts = b == b'<' && self.rest().starts_with("<<");
            if shifts {
                self.at += 2;
            } else if b" \t,()[]{}\"=<>".contains(&b) || self.rest().starts_with("/*") {
                break;
            } else {
                self.at += 1;
            }
        }
        let word = self.text.get(from..self.at).filter(|word| !word.is_empty())?;
        match self.byte() {
            Some(b'(') => {
                self.at += 1;
                Some(Arg::Apply(word.to_owned(), self.list(b')', deep)?))
            }
            Some(b'=') if !self.rest().starts_with("=>") => {
                self.at += 1;
                self.blanks();
                let deeper = deep.checked_add(1).filter(|deep| *deep <= DEEPEST)?;
                let value = self.arg(deeper)?;
                Some(Arg::Pair(word.to_owned(), Box::new(value)))
            }
            Some(b'<') => {
                let is = self.decoration()?.to_owned();
                match word.parse() {
                    Ok(number) => Some(Arg::Fd(number, is)),
                    // `AT_FDCWD</home>`
                    Err(_) => Some(Arg::word(word)),
                }
            }
            _ => Some(Arg::word(word)),
        }
    }

    /// What stands between `<` and the `>` that belongs to it; that of `->` does not.
    pub(super) fn decoration(&mut self) -> Option<&'t str> {
        let (from, mut depth) = (self.at + 1, 0u32);
        let rest = self.rest().as_bytes();
        for (place, b) in rest.iter().enumerate() {
            match b {
                b'<' => depth += 1,
                b'>' if place == 0 || rest[place - 1] != b'-' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += place + 1;
                        return self.text.get(from..self.at - 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// `"text\0"`, and behind it `...` if there was more.
    fn quoted(&mut self) -> Option<Arg> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let b = self.byte()?;
            self.at += 1;
            match b {
                b'"' => break,
                b'\\' => bytes.push(self.escaped()?),
                b => bytes.push(b),
            }
        }
        let cut = self.eat("...");
        Some(Arg::Bytes { bytes, cut })
    }

    fn escaped(&mut self) -> Option<u8> {
        let b = self.byte()?;
        self.at += 1;
        let digits = |this: &mut Self, most: usize, radix: u32, from: u32| {
            let mut value = from;
            for _ in 0..most {
                let Some(digit) = this.byte().and_then(|b| char::from(b).to_digit(radix)) else {
                    break;
                };
                value = value * radix + digit;
                this.at += 1;
            }
            u8::try_from(value & 0xff).ok()
        };
        Some(match b {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'f' => 0x0c,
            b'x' => return digits(self, 2, 16, 0),
            b'0'..=b'7' => return digits(self, 2, 8, u32::from(b - b'0')),
            other => other,
        })
    }
}
