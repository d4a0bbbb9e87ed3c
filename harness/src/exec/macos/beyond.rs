//! The host's other interfaces: nothing of a case leaves by them, and that is looked at.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::far_end::Bpf;
use super::host::Host;
use crate::darwin::ours::Ours;
use crate::darwin::route::Interface;
use crate::trace::Beyond;

/// `IFF_UP` and `IFF_LOOPBACK` of `bsd/net/if.h`.
const UP: u32 = 0x1;
const LOOPBACK: u32 = 0x8;

/// BPF on each interface of the host's that is up and that no lab has made.
#[derive(Default)]
pub(super) struct Watch {
    devices: BTreeMap<String, Bpf>,
    /// What has left by one of them: after that no case is run.
    left: Vec<String>,
}

impl Watch {
    /// Looks from now on at all that are up but those of `ours`. What they carried until now is looked
    /// at too: of an earlier case may have gone on what no call sends.
    pub(super) fn begin(&mut self, ours: &[String]) -> Result<(), String> {
        let all = Host::interfaces();
        let all = all.map_err(|e| format!("the interfaces cannot be listed: {e}"))?;
        let others: Vec<String> = all.into_iter().filter_map(|i| watched(i, ours)).collect();
        self.devices.retain(|name, _| others.contains(name));
        for name in others {
            if !self.devices.contains_key(&name) {
                let device = Bpf::open(&name, false).map_err(|e| format!("BPF on {name}: {e}"))?;
                self.devices.insert(name.clone(), device);
            }
        }
        self.look(&Ours::default(), &[]);
        Ok(())
    }

    /// What of a case's has left by one of them meanwhile.
    pub(super) fn look(&mut self, ours: &Ours, groups: &[IpAddr]) {
        for (name, device) in &mut self.devices {
            let frames = device.read_all();
            let left = frames.iter().filter_map(|frame| ours.beyond(frame, groups));
            self.left.extend(left.map(|line| format!("{name}: {line}")));
        }
    }

    /// How it is known that nothing left, and what did.
    pub(super) fn beyond(&self) -> Beyond {
        Beyond { watched: self.devices.keys().cloned().collect(), left: self.left.clone() }
    }

    /// Why no more cases are run.
    pub(super) fn stopped(&self) -> Option<String> {
        let first = self.left.first()?;
        Some(format!(
            "a frame left by an interface that sockeye did not make, and nothing more is run: {first}"
        ))
    }
}

fn watched(interface: Interface, ours: &[String]) -> Option<String> {
    let is_other = interface.flags & UP != 0
        && interface.flags & LOOPBACK == 0
        && !ours.contains(&interface.name);
    is_other.then_some(interface.name)
}
