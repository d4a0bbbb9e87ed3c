// sockeye control ws --expect handshake -- swift ws.swift {url}
//
// Is there a handshake before the first message, and which error is told if there is none?
// `--script no-handshake`, `bad-accept`, `refuse-403`, `reset` are servers at fault.
import Foundation

let url = URL(string: CommandLine.arguments[1])!
let task = URLSession(configuration: .ephemeral).webSocketTask(with: url)
let done = DispatchSemaphore(value: 0)

func told(_ what: String, _ error: Error?) {
    let error = error as NSError?
    print(what, error.map { "\($0.domain) \($0.code) \($0.localizedDescription)" } ?? "done")
}

task.resume()
task.send(.string("hello")) { error in told("send:", error) }
task.receive { result in
    switch result {
    case .success(.string(let text)): print("received:", text)
    case .success(let other): print("received:", other)
    case .failure(let error): told("receive:", error)
    }
    task.cancel(with: .normalClosure, reason: Data("bye".utf8))
    done.signal()
}
done.wait()
// The Close is written by another thread.
Thread.sleep(forTimeInterval: 0.5)
print("close code:", task.closeCode.rawValue)
