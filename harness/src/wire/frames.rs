//! Frames that a Linux kernel sent on a TAP interface, captured as hex, to decode in tests.
//!
//! The kernel is `192.0.2.1`, `2001:db8::1` and `02:00:00:00:00:01`; the far end is the same with a 2 at the end.

/// The bytes that hex digits spell. Spaces do not count, and `00*5` is five of the byte.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let word = |word: &str| {
        let (digits, times) = word.split_once('*').unwrap_or((word, "1"));
        let digit = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits");
        let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(digit).collect();
        bytes.repeat(times.parse().expect("a number"))
    };
    text.split_whitespace().flat_map(word).collect()
}

/// An announcement: the interface came up with its address.
pub(super) const ARP_GRATUITOUS: &str = "
    ffffffffffff 020000000001 0806 00010800 06040001 02000000 0001c000 02010000 00000000
    c0000201";

/// A send to a neighbour that is not known.
pub(super) const ARP_REQUEST: &str = "
    ffffffffffff 020000000001 0806 00010800 06040001 02000000 0001c000 02010000 00000000
    c0000202";

/// The solicited-node group, joined before there is an address.
pub(super) const MLD2_REPORT: &str = "
    333300000016 020000000001 86dd 60000000 00240001 00000000 00000000 00000000 00000000
    ff020000 00000000 00000000 00000016 3a000502 00000100 8f006f89 00000001 04000000
    ff020000 00000000 00000001 ff000001";

/// Duplicate address detection, with a nonce.
pub(super) const DAD: &str = "
    3333ff000001 020000000001 86dd 60000000 00203aff 00000000 00000000 00000000 00000000
    ff020000 00000000 00000001 ff000001 870015ed 00000000 20010db8 00000000 00000000
    00000001 0e014bde baa02278";

/// From the link-local address.
pub(super) const ROUTER_SOLICITATION: &str = "
    333300000002 020000000001 86dd 60000000 00103aff fe800000 00000000 000000ff fe000001
    ff020000 00000000 00000000 00000002 85007b2c 00000000 01010200 00000001";

/// A send to a neighbour that is not known.
pub(super) const SOLICITATION: &str = "
    3333ff000009 020000000001 86dd 60000000 00203aff 20010db8 00000000 00000000 00000001
    ff020000 00000000 00000001 ff000009 87001c19 00000000 20010db8 00000000 00000000
    00000009 01010200 00000001";

/// After joining 239.1.2.3; the header has the router alert option.
pub(super) const IGMP3_REPORT: &str = "
    01005e000016 020000000001 0800 46c00028 00004000 010241f8 c0000201 e0000016 94040000
    2200e8f9 00000001 04000000 ef010203";

/// `hello` and a zero byte to port 12345.
pub(super) const UDP4: &str = "
    020000000002 020000000001 0800 45000022 5fd04000 401156f7 c0000201 c0000202 cf663039
    000e385c 68656c6c 6f00";

/// The same over IPv6.
pub(super) const UDP6: &str = "
    020000000002 020000000001 86dd 600dcbb7 000e1140 20010db8 00000000 00000000 00000001
    20010db8 00000000 00000000 00000002 81083039 000eaf49 68656c6c 6f00";

/// 2000 zero bytes to port 12345 over an MTU of 1500.
pub(super) const FRAG4_FIRST: &str = "
    020000000002 020000000001 0800 450005dc 5fed2000 40117120 c0000201 c0000202 cf663039
    07d86c9a 00*1472";

/// The rest of them.
pub(super) const FRAG4_LAST: &str = "
    020000000002 020000000001 0800 45000224 5fed00b9 4011941f c0000201 c0000202 00*528";

/// The same over IPv6.
pub(super) const FRAG6_FIRST: &str = "
    020000000002 020000000001 86dd 600dcbb7 05b02c40 20010db8 00000000 00000000 00000001
    20010db8 00000000 00000000 00000002 11000001 12b628ef 81083039 07d8e387 00*1440";

/// The rest of them.
pub(super) const FRAG6_LAST: &str = "
    020000000002 020000000001 86dd 600dcbb7 02382c40 20010db8 00000000 00000000 00000001
    20010db8 00000000 00000000 00000002 110005a8 12b628ef 00*560";

/// `connect` to port 80.
pub(super) const SYN: &str = "
    020000000002 020000000001 0800 4500003c 38a24000 40067e16 c0000201 c0000202 df560050
    a8fc4e17 00000000 a002faf0 2d690000 020405b4 0402080a 3ef885ec 00000000 0103030a";

/// The answer to a datagram for a port that nobody has.
pub(super) const UNREACHABLE4: &str = "
    020000000002 020000000001 0800 45c0003c ccdd0000 40012920 c0000201 c0000202 03032499
    00000000 45000020 00010000 4011f6c8 c0000202 c0000201 13880009 000c0000 61626364";

/// The same over IPv6.
pub(super) const UNREACHABLE6: &str = "
    020000000002 020000000001 86dd 60043490 003c3a40 20010db8 00000000 00000000 00000001
    20010db8 00000000 00000000 00000002 010431e1 00000000 60000000 000c1140 20010db8
    00000000 00000000 00000002 20010db8 00000000 00000000 00000001 13880009 000ccc09
    61626364";

/// All of them.
pub(super) const ALL: &[&str] = &[
    ARP_GRATUITOUS,
    ARP_REQUEST,
    MLD2_REPORT,
    DAD,
    ROUTER_SOLICITATION,
    SOLICITATION,
    IGMP3_REPORT,
    UDP4,
    UDP6,
    FRAG4_FIRST,
    FRAG4_LAST,
    FRAG6_FIRST,
    FRAG6_LAST,
    SYN,
    UNREACHABLE4,
    UNREACHABLE6,
];
