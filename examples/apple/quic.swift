// sockeye control quic --expect 'stream 0' -- swift quic.swift {host} {port}
//
// Which identifiers have the streams that a multiplex group opens? `--script opens-streams` opens some to it, too.
import Foundation
import Network

let host = NWEndpoint.Host(CommandLine.arguments[1])
let port = NWEndpoint.Port(CommandLine.arguments[2])!
let options = NWProtocolQUIC.Options(alpn: ["sockeye"])
// Whatever certificate: this is about streams.
sec_protocol_options_set_verify_block(options.securityProtocolOptions, { _, _, done in done(true) }, .main)
let descriptor = NWMultiplexGroup(to: .hostPort(host: host, port: port))
let group = NWConnectionGroup(with: descriptor, using: NWParameters(quic: options))
var streams: [NWConnection] = []

func name(_ stream: NWConnection) -> String {
    let metadata = stream.metadata(definition: NWProtocolQUIC.definition) as? NWProtocolQUIC.Metadata
    return metadata.map { "stream \($0.streamIdentifier)" } ?? "a stream without an identifier"
}

func follow(_ stream: NWConnection) {
    streams.append(stream)
    stream.stateUpdateHandler = { state in print(name(stream), state) }
    stream.receive(minimumIncompleteLength: 1, maximumLength: 4096) { data, _, _, error in
        print(name(stream), "received", data.map { String(decoding: $0, as: UTF8.self) } ?? "nothing", error ?? "")
    }
    stream.start(queue: .main)
}

// A group without it is said never to start.
group.setReceiveHandler { _, _, _ in }
group.newConnectionHandler = follow
group.stateUpdateHandler = { state in
    print("group", state)
    guard case .ready = state else { return }
    for text in ["first", "second"] {
        guard let stream = NWConnection(from: group) else { return print("no stream for \(text)") }
        follow(stream)
        stream.send(content: Data(text.utf8), contentContext: .finalMessage, isComplete: true,
                    completion: .contentProcessed { error in print(text, "sent", error ?? "") })
    }
}
group.start(queue: .main)
DispatchQueue.main.asyncAfter(deadline: .now() + 3) {
    group.cancel()
    DispatchQueue.main.asyncAfter(deadline: .now() + 0.5) { exit(0) }
}
dispatchMain()
