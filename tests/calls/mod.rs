//! Cases of calls whose reproducers `repro_calls` tries.

/// Signals that are blocked while a call waits, control messages of each of several, parts of one.
pub(crate) const MASKS: &str = "
    socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])
    ppoll([{a, POLLIN}], {tv_sec=0, tv_nsec=10000000}, {SIGUSR1})
    pselect([a], NULL, NULL, {tv_sec=0, tv_nsec=10000000}, {SIGUSR1, SIGIO})
    epoll_create1(0) = e
    epoll_ctl(e, EPOLL_CTL_ADD, a, {events=EPOLLIN})
    epoll_pwait(e, 4, 10, {})
    send(b, \"x\", 0)
    epoll_pwait(e, 4, -1, {SIGUSR2})
    epoll_pwait(e, 4, -1, NULL)
    close(b)
    epoll_pwait(a, 4, -1, NULL)
    sendmsg(a, {msg_iov=[\"ab\", \"cd\"]}, MSG_NOSIGNAL)";

pub(crate) const SEVERAL: &str = "
    socket(AF_INET, SOCK_DGRAM, 0) = r
    bind(r, {AF_INET 127.0.0.1:0})
    setsockopt(r, IPPROTO_IP, IP_RECVTTL, 1)
    socket(AF_INET, SOCK_DGRAM, 0) = s
    connect(s, {AF_INET 127.0.0.1:port(r)})
    sendmmsg(s, [{msg_iov=[\"a\"], msg_control=[{IPPROTO_IP, IP_TTL, 7}]}, {msg_iov=[\"b\"]}, {msg_iov=[\"c\"], msg_control=[{IPPROTO_IP, IP_TTL, 9}, {IPPROTO_IP, IP_TOS, (uint8_t)8}]}], 3, 0)
    recvmmsg(r, {msg_iov=[8], msg_controllen=64}, 4, MSG_DONTWAIT, NULL)
    sendmsg(s, {msg_iov=[\"ab\", pattern[0..9], \"cd\"]}, 0)
    recvmsg(r, {msg_iov=[1, 4, 64], msg_controllen=64}, 0)
    recvmsg(r, {msg_iov=[1, 4]}, MSG_DONTWAIT)";

pub(crate) const REQUESTS: &str = "tun net0
    socket(AF_INET, SOCK_DGRAM, 0) = s
    fcntl(s, F_SETOWN, own)
    fcntl(s, F_GETOWN)
    ioctl(s, FIOSETOWN, [0])
    ioctl(s, SIOCSPGRP, [own])
    ioctl(s, FIOGETOWN)
    ioctl(s, SIOCGSTAMP)
    ioctl(s, SIOCGIFADDR, {ifr_name=\"net0\"})
    ioctl(s, SIOCGIFNAME, {ifr_ifindex=if_nametoindex(\"net0\")})
    ioctl(s, SIOCGIFNAME, {ifr_ifindex=77777})
    ioctl(s, SIOCGIFCONF)
    ioctl(s, SIOCETHTOOL, {ifr_name=\"net0\"})
    ioctl(s, SIOCSHWTSTAMP, {ifr_name=\"net0\"})
    ioctl(s, SIOCSIFMTU, {ifr_name=\"net0\", ifr_mtu=1300})
    ioctl(s, SIOCSIFFLAGS, {ifr_name=\"net0\", ifr_flags=0})
    ioctl(s, SIOCGIFMTU, {ifr_name=\"net0\"})";

/// Calls that wait for a far end that answers.
pub(crate) const ANSWERED: &str = "tun net0
    serve net0 80: expect \"1\", send \"one\", expect \"2\", send \"two\", expect \"3\", send \"three\", expect \"4\", send \"four\", expect \"5\", send \"five\"
    socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0) = s
    epoll_create1(0) = e
    epoll_ctl(e, EPOLL_CTL_ADD, s, {events=EPOLLOUT})
    connect(s, {AF_INET neighbour(net0):80})
    epoll_wait(e, 1, 1000)
    writev(s, [{\"1\", 1}], 1)
    select([s], NULL, NULL, {tv_sec=1, tv_usec=0})
    readv(s, [1, 9], 2)
    tmpfile(\"2\") = f
    sendfile(s, f, NULL, 1)
    pselect([s], NULL, NULL, {tv_sec=1, tv_nsec=0}, NULL)
    read(s, 9)
    pipe([r, w])
    write(w, \"3\")
    splice(r, NULL, s, NULL, 1, 0)
    ppoll([{s, POLLIN}], {tv_sec=1, tv_nsec=0}, NULL)
    read(s, 9)
    epoll_ctl(e, EPOLL_CTL_MOD, s, {events=EPOLLIN})
    sendmmsg(s, [{msg_iov=[\"4\", 1]}], 1, 0)
    epoll_wait(e, 1, -1)
    read(s, 9)
    fcntl(s, F_SETFL, 0)
    writev(s, [\"5\"])
    recvmmsg(s, {msg_iov=[9]}, 1, 0, NULL)";
