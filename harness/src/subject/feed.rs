//! The streams of a process that may be anybody's: nobody waits for it for ever, and no line of its
//! is kept that is longer than any that was asked for.

use std::io::{self, BufRead, ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// A line, without its end.
    Line,
    /// The beginning of one that is too long.
    TooLong,
    /// Nothing more: what has no end was cut off, and is no line.
    End,
}

/// Reads a line of `most` bytes at the most.
pub(super) fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> Got {
    line.clear();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    match from.by_ref().take(limit).read_until(b'\n', line) {
        Ok(_) if line.last() == Some(&b'\n') => {
            line.pop();
            Got::Line
        }
        Ok(_) if line.len() > most => Got::TooLong,
        _ => Got::End,
    }
}

/// So many bytes, in words.
pub(super) fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}

/// The way into a process, which may not read what it is given.
#[derive(Debug)]
pub(super) struct Feed(ChildStdin);

impl Feed {
    /// The process's own end of the pipe is another open file, and stays as it is.
    pub(super) fn new(input: ChildStdin) -> io::Result<Self> {
        fcntl(&input, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self(input))
    }

    /// Gives it all of `bytes`. An error: it has not taken them in time, or is gone.
    pub(super) fn give(&mut self, mut bytes: &[u8], within: Duration) -> io::Result<()> {
        let deadline = Instant::now() + within;
        while !bytes.is_empty() {
            match self.0.write(bytes) {
                Ok(taken) => bytes = &bytes[taken..],
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.wait(deadline)?,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn wait(&self, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut room = [PollFd::new(self.0.as_fd(), PollFlags::POLLOUT)];
        match poll(&mut room, left) {
            Ok(_) | Err(nix::Error::EINTR) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("abc\nd", Got::Line, 3)]
    #[case("abcde\n", Got::Line, 5)]
    #[case("abcdef\n", Got::TooLong, 6)]
    #[case("abcdefghi", Got::TooLong, 6)]
    #[case("abc", Got::End, 3)]
    #[case("", Got::End, 0)]
    fn no_more_of_a_line_is_read_than_it_may_have(
        #[case] text: &str,
        #[case] got: Got,
        #[case] kept: usize,
    ) {
        let mut line = Vec::new();
        assert_eq!((read_line(&mut text.as_bytes(), &mut line, 5), line.len()), (got, kept));
    }

    #[test]
    fn who_does_not_read_keeps_nobody_waiting() {
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::piped()).spawn().unwrap();
        let mut feed = Feed::new(child.stdin.take().unwrap()).unwrap();
        let error = feed.give(&vec![0; 1 << 20], Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        child.kill().unwrap();
        child.wait().unwrap();
        let error = feed.give(&vec![0; 1 << 20], Duration::from_secs(9)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }
}
