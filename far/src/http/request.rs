//! What this server makes of a head.

use crate::head::Head;

impl Head {
    /// What all Cookie lines say.
    pub fn cookie(&self) -> Option<String> {
        let values: Vec<String> = self.values("cookie").collect();
        (!values.is_empty()).then(|| values.join("; "))
    }

    /// Why the request is not one that this server answers: status, reason, and why in a sentence.
    pub(super) fn refused(&self) -> Option<(u16, &'static str, &'static str)> {
        let hosts = self.values("host").count();
        let form = |ok: bool, why| if ok { None } else { Some((400, "Bad Request", why)) };
        match self.method.as_str() {
            // RFC 9110 §9.3.6: 2xx would make it a tunnel, and what follows no HTTP.
            "CONNECT" => Some((501, "Not Implemented", "this server is no proxy")),
            // RFC 9110 §9.3.8: the answer is the request itself, cookies and all.
            "TRACE" => Some((501, "Not Implemented", "this server sends no request back")),
            _ => None,
        }
        .or_else(|| {
            let one = hosts == 1 || hosts == 0 && self.minor == 0;
            form(one, "it must have one Host line (RFC 9112 §3.2)")
        })
        .or_else(|| {
            let form_of = self.target.as_str();
            let absolute = form_of.split_once("://").is_some_and(|(scheme, _)| {
                scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
            });
            let whole = form_of == "*" && self.method == "OPTIONS";
            let ok = form_of.starts_with('/') || absolute || whole;
            form(ok, "its target is neither a path nor a URL (RFC 9112 §3.2)")
        })
    }
}

/// The header lines of a head exactly as they came, without their line ends, Cookie lines first.
pub(super) fn header_lines(head: &[u8]) -> Vec<&[u8]> {
    let lines = head.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    let lines = lines.filter(|line| !line.is_empty()).skip(1);
    let is_cookie = |l: &[u8]| l.get(..7).is_some_and(|name| name.eq_ignore_ascii_case(b"cookie:"));
    let (mut first, others): (Vec<&[u8]>, Vec<&[u8]>) = lines.partition(|line| is_cookie(line));
    first.extend(others);
    first
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::head::{Came, parse};

    #[rstest]
    #[case::a_tunnel("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", Some(501))]
    #[case::an_echo("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", Some(501))]
    #[case::no_host("GET / HTTP/1.1\r\n\r\n", Some(400))]
    #[case::two_hosts("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Some(400))]
    #[case::a_name("GET a HTTP/1.1\r\nHost: a\r\n\r\n", Some(400))]
    #[case::no_path("GET * HTTP/1.1\r\nHost: a\r\n\r\n", Some(400))]
    #[case::the_server("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", None)]
    #[case::absolute("GET HTTP://a/ HTTP/1.1\r\nHost: a\r\n\r\n", None)]
    #[case::old("GET / HTTP/1.0\r\n\r\n", None)]
    #[case::plain("GET / HTTP/1.1\r\nHost: a\r\n\r\n", None)]
    fn what_is_not_served_is_refused(#[case] text: &str, #[case] status: Option<u16>) {
        let came = parse(text.as_bytes());
        let Came::Head(head, _) = came else { panic!("{came:?}") };
        assert_eq!(head.refused().map(|(status, ..)| status), status);
    }

    #[test]
    fn lines_are_as_they_came_and_cookies_first() {
        let head = b"GET / HTTP/1.1\r\nhOST:  x \r\ncookie: a=1\r\nB:\xff\r\nCookie:b=2\r\n\r\n";
        let lines: Vec<String> =
            header_lines(head).into_iter().map(|l| l.escape_ascii().to_string()).collect();
        assert_eq!(lines, ["cookie: a=1", "Cookie:b=2", "hOST:  x ", "B:\\xff"]);
    }
}
