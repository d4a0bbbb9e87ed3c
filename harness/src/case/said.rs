//! What the far ends of a case send by words, and what of it is let in.

use super::far::{Error, Frame, Lie, Segment, SegmentOption};
use super::{Case, LabOp, Op};

/// The most bytes of data in one frame: what a UDP datagram over IPv4 holds.
const MOST_OF_DATA: usize = 65_507;

impl Case {
    /// What far ends send by words, and on which links.
    pub fn said(&self) -> impl Iterator<Item = (&str, &Frame)> {
        self.ops.iter().filter_map(|op| match op {
            Op::Lab { step: LabOp::Say { link, frame } } => Some((link.as_str(), frame)),
            _ => None,
        })
    }

    /// The links whose far end sends TCP segments by hand.
    pub fn by_hand(&self) -> impl Iterator<Item = &str> {
        let segments = self.said().filter(|(_, frame)| matches!(frame, Frame::Segment(_)));
        segments.map(|(link, _)| link)
    }

    pub(super) fn check_frame(&self, link: &str, frame: &Frame) -> Result<(), String> {
        if link == "lo" || self.lab.number(link).is_none() {
            return Err(format!("{link:?} is no link of the lab that has a far end"));
        }
        for host in frame.hosts() {
            if self.lab.ip(host).is_none() {
                return Err(format!("the lab has no {host:?}"));
            }
        }
        if let Some(ends) = frame.between()
            && ends.from.is_v6() != ends.to.is_v6()
        {
            return Err("a frame has both addresses of one family".to_owned());
        }
        if let Some(data) = frame.data() {
            data.check("a frame")?;
            // An MSS is the longest that is written behind TCP's header; UDP's is 8 bytes (RFC 9293 §3.1, RFC 768).
            let most = match frame {
                Frame::Segment(_) => MOST_OF_DATA - 16,
                _ => MOST_OF_DATA,
            };
            if data.len() > most {
                let len = data.len();
                return Err(format!("a frame with {len} bytes, {most} are the most"));
            }
        }
        match frame {
            Frame::Error(error) => check_error(error),
            Frame::Datagram(one) if one.dont_fragment && one.ends.from.is_v6() => {
                Err("IPv6 has no DF: no router fragments it".to_owned())
            }
            Frame::Datagram(_) => Ok(()),
            Frame::Segment(_) if self.lab.setup.iter().any(|step| answers(step, link)) => {
                Err(format!("a server answers on {link}: TCP by hand needs a link without one"))
            }
            Frame::Segment(one) => check_segment(one),
        }
    }

    /// Whether an outcome tells the numbers and the options of segments: a far end has some of its own.
    pub fn tells_options(&self) -> bool {
        let has = |frame: &Frame| matches!(frame, Frame::Segment(one) if one.options.is_some());
        self.said().any(|(_, frame)| has(frame))
    }
}

fn check_segment(one: &Segment) -> Result<(), String> {
    let set = |flag: &char| one.flags.contains(*flag);
    let written: String = Segment::FLAGS.chars().filter(set).collect();
    if one.flags != Segment::NO_FLAGS && (written.is_empty() || written != one.flags) {
        return Err(format!("{:?} are no control bits, such as S.", one.flags));
    }
    let Some(options) = &one.options else { return Ok(()) };
    if one.mss.is_some() {
        return Err("beside a list of options no mss is said: it stands in the list".to_owned());
    }
    SegmentOption::check(options)
}

/// Whether a server stands on this link: what is for none of its ports it answers by RST.
fn answers(step: &LabOp, on: &str) -> bool {
    matches!(step, LabOp::Serve { link, .. } | LabOp::NameServer { link, .. } if link == on)
}

fn check_error(error: &Error) -> Result<(), String> {
    let Error { kind, value, v6, lies, .. } = error;
    if *v6 && kind.number(true).is_none() {
        return Err(format!("ICMPv6 has no {}", kind.name()));
    }
    if value.is_some() && kind.value().is_none() {
        return Err(format!("{} has no number", kind.name()));
    }
    let most = Lie::NAMED.len() + 1;
    if lies.len() > most {
        return Err(format!("a frame with {} lies, {most} are the most", lies.len()));
    }
    // Told twice it would be the truth again.
    let is_cut = |lie: &Lie| matches!(lie, Lie::Cut(_));
    for (at, lie) in lies.iter().enumerate() {
        if lies[..at].iter().any(|other| other == lie || is_cut(other) && is_cut(lie)) {
            return Err(format!("a frame with the same lie twice: {lie}"));
        }
    }
    Ok(())
}
