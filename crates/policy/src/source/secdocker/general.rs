//! The section `general:` as what is forced.

use docker::defaults::Force;
use docker::privilege::{Uid, capability_name, run_user, security_option_pair};
use docker::written;
use serde_saphyr::Spanned;

use super::super::diagnostics::Diagnostics;
use super::super::nearest;
use super::SecDocker;
use crate::entities::capability;

/// Adds the settings to what is forced already. What contradicts that, or the restrictions, is a fault.
pub(super) fn force(config: &SecDocker, forced: &mut Force, faults: &mut Diagnostics) {
    let general = &config.general;
    let mut settings = Settings { config, faults };
    settings.set("memory", general.memory.as_ref(), written::memory, &mut forced.memory);
    settings.set("cpu", general.cpu.as_ref(), written::cpus, &mut forced.nano_cpus);
    settings.set("user", general.user.as_ref(), written::user, &mut forced.user);
    settings.environment(forced);
    settings.options(forced);
    settings.capabilities(forced);
    settings.contradictions();
}

struct Settings<'a> {
    config: &'a SecDocker,
    faults: &'a mut Diagnostics,
}

impl Settings<'_> {
    fn fault(&mut self, word: &Spanned<String>, message: impl Into<String>, help: &str) {
        self.faults.push(self.config.fault(word, message, help));
    }

    fn set<T: PartialEq>(
        &mut self,
        name: &str,
        word: Option<&Spanned<String>>,
        read: fn(&str) -> Result<T, &'static str>,
        place: &mut Option<T>,
    ) {
        let Some(word) = word else { return };
        match read(&word.value) {
            Err(help) => self.fault(word, format!("`{name}` cannot be `{}`", word.value), help),
            Ok(value) if place.as_ref().is_some_and(|forced| *forced != value) => {
                self.fault(word, format!("`{name}` is forced to something else by the configuration"), TWICE);
            }
            Ok(value) => *place = Some(value),
        }
    }

    fn environment(&mut self, forced: &mut Force) {
        let config = self.config;
        for word in &config.general.environment {
            match written::variable(&word.value) {
                Err(help) => self.fault(word, "this is no variable with its value", help),
                Ok((name, value)) => match forced.env.iter().find(|(known, _)| *known == name) {
                    Some((_, known)) if *known == value => {}
                    Some(_) => {
                        self.fault(word, format!("variable `{name}` is given twice, with different values"), TWICE)
                    }
                    None => forced.env.push((name, value)),
                },
            }
        }
    }

    fn options(&mut self, forced: &mut Force) {
        let config = self.config;
        for word in &config.general.security_options {
            match written::security_option(&word.value) {
                Err(help) => self.fault(word, format!("`{}` is no security option", word.value), help),
                Ok(option) if forced.security_options.contains(&option) => {}
                Ok(option) => forced.security_options.push(option),
            }
        }
    }

    fn capabilities(&mut self, forced: &mut Force) {
        let config = self.config;
        for (words, list) in [
            (&config.general.dropped, &mut forced.drop_capabilities),
            (&config.general.added, &mut forced.add_capabilities),
        ] {
            for word in words {
                let name = capability_name(&word.value);
                if !capability::known().any(|known| known == name) {
                    let near = nearest(&name, capability::known()).map(|near| format!("did you mean `{near}`?"));
                    self.fault(word, format!("`{}` is no capability", word.value), &near.unwrap_or_default());
                } else if !list.contains(&name) {
                    list.push(name);
                }
            }
        }
        for word in &config.general.added {
            if forced.drop_capabilities.contains(&capability_name(&word.value)) {
                self.fault(
                    word,
                    format!("capability `{}` is both added and dropped", word.value),
                    "leave one of them out",
                );
            }
        }
    }

    /// What every container would get and none may have: then there could be none at all.
    fn contradictions(&mut self) {
        let (general, restrictions) = (&self.config.general, &self.config.restrictions);
        let user = general.user.as_slice().iter().map(|word| (word, "users", &restrictions.users, same_user as Same));
        let environment = general
            .environment
            .iter()
            .map(|word| (word, "environment", &restrictions.environment, same_variable as Same));
        let options = general.security_options.iter();
        let options =
            options.map(|word| (word, "securitypolicies", &restrictions.security_policies, same_option as Same));
        for (word, list, blocked, same) in user.chain(environment).chain(options) {
            if blocked.iter().any(|blocked| same(&word.value, &blocked.value)) {
                let help = if list == "users" {
                    "leave one out; a name can be any user's in an image: write a number"
                } else {
                    "leave one out"
                };
                self.fault(word, format!("every container would get this, and `restrictions.{list}` blocks it"), help);
            }
        }
    }
}

/// Whether what is given is blocked.
type Same = fn(&str, &str) -> bool;

/// An image can give any number to a name.
fn same_user(given: &str, blocked: &str) -> bool {
    let name = |user: &str| user.split(':').next().map(str::to_owned);
    match (run_user(given).uid, run_user(blocked).uid) {
        (Uid::Number(given), Uid::Number(blocked)) => given == blocked,
        (Uid::Unknown, Uid::Number(_)) => true,
        (Uid::Unknown, Uid::Unknown) => name(given) == name(blocked),
        (Uid::Number(_), Uid::Unknown) => false,
    }
}

fn same_variable(given: &str, blocked: &str) -> bool {
    given == blocked || given.split('=').next() == Some(blocked)
}

fn same_option(given: &str, blocked: &str) -> bool {
    let (given, blocked) = (security_option_pair(given), security_option_pair(blocked));
    given == blocked || (given.0 == blocked.0 && blocked.1.is_empty())
}

const TWICE: &str = "say it in one place";
