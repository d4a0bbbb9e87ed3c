//! The streams of one connection: what comes is told, and sent back.

use std::collections::BTreeMap;
use std::time::Duration;

use quinn_proto::{Connection, Dir, ReadError, StreamId, VarInt, WriteError};

use super::h3::{self, Part, Reader};
use super::seen::{End, Stream, What, is_clients, is_one_way};
use crate::machine::Out;

/// How much of a stream may wait to be sent back before no more is read.
const ROOM: usize = 64 << 10;
/// How many bytes of a connection's streams are told; the rest is counted.
const MOST: u64 = 64 << 20;
/// A request whose HEADERS never came (RFC 9114 §8.1).
const INCOMPLETE: u32 = 0x10d;

/// A stream.
struct Flow {
    stream: Stream,
    pending: Vec<u8>,
    reader: Option<Reader>,
    /// The request's method, once its HEADERS came.
    method: Option<String>,
}

/// The streams that are open.
#[derive(Default)]
pub(super) struct Flows {
    all: BTreeMap<u64, Flow>,
    told: u64,
    pub(super) is_h3: bool,
}

/// To whom something is told.
pub(super) struct Ears<'a> {
    pub(super) connection: u64,
    pub(super) at: Duration,
    pub(super) out: &'a mut Out,
}

impl Ears<'_> {
    pub(super) fn tell(&mut self, what: What) {
        let (connection, at) = (self.connection, self.at);
        self.out.tell(super::Seen::Event { connection, at, what });
    }
}

fn stream_id(id: u64) -> StreamId {
    StreamId::from(VarInt::from_u64(id).unwrap_or(VarInt::MAX))
}

fn code(code: u64) -> VarInt {
    VarInt::from_u64(code).unwrap_or(VarInt::MAX)
}

impl Flows {
    fn new_flow(&self, id: u64) -> Flow {
        let reader = self.is_h3.then(|| Reader::new(is_one_way(id)));
        let stream = Stream { id, ..Stream::default() };
        Flow { stream, pending: Vec::new(), reader, method: None }
    }

    /// The client has opened some.
    pub(super) fn opened(&mut self, quic: &mut Connection, dir: Dir, ears: &mut Ears<'_>) {
        let mut ids = Vec::new();
        while let Some(id) = quic.streams().accept(dir) {
            ids.push(u64::from(id));
        }
        for id in &ids {
            self.all.insert(*id, self.new_flow(*id));
            let mut later = Out::default();
            let mut aside = Ears { connection: ears.connection, at: ears.at, out: &mut later };
            self.read(quic, *id, &mut aside);
            let is_used = self.all.get(id).is_none_or(|flow| flow.stream.is_used());
            let implied = !is_used && ids.last() != Some(id);
            ears.tell(What::Opened { id: *id, implied });
            ears.out.seen.append(&mut later.seen);
        }
    }

    /// We open one, and send that by it.
    pub(super) fn open(
        &mut self,
        quic: &mut Connection,
        dir: Dir,
        bytes: &[u8],
        ends: bool,
        ears: &mut Ears<'_>,
    ) {
        let id = quic.streams().open(dir).map(u64::from);
        ears.tell(What::Opens { id, one_way: dir == Dir::Uni });
        let Some(id) = id else { return };
        let mut flow = self.new_flow(id);
        flow.pending = bytes.to_vec();
        self.all.insert(id, flow);
        self.write(quic, id, ends);
    }

    /// Reads what there is.
    pub(super) fn read(&mut self, quic: &mut Connection, id: u64, ears: &mut Ears<'_>) {
        while let Some(flow) = self.all.get_mut(&id) {
            let room = ROOM.saturating_sub(flow.pending.len());
            if room == 0 || flow.stream.end.is_some() || (is_one_way(id) && !is_clients(id)) {
                break;
            }
            let mut stream = quic.recv_stream(stream_id(id));
            let Ok(mut chunks) = stream.read(true) else { break };
            let next = chunks.next(room);
            // What is to be sent for it is sent with all else.
            let _ = chunks.finalize();
            match next {
                Ok(Some(chunk)) => self.came(id, &chunk.bytes, ears),
                Ok(None) => self.ended(quic, id, End::Fin),
                Err(ReadError::Blocked) => break,
                Err(ReadError::Reset(code)) => {
                    self.ended(quic, id, End::Reset(code.into_inner()));
                }
            }
            self.write(quic, id, false);
        }
        self.done(id, ears);
    }

