//! The labs that stand.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::thread::JoinHandle;

use super::host;
use super::lab::LinuxLab;
use crate::case::Lab;
use crate::exec::network::Network as _;
use crate::threads;
use crate::trace::End;

/// The labs that stand, so that cases which ask for the same one share it.
#[derive(Default)]
pub(in crate::exec) struct Labs {
    /// By the time of their last use.
    standing: BTreeMap<u64, LinuxLab>,
    clock: u64,
    /// Whether the thread is in the network of the lab that was used last.
    entered: bool,
    closing: Vec<JoinHandle<()>>,
}

/// More would keep too many descriptors and namespaces.
const MOST_LABS: usize = 48;

/// For how much of the kernel's memory one of them may stand, since others may keep as many: a namespace
/// takes about 1 MiB, and a machine of a few hundred has nine executors.
const MEMORY_OF_ONE: u64 = 48 << 20;

/// How many may be closing at a time: the kernel takes longer to clear a network away than to make one
/// (`net/core/net_namespace.c` `cleanup_net`).
const MOST_CLOSING: usize = 16;

/// How many labs may stand.
fn most() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| {
        most_in(nix::sys::sysinfo::sysinfo().map_or(u64::MAX, |info| info.ram_total()))
    })
}

/// How many may stand in so many bytes.
fn most_in(memory: u64) -> usize {
    usize::try_from(memory / MEMORY_OF_ONE).unwrap_or(MOST_LABS).clamp(4, MOST_LABS)
}

impl Labs {
    /// Takes out the lab that `spec` describes, building it if none stands, and enters it.
    pub(in crate::exec) fn take(&mut self, spec: &Lab) -> Result<LinuxLab, End> {
        let entered = std::mem::replace(&mut self.entered, false);
        let mut standing = self.standing.iter().rev();
        let Some(key) = standing.find(|(_, lab)| lab.spec() == spec).map(|(key, _)| *key) else {
            return LinuxLab::build(spec);
        };
        let Some(mut lab) = self.standing.remove(&key) else { return LinuxLab::build(spec) };
        if !(entered && key == self.clock) && lab.enter().is_err() {
            // gVisor of 2022 has no setns: there is no way back to a network that was left.
            self.discard(lab);
            return LinuxLab::build(spec);
        }
        Ok(lab)
    }

    /// Puts a restored lab back for the next case.
    pub(in crate::exec) fn put(&mut self, lab: LinuxLab) {
        if self.standing.len() >= host::labs_at_once().clamp(1, most())
            && let Some((_, oldest)) = self.standing.pop_first()
        {
            self.discard(oldest);
        }
        self.clock += 1;
        self.entered = true;
        self.standing.insert(self.clock, lab);
    }

    /// Gives up a lab. Its sockets close in a thread of their own, since the kernel takes a grace
    /// period for a packet socket (`net/packet/af_packet.c` `packet_release`).
    pub(in crate::exec) fn discard(&mut self, lab: LinuxLab) {
        self.closing.retain(|thread| !thread.is_finished());
        if host::labs_at_once() < MOST_LABS {
            // Every descriptor counts.
            return drop(lab);
        }
        if self.closing.len() >= MOST_CLOSING {
            let _ = self.closing.remove(0).join();
        }
        // Where there is no thread for it, it closes here.
        self.closing.extend(threads::start(move || drop(lab)));
    }
}

impl Drop for Labs {
    fn drop(&mut self) {
        while let Some((_, lab)) = self.standing.pop_first() {
            self.discard(lab);
        }
        for thread in self.closing.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A guest's executors were killed for want of memory, which was told as a change of its kernel.
    #[test]
    fn a_small_machine_has_few_labs() {
        assert_eq!(most_in(220 << 20), 4);
        assert_eq!(most_in(480 << 20), 10);
        assert_eq!((most_in(4 << 30), most_in(u64::MAX)), (MOST_LABS, MOST_LABS));
    }
}
