//! Section `defaults:`: what a container gets where its client says nothing, and what it gets in any case. A value that
//! the daemon would refuse is a fault here, or every container would be refused later.

use docker::defaults::{Defaults, Force};
use docker::privilege::capability_name;
use docker::written::{cpus, memory, security_option, user, variable};
use policy::nearest;
use policy::source::Node;

use super::file::{ConfigFile, Field, Fields};

/// Reads the section; what is absent is not set.
pub fn read(file: &mut ConfigFile, section: Option<Field<'_>>) -> Defaults {
    let Some(section) = section else { return Defaults::default() };
    let fields = file.fields(section.value, "`defaults`", KEYS);
    Defaults {
        memory: value(file, &fields, "memory", memory),
        nano_cpus: value(file, &fields, "cpus", cpus),
        pids: value(file, &fields, "pids", pids),
        user: value(file, &fields, "user", user),
        env: fields.get("env").map(|field| variables(file, field)).unwrap_or_default(),
        no_new_privileges: fields.get("no_new_privileges").is_some_and(|field| flag(file, field)),
        drop_capabilities: fields.get("drop_capabilities").map(|field| capabilities(file, field)).unwrap_or_default(),
        force: fields.get("force").map(|field| force(file, field)).unwrap_or_default(),
    }
}

/// What is set whatever the client says.
fn force(file: &mut ConfigFile, section: Field<'_>) -> Force {
    let fields = file.fields(section.value, "`force`", FORCE_KEYS);
    let list =
        |file: &mut ConfigFile, name| fields.get(name).map(|field| capabilities(file, field)).unwrap_or_default();
    let (dropped, added) = (list(file, "drop_capabilities"), list(file, "add_capabilities"));
    if let (Some(field), Some(both)) =
        (fields.get("add_capabilities"), added.iter().find(|name| dropped.contains(name)))
    {
        file.fault(field.place, format!("capability {both} cannot be both added and dropped"));
    }
    Force {
        memory: value(file, &fields, "memory", memory),
        nano_cpus: value(file, &fields, "cpus", cpus),
        user: value(file, &fields, "user", user),
        env: fields.get("env").map(|field| variables(file, field)).unwrap_or_default(),
        security_options: fields.get("security_options").map(|field| options(file, field)).unwrap_or_default(),
        drop_capabilities: dropped,
        add_capabilities: added,
    }
}

/// What a key is set to, where it is.
pub(super) fn value<T>(
    file: &mut ConfigFile,
    fields: &Fields<'_>,
    name: &str,
    read: fn(&str) -> Result<T, &'static str>,
) -> Option<T> {
    let field = fields.get(name)?;
    let text = file.field_word(field)?;
    read(&text)
        .map_err(|help| file.fault_with(field.value.referenced, format!("`{name}` cannot be `{text}`"), help))
        .ok()
}

fn pids(text: &str) -> Result<i64, &'static str> {
    text.parse().ok().filter(|pids| *pids > 0).ok_or("a limit on processes is a whole number from 1")
}

pub(super) fn flag(file: &mut ConfigFile, field: Field<'_>) -> bool {
    match field.value.value {
        Node::Bool(flag) => flag,
        _ => {
            file.fault(field.value.referenced, format!("`{}` must be `true` or `false`", field.name));
            false
        }
    }
}

fn variables(file: &mut ConfigFile, field: Field<'_>) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = Vec::new();
    for item in file.items(field) {
        let Some(text) = file.word(item, "a variable") else { continue };
        match variable(&text) {
            Err(help) => file.fault_with(item.referenced, "this is no variable with its value", help),
            Ok((name, _)) if variables.iter().any(|(known, _)| *known == name) => {
                file.fault(item.referenced, format!("variable `{name}` is given twice"));
            }
            Ok(variable) => variables.push(variable),
        }
    }
    variables
}

fn options(file: &mut ConfigFile, field: Field<'_>) -> Vec<String> {
    let mut options = Vec::new();
    for item in file.items(field) {
        let Some(text) = file.word(item, "a security option") else { continue };
        match security_option(&text) {
            Ok(option) => options.push(option),
            Err(help) => file.fault_with(item.referenced, format!("`{text}` is no security option"), help),
        }
    }
    options
}

fn capabilities(file: &mut ConfigFile, field: Field<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for item in file.items(field) {
        let Some(text) = file.word(item, "a capability") else { continue };
        let name = capability_name(&text);
        if policy::capabilities().any(|known| known == name) {
            names.push(name);
            continue;
        }
        let message = format!("`{text}` is no capability");
        match nearest(&name, policy::capabilities()) {
            Some(near) => file.fault_with(item.referenced, message, format!("did you mean `{near}`?")),
            None => file.fault(item.referenced, message),
        }
    }
    names
}

const KEYS: &[&str] = &["memory", "cpus", "pids", "user", "env", "no_new_privileges", "drop_capabilities", "force"];
const FORCE_KEYS: &[&str] =
    &["memory", "cpus", "user", "env", "security_options", "drop_capabilities", "add_capabilities"];