    fn came(&mut self, id: u64, bytes: &[u8], ears: &mut Ears<'_>) {
        let Some(flow) = self.all.get_mut(&id) else { return };
        let offset = flow.stream.received;
        flow.stream.received += bytes.len() as u64;
        if self.told < MOST {
            self.told += bytes.len() as u64;
            let framed = flow.reader.is_some();
            ears.tell(What::Bytes { id, offset, bytes: bytes.to_vec(), framed });
        }
        let Some(reader) = &mut flow.reader else {
            if is_clients(id) && !is_one_way(id) && flow.stream.sent_end.is_none() {
                flow.pending.extend_from_slice(bytes);
            }
            return;
        };
        let mut parts = Vec::new();
        reader.read(bytes, &mut parts);
        for part in parts {
            if let Part::Fields(fields) = &part {
                let found = fields.iter().find(|field| field.0 == ":method");
                flow.method = Some(found.map_or_else(String::new, |field| field.1.clone()));
            }
            ears.tell(What::Http { id, part });
        }
    }

    /// The client has ended its direction.
    fn ended(&mut self, quic: &mut Connection, id: u64, end: End) {
        let Some(flow) = self.all.get_mut(&id) else { return };
        flow.stream.end = Some(end);
        if flow.reader.is_none() || is_one_way(id) || !is_clients(id) {
            return;
        }
        if let (End::Fin, Some(method)) = (end, &flow.method) {
            let text = format!("sockeye has read this request by stream {id}\n");
            flow.pending = h3::response(&text, method != "HEAD");
        } else if flow.stream.sent_end.is_none() {
            // It may be gone: then there is nobody to be told.
            let _ = quic.send_stream(stream_id(id)).reset(INCOMPLETE.into());
            flow.stream.sent_end = Some(End::Reset(INCOMPLETE.into()));
        }
    }

    /// Sends what waits, and ends our direction behind it if the client has ended its own, or `ends` says so.
    fn write(&mut self, quic: &mut Connection, id: u64, ends: bool) {
        let Some(flow) = self.all.get_mut(&id) else { return };
        if (is_one_way(id) && is_clients(id)) || flow.stream.sent_end.is_some() {
            return;
        }
        let mut stream = quic.send_stream(stream_id(id));
        while !flow.pending.is_empty() {
            match stream.write(&flow.pending) {
                Ok(n) => {
                    flow.pending.drain(..n);
                    flow.stream.sent += n as u64;
                }
                Err(WriteError::Blocked) => return,
                Err(WriteError::Stopped(_) | WriteError::ClosedStream) => flow.pending.clear(),
            }
        }
        if (ends || flow.stream.end.is_some()) && stream.finish().is_ok() {
            flow.stream.sent_end = Some(End::Fin);
        }
    }

    /// There is room for more.
    pub(super) fn writable(&mut self, quic: &mut Connection, id: u64, ears: &mut Ears<'_>) {
        self.write(quic, id, false);
        self.read(quic, id, ears);
    }

    /// The client wants no more of it: as RFC 9000 §3.5 has it, that is answered by `RESET_STREAM`.
    pub(super) fn stopped(
        &mut self,
        quic: &mut Connection,
        id: u64,
        why: u64,
        ears: &mut Ears<'_>,
    ) {
        ears.tell(What::Stopped { id, code: why });
        let Some(flow) = self.all.get_mut(&id) else { return };
        if quic.send_stream(stream_id(id)).reset(code(why)).is_ok() {
            flow.pending.clear();
            flow.stream.sent_end = Some(End::Reset(why));
        }
        self.read(quic, id, ears);
    }

    /// What we sent by it has arrived.
    pub(super) fn finished(&mut self, id: u64, ears: &mut Ears<'_>) {
        if is_one_way(id)
            && let Some(flow) = self.all.remove(&id)
        {
            ears.tell(What::Stream(flow.stream));
        }
    }

    /// Tells a stream whose directions both have ended.
    fn done(&mut self, id: u64, ears: &mut Ears<'_>) {
        let Some(flow) = self.all.get(&id) else { return };
        let sent = flow.stream.sent_end.is_some() || is_one_way(id);
        if flow.stream.end.is_some()
            && sent
            && let Some(flow) = self.all.remove(&id)
        {
            ears.tell(What::Stream(flow.stream));
        }
    }

    /// The connection is over: the others are told.
    pub(super) fn end(&mut self, ears: &mut Ears<'_>) {
        for flow in std::mem::take(&mut self.all).into_values() {
            ears.tell(What::Stream(flow.stream));
        }
    }
}
