use super::*;

fn info(which: u8, architecture: u32) -> [u64; 11] {
    let mut first = [which, 0, 0, 0, 0, 0, 0, 0];
    first[4..].copy_from_slice(&architecture.to_ne_bytes());
    let mut info = [7; 11];
    (info[0], info[3]) = (u64::from_ne_bytes(first), 41);
    info
}

/// By `int 0x80` 41 is `dup`, and not `socket`.
#[test]
fn a_call_of_another_architecture_is_told_apart() {
    let Some(own) = ARCHITECTURE else { return };
    assert_eq!(read_stop(&info(1, own)), Stop::Entry(41, [7; 6]));
    assert_eq!(read_stop(&info(2, own)), Stop::Exit(41));
    assert_eq!(read_stop(&info(1, 0x4000_0003)), Stop::Foreign);
}

/// This process's own calls, as far as their arguments can be read without its being stopped.
fn said(name: &str, given: [u64; 6], ret: i64) -> String {
    args::said(getpid(), name, given, ret).0
}

#[test]
fn protocol_0_is_ip() {
    let (inet, dgram) = (libc::AF_INET as u64, libc::SOCK_DGRAM as u64);
    assert_eq!(said("socket", [inet, dgram, 0, 0, 0, 0], 3), "AF_INET, SOCK_DGRAM, IPPROTO_IP");
    assert_eq!(said("socket", [inet, dgram, 17, 0, 0, 0], 3), "AF_INET, SOCK_DGRAM, IPPROTO_UDP");
    assert_eq!(said("socket", [1, dgram, 0, 0, 0, 0], 3), "AF_UNIX, SOCK_DGRAM, 0");
}

/// Whatever a program gives as a pointer and as a number, it is read as far as it can be.
#[test]
fn pointers_beyond_all_memory_end_nothing() {
    let all = [0, 1, 7, u64::MAX, u64::MAX - 7, u64::MAX - 63, 1 << 63];
    for name in args::names() {
        for (at, len) in all.into_iter().flat_map(|at| all.map(|len| (at, len))) {
            for ret in [-22, 0, 64, i64::MAX] {
                let _ = said(name, [u64::MAX, at, len, at, len, at], ret);
                let _ = said(name, [at, len, at, len, at, len], ret);
            }
        }
    }
}
