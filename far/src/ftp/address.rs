//! Addresses of data connections as FTP writes them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Of `PORT h1,h2,h3,h4,p1,p2` (RFC 959 §4.1.2).
pub(super) fn port(argument: &str) -> Option<SocketAddr> {
    let numbers: Option<Vec<u8>> = argument.split(',').map(|n| n.trim().parse().ok()).collect();
    let [a, b, c, d, high, low] = numbers?.try_into().ok()?;
    Some(SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low])))
}

/// Of `EPRT |1|address|port|` (RFC 2428 §2).
pub(super) fn eprt(argument: &str) -> Option<SocketAddr> {
    let mark = argument.chars().next().filter(char::is_ascii_punctuation)?;
    let parts: Vec<&str> = argument.split(mark).collect();
    let ["", protocol, ip, port, ""] = parts.as_slice() else { return None };
    let ip: IpAddr = ip.parse().ok()?;
    let fits = matches!((*protocol, ip), ("1", IpAddr::V4(_)) | ("2", IpAddr::V6(_)));
    fits.then_some(SocketAddr::new(ip, port.parse().ok()?))
}

/// As a 227 has it (RFC 1123 §4.1.2.6).
pub(super) fn commas(ip: Ipv4Addr, port: u16) -> String {
    let [a, b, c, d] = ip.octets();
    let [high, low] = port.to_be_bytes();
    format!("({a},{b},{c},{d},{high},{low})")
}

/// Why no connection is opened to there: it is another's address, or a port of the system's (RFC 2577 §3).
pub(super) fn bounces(to: SocketAddr, peer: SocketAddr) -> Option<String> {
    if to.ip().to_canonical() != peer.ip().to_canonical() {
        return Some(format!("{} is not your address, which is {}", to.ip(), peer.ip()));
    }
    (to.port() < 1024).then(|| format!("port {} is below 1024", to.port()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(port("127,0,0,1,4,1"), Some("127.0.0.1:1025"))]
    #[case(port("127,0,0,1,4"), None)]
    #[case(port("127,0,0,1,4,256"), None)]
    #[case(port(""), None)]
    #[case(eprt("|1|127.0.0.1|1025|"), Some("127.0.0.1:1025"))]
    #[case(eprt("!2!::1!1025!"), Some("[::1]:1025"))]
    #[case(eprt("|2|127.0.0.1|1025|"), None)]
    #[case(eprt("|1|127.0.0.1|99999|"), None)]
    #[case(eprt("|1|127.0.0.1|1025"), None)]
    #[case(eprt(""), None)]
    #[case(eprt("é1é"), None)]
    fn an_address_is_read(#[case] got: Option<SocketAddr>, #[case] expected: Option<&str>) {
        assert_eq!(got, expected.map(|text| text.parse().unwrap()));
    }

    #[rstest]
    #[case("127.0.0.1:1024", "127.0.0.1:50000", None)]
    #[case("127.0.0.1:1024", "[::ffff:127.0.0.1]:50000", None)]
    #[case("127.0.0.1:22", "127.0.0.1:50000", Some("below 1024"))]
    #[case("127.0.0.2:1024", "127.0.0.1:50000", Some("not your address"))]
    #[case("192.0.2.1:1024", "127.0.0.1:50000", Some("not your address"))]
    fn nobody_is_sent_elsewhere(
        #[case] to: &str,
        #[case] peer: &str,
        #[case] expected: Option<&str>,
    ) {
        let got = bounces(to.parse().unwrap(), peer.parse().unwrap());
        assert_eq!(got.is_some(), expected.is_some());
        assert!(got.unwrap_or_default().contains(expected.unwrap_or_default()));
    }

    #[test]
    fn what_is_written_is_read() {
        let text = commas(Ipv4Addr::LOCALHOST, 1025);
        assert_eq!(port(text.trim_matches(['(', ')'])), port("127,0,0,1,4,1"));
    }
}
