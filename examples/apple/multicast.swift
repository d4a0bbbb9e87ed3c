// sockeye control udp --listen 0.0.0.0:7777 --allow-remote --join 239.7.7.7%en0 --expect 'group 239.7.7.7' -- swift multicast.swift 239.7.7.7 7777 en0
//
// By which interface does a group's datagram leave? One --join for each that it may be. An app also needs the
// multicast entitlement and the permission for the local network: without them nothing comes.
import Foundation
import Network

let address = NWEndpoint.Host(CommandLine.arguments[1])
let port = NWEndpoint.Port(CommandLine.arguments[2])!
let wanted = CommandLine.arguments.count > 3 ? CommandLine.arguments[3] : nil

func start(_ interface: NWInterface?) throws {
    let parameters = NWParameters.udp
    parameters.allowLocalEndpointReuse = true
    parameters.requiredInterface = interface
    let descriptor = try NWMulticastGroup(for: [.hostPort(host: address, port: port)])
    let group = NWConnectionGroup(with: descriptor, using: parameters)
    group.setReceiveHandler(maximumMessageSize: 16_384, rejectOversizedMessages: true) { message, data, _ in
        print("received", data?.count ?? 0, "bytes of", message.remoteEndpoint.map { "\($0)" } ?? "somebody")
    }
    group.stateUpdateHandler = { state in
        print(state)
        guard case .ready = state else { return }
        group.send(content: Data("1 hello".utf8)) { error in print(error.map { "\($0)" } ?? "sent") }
    }
    group.start(queue: .main)
}

let monitor = NWPathMonitor()
monitor.pathUpdateHandler = { path in
    monitor.cancel()
    let interface = path.availableInterfaces.first { $0.name == wanted }
    print("by", interface?.name ?? "whichever interface")
    do { try start(interface) } catch { print(error); exit(1) }
}
monitor.start(queue: .main)
DispatchQueue.main.asyncAfter(deadline: .now() + 3) { exit(0) }
dispatchMain()
