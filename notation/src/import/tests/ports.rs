//! Whose a port is: the program's, the kernel's, nobody's yet.

use super::*;

fn at(port: u16) -> String {
    format!("{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr(\"127.0.0.1\")}}, 16")
}

/// The second reading knows the port from the first, and it is not the socket's before the call.
#[rstest]
#[case::once(&["= 0"], &["127.0.0.1:8080}) = 0"])]
#[case::again(
    &["= -1 EADDRINUSE (Address already in use)", "= 0"],
    &["127.0.0.1:8080}) = -1 EADDRINUSE", "127.0.0.1:8080}) = 0"]
)]
fn a_port_that_the_program_names_is_no_sockets(#[case] came: &[&str], #[case] said: &[&str]) {
    let binds = came.iter().map(|came| format!("7 bind(3<TCP:[1]>, {}) {came}\n", at(8080)));
    let all = lines(&format!(
        "{TCP}{}7 getsockname(3<TCP:[127.0.0.1:8080]>, {}) = 0\n",
        binds.collect::<String>(),
        at(8080).replace(", 16", ", [16]")
    ));
    let binds: Vec<&String> = all.iter().filter(|line| line.starts_with("bind")).collect();
    assert_eq!(binds.len(), said.len(), "{all:#?}");
    assert!(binds.iter().zip(said).all(|(line, said)| line.ends_with(said)), "{all:#?}");
    assert_eq!(
        all.last().map(String::as_str),
        Some("getsockname(s) = 0, {AF_INET 127.0.0.1:8080}")
    );
}

/// What a socket is bound to later is nobody's when another connects to it.
#[test]
fn a_port_is_a_sockets_from_when_it_has_it() {
    let all = lines(&format!(
        "{TCP}7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 4<TCP:[2]>\n\
         7 connect(4<TCP:[2]>, {}) = -1 ECONNREFUSED (Connection refused)\n\
         7 bind(3<TCP:[1]>, {}) = 0\n\
         7 listen(3<TCP:[127.0.0.1:45585]>, 1) = 0\n",
        at(45585),
        at(0)
    ));
    let refused = "connect(s2, {AF_INET 127.0.0.1:45585}) = -1 ECONNREFUSED";
    assert!(all.iter().any(|line| line == refused), "{all:#?}");
}

/// A port is chosen, left and bound by name: whoever connects to it there comes to that socket.
#[test]
fn a_free_port_that_is_looked_for_first_is_then_named() {
    let all = lines(&format!(
        "{TCP}7 bind(3<TCP:[1]>, {}) = 0\n\
         7 getsockname(3<TCP:[127.0.0.1:45585]>, {}) = 0\n\
         7 close(3<TCP:[127.0.0.1:45585]>) = 0\n\
         7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3<TCP:[2]>\n\
         7 bind(3<TCP:[2]>, {named}) = 0\n\
         7 listen(3<TCP:[127.0.0.1:45585]>, 1) = 0\n\
         7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 4<TCP:[3]>\n\
         7 connect(4<TCP:[3]>, {named}) = 0\n",
        at(0),
        at(45585).replace(", 16", ", [16]"),
        named = at(45585)
    ));
    for line in
        ["bind(s2, {AF_INET 127.0.0.1:45585}) = 0", "connect(s3, {AF_INET 127.0.0.1:45585}) = 0"]
    {
        assert!(all.iter().any(|one| one == line), "{line} {all:#?}");
    }
}
