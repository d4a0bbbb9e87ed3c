use super::*;

/// musl's macro saw one message here, and the row was `changed` on Alpine.
#[test]
fn the_last_message_may_have_no_data() {
    let sent = [(1, 2, b"data".to_vec()), (3, 4, Vec::new())];
    let (mut control, len) = control_of(&sent);
    let msg = header(None, &mut [], &mut control, len);
    // SAFETY: the header describes the control buffer.
    assert_eq!(unsafe { messages(&msg) }, sent);
}

#[test]
fn a_header_of_zeros_is_the_last() {
    // SAFETY: computes a size.
    let room = unsafe { libc::CMSG_SPACE(4) };
    // SAFETY: computes a size.
    let len = unsafe { libc::CMSG_LEN(4) };
    let mut control = control_room(room as usize + 64);
    let msg = header(None, &mut [], &mut control, room as usize + 64);
    // SAFETY: the header describes the control buffer.
    let at = unsafe { libc::CMSG_FIRSTHDR(&raw const msg) };
    // SAFETY: the buffer has room for one message.
    let head = unsafe { &mut *at };
    (head.cmsg_level, head.cmsg_type, head.cmsg_len) = (7, 9, len as _);
    // SAFETY: the header describes the control buffer.
    let mut all = unsafe { messages(&msg) };
    assert_eq!(all.remove(0), (7, 9, vec![0; 4]));
    // What follows is zeros: glibc's macro ends there, Darwin's leads to the same place for ever.
    assert!(all.len() < 2 && all.iter().all(|rest| *rest == (0, 0, Vec::new())), "{all:?}");
}
