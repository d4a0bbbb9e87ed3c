//! The address plan of [`crate::case::addr`], by the number of a lab's link.

use std::net::IpAddr;

use crate::case::addr::{Range, Role, address};

/// Who has which address on the lab's link number `link`.
pub(super) fn ip_of(link: usize, role: Role, range: Range) -> IpAddr {
    address(place(link), role, range)
}

/// The link-layer address of somebody on the lab's link number `link`: locally administered.
pub(super) fn mac_of(link: usize, role: Role) -> [u8; 6] {
    [2, 0, 0, 0, place(link), role as u8]
}

fn place(link: usize) -> u8 {
    u8::try_from(link).unwrap_or(u8::MAX)
}
