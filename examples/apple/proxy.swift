// sockeye control proxy --expect proxied -- swift proxy.swift {host} {port}
//
// Does URLSession use a proxy that its configuration names, and the system's if it names none (`system`)?
import Foundation

let host = CommandLine.arguments[1]
let port = Int(CommandLine.arguments[2])!
let configuration = URLSessionConfiguration.ephemeral
if !CommandLine.arguments.contains("system") {
    configuration.connectionProxyDictionary = [
        kCFNetworkProxiesHTTPEnable as String: 1,
        kCFNetworkProxiesHTTPProxy as String: host,
        kCFNetworkProxiesHTTPPort as String: port,
    ]
}

// The proxy's own page: what comes there otherwise went around it. Loopback may be left out of proxies by the
// system: then --listen at the address of an interface, with --allow-remote.
let url = URL(string: "http://\(host):\(port)/from-urlsession")!
let done = DispatchSemaphore(value: 0)
URLSession(configuration: configuration).dataTask(with: url) { data, response, error in
    let status = (response as? HTTPURLResponse)?.statusCode ?? 0
    print(error.map { "\($0)" } ?? "\(status)", data.map { String(decoding: $0, as: UTF8.self) } ?? "")
    done.signal()
}.resume()
done.wait()
