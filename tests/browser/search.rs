//! The search of a page, as somebody types it.

use reports::matrix::Reason;

use super::Browser;

/// Why two kernels differ, for pages of tests: of many rows one that names none of what is sought, and of fewer
/// one that does.
pub(crate) fn reason(id: &str) -> Option<Reason> {
    let what = match id.split('[').next()? {
        "fragmentation/segment" => "Segments are lost on one of them",
        "fragmentation/raw-protocol" => "`IPV6_DONTFRAG` is without effect on one of them",
        _ => return None,
    };
    Some(Reason { what: what.to_owned(), why: "A fault was planted".to_owned(), links: Vec::new() })
}

/// Types this into the search.
pub(crate) fn set(text: &str) -> String {
    format!(
        "(() => {{ const t = document.getElementById('text'); t.value = {text:?}; \
         t.dispatchEvent(new Event('input')); }})()"
    )
}

/// What each row in sight is: its suite or table, or of a case whether kernels differ in it.
const KINDS: &str = "[...document.querySelectorAll('#body tr[data-at]')].map((tr) => \
    tr.className !== 'case' ? tr.className + ' ' + (tr.getAttribute('aria-expanded') || '') : \
    tr.querySelector('.letter') ? 'differs' : tr.querySelector('.deviates, .changed') ? 'odd' : 'equal').join()";

const FIRST: &str = "document.querySelector('#apart-list .card').textContent";

/// What only a transcript says is found, and a concept by what people call it.
pub(crate) fn searches(b: &mut Browser) {
    let found = |b: &mut Browser, text: &str| {
        b.eval(&set(text));
        b.text("document.getElementById('count').textContent")
    };
    // Without a search the reason with the most rows is first.
    found(b, "");
    assert!(b.text(FIRST).contains("Segments are lost"), "{}", b.text(FIRST));
    for text in ["IP_MTU_DISCOVER", "EMSGSIZE", "don't fragment", "df"] {
        let said = found(b, text);
        assert!(said.contains(" of ") && !said.starts_with("0 "), "{text}: {said}");
        let cards = b.eval("document.querySelectorAll('#apart-list .card').length");
        assert!((1..=5).contains(&cards.as_u64().unwrap_or(0)), "{text}: {cards} cards");
    }
    assert_eq!(found(b, "don't fragment"), found(b, "df"));
    assert!(b.text("document.getElementById('apart').textContent").contains("“df”"));
    // With one what names it is, by the reason or by a line of the transcript.
    for (text, names) in [
        ("don't fragment", "IPV6_DONTFRAG` is without effect"),
        ("df raw", "IPV6_DONTFRAG` is without effect"),
        ("IP_MTU_DISCOVER", "IP_MTU_DISCOVER"),
    ] {
        found(b, text);
        let first = b.text(FIRST);
        assert!(first.contains(names) && !first.contains("Segments are lost"), "{text}: {first}");
    }
    found(b, "don't fragment");
    rows(b);
    assert!(found(b, "IP_NO_SUCH_OPTION").starts_with("0 of "));
    found(b, "");
    good(b);
}

/// What differs stands before what is equal, which is folded but for a row or two, and the tables in which
/// nothing differs stand last.
fn rows(b: &mut Browser) {
    let mut folded = 0;
    let at_the_end = "[...document.querySelectorAll('#body tr[data-at]')].at(-1).getAttribute('aria-rowindex') === \
                      document.getElementById('grid').getAttribute('aria-rowcount')";
    // A window full of rows at a time.
    for top in (0..1_000_000).step_by(600) {
        b.eval(&format!("document.getElementById('scroll').scrollTop = {top}"));
        b.eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
        let kinds = b.text(KINDS);
        for table in kinds.split("table ").skip(1) {
            let kinds: Vec<&str> = table.split(',').skip(1).collect();
            let equal = kinds.iter().position(|kind| *kind == "equal");
            let behind = kinds[equal.unwrap_or(kinds.len())..].iter();
            assert!(!behind.clone().any(|kind| *kind == "differs"), "{table}");
            assert!(behind.filter(|kind| **kind == "equal").count() <= 2, "{table}");
            folded += kinds.iter().filter(|kind| **kind == "rest false").count();
        }
        if b.eval(at_the_end) == true {
            break;
        }
    }
    assert!(folded > 0, "nothing is folded");
    b.eval("document.getElementById('scroll').scrollTop = 0");
    let first = "document.querySelector('#body tr.table th').title";
    // Drawn anew, and not what was at the end.
    b.wait("document.querySelector('#body tr[data-at=\"0\"]')");
    assert!(b.text(first).ends_with(" differ"), "{}", b.text(first));
}

/// Green says that a rule holds there which another column breaks, and nothing else is green or red.
fn good(b: &mut Browser) {
    let rows = "[...document.querySelectorAll('#body tr.case')]";
    let all = |b: &mut Browser, what: &str| {
        b.eval(&format!("{rows}.filter((tr) => {what}).length")).as_u64().unwrap_or(0)
    };
    b.eval("document.getElementById('deviates').click()");
    assert!(all(b, "tr.querySelector('td.good')") > 0, "nothing is green");
    let alone = "tr.querySelector('td.good') && !tr.querySelector('td.bad .mark.deviates')";
    assert_eq!(all(b, alone), 0, "green, and no rule is broken beside it");
    b.eval("document.getElementById('deviates').click()");
    b.eval("document.getElementById('differs').click()");
    let tinted = "!tr.querySelector('.mark.deviates') && tr.querySelector('.good, .bad')";
    assert_eq!(all(b, tinted), 0, "a mere difference is green or red");
    b.eval("document.getElementById('differs').click()");
}
