//! The first process of a machine, when this program is its only one: it mounts what a lab needs,
//! loads the modules that it was packed with, and is the hub of the machine's executors.
//!
//! What it is told stands on the kernel's command line, see [`Told`].

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::kmod::init_module;
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

use crate::subject::hub;

/// How long the port to the host may take to appear.
const PORT_WITHIN: Duration = Duration::from_secs(10);

/// What the command line of the kernel says to the first process.
struct Told {
    /// `sockeye.port=`: a port of virtio-serial by its name, or a terminal such as `ttyS0`.
    port: String,
    /// `sockeye.end=off`: the machine ends by switching it off, not by a restart.
    off: bool,
    /// `sockeye.plant=`: a fault to plant in each executor.
    plant: Option<String>,
    /// `sysctl.KEY=VALUE`, as the kernel itself reads them since 5.8, which knows nothing of what a
    /// module brings; a value with spaces stands in quotes.
    settings: Vec<(String, String)>,
}

impl Told {
    fn of(line: &str) -> Self {
        let value = |name: &str| {
            let mut words = line.split_ascii_whitespace();
            words.find_map(|word| word.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
        };
        Self {
            port: value("sockeye.port").unwrap_or_default(),
            off: value("sockeye.end").as_deref() == Some("off"),
            plant: value("sockeye.plant"),
            settings: words(line)
                .iter()
                .filter_map(|word| word.strip_prefix("sysctl.")?.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        }
    }
}

/// The words of a command line, those between quotes whole and without them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for c in line.trim_end().chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.iter_mut().last().into_iter().for_each(|word| word.push(c)),
        }
    }
    words
}

/// Whether this process is the first of a machine that was made for it.
pub(in crate::exec) fn is_first() -> bool {
    std::process::id() == 1 && std::env::args_os().next().is_some_and(|name| name == "/init")
}

/// Lives the life of the first process, and ends the machine.
pub(in crate::exec) fn live() {
    for (kind, place) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")] {
        complain(place, mount_new(kind, place));
    }
    for place in ["/tmp", "/run"] {
        complain(place, mount_new("tmpfs", place));
    }
    let line = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    let told = Told::of(&line);
    load_modules(Path::new("/modules"), &line);
    for (key, value) in &told.settings {
        let path = format!("/proc/sys/{}", key.replace('.', "/"));
        complain(key, fs::write(path, value));
    }
    complain("the port to the host", serve(&told));
    let how = if told.off { RebootMode::RB_POWER_OFF } else { RebootMode::RB_AUTOBOOT };
    let _ = reboot(how);
}

/// On the console, which the host keeps.
fn complain(what: &str, done: io::Result<()>) {
    if let Err(e) = done {
        eprintln!("sockeye: {what}: {e}");
    }
}

fn mount_new(kind: &str, place: &str) -> io::Result<()> {
    fs::create_dir_all(place)?;
    Ok(mount(Some(kind), place, Some(kind), MsFlags::empty(), None::<&str>)?)
}

/// What the command line says to a module, as modprobe(8) hands it on: `ipv6.disable=1`.
fn parameters(line: &str, file: &str) -> CString {
    let module = file.split('.').next().unwrap_or_default().replace('-', "_");
    let of = |word: &String| word.strip_prefix(&module)?.strip_prefix('.').map(str::to_owned);
    let told: Vec<String> = words(line).iter().filter_map(of).collect();
    CString::new(told.join(" ")).unwrap_or_default()
}

/// Loads what `order` in `folder` names, in that order.
fn load_modules(folder: &Path, line: &str) {
    for name in fs::read_to_string(folder.join("order")).unwrap_or_default().lines() {
        let load = || -> io::Result<()> {
            match init_module(&fs::read(folder.join(name))?, &parameters(line, name)) {
                // Built in, in this kernel.
                Ok(()) | Err(nix::Error::EEXIST) => Ok(()),
                Err(e) => Err(e.into()),
            }
        };
        complain(name, load());
    }
}

fn serve(told: &Told) -> io::Result<()> {
    let (port, is_terminal) = open(&told.port)?;
    let input = BufReader::new(port.try_clone()?);
    // A terminal loses its way when more comes than it holds.
    hub::serve(input, port, is_terminal, &|| {
        let mut command = Command::new("/init");
        command.arg("exec");
        if let Some(plant) = &told.plant {
            command.args(["--plant", plant]);
        }
        command
    })
}

/// The port to the host, as soon as there is one, and whether it is a terminal.
fn open(name: &str) -> io::Result<(File, bool)> {
    let deadline = Instant::now() + PORT_WITHIN;
    let path = loop {
        if let Some(path) = find(name) {
            break path;
        }
        if Instant::now() > deadline {
            return Err(io::Error::other(format!("there is no port {name:?}")));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open(path)?;
    let Ok(mut settings) = tcgetattr(&file) else { return Ok((file, false)) };
    cfmakeraw(&mut settings);
    tcsetattr(&file, SetArg::TCSANOW, &settings)?;
    Ok((file, true))
}

/// A port of virtio-serial has its name in sysfs; any other is a device.
fn find(name: &str) -> Option<PathBuf> {
    let terminal = Path::new("/dev").join(name);
    if !name.is_empty() && terminal.exists() {
        return Some(terminal);
    }
    let ports = fs::read_dir("/sys/class/virtio-ports").ok()?;
    let is_it = |path: &Path| {
        fs::read_to_string(path.join("name")).is_ok_and(|found| found.trim_end() == name)
    };
    let port = ports.flatten().map(|port| port.path()).find(|path| is_it(path))?;
    let device = Path::new("/dev").join(port.file_name()?);
    device.exists().then_some(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_tells_all() {
        let told = Told::of("quiet sockeye.port=ttyS0 sockeye.end=off\n");
        assert_eq!((told.port.as_str(), told.off, told.plant), ("ttyS0", true, None));
        let told = Told::of("sockeye.plant=panic@x/y sockeye.port=sockeye");
        assert_eq!((told.port.as_str(), told.off), ("sockeye", false));
        assert_eq!(told.plant.as_deref(), Some("panic@x/y"));
        let told = Told::of("a sysctl.net.ipv4.udp_mem=\"1 2 3\" sysctl.b=4 sysctl.c\n");
        let settings: Vec<_> = told.settings.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(settings, [("net.ipv4.udp_mem", "1 2 3"), ("b", "4")]);
        let told = parameters("quiet ipv6.disable=1 ipv6.autoconf=0 tun.x=2\n", "ipv6.ko");
        assert_eq!(told.to_str(), Ok("disable=1 autoconf=0"));
    }

    #[test]
    fn no_other_process_is_the_first() {
        assert!(!is_first());
    }
}
