//! Frames and results: their addresses, wherever the bytes of these stand.

use std::net::IpAddr;

use harness::case::addr::SockAddr;
use harness::case::{Hex, LinkKind};
use harness::trace::{Event, Out, Trace};
use harness::wire::{Framing, Mac, Net, decode, mend};

use super::Scrub;

impl Scrub {
    /// The trace with the addresses in its frames and results replaced.
    pub fn trace(&mut self, trace: &mut Trace) {
        if self.off {
            return;
        }
        let kinds: Vec<(String, Option<LinkKind>)> =
            trace.links.iter().map(|link| (link.name.clone(), link.kind)).collect();
        for link in &mut trace.links {
            if let Ok(mac) = <[u8; 6]>::try_from(&link.mac.0[..]) {
                link.mac = Hex(self.mac(Mac(mac)).0.to_vec());
            }
        }
        self.ending(trace);
        for event in &mut trace.events {
            match event {
                Event::Frame { link, bytes, .. } => {
                    let kind = kinds.iter().find(|(name, _)| name == link).and_then(|(_, k)| *k);
                    let tun = kind == Some(LinkKind::Tun);
                    self.frame(if tun { Framing::Ip } else { Framing::Ethernet }, &mut bytes.0);
                }
                Event::Began { addr, .. } => {
                    if let Some(addr) = addr {
                        self.sockaddr(addr);
                    }
                }
                Event::Call { addr, did, .. } => {
                    if let Some(addr) = addr {
                        self.sockaddr(addr);
                    }
                    if let harness::trace::Did::Returned { out, .. } = did {
                        self.out(out);
                    }
                }
                Event::Lab { .. } | Event::Signal { .. } => {}
            }
        }
    }

    fn out(&mut self, out: &mut Out) {
        match out {
            Out::Addr(addr) => self.sockaddr(addr),
            Out::Addrs(list) => list.iter_mut().for_each(|entry| self.sockaddr(&mut entry.addr)),
            Out::Interfaces(list) => {
                list.iter_mut().filter_map(|one| one.addr.as_mut()).for_each(|a| self.sockaddr(a));
            }
            Out::Ip(ip) => *ip = self.ip(*ip),
            Out::Bytes(bytes) => self.swap(&mut bytes.0),
            Out::Data { bytes, from, control, .. } => {
                if let Some(addr) = from {
                    self.sockaddr(addr);
                }
                self.swap(&mut bytes.0);
                for message in control {
                    self.swap(&mut message.bytes.0);
                }
            }
            Out::Messages(messages) => {
                for message in messages {
                    if let Some(addr) = &mut message.from {
                        self.sockaddr(addr);
                    }
                    self.swap(&mut message.bytes.0);
                    message.control.iter_mut().for_each(|c| self.swap(&mut c.bytes.0));
                }
            }
            // Names are texts, which are replaced where they are written.
            Out::Events(_)
            | Out::Nothing
            | Out::Int(_)
            | Out::Offset(_)
            | Out::Errno(_)
            | Out::Poll(_)
            | Out::Sets(_)
            | Out::Ready(_)
            | Out::Text(_)
            | Out::Names { .. } => {}
        }
    }

    /// Every address that was replaced so far, wherever its bytes stand: headers that a raw socket
    /// received, what an error quotes.
    fn swap(&self, bytes: &mut [u8]) {
        let macs = self.macs.iter().map(|(was, is)| (was.0.to_vec(), is.0.to_vec()));
        let v6 = self.v6.iter().map(|(was, is)| (was.octets().to_vec(), is.octets().to_vec()));
        let v4 = self.v4.iter().map(|(was, is)| (was.octets().to_vec(), is.octets().to_vec()));
        for (was, is) in macs.chain(v6).chain(v4) {
            let mut at = 0;
            while at + was.len() <= bytes.len() {
                if bytes[at..at + was.len()] == was {
                    bytes[at..at + was.len()].copy_from_slice(&is);
                    at += was.len();
                } else {
                    at += 1;
                }
            }
        }
    }

    fn sockaddr(&mut self, addr: &mut SockAddr) {
        match addr {
            SockAddr::V4 { ip, .. } => *ip = self.v4(*ip),
            SockAddr::V6 { ip, .. } => *ip = self.v6(*ip),
            SockAddr::Unix(_)
            | SockAddr::Packet(_)
            | SockAddr::Vsock { .. }
            | SockAddr::Netlink { .. }
            | SockAddr::Bare { .. } => {}
        }
    }

    /// Every address of a frame that is not the lab's, wherever its bytes stand; checksums that
    /// were right are right afterwards.
    pub fn frame(&mut self, framing: Framing, frame: &mut [u8]) {
        let mut as_summed = frame.to_vec();
        mend(framing, &mut as_summed);
        let sound = as_summed == frame;
        let (mut macs, mut ips) = (Vec::new(), Vec::new());
        {
            let packet = decode(framing, frame);
            macs.extend(packet.eth.iter().flat_map(|eth| [eth.src, eth.dst]));
            ips.extend(packet.addresses().into_iter().flat_map(|(src, dst)| [src, dst]));
            if let Net::Arp(arp) = &packet.net {
                macs.extend([arp.sender_mac, arp.target_mac]);
                ips.extend([arp.sender_ip, arp.target_ip].map(IpAddr::from));
            }
        }
        for mac in macs {
            self.mac(mac);
        }
        for ip in ips {
            self.ip(ip);
        }
        let was = frame.to_vec();
        self.swap(frame);
        if sound && frame != was {
            mend(framing, frame);
        }
    }
}
