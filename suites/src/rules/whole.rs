//! A message is received whole, or it is said that it was cut.
//!
//! What a receive of a socket with messages got (UDP's, and local ones) is laid beside all that it can
//! be: what the case sent by such a socket before, and the UDP datagrams of the frames.
//!
//! # Where the line runs
//!
//! - What is shorter than each message that begins with it was cut. `recvmsg` then says `MSG_TRUNC`,
//!   unless it only peeked, and had no room for more.
//! - With `MSG_TRUNC` as an argument Linux returns how long the message is, not how much there was room
//!   for. No standard has that, so it [`Rank::Surprises`], as does a `MSG_TRUNC` on what is whole.
//! - The rest is discarded: no later receive begins with it.
//!
//! # What is not judged
//!
//! - A receive that may be of two messages, one of which is as long as it. What was never sent where it
//!   can be seen: in pieces (`MSG_MORE`, `UDP_CORK`, `UDP_SEGMENT`, `UDP_GRO`), by `splice` or `sendfile`, in fragments.
//! - A case with a socket filter, which may cut by itself, or with `SO_PEEK_OFF`.
//! - Nothing received into room for something: it may be the end.
//! - Raw sockets and error queues, whose messages are other than those that were sent.
//!
//! # Where it fires
//!
//! On nothing that was run; a fault plants it (`tests/plants.rs`).

use harness::case::op::Op;
use harness::case::{Case, Os, Payload, Sym};
use harness::trace::{Out, Trace};
use harness::verdict::Rank;
use harness::wire::{Body, Fragment};

