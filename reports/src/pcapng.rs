//! Frames for Wireshark: pcapng, nanosecond times, one interface block for each link, a comment on
//! each frame that names the case and the call that caused it.
//!
//! Format: draft-ietf-opsawg-pcapng.

use std::borrow::Cow;
use std::io::Write;
use std::time::Duration;

use harness::case::{Case, LinkKind, Os};
use harness::outcome::{Names, call_text};
use harness::trace::{Direction, Event, Trace};
use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};

use crate::text::one_line;

pub use pcap_file::pcapng::PcapNgWriteError as WriteError;

/// The most characters of an option, whose length is told in 16 bits.
const MOST_OF_TEXT: usize = 4000;

/// An interface of the file: a name and a layout of frames.
type Interface = (String, Option<LinkKind>);

/// A pcapng file that is being written.
pub struct Pcapng<W: Write> {
    writer: PcapNgWriter<W>,
    interfaces: Vec<Interface>,
}

impl<W: Write> Pcapng<W> {
    /// Begins a file that says which `kernel` the frames are from.
    pub fn new(output: W, kernel: &str) -> Result<Self, WriteError> {
        let section = SectionHeaderBlock {
            options: vec![
                SectionHeaderOption::OS(one_line(kernel, MOST_OF_TEXT).into()),
                SectionHeaderOption::UserApplication(
                    concat!("sockeye ", env!("CARGO_PKG_VERSION")).into(),
                ),
            ],
            ..SectionHeaderBlock::default()
        };
        let writer = PcapNgWriter::with_section_header(output, section)?;
        Ok(Self { writer, interfaces: Vec::new() })
    }

    /// Adds the frames of one trace, in their order.
    pub fn add(&mut self, case: &Case, trace: &Trace, os: Os) -> Result<(), WriteError> {
        let names = Names::real(case, trace, os);
        for event in &trace.events {
            let Event::Frame { op, at_ns, link, dir, bytes } = event else { continue };
            let interface = self.interface(trace, link)?;
            let step = trace.events.iter().find(
                |e| matches!(e, Event::Began { op: o, .. } | Event::Call { op: o, .. } | Event::Lab { op: o, .. } if o == op),
            );
            // An option has 16 bits for its length.
            let comment = format!("{}: {}", case.id, call_text(&names, *op as usize, step));
            let comment = one_line(&comment, MOST_OF_TEXT);
            // Bits 0 and 1 of the flags: 1 is inbound, 2 is outbound.
            let flags = if *dir == Direction::In { 1 } else { 2 };
            self.writer.write_pcapng_block(EnhancedPacketBlock {
                interface_id: interface,
                timestamp: Duration::from_nanos(trace.began_ns + at_ns),
                original_len: u32::try_from(bytes.0.len()).unwrap_or(u32::MAX),
                data: Cow::Borrowed(&bytes.0),
                options: vec![
                    EnhancedPacketOption::Common(CommonOption::Comment(comment.into())),
                    EnhancedPacketOption::Flags(flags),
                ],
            })?;
        }
        Ok(())
    }

    /// The number of the interface, which is described at its first frame.
    fn interface(&mut self, trace: &Trace, link: &str) -> Result<u32, WriteError> {
        let fact = trace.links.iter().find(|fact| fact.name == link);
        let interface = (link.to_owned(), fact.and_then(|fact| fact.kind));
        let known = self.interfaces.iter().position(|i| *i == interface);
        let number = known.unwrap_or(self.interfaces.len());
        if known.is_none() {
            let (linktype, what) = match interface.1 {
                Some(LinkKind::Tun) => (DataLink::RAW, "tun: IP packets"),
                Some(LinkKind::Tap) => (DataLink::ETHERNET, "tap: Ethernet frames"),
                None => (DataLink::ETHERNET, "loopback, each packet once"),
            };
            self.writer.write_pcapng_block(InterfaceDescriptionBlock {
                linktype,
                snaplen: 0,
                options: vec![
                    InterfaceDescriptionOption::IfName(one_line(link, MOST_OF_TEXT).into()),
                    InterfaceDescriptionOption::IfDescription(what.into()),
                    InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
                ],
            })?;
            self.interfaces.push(interface);
        }
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    }
}
