//! Who looks after a file, by the MAINTAINERS of a kernel's source tree.
//!
//! Of its entries `M:` and `R:` are people, `L:` lists, `F:` the files and `X:` those that are not, as
//! its head describes. It is a stranger's text: what of it goes into the head of a mail has the form of
//! an address, and is bounded in number and length. `N:` and `K:`, which are expressions, are not looked
//! at, nor is THE REST, which has every file.

/// The largest that is read; that of Linux 6.18 has 0.8 MB.
pub const MOST_OF_MAINTAINERS: u64 = 8 << 20;

/// How many of each are told: a mail to more is read by fewer.
const MOST: usize = 8;

/// As long as an address gets, with the name before it.
const LONGEST: usize = 100;

/// Sections of a file that is one.
#[derive(Clone, Debug)]
pub struct Maintainers {
    sections: Vec<Section>,
}

#[derive(Clone, Debug, Default)]
struct Section {
    files: Vec<String>,
    but: Vec<String>,
    people: Vec<String>,
    reviewers: Vec<String>,
    lists: Vec<String>,
}

/// Who is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Who looks after it.
    pub(super) to: Vec<String>,
    /// Who reviews it, and lists.
    pub(super) cc: Vec<String>,
}

impl Maintainers {
    /// Reads one; none if no section of it has both files and somebody who looks after them.
    pub fn read(text: &str) -> Option<Self> {
        let mut sections: Vec<Section> = Vec::new();
        let mut now = Section::default();
        for line in text.lines().chain([""]) {
            if line.trim().is_empty() {
                let whole = std::mem::take(&mut now);
                let nobody = whole.people.is_empty() && whole.lists.is_empty();
                let is = !whole.files.is_empty() && !nobody;
                sections.extend(is.then_some(whole));
                continue;
            }
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match key {
                "F" => now.files.push(value.to_owned()),
                "X" => now.but.push(value.to_owned()),
                "M" => now.people.extend(address(value)),
                "R" => now.reviewers.extend(address(value)),
                // One that takes mail of its own readers alone is no use here.
                "L" if !value.contains("subscribers-only") => now.lists.extend(address(value)),
                _ => {}
            }
        }
        (!sections.is_empty()).then_some(Self { sections })
    }

    /// Who looks after these files; nobody, if it names none.
    pub(super) fn of(&self, files: &[String]) -> Told {
        let near = |section: &Section| {
            let of = |file: &String| section.weight(file);
            files.iter().filter_map(of).max()
        };
        let mut found: Vec<(usize, &Section)> =
            self.sections.iter().filter_map(|section| Some((near(section)?, section))).collect();
        // The nearest first: `net/ipv4/` before `net/`.
        found.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let mut told = Told::default();
        let sections = || found.iter().map(|(_, section)| *section);
        add(&mut told.to, sections().flat_map(|section| &section.people));
        let lists = sections().flat_map(|section| &section.lists);
        add(&mut told.cc, lists.chain(sections().flat_map(|section| &section.reviewers)));
        told.cc.retain(|who| !told.to.contains(who));
        if told.to.is_empty() {
            told.to = std::mem::take(&mut told.cc);
        }
        told
    }
}

fn add<'a>(all: &mut Vec<String>, who: impl Iterator<Item = &'a String>) {
    for who in who {
        if all.len() < MOST && !all.contains(who) {
            all.push(who.clone());
        }
    }
}

impl Section {
    /// How near its patterns are to a file: how much of its path they say; none if it is not its file.
    fn weight(&self, file: &str) -> Option<usize> {
        let weights =
            |patterns: &[String]| patterns.iter().filter_map(|pattern| weight(pattern, file)).max();
        if weights(&self.but).is_some() {
            return None;
        }
        weights(&self.files)
    }
}

/// A folder has all that is in it, at any depth; a star stops at the end of a name.
fn weight(pattern: &str, file: &str) -> Option<usize> {
    let said = pattern.chars().filter(|c| !"*?/".contains(*c)).count();
    let folder = pattern.strip_suffix('/').unwrap_or(pattern);
    let names = |path: &str| path.split('/').count();
    let depth = names(folder);
    let head: Vec<&str> = file.split('/').take(depth).collect();
    // `net/core` without a slash is a file or a folder: a file of C has a dot.
    let is_folder = pattern.ends_with('/') || !folder.rsplit('/').next()?.contains(['.', '*', '?']);
    if names(file) > depth && !is_folder || names(file) == depth && pattern.ends_with('/') {
        return None;
    }
    let pairs = folder.split('/').zip(&head);
    let has = head.len() == depth && pairs.clone().all(|(glob, name)| matches(glob, name));
    // `*` and `*/` are THE REST.
    (has && said > 0).then_some(said)
}

