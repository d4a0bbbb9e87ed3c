// sockeye control tls --http --script self-signed --expect 'no handshake' -- swift tls.swift {url}
//
// Does an app take this certificate, and what is it told? One script after the other, `good` first, with the CA
// trusted: security add-trusted-cert -k login.keychain-db FILE
import Foundation

final class Judge: NSObject, URLSessionDelegate {
    func urlSession(_ session: URLSession, didReceive challenge: URLAuthenticationChallenge,
                    completionHandler: @escaping (URLSession.AuthChallengeDisposition, URLCredential?) -> Void) {
        if let trust = challenge.protectionSpace.serverTrust {
            var error: CFError?
            let taken = SecTrustEvaluateWithError(trust, &error)
            print("the system would take it:", taken, error.map { "\($0)" } ?? "")
        }
        // As without a delegate.
        completionHandler(.performDefaultHandling, nil)
    }
}

let url = URL(string: CommandLine.arguments[1])!
let session = URLSession(configuration: .ephemeral, delegate: Judge(), delegateQueue: nil)
let done = DispatchSemaphore(value: 0)
session.dataTask(with: url) { _, response, error in
    if let error = error as NSError? {
        print(error.domain, error.code, error.localizedDescription)
        print("beneath:", error.userInfo[NSUnderlyingErrorKey] ?? "nothing")
    } else {
        print("status", (response as? HTTPURLResponse)?.statusCode ?? 0)
    }
    done.signal()
}.resume()
done.wait()
