//! A log of strace, of any of its forms of time and of threads, read line by line.

mod arg;

use std::collections::{HashMap, HashSet};

use super::log::{Called, Log};
use arg::Reader;

/// The calls that are read: those of sockets, those by which a descriptor comes or goes, and those by which
/// threads and processes are made. `foreign` is none of the kernel's: by that name sockeye's own recorder tells that
/// calls of another architecture follow, which it cannot read.
const CALLS: [&str; 58] = [
    "accept",
    "accept4",
    "bind",
    "clone",
    "clone3",
    "close",
    "close_range",
    "connect",
    "dup",
    "dup2",
    "dup3",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "fcntl",
    "fcntl64",
    "foreign",
    "fork",
    "getpeername",
    "getsockname",
    "getsockopt",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioctl",
    "listen",
    "poll",
    "ppoll",
    "ppoll_time64",
    "pread64",
    "preadv",
    "pselect6",
    "pselect6_time64",
    "pwrite64",
    "pwritev",
    "read",
    "readv",
    "recv",
    "recvfrom",
    "recvmmsg",
    "recvmmsg_time64",
    "recvmsg",
    "select",
    "_newselect",
    "send",
    "sendfile",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    "socket",
    "socketpair",
    "splice",
    "vfork",
];

/// And `write` and `writev`, which no list has to be longer for.
fn is_read(name: &str) -> bool {
    CALLS.contains(&name) || matches!(name, "write" | "writev")
}

