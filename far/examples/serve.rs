//! Serves one kind by one script and prints what comes: `cargo run -p sockeye-far --example serve -- tls self-signed`.
//! Behind the script `within=ldap` and `out=DIR`, an empty folder for `ca.pem` and what else is kept.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::Path;

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
    let rest: Vec<String> = words.collect();
    let word = |key: &str| rest.iter().find_map(|w| w.strip_prefix(key).map(str::to_owned));
    let asked = Asked { script, within: word("within="), ..Asked::default() };
    let made = (offer.make)(&asked).expect("a server");
    let folder = word("out=");
    let say = move |told: far::Told| {
        if !told.lines.is_empty() {
            println!("{}\n{}", told.lines.join("\n"), told.json);
        }
        for (name, bytes) in &told.files {
            keep(folder.as_deref(), name, bytes);
        }
    };
    keep(word("out=").as_deref(), "ca.pem", made.ca.unwrap_or_default().as_bytes());
    let listen = "127.0.0.1:0".parse().expect("an address");
    let server = Server::start(listen, made.kind, made.witness, say).expect("a socket");
    println!("{}", (made.url)(server.addr()));
    // Until its input ends.
    let _ = std::io::stdin().read(&mut [0]);
    println!("{}", server.stop().expect("a witness").summary().join("\n"));
}

/// Puts bytes behind what is there.
fn keep(folder: Option<&str>, name: &str, bytes: &[u8]) {
    let Some(folder) = folder else { return };
    let path = Path::new(folder).join(name);
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("a file");
    file.write_all(bytes).expect("bytes");
}
