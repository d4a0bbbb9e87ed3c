//! What of a case may put frames on a wire.

use crate::case::op::Opt;
use crate::case::{Case, Op};

/// Whether the step runs another program.
pub(super) fn is_run(op: &Op) -> bool {
    matches!(op, Op::Run { .. })
}

/// Whether a call can put a frame on a wire, at once or by what it sets off. A stream can speak
/// whenever it is touched; a datagram socket when it sends, connects or joins a group.
pub(super) fn may_send(op: &Op, streams: bool) -> bool {
    match op {
        Op::Socket { .. }
        | Op::Socketpair { .. }
        | Op::Bind { .. }
        | Op::Listen { .. }
        | Op::Getsockname { .. }
        | Op::Getpeername { .. }
        | Op::Getsockopt { .. }
        | Op::Ioctl { .. }
        | Op::Fcntl { .. }
        | Op::InetPton { .. }
        | Op::Dup { .. }
        | Op::Pipe { .. }
        | Op::File { .. }
        | Op::Mkdir { .. }
        | Op::Unlink { .. }
        | Op::Symlink { .. }
        | Op::Chmod { .. }
        | Op::Sockatmark { .. }
        | Op::EpollCreate1 { .. }
        | Op::EpollCtl { .. }
        | Op::IfNametoindex { .. }
        | Op::IfIndextoname { .. }
        | Op::Getifaddrs {}
        | Op::Process { .. }
        | Op::InetAton { .. } => false,
        // Options of a protocol can: a membership is told, a cork lets go.
        Op::Setsockopt { option: Opt::Raw { level, .. }, .. } => {
            streams || level.as_str() != "SOL_SOCKET"
        }
        Op::Setsockopt { option: Opt::Intent(_), .. }
        | Op::Recv { .. }
        | Op::Recvfrom { .. }
        | Op::Recvmsg { .. }
        | Op::Recvmmsg { .. }
        | Op::Read { .. }
        | Op::Readv { .. }
        | Op::Accept { .. }
        | Op::Accept4 { .. } => streams,
        _ => true,
    }
}

/// Whether the case has a socket of a connection.
pub(super) fn has_streams(case: &Case) -> bool {
    case.ops.iter().any(|op| match op {
        Op::Socket { r#type, .. } | Op::Socketpair { r#type, .. } => {
            !r#type.has("SOCK_DGRAM") && !r#type.has("SOCK_RAW")
        }
        _ => false,
    })
}
