//! Where a clause can be read.

use super::Cite;

impl Cite {
    /// A page that has the quote, at its section where the page has an anchor for that. Made from
    /// [`Cite::source`]; tested for every rule.
    pub fn link(&self) -> Option<String> {
        link(self.source, self.quote)
    }
}

/// POSIX.1-2017 is Issue 7, 2018 edition.
const POSIX: &str = "https://pubs.opengroup.org/onlinepubs/9699919799";

/// Issue 6, 2004 edition, and Issue 8, of which functions alone are cited.
const OTHER_ISSUES: [(&str, &str); 2] = [
    ("POSIX.1-2004 ", "https://pubs.opengroup.org/onlinepubs/009695399"),
    ("POSIX.1-2024 ", "https://pubs.opengroup.org/onlinepubs/9799919799"),
];

fn link(source: &str, quote: &str) -> Option<String> {
    if let Some(rest) = source.strip_prefix("RFC ") {
        let number = rest.split(' ').next()?;
        let page = format!("https://www.rfc-editor.org/rfc/rfc{number}");
        let section = rest.split_once('§').map(|(_, s)| s.split(' ').next().unwrap_or(s));
        return Some(section.map_or(page.clone(), |section| format!("{page}#section-{section}")));
    }
    let other =
        OTHER_ISSUES.iter().find_map(|(issue, base)| Some((source.strip_prefix(issue)?, base)));
    if let Some((rest, base)) = other {
        let name = rest.split(',').next()?;
        return Some(format!("{base}/functions/{name}.html"));
    }
    if let Some(rest) = source.strip_prefix("POSIX.1-2017 ") {
        if rest.starts_with("XSH 2.10.16") {
            return Some(format!("{POSIX}/functions/V2_chap02.html#tag_15_10_16"));
        }
        if rest.starts_with("XSH 2.3") {
            return Some(format!("{POSIX}/functions/V2_chap02.html#tag_15_03"));
        }
        if let Some(header) = rest.strip_prefix('<') {
            let header = header.split('>').next()?.replace('/', "_");
            return Some(format!("{POSIX}/basedefs/{header}.html"));
        }
        // Of several functions, the one that the quote speaks of.
        let names = rest.split(", ").filter(|name| name.bytes().all(|b| b.is_ascii_lowercase()));
        let names: Vec<&str> = names.collect();
        let spoken = names.iter().find(|name| quote.contains(&format!(" {name}()")));
        let name = spoken.or(names.first())?;
        return Some(format!("{POSIX}/functions/{name}.html"));
    }
    let (name, rest) = source.strip_prefix("Linux ")?.split_once('(')?;
    let section = rest.split(')').next()?;
    Some(format!("https://man7.org/linux/man-pages/man{section}/{name}.{section}.html"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::rules::RULES;

    #[rstest]
    #[case("RFC 8200 §4.5", "", "https://www.rfc-editor.org/rfc/rfc8200#section-4.5")]
    #[case("RFC 6265 §5.4 (a cookie)", "", "https://www.rfc-editor.org/rfc/rfc6265#section-5.4")]
    #[case("POSIX.1-2017 sendto, ERRORS [ENETDOWN]", "", "functions/sendto.html")]
    #[case(
        "POSIX.1-2017 send, sendto, sendmsg, DESCRIPTION",
        "to sendto() does",
        "functions/sendto.html"
    )]
    #[case("POSIX.1-2017 send, sendto, sendmsg, DESCRIPTION", "", "functions/send.html")]
    #[case("POSIX.1-2017 XSH 2.3 Error Numbers", "", "V2_chap02.html#tag_15_03")]
    #[case("POSIX.1-2017 XSH 2.10.16 Use of Options", "", "V2_chap02.html#tag_15_10_16")]
    #[case("POSIX.1-2004 getsockopt, SO_ERROR", "", "009695399/functions/getsockopt.html")]
    #[case("POSIX.1-2024 accept4", "", "9799919799/functions/accept4.html")]
    #[case("POSIX.1-2017 <netinet/in.h>, after RFC 3493 §3.3", "", "basedefs/netinet_in.h.html")]
    #[case("Linux send(2) and Darwin send(2)", "", "/man2/send.2.html")]
    #[case("Linux socket(7) SO_BINDTODEVICE", "", "/man7/socket.7.html")]
    fn a_clause_has_a_page(#[case] source: &str, #[case] quote: &str, #[case] ends: &str) {
        let link = link(source, quote).expect("a link");
        assert!(link.ends_with(ends), "{link}");
    }

    #[test]
    fn what_is_no_source_has_no_page() {
        assert_eq!(link("hearsay", ""), None);
    }

    #[test]
    fn every_clause_of_every_rule_has_one() {
        for cite in RULES.iter().flat_map(|rule| rule.cites) {
            let link = cite.link().unwrap_or_else(|| panic!("no link: {}", cite.source));
            assert!(link.starts_with("https://"), "{link}");
            let anchored = link.contains("#section-");
            assert_eq!(anchored, cite.source.starts_with("RFC "), "{} {link}", cite.source);
            if let Some((_, section)) = link.split_once("#section-") {
                let is = section.split('.').all(|n| n.parse::<u32>().is_ok());
                assert!(is, "{link}");
            }
        }
    }
}
