//! What a lab looks at when it has been built: that the kernel did what it was asked. The first run on a
//! Mac explains itself by what it says, a line with the values.

use std::net::IpAddr;

use super::MacLab;
use crate::case::addr::{Range, Role};
use crate::darwin::interface;
use crate::exec::macos::host::Host;
use crate::exec::plan::ip_of;

impl MacLab {
    /// What is otherwise than the plan says.
    pub(super) fn check(&mut self) -> Result<(), String> {
        for number in 0..self.spec.links.len() {
            self.check_addresses(number)?;
            self.check_routes(number)?;
        }
        Ok(())
    }

    fn expected(&self, number: usize) -> Vec<IpAddr> {
        let ranges = &self.spec.links[number].ranges;
        ranges.iter().map(|range| ip_of(number, Role::Own, *range)).collect()
    }

    /// The addresses are the plan's and no others, and all of them can be used.
    fn check_addresses(&mut self, number: usize) -> Result<(), String> {
        let (name, index) = self.link(number);
        let expected = self.expected(number);
        // Of the kernel's own making: the interface's identifier is in it, or a random one.
        for ip in addresses(&name)?.iter().filter(|ip| !expected.contains(ip)) {
            let host = self.host()?;
            host.delete_address((&name, index), *ip).map_err(|e| format!("address {ip}: {e}"))?;
        }
        let mut found = addresses(&name)?;
        let mut wanted = expected.clone();
        found.sort();
        wanted.sort();
        if found != wanted {
            return Err(format!("{name} has {found:?} where {wanted:?} were to be"));
        }
        for ip in expected {
            let IpAddr::V6(ip) = ip else { continue };
            let unusable = interface::unusable(&*self.host()?, (&name, index), ip);
            match unusable.map_err(|e| format!("flags of {ip} on {name}: {e}"))? {
                None => {}
                Some(why) => return Err(format!("{ip} on {name} is {why}")),
            }
        }
        Ok(())
    }

    /// Who is on the link is reached over it.
    fn check_routes(&mut self, number: usize) -> Result<(), String> {
        let (name, index) = self.link(number);
        for range in self.spec.links[number].ranges.clone() {
            if range == Range::Ll {
                // The scope says it.
                continue;
            }
            let ip = ip_of(number, Role::Neighbour, range);
            let asked = self.host()?.routes.ask(ip, None);
            match asked.map_err(|e| e.to_string())? {
                Some(answer) if answer.index == index => {}
                Some(answer) => {
                    let by = answer.index;
                    return Err(format!(
                        "{ip} is reached by interface {by}, not by {index}, {name}"
                    ));
                }
                None => return Err(format!("there is no route to {ip}, which is on {name}")),
            }
        }
        Ok(())
    }
}

fn addresses(name: &str) -> Result<Vec<IpAddr>, String> {
    let all = Host::interfaces().map_err(|e| format!("the interfaces cannot be listed: {e}"))?;
    let it = all.into_iter().find(|interface| interface.name == name);
    let it = it.ok_or_else(|| format!("{name} is not among the interfaces"))?;
    Ok(it.addresses.into_iter().map(|(ip, _)| ip).collect())
}
