//! What the lines of an outcome show: which call was made, with which words, and what came of it.

/// A line of a call that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) call: &'a str,
    /// None of a line that only ends a call of another thread.
    pub(super) args: &'a str,
    /// None while it waits.
    pub(super) result: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// Reads a line as `harness::outcome` writes it. None of a frame, of a step of the lab's, and of a
    /// call that was not made, since this system has no name for what it asks.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        if !line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let line = match line.split_once(": ") {
            Some((thread, rest)) if is_name(thread) => rest,
            _ => line,
        };
        if let Some(rest) = line.strip_prefix("<... ") {
            let (call, result) = rest.split_once(" resumed> = ")?;
            return Some(Self { call, args: "", result: Some(result) });
        }
        let (call, rest) = line.split_once('(')?;
        let (args, rest) = rest.split_at_checked(closing(rest)?)?;
        let result = rest.strip_prefix(") = ");
        if result.is_some_and(|result| result.starts_with("? unsupported")) {
            return None;
        }
        let waits = rest.starts_with(") <unfinished") || result.is_some_and(|r| r.starts_with('?'));
        (is_name(call) && (waits || result.is_some())).then_some(Self {
            call,
            args,
            result: result.filter(|_| !waits),
        })
    }

    /// The errno that it failed with.
    pub(super) fn errno(&self) -> Option<&'a str> {
        let (returned, behind) = self.result?.split_once(' ')?;
        let errno = behind.split(',').next()?;
        let fits = errno.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        (returned.parse::<i64>().is_ok() && errno.starts_with('E') && fits).then_some(errno)
    }

    /// Whether it returned 0, and what it wrote.
    pub(super) fn done(&self) -> Option<&'a str> {
        let result = self.result?;
        if result == "0" { Some("") } else { result.strip_prefix("0, ") }
    }

    /// The argument in this place, from 0, and all that follow it, of a call whose first ones have no
    /// comma in them.
    pub(super) fn arg(&self, place: usize) -> Option<&'a str> {
        self.args.splitn(place + 1, ", ").nth(place)
    }
}

/// Where the parenthesis is that ends these arguments.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in plain(text) {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => return Some(at),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The bytes of a text that do not stand in quotes, with their places.
fn plain(text: &str) -> impl Iterator<Item = (usize, u8)> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().enumerate().filter(move |(_, byte)| {
        if escaped {
            escaped = false;
            return false;
        }
        match byte {
            b'\\' if quoted => escaped = true,
            b'"' => {
                quoted = !quoted;
                return false;
            }
            _ => {}
        }
        !quoted
    })
}

/// The words of a text, those in quotes left out.
pub(super) fn words(text: &str) -> Vec<&str> {
    let (mut all, mut begin) = (Vec::new(), None);
    let mut next = 0;
    let ends = [(text.len(), b' ')];
    for (at, byte) in plain(text).chain(ends) {
        let is_word = byte.is_ascii_alphanumeric() || byte == b'_';
        let from = begin.filter(|_| at != next || !is_word);
        if let Some(from) = from {
            all.extend(text.get(from..next));
            begin = None;
        }
        if is_word && begin.is_none() {
            begin = Some(at);
        }
        next = at + 1;
    }
    all
}

/// The names of the control messages in a text: what stands behind the level, in each of them.
pub(super) fn controls(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((_, list)) = rest.split_once("msg_control=[") {
        let (mut depth, mut end) = (0_usize, list.len());
        for (at, byte) in plain(list) {
            match byte {
                b'{' if depth == 0 => {
                    all.extend(list.get(at + 1..).and_then(|text| text.split(", ").nth(1)));
                    depth = 1;
                }
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                b']' if depth == 0 => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        rest = list.get(end..).unwrap_or_default();
    }
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    all.into_iter().filter_map(|name: &str| name.split(ends).next()).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("bind(s, {AF_INET 127.0.0.1:0}) = 0", "bind", "s, {AF_INET 127.0.0.1:0}", Some("0"))]
    #[case("t: accept(l) <unfinished ...>", "accept", "l", None)]
    #[case("t: <... accept resumed> = -1 EINVAL", "accept", "", Some("-1 EINVAL"))]
    #[case("accept(l) = ? still waiting", "accept", "l", None)]
    #[case(r#"send(s, "a) = 1\"", 2, 0) = 2"#, "send", r#"s, "a) = 1\"", 2, 0"#, Some("2"))]
    #[case(
        "ioctl(s, X, if_nametoindex(\"link0\")) = 0",
        "ioctl",
        "s, X, if_nametoindex(\"link0\")",
        Some("0")
    )]
    fn a_call_is_read(
        #[case] text: &str,
        #[case] call: &str,
        #[case] args: &str,
        #[case] result: Option<&str>,
    ) {
        assert_eq!(Line::read(text), Some(Line { call, args, result }));
    }

    #[rstest]
    #[case("    > lo IPv4 127.0.0.1 > 127.0.0.1 ttl 64 UDP 1 > 2 len 1 \"x\"")]
    #[case("-- link set link0 down")]
    #[case("+++ SIGPIPE +++")]
    #[case("kevent([{s, EVFILT_READ, EV_ADD, 0, 0}], 0) = ? unsupported here: kevent")]
    #[case("")]
    #[case("send(s, \"")]
    fn what_is_no_call_that_was_made_is_none(#[case] text: &str) {
        assert_eq!(Line::read(text), None);
    }

    #[rstest]
    #[case("bind(s) = -1 EINVAL", Some("EINVAL"), None)]
    #[case("if_nametoindex(\"x\") = 0 ENODEV", Some("ENODEV"), None)]
    #[case("getsockopt(s, SOL_SOCKET, SO_ERROR) = 0, EPIPE", None, Some("EPIPE"))]
    #[case("getaddrinfo(NULL) = EAI_NONAME", None, None)]
    #[case("recv(s, 8, 0) = 3, \"EIO\"", None, None)]
    fn what_came_of_it(
        #[case] text: &str,
        #[case] errno: Option<&str>,
        #[case] done: Option<&str>,
    ) {
        let line = Line::read(text).unwrap();
        assert_eq!((line.errno(), line.done()), (errno, done));
    }

    #[test]
    fn quotes_hide_words() {
        let text = r#"{s, POLLIN}, "EIO \" EPERM", MSG_PEEK|MSG_TRUNC"#;
        assert_eq!(words(text), ["s", "POLLIN", "MSG_PEEK", "MSG_TRUNC"]);
        assert_eq!(words("ENODEV"), ["ENODEV"]);
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn control_messages_are_found_on_both_sides() {
        let text = "s, {msg_control=[{IPPROTO_IP, IP_PKTINFO, {link0, 10.0.0.1}}, {IPPROTO_IP, \
                    IP_TTL, 7}]}, MSG_DONTWAIT";
        assert_eq!(controls(text), ["IP_PKTINFO", "IP_TTL"]);
        assert_eq!(controls("msg_control=[{SOL_SOCKET, SCM_RIGHTS}]"), ["SCM_RIGHTS"]);
        assert_eq!(controls("\"x\", {AF_INET 10.0.0.1:1}"), [""; 0]);
    }
}
