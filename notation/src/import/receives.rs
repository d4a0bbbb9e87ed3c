//! Calls that receive.

use harness::case::addr::SockAddr;
use harness::case::{Op, Sym};
use harness::trace::{ControlOut, Did, Out};

use super::convert::Converter;
use super::data::{Data, gathered};
use super::hosts::told;
use super::log::{Arg, Called};
use super::messages;
use super::transfers::{MOST_ROOM, NO_FLAGS, Said, room_of};
use super::words::flags;

/// Those of a message that came (recv(2)) which an outcome has.
const CAME: [&str; 4] = ["MSG_CTRUNC", "MSG_ERRQUEUE", "MSG_OOB", "MSG_TRUNC"];

/// A message that came.
struct Came {
    data: Data,
    room: usize,
    from: Option<SockAddr>,
    flags: Vec<Sym>,
    control: Vec<ControlOut>,
}

impl Converter<'_> {
    pub(super) fn receives(&mut self, call: &Called) -> Said {
        let socket = self.socket(call.args.first())?;
        if call.name == "recvmmsg" {
            let all = call.args.get(1).map(Arg::within).unwrap_or_default();
            let count = usize::try_from(call.ret.unwrap_or(0)).unwrap_or(0);
            if count > 1 || all.len() > 1 {
                self.draft.remark("recvmmsg, message by message".to_owned());
            }
            for one in all.iter().take(count.max(1)) {
                let message = one.field("msg_hdr").ok_or("the log does not tell the message")?;
                let len = one.field("msg_len").and_then(Arg::number);
                let ret = if call.errno.is_none() { len } else { call.ret };
                self.recvmsg(call, socket, message, (ret, call.args.get(3)))?;
            }
            return Ok(());
        }
        if call.name == "recvmsg" {
            let message = call.args.get(1).ok_or("the log does not tell the message")?;
            return self.recvmsg(call, socket, message, (call.ret, call.args.get(2)));
        }
        let copied = usize::try_from(call.ret.unwrap_or(0)).unwrap_or(0);
        let (data, room) = if call.name == "readv" {
            gathered(call.args.get(1).ok_or("it is given no room")?, Some(copied))
        } else {
            let room = room_of(call.args.get(2))?;
            (Data::of(call.args.get(1), copied.min(room)), room)
        };
        let fd = self.name(socket);
        let len = u32::try_from(room.min(MOST_ROOM)).unwrap_or(u32::MAX);
        let from = call.args.get(4).filter(|from| from.text() != "NULL");
        let has_from = call.name == "recvfrom" && from.is_some();
        let mut said = Vec::new();
        let op = if call.name.starts_with("read") {
            Op::Read { fd, len }
        } else {
            let f = call.args.get(3).map(Arg::flags).unwrap_or_default();
            said.clone_from(&f);
            let flags = flags(&f, &NO_FLAGS)?;
            if has_from { Op::Recvfrom { fd, len, flags } } else { Op::Recv { fd, len, flags } }
        };
        let told_from = from.and_then(told);
        self.before_receive(call, socket, (&data, told_from.as_ref()), (room, &said))?;
        let from = if has_from { self.gave(from, socket) } else { None };
        let out =
            if call.errno.is_none() { Self::data(data.received(), from) } else { Out::Nothing };
        self.step(op, None, out)
    }

    fn recvmsg(
        &mut self,
        call: &Called,
        socket: usize,
        message: &Arg,
        (ret, f): (Option<i64>, Option<&Arg>),
    ) -> Said {
        let iov = message.field("msg_iov").ok_or("the log does not tell its room")?;
        let copied = usize::try_from(ret.unwrap_or(0)).unwrap_or(0);
        let (data, room) = gathered(iov, Some(copied));
        let name = message.field("msg_name");
        let from = self.gave(name, socket);
        let control = messages::received(message.field("msg_control"), &mut self.hosts);
        let words = message.field("msg_flags").map(Arg::flags).unwrap_or_default();
        let mut said: Vec<&str> = CAME.into_iter().filter(|word| words.contains(word)).collect();
        // Whose address stands before them the log does not tell: only what stands before that is asked for.
        let unnamed = from.is_none() && !self.sockets.all[socket].is_stream();
        let control = control.filter(|_| !unnamed);
        if unnamed {
            said.clear();
        }
        let came = Came {
            data,
            room,
            from,
            flags: flags(&said, &[])?.0,
            // What came with it stands last, and is not asked for if the log does not tell it.
            control: control.unwrap_or_default(),
        };
        let room_for_control = message.field("msg_controllen").and_then(Arg::before).unwrap_or(0);
        let control_len = u32::try_from(room_for_control).unwrap_or(0).min(65_536);
        let words = f.map(Arg::flags).unwrap_or_default();
        let f = flags(&words, &NO_FLAGS)?;
        let from = name.and_then(told);
        self.before_receive(call, socket, (&came.data, from.as_ref()), (came.room, &words))?;
        let len = u32::try_from(came.room.min(MOST_ROOM)).unwrap_or(u32::MAX);
        let op =
            Op::Recvmsg { fd: self.name(socket), len, lens: Vec::new(), control_len, flags: f };
        let errno = call.errno.as_ref().map(|errno| Sym(errno.clone().into()));
        let out = match (came.data.received(), &errno) {
            (Some(bytes), None) => {
                let Came { from, flags, control, .. } = came;
                Out::Data { bytes, from, flags, control }
            }
            _ => Out::Nothing,
        };
        self.step_as(op, None, Did::Returned { ret: ret.unwrap_or(0), errno, out })
    }
}
