use std::cell::RefCell;
use std::net::Ipv4Addr;

use super::*;

/// The part of XNU's `in6_control` that is about this, as xnu-11417 `bsd/netinet6/in6.c` has it: a
/// feth that is up.
#[derive(Default)]
struct Kernel {
    asked: RefCell<Vec<u32>>,
    attached: RefCell<bool>,
    dad: RefCell<bool>,
    /// Address as it was given, flags.
    addresses: RefCell<Vec<(Ipv6Addr, u32)>>,
}

const TENTATIVE: u32 = 0x2;
const NODAD: u32 = 0x20;

fn ip_of(bytes: &[u8]) -> Ipv6Addr {
    let ip: [u8; 16] = bytes[24..40].try_into().unwrap();
    ip.into()
}

impl Kernel {
    /// Whether it was not attached: `nd6_ifattach` has it detect duplicates.
    fn attach(&self) -> bool {
        let before = self.attached.replace(true);
        if !before {
            self.dad.replace(true);
        }
        !before
    }

    fn add(&self, bytes: &[u8]) {
        if self.attach() {
            // One of its own making.
            self.addresses.borrow_mut().push(("fe80:5::ff:fe00:1".parse().unwrap(), 0));
        }
        let asked = u32::from_ne_bytes(bytes[100..104].try_into().unwrap());
        let tentative = if *self.dad.borrow() { TENTATIVE } else { 0 };
        // With NODAD nothing begins that would end it; without, it does so a second later.
        let stays = asked & NODAD | tentative;
        self.addresses.borrow_mut().push((ip_of(bytes), stays));
    }
}

impl Control for Kernel {
    fn control(&self, _: Family, number: u32, bytes: &mut [u8]) -> io::Result<()> {
        assert!(bytes.len() >= ioctl::len_of(number), "{number:#x} has {} bytes", bytes.len());
        assert_eq!(bytes[..6], *b"feth7\0");
        self.asked.borrow_mut().push(number);
        match number {
            ioctl::SIOCPROTOATTACH_IN6 if !self.attach() => {
                return Err(io::Error::from_raw_os_error(EEXIST));
            }
            ioctl::SIOCGIFINFO_IN6 => {
                let flags = 0x81 | if *self.dad.borrow() { DAD } else { 0 };
                bytes[36..40].copy_from_slice(&flags.to_ne_bytes());
            }
            ioctl::SIOCSIFINFO_FLAGS => {
                let flags = u32::from_ne_bytes(bytes[36..40].try_into().unwrap());
                assert_eq!(flags & !DAD, 0x81, "the other flags stay");
                self.dad.replace(flags & DAD != 0);
            }
            ioctl::SIOCAIFADDR_IN6 => self.add(bytes),
            ioctl::SIOCGIFAFLAG_IN6 => {
                let flags = self.addresses.borrow().last().map_or(0, |(_, flags)| *flags);
                bytes[16..20].copy_from_slice(&flags.to_ne_bytes());
            }
            _ => {}
        }
        Ok(())
    }
}

const LINK: (&str, u16) = ("feth7", 5);

#[test]
fn an_address_is_usable_at_once_and_alone() {
    let kernel = Kernel::default();
    add_address(&kernel, LINK, "fe80::1".parse().unwrap(), None, 64).unwrap();
    add_address(&kernel, LINK, "2001:db8::1".parse().unwrap(), None, 64).unwrap();
    // The link-local one with its interface's index in its bytes 2 and 3, as ifconfig gives it.
    let kept = [("fe80:5::1".parse().unwrap(), 0), ("2001:db8::1".parse().unwrap(), 0)];
    assert_eq!(*kernel.addresses.borrow(), kept);
    let ip = "2001:db8::1".parse().unwrap();
    assert_eq!(unusable(&kernel, LINK, ip).unwrap(), None);
    let attach =
        [ioctl::SIOCPROTOATTACH_IN6, ioctl::SIOCGIFINFO_IN6, ioctl::SIOCSIFINFO_FLAGS].to_vec();
    let asked = kernel.asked.borrow();
    assert_eq!(asked[..4], [attach, vec![ioctl::SIOCAIFADDR_IN6]].concat());
    assert_eq!(asked[4..7], [attach_again(), vec![ioctl::SIOCAIFADDR_IN6]].concat());
}

/// The flags are as they shall be.
fn attach_again() -> Vec<u32> {
    vec![ioctl::SIOCPROTOATTACH_IN6, ioctl::SIOCGIFINFO_IN6]
}

#[test]
fn a_kernel_asked_in_another_order_is_found_out() {
    // As it was asked once: NODAD, and nothing before it.
    let kernel = Kernel::default();
    let mut bytes = request::in6_aliasreq("feth7", "2001:db8::1".parse().unwrap(), 5, 64);
    bytes[100..104].copy_from_slice(&NODAD.to_ne_bytes());
    kernel.control(Family::V6, ioctl::SIOCAIFADDR_IN6, &mut bytes).unwrap();
    assert_eq!(kernel.addresses.borrow().len(), 2, "one of the kernel's own making");
    let why = unusable(&kernel, LINK, "2001:db8::1".parse().unwrap()).unwrap();
    assert_eq!(why.as_deref(), Some("tentative (flags 0x22)"));
}

#[test]
fn a_network_is_told_for_both_families() {
    let kernel = Kernel::default();
    on_another_network(&kernel, "feth7", [7; 20]).unwrap();
    assert_eq!(*kernel.asked.borrow(), [0xc028_69ae; 2]);
    assert_eq!(request::if_nsreq("feth7", 30, [7; 20])[16..24], [30, 20, 0, 0, 7, 7, 7, 7]);
}

#[test]
fn connections_do_not_ask_for_ecn() {
    let kernel = Kernel::default();
    without_ecn(&kernel, "feth7").unwrap();
    assert_eq!(*kernel.asked.borrow(), [0x8020_69b1]);
}

#[test]
fn ipv4_addresses_need_no_preparation() {
    let kernel = Kernel::default();
    let ip = Ipv4Addr::new(192, 0, 2, 1).into();
    add_address(&kernel, LINK, ip, None, 24).unwrap();
    delete_address(&kernel, LINK, ip).unwrap();
    delete_address(&kernel, LINK, "fe80::1".parse().unwrap()).unwrap();
    let all = [ioctl::SIOCAIFADDR, ioctl::SIOCDIFADDR, ioctl::SIOCDIFADDR_IN6];
    assert_eq!(*kernel.asked.borrow(), all);
}
