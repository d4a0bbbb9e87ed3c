//! A kind of server that says what came, over real sockets.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::machine::{Datagram, Datagrams, Do, Input, Out, Reply, Side, SideDo, Stream};
use crate::witness::Seen;

/// Echoes; `side` opens a second connection and sends what comes by it, `slow` answers later.
struct Echo {
    wakes: Option<Duration>,
}

struct Kinds;

struct Lines(usize);

impl Kind for Kinds {
    fn stream(&mut self, _: u64) -> Option<Box<dyn Stream>> {
        Some(Box::new(Echo { wakes: None }))
    }

    fn datagrams(&mut self) -> Option<Box<dyn Datagrams>> {
        Some(Box::new(Echo { wakes: None }))
    }
}

impl Datagrams for Echo {
    fn input(&mut self, datagram: &Datagram<'_>, _: Duration, out: &mut Out) {
        out.tell(Seen::Line(format!("datagram of {}", datagram.data.len())));
        let Datagram { local, peer, data, .. } = *datagram;
        out.datagrams.push(Reply { local, peer, data: data.to_vec() });
    }
}

impl Stream for Echo {
    fn input(&mut self, what: Input<'_>, at: Duration, out: &mut Out) {
        match what {
            Input::Bytes(b"slow") => self.wakes = Some(at + Duration::from_millis(20)),
            Input::Bytes(b"listen") => out.todo.push(Do::Side(SideDo::Listen)),
            Input::Bytes(b"reset") => out.todo.push(Do::Reset),
            Input::Bytes(bytes) => out.send(bytes),
            Input::Side(Side::Listens(at)) => out.send(at.port().to_string()),
            Input::Side(Side::Bytes(bytes)) => {
                out.todo.push(Do::Side(SideDo::Send(bytes.to_vec())));
            }
            Input::Side(Side::End) => out.todo.push(Do::Side(SideDo::Close)),
            Input::Time => {
                self.wakes = None;
                out.send("late");
            }
            Input::End => out.todo.push(Do::Close),
            _ => {}
        }
        out.tell(Seen::Line(format!("{what:?}").split('(').next().unwrap_or_default().to_owned()));
    }

    fn wakes(&self) -> Option<Duration> {
        self.wakes
    }
}

impl Witness for Lines {
    fn tell(&mut self, seen: &Seen) -> Told {
        self.0 += 1;
        let line = match seen {
            Seen::Line(line) => line.clone(),
            _ => String::new(),
        };
        Told { lines: vec![line], json: Value::Null, files: Vec::new(), counts: true }
    }

    fn summary(&self) -> Vec<String> {
        vec![self.0.to_string()]
    }

    fn expectations(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn holds(&self, words: &str) -> Result<bool, String> {
        Err(words.to_owned())
    }
}

fn start() -> (Server, mpsc::Receiver<String>) {
    let (said, lines) = mpsc::channel();
    let say = move |told: Told| {
        let _ = said.send(told.lines.concat());
    };
    let at = "127.0.0.1:0".parse().unwrap();
    (Server::start(at, Box::new(Kinds), Box::new(Lines(0)), say).unwrap(), lines)
}

fn answer(stream: &mut TcpStream, asked: &[u8]) -> String {
    stream.write_all(asked).unwrap();
    let mut room = [0; 64];
    let n = stream.read(&mut room).unwrap();
    String::from_utf8_lossy(&room[..n]).into_owned()
}

#[test]
fn what_a_machine_wants_is_done() {
    let (server, lines) = start();
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    assert_eq!(answer(&mut stream, b"abc"), "abc");
    assert_eq!(answer(&mut stream, b"slow"), "late");
    let port: u16 = answer(&mut stream, b"listen").parse().unwrap();
    let mut second = TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert_eq!(answer(&mut second, b"by the side"), "by the side");
    second.shutdown(Shutdown::Write).unwrap();
    assert_eq!(second.read(&mut [0]).unwrap(), 0);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    let mut reset = TcpStream::connect(server.addr()).unwrap();
    reset.write_all(b"reset").unwrap();
    assert!(reset.read(&mut [0]).is_err());
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.send_to(b"1234", server.addr()).unwrap();
    let mut room = [0; 9];
    assert_eq!(udp.recv_from(&mut room).unwrap(), (4, server.addr()));
    let witness = server.stop().unwrap();
    let all: Vec<String> = lines.try_iter().collect();
    assert_eq!(witness.summary(), [all.len().to_string()]);
    assert!(all.contains(&"datagram of 4".to_owned()), "{all:?}");
}

#[test]
fn who_waits_to_be_accepted_is_not_lost() {
    let (server, lines) = start();
    let mut streams: Vec<TcpStream> =
        (0..20).map(|_| TcpStream::connect(server.addr()).unwrap()).collect();
    for stream in &mut streams {
        stream.write_all(b"x").unwrap();
    }
    drop(server.stop().unwrap());
    let all: Vec<String> = lines.try_iter().collect();
    assert_eq!(all.iter().filter(|line| line.starts_with("Opened")).count(), 20);
    assert_eq!(all.iter().filter(|line| *line == "Bytes").count(), 20, "{all:?}");
}
