//! The neighbours of a lab that serve.

use super::super::limits;
use super::super::settings::ranges;
use super::{LinuxLab, said};
use crate::case::addr::Role;
use crate::case::{Case, LabOp, Service};
use crate::exec::server::Server;

impl LinuxLab {
    /// Lets the neighbour on a link serve TCP.
    pub(super) fn serve(&mut self, link: &str, service: &Service) -> Result<(), String> {
        self.route_to_server(link, service)?;
        let number = self.number(link)?;
        self.server(number).serve(service)
    }

    /// Whether connections to far ends have the kernel's own timers, as the case asks for.
    pub(super) fn set_timers(&mut self, case: &Case) -> Result<(), String> {
        let real = case.waits_for_timers();
        let is_other = std::mem::replace(&mut self.real_timers, real) != real;
        for link in case.by_hand() {
            // The lab goes with the case.
            self.route_to_server(link, &Service::new(1, []))?;
        }
        if !is_other {
            return Ok(());
        }
        for step in self.spec.setup.clone() {
            if let LabOp::Serve { link, service } = step {
                self.route_to_server(&link, &service)?;
            }
        }
        Ok(())
    }

    /// How the host treats connections to the neighbour on a link: as [`Case::waits_for_timers`] says.
    pub(super) fn route_to_server(&mut self, link: &str, service: &Service) -> Result<(), String> {
        // Who answers for everybody is reached as everybody is, with the kernel's own timers.
        if service.anywhere {
            return Ok(());
        }
        let (number, index, real) = (self.number(link)?, self.index(link)?, self.real_timers);
        let window = limits::scales_otherwise().then_some(limits::WINDOW);
        for range in ranges(&self.spec.links[number]) {
            let ip = self.address(number, Role::Neighbour, range);
            let added = self.netlink.add_served(ip, index, real, window);
            added.map_err(said("route", &ip.to_string()))?;
        }
        Ok(())
    }

    /// The neighbour on a link, who may serve nothing yet.
    pub(super) fn server(&mut self, number: usize) -> &mut Server {
        let link = &self.spec.links[number];
        self.servers.entry(number).or_insert_with(|| Server::on(number, link))
    }

    /// Servers that know nothing of what was before.
    pub(super) fn serve_anew(&mut self) {
        self.servers.clear();
        for step in self.spec.setup.clone() {
            match step {
                LabOp::Serve { link, service } => {
                    if let Ok(number) = self.number(&link) {
                        // It was taken when the lab was built.
                        let _ = self.server(number).serve(&service);
                    }
                }
                LabOp::NameServer { link, server } => {
                    if let Ok(number) = self.number(&link) {
                        self.server(number).answer_queries(server);
                    }
                }
                _ => {}
            }
        }
    }
}