/// What a line is.
enum Line<'t> {
    /// A call from its name on, whole.
    Whole(u32, &'t str),
    /// The beginning of one.
    Begun(u32, &'t str),
    /// The end of one: its name, and what follows `resumed>`.
    Resumed(u32, &'t str, &'t str),
    /// A call that is of no interest.
    Passed,
    /// A thread has been attached.
    Attached(u32),
    /// A process of that number has ended or stopped, and its parent is told (signal(7)): a thread's is not.
    Child(u32, u32),
    /// A signal, an end.
    Told,
    /// Nothing that strace writes.
    Other,
}

/// A log read from strace's text. What is no line of strace's is passed over, since programs may write to the
/// same place; a text without any is no log, and the error says what was expected.
pub fn strace(text: &str) -> Result<Log, String> {
    let mut log = Log::default();
    let mut begun: HashMap<u32, (u32, &str)> = HashMap::new();
    let (mut attached, mut is_log) = (HashSet::new(), false);
    // In the order in which they came.
    let (mut named, mut known) = (Vec::new(), HashSet::new());
    let mut broken: Option<&str> = None;
    for (number, line) in (1u32..).zip(text.lines()) {
        // Where both go to the same place, what strace says of itself may stand within a call.
        if let Some((before, pid)) = attached_within(line) {
            attached.insert(pid);
            broken = Some(before);
            continue;
        }
        if let Some(before) = broken.take().filter(|_| line.starts_with([' ', ',', ')'])) {
            let (pid, rest) = prefix(before);
            match line.strip_suffix("<unfinished ...>") {
                Some(blank) if blank.trim().is_empty() => {
                    begun.extend(is_begun(rest).then_some((pid, (number - 1, rest))));
                }
                _ => log.calls.extend(
                    Some(format!("{rest}{line}"))
                        .filter(|_| is_begun(rest))
                        .and_then(|whole| called(pid, (number - 1, number), &whole)),
                ),
            }
            continue;
        }
        let line = read_line(line);
        is_log |= !matches!(line, Line::Other | Line::Attached(_));
        match line {
            Line::Whole(pid, call) => log.calls.extend(called(pid, (number, number), call)),
            Line::Begun(pid, call) => {
                begun.insert(pid, (number, call));
            }
            Line::Resumed(pid, name, rest) => {
                // The first thread has a number only while there are others.
                let is_it = |of: &(u32, &str)| of.1.starts_with(name);
                let known = [pid, 0].into_iter().find(|pid| begun.get(pid).is_some_and(is_it));
                let alone =
                    || begun.keys().next().copied().filter(|_| pid == 0 && begun.len() == 1);
                let same = known.or_else(alone).and_then(|pid| begun.remove(&pid)).filter(is_it);
                if let Some((first, before)) = same {
                    let whole = format!("{before}{rest}");
                    log.calls.extend(called(pid, (first, number), &whole));
                }
            }
            Line::Attached(pid) => {
                attached.insert(pid);
            }
            Line::Child(parent, child) => {
                log.children.push((parent, child));
                continue;
            }
            Line::Passed | Line::Told | Line::Other => continue,
        }
        let last = log.calls.last().map(|call| call.pid).filter(|pid| *pid != 0);
        named.extend(last.filter(|pid| known.insert(*pid)));
    }
    if !is_log {
        return Err(no_log(text));
    }
    let mut open: Vec<(u32, (u32, &str))> = begun.into_iter().collect();
    open.sort_unstable_by_key(|(_, (line, _))| *line);
    for (pid, (line, call)) in open {
        log.calls.extend(called(pid, (line, u32::MAX), &format!("{call}) = ?")));
    }
    // The first thread has no number in the log as long as it is the only one.
    if let Some(first) = named.iter().find(|pid| !attached.contains(pid)) {
        log.calls.iter_mut().filter(|call| call.pid == 0).for_each(|call| call.pid = *first);
        log.children.iter_mut().filter(|(pid, _)| *pid == 0).for_each(|(pid, _)| *pid = *first);
    }
    Ok(log)
}

/// A line's beginning before `strace: Process 7 attached`, if there is one, and which.
fn attached_within(line: &str) -> Option<(&str, u32)> {
    let (before, rest) = line.rsplit_once("strace: Process ")?;
    let pid = rest.strip_suffix(" attached")?.parse().ok()?;
    before.contains('(').then_some((before, pid))
}

/// Whether a call begins so that is read.
fn is_begun(rest: &str) -> bool {
    rest.split_once('(').is_some_and(|(name, behind)| is_read(name) && !is_of_a_file(behind))
}

fn no_log(text: &str) -> String {
    let like = "a line such as socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3";
    let first = text.lines().find(|line| !line.trim().is_empty());
    match first {
        None => format!("it is empty, and {like} was expected"),
        Some(line) => {
            let shown = harness::case::words::shown(line);
            format!("it is no log of strace: {like} was expected, and the first is {shown}")
        }
    }
}

fn read_line(line: &str) -> Line<'_> {
    let (pid, rest) = prefix(line);
    if let Some(rest) = rest.strip_prefix("<... ") {
        let Some((name, rest)) = rest.split_once(" resumed>") else { return Line::Other };
        return if is_read(name) { Line::Resumed(pid, name, rest) } else { Line::Passed };
    }
    if is_told(rest, "+++") || is_told(rest, "---") {
        let child = rest.strip_prefix("--- SIGCHLD {").and_then(|rest| rest.split_once("si_pid="));
        let child = child.and_then(|(_, rest)| rest.split([',', '}']).next()?.parse().ok());
        return child.map_or(Line::Told, |child| Line::Child(pid, child));
    }
    if let Some(rest) = rest.strip_prefix("strace: Process ").or(rest.strip_prefix("Process ")) {
        let attached = rest.strip_suffix(" attached").and_then(|pid| pid.parse().ok());
        return attached.map_or(Line::Other, Line::Attached);
    }
    let Some((name, behind)) = rest.split_once('(') else { return Line::Other };
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if name.is_empty() || !name.bytes().all(plain) {
        return Line::Other;
    }
    let unfinished = rest.strip_suffix("<unfinished ...>");
    if unfinished.is_none() && !rest.contains(") = ") && !rest.contains(")  ") {
        return Line::Other;
    }
    if !is_read(name) || is_of_a_file(behind) {
        return Line::Passed;
    }
    match unfinished {
        Some(begun) => Line::Begun(pid, begun),
        None => Line::Whole(pid, rest),
    }
}