/// Whether a name is of that form, in time of the product of their lengths at the most.
fn matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut g, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, n));
                g += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => (g, n) = (g + 1, n + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (g, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

/// `"Name" <mail@host>` or `list@host`, without what stands behind it; none if it is not of that form.
fn address(text: &str) -> Option<String> {
    let (name, mail) = match text.split_once('<') {
        Some((name, rest)) => (name.trim().trim_matches('"'), rest.split_once('>')?.0),
        None => ("", text.split_whitespace().next()?),
    };
    let (user, host) = mail.split_once('@')?;
    let of = |text: &str, marks: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
    };
    // What begins with a hyphen is an option of the program that a mail is given to.
    let begins = |text: &str| text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is = begins(user)
        && begins(host)
        && of(user, "._%+-")
        && of(host, ".-")
        && host.contains('.')
        && mail.len() < LONGEST;
    if !is {
        return None;
    }
    // A name that a head does not take as it is stays out: the address is enough.
    let plain = of(name, " .'-") && name.len() + mail.len() < LONGEST;
    Some(if !plain {
        mail.to_owned()
    } else if name.contains('.') {
        format!("\"{name}\" <{mail}>")
    } else {
        format!("{name} <{mail}>")
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const TEXT: &str = "\
Descriptions of section entries
	M: *Mail* patches to: FullName <address@domain>

Maintainers List
----------------

NETWORKING [GENERAL]
M:	\"A. Person\" <a@x.example>
R:	B Person <b@x.example>
L:	netdev@vger.kernel.org
F:	net/
X:	net/nfc/

NETWORKING [IPv4/IPv6]
M:	C Pers\u{f6}n <c@x.example>
L:	netdev@vger.kernel.org (moderated)
L:	closed@x.example (subscribers-only)
F:	net/ipv4/
F:	net/ipv6/*.c

NFS
M:	D Person <d@x.example>
L:	nfs@vger.kernel.org
F:	fs/nfs

THE REST
M:	E Person <e@x.example>
L:	everything@vger.kernel.org
F:	*
F:	*/
";

    fn of(text: &str, file: &str) -> Told {
        Maintainers::read(text).unwrap().of(&[file.to_owned()])
    }

    #[test]
    fn the_nearest_are_told_first_and_others_not() {
        let told = of(TEXT, "net/ipv4/route.c");
        assert_eq!(told.to, ["c@x.example", "\"A. Person\" <a@x.example>"]);
        assert_eq!(told.cc, ["netdev@vger.kernel.org", "B Person <b@x.example>"]);
        assert_eq!(of(TEXT, "net/ipv6/udp.c").to[0], "c@x.example");
        // A pattern with a star ends at a folder.
        let deeper = of(TEXT, "net/ipv6/netfilter/x.c");
        assert_eq!(deeper.to, ["\"A. Person\" <a@x.example>"]);
        assert_eq!(of(TEXT, "fs/nfs/dir.c").to, ["D Person <d@x.example>"]);
        for nobody in ["mm/slab.c", "README", "net/nfc/core.c", "fs/nfsd/x.c", ""] {
            assert_eq!(of(TEXT, nobody), Told::default(), "{nobody}");
        }
        // Lists alone are whom it is to.
        let list = "X\nL:\tl@x.example\nF:\tnet/\n";
        assert_eq!(of(list, "net/x.c"), Told { to: vec!["l@x.example".into()], cc: Vec::new() });
    }

    #[test]
    fn what_is_no_maintainers_is_none() {
        for text in ["", "F: net/\n", "M: A <a@x.example>\n\nF: net/\n", "M: nobody\nF: net/\n"] {
            assert!(Maintainers::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn no_more_are_told_than_read_it() {
        let people: Vec<String> = (0..1000).map(|n| format!("M:\ta{n}@x.example\n")).collect();
        let people = people.concat();
        assert_eq!(of(&format!("X\n{people}F:\tnet/\n"), "net/x.c").to.len(), MOST);
        // A form that takes long to compare elsewhere.
        let stars = "*a".repeat(1_000);
        let text = format!("X\nM:\ta@x.example\nF:\tnet/{stars}b\n");
        assert_eq!(of(&text, &format!("net/{}", "a".repeat(1_000))), Told::default());
    }

    #[rstest]
    #[case("A <a@x.y>\r\nBcc: z@x.y", Some("A <a@x.y>"))]
    #[case("A\r\nBcc: z@x.y <a@x.y>", Some("a@x.y"))]
    #[case("A, B <a@x.y>", Some("a@x.y"))]
    #[case("a@x.y (open list)", Some("a@x.y"))]
    #[case("<a@x.y", None)]
    #[case("A <a b@x.y>", None)]
    #[case("A <a@x.y,b@x.y>", None)]
    #[case("A <a@host>", None)]
    #[case("A <a@x.y\u{202e}>", None)]
    #[case("nobody", None)]
    #[case("", None)]
    fn what_would_end_a_line_of_a_head_is_nobody(#[case] text: &str, #[case] is: Option<&str>) {
        assert_eq!(address(text).as_deref(), is);
    }

    #[rstest]
    #[case("*.c", "udp.c", true)]
    #[case("u?p*", "udp.c", true)]
    #[case("*d*c", "udp.c", true)]
    #[case("*.h", "udp.c", false)]
    #[case("", "udp.c", false)]
    #[case("udp", "udp.c", false)]
    fn a_star_has_any_part_of_a_name(#[case] glob: &str, #[case] name: &str, #[case] is: bool) {
        assert_eq!(matches(glob, name), is);
    }
}
