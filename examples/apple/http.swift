// sockeye control http --expect 'no expired cookie' -- swift http.swift {url}
//
// Are cookies still sent, though the server expired them, or though the jar was cleared (`clear` behind the URL)?
import Foundation

let url = URL(string: CommandLine.arguments[1])!
let session = URLSession(configuration: .default)

func get(_ path: String) {
    let done = DispatchSemaphore(value: 0)
    session.dataTask(with: url.appendingPathComponent(path)) { _, response, error in
        let status = (response as? HTTPURLResponse)?.statusCode
        print("/\(path):", error.map { "\($0)" } ?? "\(status ?? 0)")
        done.signal()
    }.resume()
    done.wait()
}

get("")
if CommandLine.arguments.contains("clear") {
    let jar = session.configuration.httpCookieStorage
    jar?.cookies?.forEach { jar?.deleteCookie($0) }
} else {
    get("clear")
}
get("again")
