//! How each kind of kernel is started: Linux in QEMU, User-Mode Linux, gVisor.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::boot::{image, initramfs};
use super::cleanup::{Group, temporary_folder};
use super::machine::Plan;
use super::packages::Unavailable;

/// What is the same for all machines of a run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The whole boot goes to the console, not only what is wrong.
    pub talkative: bool,
    /// A fault to plant in each executor.
    pub plant: Option<String>,
    /// Words for the command line of a guest's kernel, such as `ipv6.disable=1`; the first process
    /// heeds `sysctl.KEY=VALUE` on each of them (see [`crate::exec::init`]).
    pub append: Vec<String>,
    /// How long a machine may say nothing at all; a minute if it is not said.
    pub silence: Option<Duration>,
    /// How many MiB of memory it has, if not as many as it needs.
    pub memory: Option<usize>,
}

/// A busy host makes a boot several times slower; one that takes this long does not come up.
const BOOT: Duration = Duration::from_mins(2);

const SILENCE: Duration = Duration::from_mins(1);

/// What a terminal's line discipline holds is 4,096 bytes (`N_TTY_BUF_SIZE`). One that is full holds
/// User-Mode Linux's serial line up, and nothing starts it again (`arch/um/drivers/line.c`).
const WINDOW: usize = 3072;

/// How many MiB executors and their labs have in a machine: nine executors with 16 MiB each, and as
/// many labs as `exec/linux/labs.rs` lets stand in so much.
const ROOM: usize = 320;

/// QEMU.
const QEMU: &str = "qemu-system-x86_64";

/// An exact copy of bytes that is in no folder, and the path by which another process reads it.
fn nameless(parts: &[&[u8]]) -> io::Result<(File, PathBuf)> {
    let mut file = tempfile::tempfile()?;
    for part in parts {
        file.write_all(part)?;
    }
    file.rewind()?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    Ok((file, path.into()))
}

/// This program as an initramfs, made once.
fn packed() -> Result<&'static [u8], Unavailable> {
    static PACKED: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let packed = PACKED.get_or_init(|| initramfs::of_this_program().map_err(|e| e.to_string()));
    packed
        .as_deref()
        .map_err(|e| Unavailable::new(format!("this program cannot be packed into a machine: {e}")))
}

fn words(options: &Options, port: &str) -> Vec<String> {
    let mut words = vec![format!("sockeye.port={port}"), "panic=-1".into(), "oops=panic".into()];
    if !options.talkative {
        words.extend(["quiet".into(), "loglevel=4".into()]);
    }
    words.extend(options.plant.iter().map(|plant| format!("sockeye.plant={plant}")));
    words.extend(options.append.iter().cloned());
    words
}

fn plan(program: PathBuf, args: Vec<OsString>, options: &Options) -> Plan {
    Plan {
        program,
        args,
        env: Vec::new(),
        folder: None,
        boot: BOOT,
        silence: options.silence.unwrap_or(SILENCE),
        window: None,
        keep: Vec::new(),
    }
}

/// Linux in QEMU.
///
/// `SeaBIOS` enters the kernel's image by PVH, without a boot loader, and there is one processor:
/// without ACPI a boot is a fourth shorter, and several would be emulated by one anyway. But then
/// nobody tells the kernel where the timer is that it measures its clock by: 0x600 is `SeaBIOS`'s
/// `PORT_ACPI_PM_BASE`, and the timer stands 8 above it. Where the other way, by the PIT, fails, as
/// it does on a loaded host, a clock of 4 ms ticks would be left, and what is timed would differ
/// from kernel to kernel: glibc takes the ids of its DNS queries from the clock, and two of one tick
/// get one id.
pub(super) fn linux(kernel: &Path, modules: &[u8], options: &Options) -> Result<Plan, Unavailable> {
    let qemu = qemu()?;
    let packed = packed()?;
    let (initramfs, path) = nameless(&[modules, packed]).map_err(|e| no_room(&e))?;
    let memory = memory(options, &[modules, packed]);
    let (accelerator, processor) = if is_accelerated() { ("kvm", "host") } else { ("tcg", "max") };
    let mut words = words(options, "sockeye");
    words.extend(
        [
            "console=ttyS0",
            "acpi=off",
            "pmtmr=0x608",
            "tsc=reliable",
            "nokaslr",
            "mitigations=off",
            "cryptomgr.notests",
            "random.trust_cpu=on",
            "rcupdate.rcu_expedited=1",
        ]
        .map(str::to_owned),
    );
    let text = [
        "-M",
        "pc,usb=off",
        "-accel",
        accelerator,
        "-cpu",
        processor,
        "-m",
        &memory.to_string(),
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-serial",
        "file:/proc/self/fd/2",
        "-chardev",
        "stdio,id=port,signal=off",
        "-device",
        "virtio-serial-pci",
        "-device",
        "virtserialport,chardev=port,name=sockeye",
        "-append",
        &words.join(" "),
    ]
    .map(OsString::from);
    let files: [OsString; 4] = ["-kernel".into(), kernel.into(), "-initrd".into(), path.into()];
    let mut plan = plan(qemu, text.into_iter().chain(files).collect(), options);
    plan.keep.push(Box::new(initramfs));
    Ok(plan)
}

/// How many MiB a machine has that is given these archives: they, what is unpacked from them, and room
/// to run.
fn memory(options: &Options, archives: &[&[u8]]) -> usize {
    let bytes: usize = archives.iter().map(|archive| archive.len()).sum();
    options.memory.unwrap_or(ROOM + 3 * bytes / (1 << 20))
}