use super::sockets::{Sockets, Type, is_beside, sets_any, takes};
use super::view::{Call, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *a message is received whole, or flagged*.
pub(super) const RULE: Rule = Rule {
    name: "cut-message-is-flagged",
    rank: Rank::Violates,
    needs: Needs::Order,
    says: "A message is received in one operation, whole as far as there is room; recvmsg says \
           MSG_TRUNC of what was cut, the rest is discarded, and on Linux a receive with MSG_TRUNC \
           returns the message's own length.",
    cites: &[
        Cite {
            source: "POSIX.1-2017 recvmsg, DESCRIPTION",
            quote: "For message-based sockets, such as SOCK_DGRAM and SOCK_SEQPACKET, the entire \
                    message shall be read in a single operation. If a message is too long to fit in \
                    the supplied buffers, and MSG_PEEK is not set in the flags argument, the excess \
                    bytes shall be discarded, and MSG_TRUNC shall be set in the msg_flags member of \
                    the msghdr structure.",
        },
        Cite {
            source: "Linux recv(2), MSG_TRUNC",
            quote: "return the real length of the packet or datagram, even when it was longer than \
                    the passed buffer.",
        },
        Cite {
            source: "Linux recv(2), msg_flags",
            quote: "indicates that the trailing portion of a datagram was discarded because the \
                    datagram was larger than the buffer supplied.",
        },
    ],
    check,
};

/// One message as it was received.
struct Got<'v, 'a> {
    call: &'v Call<'a>,
    bytes: &'a [u8],
    /// What the call says of its length.
    len: i64,
    room: usize,
    /// `msg_flags`, where the call tells them.
    flags: Option<&'a [Sym]>,
}

fn check(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    if is_in_pieces(&view) {
        return Vec::new();
    }
    let sockets = Sockets::of(&view);
    let sent = sent(&view, &sockets);
    let ends = case.ops.iter().any(|op| matches!(op, Op::Shutdown { .. }));
    let (mut findings, mut rests) = (Vec::new(), Vec::<&[u8]>::new());
    for (index, call) in view.calls.iter().enumerate() {
        let Some(socket) = sockets.on(index, call).map(|id| sockets.get(id)) else { continue };
        if !call.ok() || !socket.has_messages() || is_beside(call.what) {
            continue;
        }
        let asks = os == Os::Linux && socket.r#type == Type::Dgram;
        for got in messages(call) {
            let none = got.bytes.is_empty();
            if none && (got.room > 0 || ends || socket.r#type != Type::Dgram) {
                continue;
            }
            let before = sent.iter().filter(|(op, _)| *op <= call.op);
            let of: Vec<&[u8]> = before
                .map(|(_, bytes)| &bytes[..])
                .filter(|bytes| bytes.starts_with(got.bytes))
                .collect();
            let fault = if of.is_empty() { is_rest(&got, &rests) } else { cut(&got, &of, asks) };
            findings.extend(fault.map(|(rank, text)| RULE.weighs(rank, call.op, text)));
            let is_cut = of.iter().all(|bytes| bytes.len() > got.bytes.len());
            if is_cut && !takes(call.what, "MSG_PEEK") {
                rests.extend(of.iter().map(|bytes| &bytes[got.bytes.len()..]));
            }
        }
    }
    findings
}

/// Whether what is sent and what is received need not be the same messages.
fn is_in_pieces(view: &View<'_>) -> bool {
    let by_call = view.case.ops.iter().any(|op| match op {
        Op::Splice { .. } | Op::Sendfile { .. } => true,
        Op::Raw { .. } => op.sends(),
        Op::Sendmsg { control, .. } if !control.is_empty() => {
            format!("{control:?}").contains("UDP_SEGMENT")
        }
        _ => false,
    });
    let more = |op: &Op| op.send_flags().is_some_and(|flags| flags.has("MSG_MORE"));
    by_call
        || view.case.ops.iter().any(more)
        || sets_any(view, |name| {
            name.starts_with("UDP_") || name.starts_with("SO_ATTACH_") || name == "SO_PEEK_OFF"
        })
}

/// Each message that a receive may get, with the step in which it was sent.
fn sent(view: &View<'_>, sockets: &Sockets<'_>) -> Vec<(u32, Vec<u8>)> {
    let mut sent = Vec::new();
    for (index, call) in view.calls.iter().enumerate() {
        let by = sockets.on(index, call).map(|id| sockets.get(id));
        if !call.ok() || !call.what.sends() || !by.is_some_and(super::sockets::Socket::has_messages)
        {
            continue;
        }
        if let Some(bytes) = call.what.written() {
            sent.push((call.op, bytes));
        } else {
            let all = call.what.payloads().into_iter().map(Payload::bytes);
            sent.extend(all.map(|bytes| (call.op, bytes)));
        }
    }
    for seen in view.frames.iter().filter(|seen| is_whole(seen.fragment())) {
        if let Some(Body::Udp(udp)) = seen.packet.body() {
            sent.push((seen.op, udp.payload.to_vec()));
        }
    }
    sent
}

fn is_whole(fragment: Fragment) -> bool {
    fragment.offset == 0 && !fragment.more
}

fn messages<'v, 'a>(call: &'v Call<'a>) -> Vec<Got<'v, 'a>> {
    let room = match call.what {
        Op::Recv { len, .. }
        | Op::Recvfrom { len, .. }
        | Op::Recvmsg { len, .. }
        | Op::Read { len, .. }
        | Op::RecvmsgX { len, .. }
        | Op::Recvmmsg { len, .. } => *len as usize,
        Op::Readv { lens, .. } => lens.iter().sum::<u32>() as usize,
        _ => return Vec::new(),
    };
    let tells = matches!(call.what, Op::Recvmsg { .. });
    match call.out {
        Out::Data { bytes, flags, .. } => {
            let flags = tells.then_some(&flags[..]);
            vec![Got { call, bytes: &bytes.0, len: call.ret, room, flags }]
        }
        Out::Messages(list) => {
            let got = list.iter().map(|one| Got {
                call,
                bytes: &one.bytes.0,
                len: one.len,
                room,
                flags: Some(&one.flags),
            });
            got.collect()
        }
        _ => Vec::new(),
    }
}

/// What is wrong with a message that is one of these, or the beginning of one.
fn cut(got: &Got<'_, '_>, of: &[&[u8]], asks: bool) -> Option<(Rank, String)> {
    let (name, here) = (got.call.what.call(), got.bytes.len());
    let says = got.flags.map(|flags| flags.iter().any(|flag| flag.plain() == "MSG_TRUNC"));
    let longer: Vec<usize> = of.iter().map(|bytes| bytes.len()).filter(|len| *len > here).collect();
    let Some(len) = longer.first().filter(|_| longer.len() == of.len()) else {
        let whole = says == Some(true) && longer.is_empty();
        let text = format!("{name} gave all {here} bytes of a message, and MSG_TRUNC with them.");
        return whole.then_some((Rank::Surprises, text));
    };
    if here < got.room {
        let room = got.room;
        let text = format!("{name} gave {here} of {len} bytes of a message into room for {room}.");
        return Some((Rank::Violates, text));
    }
    if says == Some(false) && !takes(got.call.what, "MSG_PEEK") {
        let text = format!("{name} gave {here} of {len} bytes of a message, and no MSG_TRUNC.");
        return Some((Rank::Violates, text));
    }
    let told = longer.iter().any(|len| i64::try_from(*len) == Ok(got.len));
    if asks && takes(got.call.what, "MSG_TRUNC") && !told {
        let said = got.len;
        let text = format!(
            "{name} with MSG_TRUNC gave {here} of {len} bytes of a message, and returned {said}."
        );
        return Some((Rank::Surprises, text));
    }
    None
}

/// Whether it is what was to be discarded.
fn is_rest(got: &Got<'_, '_>, rests: &[&[u8]]) -> Option<(Rank, String)> {
    let (name, here) = (got.call.what.call(), got.bytes.len());
    let is_one = here > 0 && rests.iter().any(|rest| rest.starts_with(got.bytes));
    let text =
        format!("{name} gave {here} bytes that are the rest of a message that was cut before.");
    is_one.then_some((Rank::Violates, text))
}
