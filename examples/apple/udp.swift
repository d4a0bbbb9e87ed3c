// sockeye control udp --expect 'all 2' -- swift udp.swift {host} {port}
//
// Do datagrams come whole, and does disableFragmentation hold? Loopback has an MTU of 16384; of a network it is 1500:
// there run the server on another host, with --listen 0.0.0.0:7777 --allow-remote.
import Foundation
import Network

let host = NWEndpoint.Host(CommandLine.arguments[1])
let port = NWEndpoint.Port(CommandLine.arguments[2])!
let parameters = NWParameters.udp
if let ip = parameters.defaultProtocolStack.internetProtocol as? NWProtocolIP.Options {
    ip.disableFragmentation = true
    ip.hopLimit = 7
}
let connection = NWConnection(host: host, port: port, using: parameters)

func send(_ number: Int, _ size: Int) {
    let data = Data("\(number) ".utf8) + Data(count: size)
    connection.send(content: data, completion: .contentProcessed { error in
        // What is too large should be EMSGSIZE here, and must not come in fragments there.
        print("\(number): \(data.count) bytes:", error.map { "\($0)" } ?? "sent")
    })
}

connection.stateUpdateHandler = { state in
    print(state)
    guard case .ready = state else { return }
    print("the most that may be sent:", connection.maximumDatagramSize)
    send(1, 100)
    send(2, 20_000)
}
connection.start(queue: .main)
DispatchQueue.main.asyncAfter(deadline: .now() + 2) { exit(0) }
dispatchMain()