fn no_room(e: &io::Error) -> Unavailable {
    let folder = std::env::temp_dir();
    let why = format!("{} cannot be written: {e}", folder.display());
    Unavailable::mended(why, "free it, or name another by TMPDIR")
}

/// A kernel's image of the user's own. Its modules are unknown: what a lab needs is built in, or
/// the lab is skipped.
pub(super) fn image(path: &Path, options: &Options) -> Result<Plan, Unavailable> {
    let said = |why: String| Unavailable::new(format!("{}: {why}", path.display()));
    let bytes = fs::read(path).map_err(|e| said(e.to_string()))?;
    if !image::is_kernel(&bytes) {
        return Err(said("is no x86 kernel: neither a bzImage nor a vmlinux with PVH".to_owned()));
    }
    let (kernel, unpacked) = nameless(&[&image::fastest(bytes)]).map_err(|e| no_room(&e))?;
    let mut plan = linux(&unpacked, &[], options)?;
    plan.keep.push(Box::new(kernel));
    Ok(plan)
}

/// User-Mode Linux, from a folder with all that it runs with.
pub(super) fn uml(folder: &Path, options: &Options) -> Result<Plan, Unavailable> {
    let modules = fs::read(folder.join("modules.cpio")).map_err(|e| no_room(&e))?;
    let packed = packed()?;
    let (initramfs, path) = nameless(&[&modules, packed]).map_err(|e| no_room(&e))?;
    let memory = memory(options, &[&modules, packed]);
    let place = temporary_folder().map_err(|e| no_room(&e))?;
    let mut words = words(options, "ttyS0");
    words.extend([
        "sockeye.end=off".to_owned(),
        format!("mem={memory}M"),
        format!("initrd={}", path.display()),
        "con=null".into(),
        "con0=null,fd:2".into(),
        "ssl=null".into(),
        "ssl0=fd:0,fd:1".into(),
        format!("uml_dir={}/", place.path().display()),
        "umid=machine".to_owned(),
    ]);
    let program = folder.join("linux");
    let mut plan = plan(program, words.into_iter().map(OsString::from).collect(), options);
    plan.folder = Some(folder.to_owned());
    plan.window = Some(WINDOW);
    plan.env.push(("LD_LIBRARY_PATH".into(), folder.into()));
    plan.keep.push(Box::new(initramfs));
    plan.keep.push(Box::new(place));
    Ok(plan)
}

/// gVisor, whose file system is the host's, to be read.
pub(super) fn gvisor(folder: &Path, name: &str, options: &Options) -> Result<Plan, Unavailable> {
    let place = temporary_folder().map_err(|e| no_room(&e))?;
    let program = std::env::current_exe()
        .map_err(|e| Unavailable::new(format!("this program cannot find itself: {e}")))?;
    // The older one knows nothing else that works without KVM.
    let platform = if name.contains("2022") { "ptrace" } else { "systrap" };
    let mut args: Vec<OsString> = vec![
        format!("--platform={platform}").into(),
        "--network=none".into(),
        "--net-raw=true".into(),
        "--ignore-cgroups".into(),
        format!("--root={}", place.path().display()).into(),
    ];
    if !nix::unistd::geteuid().is_root() {
        args.push("--rootless".into());
    }
    args.extend(["do".into(), program.into(), "exec".into(), "--hub".into()]);
    args.extend(options.plant.iter().map(|plant| format!("--plant={plant}").into()));
    let mut plan = plan(folder.join("runsc"), args, options);
    // `runsc do` makes a folder there, and leaves it when it is killed.
    plan.env.push(("TMPDIR".into(), place.path().into()));
    plan.keep.push(Box::new(place));
    Ok(plan)
}

/// Where QEMU is.
fn qemu() -> Result<PathBuf, Unavailable> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(QEMU));
    found.into_iter().find(|program| program.is_file()).ok_or_else(|| {
        let why = format!("{QEMU} is not installed, which starts packaged kernels and images");
        Unavailable::mended(why, "sudo apt-get install qemu-system-x86")
    })
}

/// Whether this host's KVM starts an ordinary guest: one may be offered that only starts guests
/// which know of it. The firmware alone is such a guest: it finds nothing to boot, restarts, and
/// that ends it.
pub fn is_accelerated() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let able = processor.split_ascii_whitespace().any(|flag| flag == "vmx" || flag == "svm");
        let access = File::options().read(true).write(true).open("/dev/kvm").is_ok();
        able && access && firmware_runs("kvm", Duration::from_secs(10))
    })
}

fn firmware_runs(accelerator: &str, limit: Duration) -> bool {
    let Ok(qemu) = qemu() else { return false };
    let mut command = Command::new(qemu);
    command
        .args(["-M", "pc", "-accel", accelerator, "-m", "16", "-nodefaults", "-no-user-config"])
        .args(["-display", "none", "-no-reboot", "-boot", "reboot-timeout=1"])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let Ok(mut group) = Group::spawn(&mut command) else { return false };
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        match group.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(_) => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firmware_that_ends_by_itself_is_seen() {
        if qemu().is_err() {
            eprintln!("skipped: {QEMU} is not installed");
            return;
        }
        assert!(firmware_runs("tcg", Duration::from_mins(1)));
        assert!(!firmware_runs("no-such-accelerator", Duration::from_mins(1)));
    }

    #[test]
    fn an_image_that_is_none_is_said_in_a_sentence() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let said = |path: &Path| image(path, &Options::default()).err().unwrap().to_string();
        assert!(said(file.path()).contains("is no x86 kernel"));
        assert!(said(Path::new("/nonexistent")).contains("No such file"));
    }
}