fn is_told(rest: &str, mark: &str) -> bool {
    rest.len() > 2 * mark.len() && rest.starts_with(mark) && rest.trim_end().ends_with(mark)
}

/// Whether the first argument is a descriptor that is known to be no socket: `3</etc/hosts>`, `5<pipe:[7]>`.
fn is_of_a_file(args: &str) -> bool {
    let digits = args.bytes().take_while(u8::is_ascii_digit).count();
    args[digits..].strip_prefix('<').is_some_and(|is| {
        digits > 0
            && (is.starts_with('/') || is.starts_with("pipe:") || is.starts_with("anon_inode:"))
            && !is.starts_with("anon_inode:[eventpoll]")
    })
}

/// The thread and the rest of a line behind its time: `[pid 7] 10:00:00.5 `, `7 1700000000.25 `, `  0.0001 `,
/// `10:00:00 (+     0.000001) `, and `[00007f…] ` of `-i`.
fn prefix(line: &str) -> (u32, &str) {
    let mut pid = 0;
    let mut rest = line.trim_start();
    if let Some((inside, behind)) = rest.strip_prefix("[pid").and_then(|rest| rest.split_once(']'))
    {
        // With `-Y` its command stands behind the number.
        let number = inside.trim().split('<').next().unwrap_or_default();
        if let Ok(number) = number.parse() {
            (pid, rest) = (number, behind.trim_start());
        }
    } else {
        let (word, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        let number = word.split('<').next().unwrap_or_default();
        if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
            (pid, rest) = (number.parse().unwrap_or(0), behind.trim_start());
        }
    }
    // A time, how long after the last call, where in the program.
    for _ in 0..3 {
        let (word, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        let is_time = word.bytes().all(|b| b.is_ascii_digit() || b":.".contains(&b));
        if !word.is_empty() && is_time {
            rest = behind.trim_start();
        } else if let Some((since, behind)) =
            rest.strip_prefix("(+").and_then(|r| r.split_once(')'))
            && since.trim().parse::<f64>().is_ok()
        {
            rest = behind.trim_start();
        } else if let Some((at, behind)) = rest.strip_prefix('[').and_then(|r| r.split_once("] "))
            && at.trim().bytes().all(|b| b.is_ascii_hexdigit())
        {
            rest = behind.trim_start();
        } else {
            break;
        }
    }
    (pid, rest)
}

/// A whole call; none if it cannot be read to its end.
fn called(pid: u32, (begun, ended): (u32, u32), text: &str) -> Option<Called> {
    let (name, _) = text.split_once('(')?;
    let mut reader = Reader::new(&text[name.len() + 1..]);
    let args = reader.list(b')', 0)?;
    reader.blanks();
    if !reader.eat("= ") {
        return None;
    }
    reader.blanks();
    let rest = reader.rest();
    let end = rest.find([' ', '<']).unwrap_or(rest.len());
    let value = &rest[..end];
    reader.eat(value);
    let ret = match value.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok().map(u64::cast_signed),
        None => value.parse().ok(),
    };
    let made = if reader.rest().starts_with('<') { reader.decoration() } else { None };
    let mut errno = None;
    reader.blanks();
    let word = reader.rest().split(' ').next().unwrap_or_default();
    if word.starts_with('E') && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        errno = Some(word.to_owned());
    }
    let beside = match errno {
        None if reader.eat("(") => reader.list(b')', 0).unwrap_or_default(),
        _ => Vec::new(),
    };
    // On 32 bits the times of a call are wider, and that is all (`recvmmsg_time64`).
    let name = name.strip_suffix("_time64").unwrap_or(name).to_owned();
    let made = made.map(str::to_owned);
    let ret = ret.filter(|ret| *ret != -1 || errno.is_some());
    Some(Called { pid, begun, ended, name, args, ret, errno, made, beside })
}

#[cfg(test)]
mod tests;
