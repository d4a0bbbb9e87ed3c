// sockeye control http --idle-then forget --expect 'no request lost' -- swift idle.swift {url}
//
// Is the first request after a pause lost? `close`, `reset` and `vanish` are the other ends of a connection.
import Foundation

let url = URL(string: CommandLine.arguments[1])!
let configuration = URLSessionConfiguration.ephemeral
configuration.timeoutIntervalForRequest = 10
let session = URLSession(configuration: configuration)

func send(_ method: String) {
    var request = URLRequest(url: url.appendingPathComponent(method))
    request.httpMethod = method
    request.httpBody = method == "POST" ? Data("what must not be sent twice".utf8) : nil
    let done = DispatchSemaphore(value: 0)
    let began = Date()
    session.dataTask(with: request) { _, response, error in
        let status = (response as? HTTPURLResponse)?.statusCode
        let took = Date().timeIntervalSince(began)
        print(method, error.map { "\($0)" } ?? "\(status ?? 0)", String(format: "%.3f s", took))
        done.signal()
    }.resume()
    done.wait()
}

// A request that may be sent again by itself, and one that may not.
for method in ["GET", "GET", "POST"] {
    send(method)
    Thread.sleep(forTimeInterval: 1)
}
