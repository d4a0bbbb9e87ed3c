//! Serves one kind by one script and prints what comes: `cargo run -p sockeye-far --example serve -- tls self-signed`.

use std::io::Read as _;

use far::net::Server;
use far::{Asked, OFFERS};

fn main() {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    let Some(offer) = OFFERS.iter().find(|offer| offer.name == name) else {
        println!("one of: {:?}", OFFERS.iter().map(|offer| offer.name).collect::<Vec<_>>());
        return;
    };
    let script = words.next().unwrap_or_else(|| offer.scripts[0].name.to_owned());
    let made = (offer.make)(&Asked { script, ..Asked::default() }).expect("a server");
    let say = |told: far::Told| println!("{}\n{}", told.lines.join("\n"), told.json);
    let listen = "127.0.0.1:0".parse().expect("an address");
    let server = Server::start(listen, made.kind, made.witness, say).expect("a socket");
    println!("{}", (made.url)(server.addr()));
    // Until its input ends.
    let _ = std::io::stdin().read(&mut [0]);
    println!("{}", server.stop().expect("a witness").summary().join("\n"));
}
