//! A headless Chromium, by its `DevTools` protocol over a pipe: JSON, a zero byte behind each
//! message. <https://chromedevtools.github.io/devtools-protocol/>

#[allow(dead_code, reason = "not every test with a browser has a page with a search")]
pub(crate) mod search;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// How long a browser may take for one answer before it counts as dead.
const PATIENCE: Duration = Duration::from_mins(1);

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: Value,
    number: u64,
    /// What the page threw, or wrote to the console as an error.
    pub(crate) faults: Vec<String>,
    // Removed when the browser has ended.
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium; none, with a word about it, where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let found = Command::new("chromium").arg("--version").stdin(Stdio::null()).output();
        if !found.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: chromium is not installed, and the page of `matrix` is untested");
            return None;
        }
        let profile = tempfile::tempdir().expect("a folder");
        let program = format!(
            "exec chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
             --disable-background-networking --disable-component-update --disable-sync \
             --disable-dev-shm-usage --hide-scrollbars --remote-debugging-pipe \
             --user-data-dir='{}' about:blank 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null",
            profile.path().display()
        );
        // A descriptor cannot be given a number without `unsafe`; the shell can.
        let mut child = Command::new("sh")
            .args(["-c", &program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (say, messages) = mpsc::channel();
        thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("JSON");
                if say.send(message).is_err() {
                    break;
                }
            }
        });
        let (session, faults) = (Value::Null, Vec::new());
        let mut browser =
            Self { child, input, messages, session, number: 0, faults, _profile: profile };
        let target = browser.ask("Target.createTarget", &json!({ "url": "about:blank" }));
        let to = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = browser.ask("Target.attachToTarget", &to)["sessionId"].clone();
        for domain in ["Page", "Runtime", "Log"] {
            browser.ask(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    /// Sends a command and waits for its answer.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": params });
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes).expect("the browser reads");
        let number = self.number;
        let answer = self.until(method, |message| message["id"] == number);
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let message = message.unwrap_or_else(|e| panic!("no answer to {what}: {e}"));
            if message["method"] == "Runtime.exceptionThrown" {
                self.faults.push(message["params"]["exceptionDetails"].to_string());
            }
            if message["method"] == "Log.entryAdded"
                && message["params"]["entry"]["level"] == "error"
            {
                self.faults.push(message["params"]["entry"].to_string());
            }
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Opens an address, as if in a new tab, and waits until the page is loaded.
    pub(crate) fn open(&mut self, url: &str) {
        // What differs in its fragment alone would not be loaded.
        for url in ["about:blank", url] {
            self.ask("Page.navigate", &json!({ "url": url }));
            self.until(url, |message| message["method"] == "Page.loadEventFired");
        }
    }

    /// The value of an expression in the page, a promise awaited.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let params = json!({
            "expression": expression, "awaitPromise": true, "returnByValue": true,
            "userGesture": true,
        });
        let answer = self.ask("Runtime.evaluate", &params);
        let thrown = &answer["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {thrown}");
        answer["result"]["value"].clone()
    }

    /// The value as text.
    pub(crate) fn text(&mut self, expression: &str) -> String {
        self.eval(expression).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an expression is true, frame by frame.
    pub(crate) fn wait(&mut self, expression: &str) {
        let loops = format!(
            "new Promise((done) => {{ const end = performance.now() + 20000; const look = () => \
             ({expression}) ? done(true) : performance.now() > end ? done(false) : \
             requestAnimationFrame(look); look(); }})"
        );
        assert!(self.eval(&loops) == true, "never: {expression}");
    }

    /// Presses a key, as a person does.
    pub(crate) fn press(&mut self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "End" => 35,
            "Home" => 36,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            _ => 0,
        };
        for kind in ["rawKeyDown", "keyUp"] {
            let params = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
            });
            self.ask("Input.dispatchKeyEvent", &params);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
