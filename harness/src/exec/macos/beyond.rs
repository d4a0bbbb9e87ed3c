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
    /// By its name, with the frames that it had lost when the case began.
    devices: BTreeMap<String, (Bpf, u32)>,
    /// What has left by one of them: after that no case is run.
    left: Vec<String>,
}

impl Watch {
    /// Looks from now on at all that are up but those of `ours`. What they carried until now is looked
    /// at too: of an earlier case may have gone on what no call sends.
    pub(super) fn begin(&mut self, ours: &[String]) {
        // Where they cannot be listed, or one cannot be opened, the case says that it was not watched.
        let all = Host::interfaces().unwrap_or_default();
        let others: Vec<String> = all.into_iter().filter_map(|i| watched(i, ours)).collect();
        self.devices.retain(|name, _| others.contains(name));
        self.look(&Ours::default(), &[]);
        for name in others {
            if !self.devices.contains_key(&name)
                && let Ok(device) = Bpf::open(&name, false)
            {
                self.devices.insert(name, (device, 0));
            }
        }
        for (device, dropped) in self.devices.values_mut() {
            *dropped = device.drops();
        }
    }

    /// What of a case's has left by one of them meanwhile.
    pub(super) fn look(&mut self, ours: &Ours, groups: &[IpAddr]) {
        for (name, (device, _)) in &mut self.devices {
            let frames = device.read_all();
            let left = frames.iter().filter_map(|frame| ours.beyond(frame, groups));
            self.left.extend(left.map(|line| format!("{name}: {line}")));
        }
    }

    /// How it is known that nothing left, and what did.
    pub(super) fn beyond(&self) -> Beyond {
        let whole = self.devices.iter().filter(|(_, (device, lost))| device.drops() == *lost);
        Beyond { watched: whole.map(|(name, _)| name.clone()).collect(), left: self.left.clone() }
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
