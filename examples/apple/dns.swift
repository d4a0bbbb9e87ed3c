// sudo sockeye control dns --script odd --listen 127.0.0.1:53
// swift dns.swift a.example      (in a second terminal, once the Mac asks 127.0.0.1: see docs/control.md)
//
// Do getaddrinfo, Network.framework and URLSession find the name, and what do they ask for?
import Foundation
import Network

let name = CommandLine.arguments[1]

var hints = addrinfo()
hints.ai_socktype = SOCK_STREAM
var list: UnsafeMutablePointer<addrinfo>?
let status = getaddrinfo(name, "80", &hints, &list)
print("getaddrinfo:", status == 0 ? "found" : String(cString: gai_strerror(status)))
var next = list
while let one = next {
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    getnameinfo(one.pointee.ai_addr, one.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
    print("  ", String(cString: text))
    next = one.pointee.ai_next
}
freeaddrinfo(list)

let connection = NWConnection(host: NWEndpoint.Host(name), port: 80, using: .tcp)
connection.stateUpdateHandler = { state in print("NWConnection:", state) }
connection.start(queue: .main)

let url = URL(string: "http://\(name)/")!
URLSession(configuration: .ephemeral).dataTask(with: url) { _, _, error in
    // -1003 is that the name was not found, -1004 that nobody listens there.
    print("URLSession:", (error as NSError?)?.code ?? 0, error?.localizedDescription ?? "")
}.resume()

DispatchQueue.main.asyncAfter(deadline: .now() + 15) { exit(0) }
dispatchMain()
