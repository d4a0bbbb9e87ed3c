//! Control messages: those that are sent, and those that came with what was received.

use std::net::IpAddr;

use harness::case::Hex;
use harness::case::op::Control;
use harness::trace::ControlOut;

use super::hosts::{Hosts, applied, text};
use super::log::Arg;
use super::options::device_link;
use super::words::{self, value};

/// Control messages of a call, and what of them cannot be said.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) messages: Vec<Control>,
    pub(super) left: Vec<String>,
}

/// Those that `sendmsg` is given.
pub(super) fn sent(control: Option<&Arg>, hosts: &mut Hosts) -> Sent {
    let mut sent = Sent::default();
    for message in control.map(Arg::within).unwrap_or_default() {
        match one_sent(message, hosts) {
            Ok(control) => sent.messages.push(control),
            Err(why) => sent.left.push(why),
        }
    }
    sent
}

fn one_sent(message: &Arg, hosts: &mut Hosts) -> Result<Control, String> {
    let level = words::sym(message.field("cmsg_level").map_or("", Arg::text))?;
    let word = message.field("cmsg_type").map_or("", Arg::text);
    if matches!(word, "SCM_RIGHTS" | "SCM_CREDENTIALS") {
        return Err(format!("{word} cannot be said yet, and is left out"));
    }
    let name = words::option(&level, word)?;
    let missing = || format!("the log does not tell the data of {name}, which is left out");
    let data = message.field("cmsg_data").ok_or_else(missing)?;
    if name.as_str() == "IP_PKTINFO" {
        let link = match data.field("ipi_ifindex") {
            Some(Arg::Apply(_, device)) => device.first().and_then(text),
            _ => None,
        };
        let link = link.map(|device| device_link(&device, hosts));
        let source = data.field("ipi_spec_dst").and_then(applied);
        let source = source.filter(|ip| !ip.is_unspecified()).map(|ip| hosts.host(ip));
        return Ok(Control::PktInfo { level, link, source });
    }
    let bytes = bytes(data).ok_or_else(missing)?;
    let width = u8::try_from(bytes.len()).ok().filter(|width| matches!(width, 1 | 2 | 4 | 8));
    let (Some(width), Some(value)) = (width, number(&bytes)) else { return Err(missing()) };
    Ok(Control::Int { level, name, value, width })
}

/// `[0x2]`, each a byte.
fn bytes(data: &Arg) -> Option<Vec<u8>> {
    match data {
        Arg::List(all) => all.iter().map(|one| u8::try_from(one.number()?).ok()).collect(),
        Arg::Bytes { bytes, cut: false } => Some(bytes.clone()),
        _ => None,
    }
}

fn number(bytes: &[u8]) -> Option<i32> {
    let mut all = [0; 8];
    all.get_mut(..bytes.len())?.copy_from_slice(bytes);
    i32::try_from(i64::from_le_bytes(all)).ok()
}

/// Those that `recvmsg` gave, as the kernel wrote them; none if the log does not tell all of them.
pub(super) fn received(control: Option<&Arg>, hosts: &mut Hosts) -> Option<Vec<ControlOut>> {
    let all = control.map(Arg::within).unwrap_or_default();
    all.iter().map(|message| one_received(message, hosts)).collect()
}

fn one_received(message: &Arg, hosts: &mut Hosts) -> Option<ControlOut> {
    let level = words::sym(message.field("cmsg_level")?.text()).ok()?;
    let name = words::option(&level, message.field("cmsg_type")?.text()).ok()?;
    let data = message.field("cmsg_data")?;
    let bytes = match name.as_str() {
        "IP_PKTINFO" => {
            let index: u32 = match data.field("ipi_ifindex")? {
                Arg::Apply(_, device) if device.first().and_then(text)? == "lo" => 1,
                _ => 2,
            };
            let mut v4 = |name: &str| match hosts.ip(applied(data.field(name)?)?) {
                IpAddr::V4(ip) => Some(ip.octets()),
                IpAddr::V6(_) => None,
            };
            [index.to_le_bytes(), v4("ipi_spec_dst")?, v4("ipi_addr")?].concat()
        }
        "IP_TOS" | "IP_TTL" | "IP_RECVTOS" | "IP_RECVTTL" => bytes(data)?,
        _ => match data {
            // A time, of which an outcome has that there is one.
            Arg::Group(_) if data.field("tv_sec").is_some() => vec![1; 16],
            Arg::List(one) if one.len() == 1 => value(one[0].text())?.to_le_bytes().to_vec(),
            _ => return None,
        },
    };
    let name = match name.as_str() {
        time if time.starts_with("SO_TIMESTAMP") => time.replacen("SO_", "SCM_", 1),
        name => name.to_owned(),
    };
    Some(ControlOut { level: level.to_string(), name, bytes: Hex(bytes) })
}
