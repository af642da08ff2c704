//! What is set whatever the client says.

use super::{Edited, Force, Unheard, quota};
use crate::body::container::{CreateRequest, HostConfig, UpdateRequest};
use crate::json::StrSlice;
use crate::obligation::Obligation;
use crate::privilege::{capability_name, containers, security_option_pair};
use crate::request::Misread;

impl Force {
    /// Edits the body of a create. What is said already as it is to be is no edit.
    pub(super) fn create(&self, body: &mut CreateRequest) -> Result<Edited, Misread> {
        let mut edited = Edited::default();
        let Edited { made, unheard } = &mut edited;
        let host = body.host_config.get_or_insert_with(HostConfig::default);
        self.memory(host, made)?;
        self.cpus(host, made);
        self.user(&mut body.user, made, unheard);
        self.env(&mut body.env, made, unheard);
        self.security_options(host, made, unheard);
        self.capabilities(host, made, unheard)?;
        Ok(edited)
    }

    /// An update that speaks of a limit sets the one that there is to be: else it would be the way around.
    pub(super) fn update(&self, body: &mut UpdateRequest, stored: &HostConfig, made: &mut Vec<Obligation>) {
        if let Some(memory) = self.memory.filter(|memory| ![0, *memory].contains(&body.memory)) {
            body.memory = memory;
            made.push(Obligation::Memory(memory));
        }
        let speaks = body.nano_cpus != 0 || body.cpu_quota != 0 || body.cpu_period != 0;
        if let Some(cpus) = self.nano_cpus.filter(|_| speaks) {
            let before = (body.nano_cpus, body.cpu_quota);
            (body.nano_cpus, body.cpu_quota) = super::update::cpus_as_before(cpus, body, stored);
            if before != (body.nano_cpus, body.cpu_quota) {
                made.push(Obligation::Cpus(cpus));
            }
        }
    }

    /// What else the client says of memory has to go with it, or the daemon would refuse it for a limit that the client
    /// never gave.
    fn memory(&self, host: &mut HostConfig, made: &mut Vec<Obligation>) -> Result<(), Misread> {
        let Some(memory) = self.memory.filter(|memory| host.memory != *memory) else { return Ok(()) };
        if host.memory_swap > 0 && host.memory_swap < memory {
            return Err(Misread::value(
                "HostConfig.MemorySwap",
                "is less than the memory that every container gets here",
            ));
        }
        if host.memory_reservation > memory {
            return Err(Misread::value(
                "HostConfig.MemoryReservation",
                "is more than the memory that every container gets here",
            ));
        }
        host.memory = memory;
        made.push(Obligation::Memory(memory));
        Ok(())
    }

    fn cpus(&self, host: &mut HostConfig, made: &mut Vec<Obligation>) {
        let Some(cpus) = self.nano_cpus.filter(|cpus| containers::nano_cpus(host) != *cpus) else { return };
        (host.nano_cpus, host.cpu_quota) = match host.cpu_period {
            period @ 1.. => (0, quota(cpus, period)),
            _ => (cpus, 0),
        };
        made.push(Obligation::Cpus(cpus));
    }

    fn user(&self, user: &mut String, made: &mut Vec<Obligation>, unheard: &mut Unheard) {
        let Some(forced) = self.user.as_ref().filter(|forced| *forced != user) else { return };
        let said = std::mem::replace(user, forced.clone());
        unheard.user = Some(said).filter(|said| !said.is_empty());
        made.push(Obligation::User(forced.clone()));
    }

    /// One entry for each name: the daemon would let the last one win.
    fn env(&self, env: &mut Option<Vec<String>>, made: &mut Vec<Obligation>, unheard: &mut Unheard) {
        for (name, value) in &self.env {
            let forced = format!("{name}={value}");
            let is_of_name = |entry: &String| entry.split('=').next() == Some(name);
            let said: Vec<String> = env.iter().flatten().filter(|entry| is_of_name(entry)).cloned().collect();
            if said == [forced.as_str()] {
                continue;
            }
            let entries = env.get_or_insert_default();
            entries.retain(|entry| !is_of_name(entry));
            entries.push(forced.clone());
            made.push(Obligation::Env(name.clone()));
            unheard.env.extend(said.into_iter().filter(|entry| *entry != forced));
        }
    }

    /// One name may have several values (`label`): all that are forced stay, no other does.
    fn security_options(&self, host: &mut HostConfig, made: &mut Vec<Obligation>, unheard: &mut Unheard) {
        let pairs: Vec<(&str, &str)> =
            self.security_options.iter().map(|forced| security_option_pair(forced)).collect();
        for (forced, pair) in self.security_options.iter().zip(&pairs) {
            let goes = |option: &String| {
                let given = security_option_pair(option);
                given.0 == pair.0 && !pairs.contains(&given)
            };
            let given = host.security_opt.as_deref().unwrap_or_default();
            let other: Vec<String> = given.iter().filter(|option| goes(option)).cloned().collect();
            let there = given.iter().any(|option| security_option_pair(option) == *pair);
            if there && other.is_empty() {
                continue;
            }
            let options = host.security_opt.get_or_insert_default();
            options.retain(|option| !goes(option));
            if !there {
                options.push(forced.clone());
            }
            made.push(Obligation::SecurityOption(forced.clone()));
            unheard.security_options.extend(other);
        }
    }

    /// The daemon lets what is added win over what is dropped, `ALL` too, and drops nothing from a privileged container.
    fn capabilities(
        &self,
        host: &mut HostConfig,
        made: &mut Vec<Obligation>,
        unheard: &mut Unheard,
    ) -> Result<(), Misread> {
        if host.privileged && !self.drop_capabilities.is_empty() {
            return Err(Misread::value(
                "HostConfig.Privileged",
                "keeps all capabilities, of which some are dropped from every container here",
            ));
        }
        for name in &self.drop_capabilities {
            let goes = |given: &String| {
                let given = capability_name(given);
                (given == *name || name == "ALL") && !self.add_capabilities.contains(&given)
            };
            let wanted: Vec<String> =
                given(host.cap_add.as_ref()).iter().filter(|given| goes(given)).cloned().collect();
            let there = given(host.cap_drop.as_ref()).iter().any(|given| capability_name(given) == *name);
            if there && wanted.is_empty() {
                continue;
            }
            if let Some(added) = host.cap_add.as_mut() {
                added.0.retain(|given| !goes(given));
            }
            if !there {
                host.cap_drop.get_or_insert_default().0.push(name.clone());
            }
            made.push(Obligation::DropCapability(name.clone()));
            unheard.capabilities.extend(wanted);
        }
        for name in &self.add_capabilities {
            if !given(host.cap_add.as_ref()).iter().any(|given| capability_name(given) == *name) {
                host.cap_add.get_or_insert_default().0.push(name.clone());
                made.push(Obligation::AddCapability(name.clone()));
            }
        }
        Ok(())
    }
}

fn given(list: Option<&StrSlice>) -> &[String] {
    list.map_or(&[], |list| list)
}
