//! A create with the defaults applied.

use super::{Defaults, Edited, quota};
use crate::body::container::{CreateRequest, HostConfig};
use crate::json::StrSlice;
use crate::obligation::Obligation;
use crate::privilege::{Uid, capability_name, containers, kernel, run_user};
use crate::request::Misread;

impl Defaults {
    /// Edits the body of a create, first by what is forced, then where it says nothing, and tells the edits.
    /// `image_user` is the user of the image's configuration.
    pub(crate) fn create(&self, body: &mut CreateRequest, image_user: &str) -> Result<Edited, Misread> {
        let mut edited = if self.force.is_empty() { Edited::default() } else { self.force.create(body)? };
        let made = &mut edited.made;
        let host = body.host_config.get_or_insert_with(HostConfig::default);
        made.extend(self.memory(host)?);
        made.extend(self.cpus(host));
        made.extend(self.pids(host));
        made.extend(self.user(&mut body.user, image_user));
        self.env(&mut body.env, made);
        made.extend(self.confinement(host));
        self.capabilities(host, made);
        Ok(edited)
    }

    /// A limit of memory and swap together, or a reservation, that does not go with the default would be
    /// refused by the daemon for a limit that the client never gave: so it is told in our words.
    fn memory(&self, host: &mut HostConfig) -> Result<Option<Obligation>, Misread> {
        let Some(memory) = self.memory.filter(|_| host.memory <= 0) else { return Ok(None) };
        if host.memory_swap > 0 && host.memory_swap < memory {
            return Err(Misread::value("HostConfig.MemorySwap", LESS_THAN_DEFAULT));
        }
        if host.memory_reservation > memory {
            return Err(Misread::value("HostConfig.MemoryReservation", MORE_THAN_DEFAULT));
        }
        host.memory = memory;
        Ok(Some(Obligation::Memory(memory)))
    }

    /// The daemon takes no number of CPUs beside a period of the client's own: then it is a part of that.
    /// A quota below zero would take away the number beside it.
    fn cpus(&self, host: &mut HostConfig) -> Option<Obligation> {
        let cpus = self.nano_cpus.filter(|_| containers::nano_cpus(host) == 0)?;
        (host.nano_cpus, host.cpu_quota) = match host.cpu_period {
            period @ 1.. => (0, quota(cpus, period)),
            _ => (cpus, 0),
        };
        Some(Obligation::Cpus(cpus))
    }

    fn pids(&self, host: &mut HostConfig) -> Option<Obligation> {
        let pids = self.pids.filter(|_| host.pids_limit.unwrap_or(0) <= 0)?;
        host.pids_limit = Some(pids);
        Some(Obligation::Pids(pids))
    }

    /// The image's own user stays, unless it is root.
    fn user(&self, user: &mut String, image_user: &str) -> Option<Obligation> {
        let default = self.user.as_ref()?;
        if !user.is_empty() || run_user(image_user).uid != Uid::Number(0) {
            return None;
        }
        user.clone_from(default);
        Some(Obligation::User(default.clone()))
    }

    /// A name alone is said as well: it takes away a variable of the image.
    fn env(&self, env: &mut Option<Vec<String>>, made: &mut Vec<Obligation>) {
        for (name, value) in &self.env {
            let mut given = env.iter().flatten().filter_map(|entry| entry.split('=').next());
            if !given.any(|given| given == name) {
                env.get_or_insert_default().push(format!("{name}={value}"));
                made.push(Obligation::Env(name.clone()));
            }
        }
    }

    /// A client that says `no-new-privileges=false` is asked for it as a privilege.
    fn confinement(&self, host: &mut HostConfig) -> Option<Obligation> {
        let said = kernel::no_new_privileges(host.security_opt.as_deref().unwrap_or_default());
        if !self.no_new_privileges || said.is_some() {
            return None;
        }
        host.security_opt.get_or_insert_default().push("no-new-privileges".to_owned());
        Some(Obligation::NoNewPrivileges)
    }

    /// The daemon lets what is added win over what is dropped, and drops nothing from a privileged
    /// container: to write it there would only look like safety, to policies too.
    fn capabilities(&self, host: &mut HostConfig, made: &mut Vec<Obligation>) {
        if host.privileged {
            return;
        }
        let (added, dropped) = (names(host.cap_add.as_ref()), names(host.cap_drop.as_ref()));
        let holds = |list: &[String], name: &str| list.iter().any(|given| given == name);
        let all_dropped = holds(&dropped, "ALL") && !holds(&added, "ALL");
        for name in &self.drop_capabilities {
            if !all_dropped && !holds(&added, name) && !holds(&dropped, name) {
                host.cap_drop.get_or_insert_default().0.push(name.clone());
                made.push(Obligation::DropCapability(name.clone()));
            }
        }
    }
}

fn names(list: Option<&StrSlice>) -> Vec<String> {
    list.into_iter().flat_map(|list| list.iter()).map(|name| capability_name(name)).collect()
}

const LESS_THAN_DEFAULT: &str =
    "is less than the memory that containers get here by default; give a limit on memory too (--memory)";
const MORE_THAN_DEFAULT: &str =
    "is more than the memory that containers get here by default; give a limit on memory too (--memory)";
