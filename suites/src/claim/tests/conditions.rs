//! What of a host a claim is said of, and how it is known.

use rstest::rstest;

use super::*;

#[rstest]
#[case(None, 0, Some(true), Standing::Confirmed)]
#[case(None, 0, None, Standing::Confirmed)]
#[case(Some("ENETDOWN"), 0, Some(true), Standing::Refuted)]
#[case(Some("ENETDOWN"), 0, None, Standing::NotReached)]
#[case(Some("ENETDOWN"), 0, Some(false), Standing::Unverified)]
fn a_condition_is_asked_for(
    #[case] errno: Option<&'static str>,
    #[case] packets: usize,
    #[case] filter: Option<bool>,
    #[case] standing: Standing,
) {
    let case = asked();
    let trace = trace(&case, errno, packets, End::Done);
    let expect = r#"{ call = "sendto", returns = 6 }, { packets = 0 }"#;
    let claim = claim("macos >= 15", "when = \"content-filter\"", expect);
    let kernel = Kernel { content_filter: filter, ..kernel("Darwin", "24.3.0") };
    assert_eq!(claim.test(&case, &trace, &kernel).standing, standing);
}

/// A destination off the lab's links, on a Mac that is offline, on one that is not, and on one of
/// which nobody knows; the filter is another condition of the same claim.
#[rstest]
#[case("\"no-default-route\"", Some(false), None, Standing::Refuted)]
#[case("\"no-default-route\"", Some(true), None, Standing::Unverified)]
#[case("\"no-default-route\"", None, None, Standing::NotReached)]
#[case("\"default-route\"", Some(true), None, Standing::Refuted)]
#[case("\"default-route\"", Some(false), None, Standing::Unverified)]
#[case(
    "[\"no-content-filter\", \"no-default-route\"]",
    Some(false),
    Some(false),
    Standing::Refuted
)]
#[case("[\"no-content-filter\", \"no-default-route\"]", Some(false), None, Standing::NotReached)]
#[case("[\"no-content-filter\", \"no-default-route\"]", None, Some(false), Standing::NotReached)]
#[case(
    "[\"no-content-filter\", \"no-default-route\"]",
    Some(false),
    Some(true),
    Standing::Unverified
)]
#[case("[\"no-content-filter\", \"no-default-route\"]", Some(true), None, Standing::Unverified)]
fn each_condition_has_to_hold(
    #[case] when: &str,
    #[case] default_route: Option<bool>,
    #[case] content_filter: Option<bool>,
    #[case] standing: Standing,
) {
    let case = asked();
    let trace = trace(&case, None, 1, End::Done);
    let expect = r#"{ call = "sendto", returns = "ENETUNREACH" }"#;
    let claim = claim("macos >= 15", &format!("when = {when}"), expect);
    let kernel = Kernel { content_filter, default_route, ..kernel("Darwin", "24.3.0") };
    assert_eq!(claim.test(&case, &trace, &kernel).standing, standing);
}

#[test]
fn conditions_and_ways_of_knowing_are_said() {
    let mut claim =
        claim("macos", "when = [\"content-filter\", \"default-route\"]", "{ packets = 0 }");
    assert_eq!(claim.on(), "macos, with a content filter and with a default route");
    assert_eq!(claim.provenance(), "observed");
    claim.provenance.insert(0, Provenance::SourceRead);
    assert_eq!(claim.provenance(), "source read and observed");
}
