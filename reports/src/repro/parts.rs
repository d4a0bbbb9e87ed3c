//! The C functions that a reproducer may need, each in a file of its own.
//!
//! In those files `#include` lines go to the top of the program, a line that begins with
//! `@Name,!Other ` stands only where the program has the part `Name` and not the part `Other`, and
//! `@@WORD@@` is replaced.

use std::collections::BTreeSet;

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident = $file:literal needs [$($need:ident),*];)*) => {
        /// A part of the program, in the order in which they are written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Part {
            $($(#[$doc])* $name,)*
        }

        impl Part {
            fn text(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!("c/", $file, ".c")),)*
                }
            }

            fn needs(self) -> &'static [Self] {
                match self {
                    $(Self::$name => &[$(Self::$need),*],)*
                }
            }

            fn named(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

parts! {
    ErrnoName = "errno_name" needs [];
    Be16 = "be16" needs [];
    TcpOptions = "tcp_options" needs [Be16];
    Frame = "frame" needs [Be16];
    WireSocket = "wire_socket" needs [];
    AnyIndex = "any_index" needs [];
    Observed = "observed" needs [];
    CompareValue = "compare_value" needs [Observed];
    Deadline = "deadline" needs [];
    Pipe = "pipe" needs [];
    Network = "network" needs [];
    Quiet = "quiet" needs [Network];
    LinkMtu = "link_mtu" needs [Network];
    Mac = "mac" needs [];
    LinkMac = "link_mac" needs [Network, Mac];
    TunOpen = "tun_open" needs [Network];
    FarEnds = "far_ends" needs [];
    Sum = "sum" needs [];
    Carried = "carried" needs [Be16];
    FarTaps = "far_taps" needs [];
    FarConnections = "far_connections" needs [Be16];
    FarHeard = "far_heard" needs [FarTaps, Be16, Carried];
    Netlink = "netlink" needs [Network];
    LinkDelete = "link_delete" needs [Netlink];
    Attribute = "attribute" needs [Netlink];
    IpBytes = "ip_bytes" needs [];
    AddressAdd = "address_add" needs [Attribute, IpBytes];
    AddressDelete = "address_delete" needs [Attribute, IpBytes];
    Neighbour = "neighbour" needs [Attribute, IpBytes, Mac];
    RouteAdd = "route_add" needs [Attribute, IpBytes];
    RetransTime = "retrans_time" needs [Network];
    Sysctl = "sysctl" needs [Network];
    TcpSettings = "tcp_settings" needs [Network];
    Inject = "inject" needs [];
    FarEnd = "far_end" needs [IpBytes, Sum];
    AnswerAll = "answer_all" needs [FarEnds, FarEnd];
    MacNoLab = "mac_no_lab" needs [];
    MacFree = "mac_free" needs [MacNoLab];
    MacLab = "mac_lab" needs [];
    MacLinks = "mac_links" needs [];
    Bpf = "bpf" needs [];
    Feth = "feth" needs [MacNoLab, MacLab, MacLinks, Bpf];
    UtunOpen = "utun_open" needs [MacNoLab, MacLinks];
    AttachV6 = "attach_v6" needs [MacNoLab, MacLab, MacLinks];
    LinkLocal = "link_local" needs [MacNoLab, MacLab, MacLinks];
    Usable = "usable" needs [MacNoLab];
    MacRoutes = "mac_routes" needs [MacNoLab];
    MacAppendLink = "mac_append_link" needs [MacRoutes];
    MacRouteSend = "mac_route_send" needs [MacRoutes];
    MacUndo = "mac_undo" needs [MacRouteSend];
    MacRouteLink = "mac_route_link" needs [MacAppendLink, MacUndo];
    MacRouteVia = "mac_route_via" needs [MacUndo];
    MacRouteDrop = "mac_route_drop" needs [MacUndo];
    MacNeighbour = "mac_neighbour" needs [MacLinks, MacAppendLink, MacRouteSend];
    MacLeaves = "mac_leaves" needs [MacRoutes];
    MacTidy = "mac_tidy" needs [];
    NoEcn = "no_ecn" needs [MacLinks];
    UtunFamily = "utun_family" needs [];
    UtunPacket = "utun_packet" needs [UtunFamily];
    BpfPacket = "bpf_packet" needs [];
    MacSeen = "mac_seen" needs [Frame];
    FarWrite = "far_write" needs [MacLinks];
    MacOurs = "mac_ours" needs [Be16, Carried];
    Server = "server" needs [Network, Quiet, TunOpen];
    Resume = "resume" needs [Server];
    NameServer = "name_server" needs [Network, Quiet, TunOpen];
    Files = "files" needs [Network];
    FramesObserved = "frames_observed" needs [Frame, Observed];
    WireLinux = "wire_linux" needs [Network, WireSocket];
    MacWire = "mac_wire" needs [WireSocket, Bpf, BpfPacket, MacSeen, MacOurs];
    FarFrame = "far_frame" needs [FarTaps, Sum];
    FarError = "far_error" needs [FarHeard, FarFrame, IpBytes];
    FarBetween = "far_between" needs [FarFrame, IpBytes];
    FarDatagram = "far_datagram" needs [FarBetween];
    FarSegment = "far_segment" needs [FarConnections, FarHeard, FarBetween];
    Wire = "wire" needs [Frame, WireSocket];
    GoesOn = "goes_on" needs [];
    PollAnswering = "poll_answering" needs [GoesOn];
    PpollAnswering = "ppoll_answering" needs [GoesOn];
    SelectAnswering = "select_answering" needs [GoesOn];
    PselectAnswering = "pselect_answering" needs [GoesOn];
    EpollAnswering = "epoll_answering" needs [GoesOn];
    EpollPAnswering = "epoll_pwait_answering" needs [GoesOn];
    Acting = "acting" needs [];
    WaitMs = "wait_ms" needs [];
    WaitFrame = "wait_frame" needs [Wire];
    Result = "result" needs [ErrnoName];
    IndexResult = "index_result" needs [ErrnoName];
    Value = "value" needs [];
    Listed = "listed" needs [];
    Data = "data" needs [Value];
    Hex = "hex" needs [];
    OptionValue = "option_value" needs [Value, Hex];
    TcpInfo = "tcp_info" needs [Value];
    Unix = "unix" needs [Value];
    Packet = "packet" needs [Value];
    VsockName = "vsock_name" needs [Value];
    NetlinkName = "netlink_name" needs [Value];
    RouteMessages = "route_messages" needs [Value, ErrnoName];
    Address = "address" needs [Value];
    Folder = "folder" needs [];
    ReadOnly = "read_only" needs [Network, Folder];
    Control = "control" needs [Value, Hex];
    RecvFlags = "recv_flags" needs [Value];
    Revents = "revents" needs [Value];
    FdSets = "fd_sets" needs [Listed];
    Ready = "ready" needs [Listed];
    LinkCalled = "link_called" needs [];
    Interfaces = "interfaces" needs [LinkCalled, Listed];
    IfConf = "if_conf" needs [LinkCalled, Listed];
    FileOf = "file_of" needs [];
    MsghdrX = "msghdr_x" needs [];
    ControlX = "control_x" needs [MsghdrX, Value, Hex];
    Kevents = "kevents" needs [Value, ErrnoName];
    LookedUp = "looked_up" needs [];
    Resolved = "resolved" needs [Address, LookedUp];
    Pattern = "pattern" needs [];
    Bad = "bad" needs [];
    Edge = "edge" needs [];
    PortOf = "port_of" needs [];
    WidePortOf = "wide_port_of" needs [];
    VsockStays = "vsock_stays" needs [];
    Threads = "threads" needs [Deadline];
    SendSignal = "send_signal" needs [Threads];
    Handler = "handler" needs [];
    ActWithout = "act_without" needs [];
    NeedUser = "need_user" needs [];
}

/// The parts of one program, each with those that it needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts(BTreeSet<Part>);

impl Parts {
    pub(super) fn need(&mut self, part: Part) {
        if self.0.insert(part) {
            part.needs().iter().for_each(|p| self.need(*p));
        }
    }

    pub(super) fn has(&self, part: Part) -> bool {
        self.0.contains(&part)
    }

    /// The functions, with `words` filled in; what they include goes to `headers`.
    pub(super) fn text(&self, words: &[(&str, String)], headers: &mut BTreeSet<String>) -> String {
        let mut out = String::new();
        for part in &self.0 {
            for line in part.text().lines() {
                let Some(line) = self.choose(line) else { continue };
                if line.starts_with("#include ") {
                    headers.insert(line.to_owned());
                    continue;
                }
                let word = words.iter().find(|(word, _)| line.contains(word));
                match word {
                    Some((word, with)) => out.push_str(&line.replace(word, with)),
                    None => out.push_str(line),
                }
                out.push('\n');
            }
            out.push('\n');
        }
        out
    }

    /// The line without its condition; none if that does not hold.
    fn choose<'l>(&self, line: &'l str) -> Option<&'l str> {
        let Some(tagged) = line.strip_prefix('@').filter(|rest| !rest.starts_with('@')) else {
            return Some(line);
        };
        let (tags, rest) = tagged.split_once(' ').unwrap_or((tagged, ""));
        let holds = |tag: &str| match tag.strip_prefix('!') {
            Some(name) => Part::named(name).is_some_and(|part| !self.has(part)),
            None => Part::named(tag).is_some_and(|part| self.has(part)),
        };
        tags.split(',').all(holds).then_some(rest)
    }
}
