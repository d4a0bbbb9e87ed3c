//! Labs for who is not root: loopback, and for a link that is down an interface that is.

use super::{FarEnd, Host, Link, MacLab, index_of};
use crate::case::Hex;
use crate::case::addr::Role;
use crate::case::lab::Lab;
use crate::darwin::down::{StandIn, choose};
use crate::darwin::route::Interface;
use crate::exec::plan::mac_of;
use crate::trace::{End, LinkFact};

impl MacLab {
    /// The host's loopback, and what stands for the link of a lab that has one: a case that asks for
    /// more than that is refused before.
    pub(super) fn unseen(spec: &Lab) -> Result<Self, End> {
        let mut lab = Self::bare(spec, None, None).map_err(End::broken)?;
        let Some(link) = spec.links.first() else { return Ok(lab) };
        let found = down(&interfaces().map_err(End::skipped)?).ok_or_else(|| {
            End::skipped(
                "no interface that is down has a link-local address, and links are made by root \
                 alone: run it by sudo"
                    .to_owned(),
            )
        })?;
        // The plan's link-layer address: the interface's own is the host's, and no frame has it.
        let mac = Hex(mac_of(0, Role::Own).to_vec());
        let (name, index) = (link.name.clone(), index_of(&found.name).map_err(End::skipped)?);
        lab.facts.push(LinkFact { name, index, kind: Some(link.kind), mac, unseen: true });
        lab.links.push(Link { name: found.name.clone(), peer: None, far: FarEnd::Gone });
        lab.stand_in = Some(found);
        Ok(lab)
    }
}

fn interfaces() -> Result<Vec<Interface>, String> {
    Host::interfaces().map_err(|e| format!("the interfaces cannot be listed: {e}"))
}

fn down(all: &[Interface]) -> Option<StandIn> {
    let all = all.iter().map(|interface| {
        let addresses = interface.addresses.iter().map(|(ip, _)| *ip).collect();
        (interface.name.as_str(), interface.flags, addresses)
    });
    choose(all, false).map(StandIn::new)
}

/// Why what was asked of it says nothing of an interface that is down: others use it, as `AirDrop`
/// does `awdl0`, and may have set it up meanwhile.
pub(super) fn has_come_up(stand_in: &StandIn) -> Option<String> {
    let still_down = |all: Vec<Interface>| {
        let mut it = all.into_iter().filter(|interface| interface.name == stand_in.name);
        it.next().is_some_and(|it| down(&[it]).as_ref() == Some(stand_in))
    };
    match interfaces().map(still_down) {
        Ok(true) => None,
        Ok(false) => Some(format!(
            "{} has changed meanwhile, which stood for a link that is down: run it by sudo",
            stand_in.name
        )),
        Err(why) => Some(why),
    }
}
