//! The section `restrictions:` as rules that deny.

use std::collections::BTreeSet;

use docker::privilege::{Uid, run_user, security_option, security_option_pair};
use serde_saphyr::Spanned;

use super::super::cedar::quote;
use super::super::diagnostics::Diagnostics;
use super::super::lower::Rule;
use super::super::target::Target;
use super::super::terms;
use super::{SecDocker, images, mounts, ports};

/// One rule for each entry. An entry that is not understood is a fault.
pub(super) fn rules(config: &SecDocker, faults: &mut Diagnostics) -> Vec<Rule> {
    let restrictions = &config.restrictions;
    let mut rules = Vec::new();
    let mut each = |name: &str, words: &[Spanned<String>], read: &dyn Fn(&str) -> Result<Vec<Target>, Misread>| {
        for word in words {
            match read(&word.value) {
                Ok(targets) => {
                    rules.push(config.block(word, &format!("restrictions.{name}: {}", shown(name, word)), targets))
                }
                Err(Misread { message, help }) => faults.push(config.fault(word, message, help)),
            }
        }
    };
    each("ports", &restrictions.ports, &ports::targets);
    each("mounts", &restrictions.mounts, &|mount| mounts::targets(mount, &config.leads_to));
    each("users", &restrictions.users, &users);
    each("environment", &restrictions.environment, &environment);
    each("securitypolicies", &restrictions.security_policies, &security_policy);
    each("images", &restrictions.images, &images::targets);
    if let Some(first) = restrictions.mounts.iter().find(|mount| mount.value.starts_with('/')) {
        let what = "restrictions.mounts: this volume could be any path of the host";
        let rule = config.block(first, what, mounts::hidden());
        let name = format!("{}:{} (volumes)", rule.place.file(), rule.place.line());
        rules.push(Rule { name: Some(name), ..rule });
    }
    if let Some(flag) = restrictions.privileged.as_ref().filter(|flag| flag.value) {
        rules.push(config.block(flag, "restrictions.privileged", vec![Target::action("privileged")]));
    }
    tell_apart(&mut rules);
    rules
}

/// Entries that share a line are told apart by their columns.
fn tell_apart(rules: &mut [Rule]) {
    let mut lines = BTreeSet::new();
    for rule in rules.iter_mut().filter(|rule| rule.name.is_none()) {
        let (file, line, column) = (rule.place.file(), rule.place.line(), rule.place.column());
        if !lines.insert(line) {
            rule.name = Some(format!("{file}:{line}:{column}"));
        }
    }
}

/// Why an entry blocks nothing.
pub(super) struct Misread {
    pub message: String,
    pub help: &'static str,
}

impl Misread {
    pub fn new(message: impl Into<String>, help: &'static str) -> Misread {
        Misread { message: message.into(), help }
    }
}

/// An entry as it is told to whoever runs into it. The value of a variable is nobody's business.
fn shown<'a>(name: &str, word: &'a Spanned<String>) -> &'a str {
    match name {
        "environment" => word.value.split('=').next().unwrap_or_default(),
        _ => &word.value,
    }
}

/// A user in every spelling, with any group. A name that only the image knows could be anybody's number, root's too.
fn users(user: &str) -> Result<Vec<Target>, Misread> {
    if user.contains(|c: char| c.is_whitespace() || c.is_control() || c == '*') {
        return Err(Misread::new(format!("`{user}` is no user"), "a name or a number, such as `root` or `1000`"));
    }
    let target = Target::action("runAs");
    Ok(vec![match run_user(user).uid {
        Uid::Number(0) => target.when("resource.mayBeRoot"),
        Uid::Number(uid) => target.when(format!("if resource has uid then resource.uid == {uid} else true")),
        Uid::Unknown => {
            let name = user.split(':').next().unwrap_or_default();
            let with_group = quote(&format!("{name}:*"));
            target.when(format!("resource.name == {} || resource.name like {with_group}", quote(name)))
        }
    }])
}

/// A variable by its name, or with its value.
fn environment(variable: &str) -> Result<Vec<Target>, Misread> {
    let misread = || Misread::new("this is no variable", "such as `USER=0`, or `USER` for any value");
    terms::variable(variable).map(|target| vec![target]).ok_or_else(misread)
}

/// A security option with its value, or with any. SecDocker's own example lists `privileged`, which is none: it means
/// what it says.
fn security_policy(option: &str) -> Result<Vec<Target>, Misread> {
    if option == "privileged" {
        return Ok(vec![Target::action("privileged")]);
    }
    if option.contains(|c: char| c.is_control()) {
        return Err(Misread::new("this is no security option", "such as `seccomp=unconfined`"));
    }
    let (name, value) = security_option_pair(option);
    if name == "systempaths" {
        return Ok(vec![Target::action("exposeKernelFiles")]);
    }
    let target = Target::action("setSecurityOption").when(format!("resource.name == {}", quote(name)));
    let strict = Target::actions(["ContainerCreate", "ServiceCreate", "ServiceUpdate"])
        .when("context has spec && context.spec.noNewPrivileges");
    Ok(match (name, security_option(option)) {
        // It takes power away, so that nobody is asked for it: but if it is listed, it is blocked.
        ("no-new-privileges", None) if option.len() > name.len() => vec![strict],
        ("no-new-privileges", None) => vec![target, strict],
        (_, Some((_, value))) if !value.is_empty() => {
            vec![target.when(format!("context.value == {}", quote(&value)))]
        }
        _ if value.is_empty() => vec![target],
        _ => return Err(Misread::new(format!("`{option}` is no security option"), "such as `seccomp=unconfined`")),
    })
}
