//! Section `defaults:`: what a container gets where its client says nothing. A value that the daemon would
//! refuse is a fault here, or every container would be refused later.

use docker::defaults::Defaults;
use docker::privilege::{Uid, capability_name, run_user};
use policy::nearest;
use policy::source::Node;

use super::file::{ConfigFile, Field, Fields};
use super::units;

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

pub(super) fn memory(text: &str) -> Result<i64, &'static str> {
    let bytes = i64::try_from(units::size(text)?).map_err(|_| "that is more than can be counted")?;
    if bytes < LEAST_MEMORY { Err("the daemon takes no less than 6MiB") } else { Ok(bytes) }
}

/// A decimal number, in billionths: exact, as no fraction of binary digits is.
pub(super) fn cpus(text: &str) -> Result<i64, &'static str> {
    const SAY: &str = "a number of CPUs is at least 0.01, such as `0.5` or `2`";
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return Err(SAY);
    }
    let billionths: i64 = format!("{whole}{fraction:0<9}").parse().map_err(|_| SAY)?;
    if billionths < LEAST_CPUS { Err(SAY) } else { Ok(billionths) }
}

fn pids(text: &str) -> Result<i64, &'static str> {
    text.parse().ok().filter(|pids| *pids > 0).ok_or("a limit on processes is a whole number from 1")
}

fn user(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("a user is a name or a number, alone or with a group, such as \"1000:1000\"");
    }
    if run_user(text).uid == Uid::Number(0) {
        return Err("that is root, as everybody is without it");
    }
    Ok(text.to_owned())
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
        match text.split_once('=').filter(|(name, _)| !name.is_empty() && !text.contains('\0')) {
            None => file.fault_with(item.referenced, "this is no variable with its value", "such as `MY_ENV=true`"),
            Some((name, _)) if variables.iter().any(|(known, _)| known == name) => {
                file.fault(item.referenced, format!("variable `{name}` is given twice"));
            }
            Some((name, value)) => variables.push((name.to_owned(), value.to_owned())),
        }
    }
    variables
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

/// Below, the daemon refuses.
const LEAST_MEMORY: i64 = 6 << 20;
const LEAST_CPUS: i64 = 10_000_000;

const KEYS: &[&str] = &["memory", "cpus", "pids", "user", "env", "no_new_privileges", "drop_capabilities"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_counted_exactly() {
        for (text, billionths) in [
            ("0.5", 500_000_000),
            ("2", 2_000_000_000),
            ("0.01", 10_000_000),
            ("1.", 1_000_000_000),
            ("0.1", 100_000_000),
        ] {
            assert_eq!(cpus(text), Ok(billionths), "{text}");
        }
        for text in ["", ".5", "0", "0.009", "-1", "+1", "1e3", "1,5", "0.0000000001", "99999999999", "½"] {
            assert!(cpus(text).is_err(), "{text}");
        }
    }

    #[test]
    fn memory_is_a_size_that_the_daemon_takes() {
        assert_eq!(memory("6m"), Ok(6 << 20));
        assert_eq!(memory("1g"), Ok(1 << 30));
        for text in ["0", "5m", "-1", "99999999999g"] {
            assert!(memory(text).is_err(), "{text}");
        }
    }
}
