//! Section `quotas:`: what everybody may have at most. Names are checked with the policy's.

use docker::written::{cpus, memory};
use policy::{Quota, QuotaEntry};

use super::container_defaults::value;
use super::file::{ConfigFile, Field};

/// Reads the section: a list.
pub fn read(file: &mut ConfigFile, section: Option<Field<'_>>) -> Vec<QuotaEntry> {
    let Some(section) = section else { return Vec::new() };
    let mut quotas = Vec::new();
    for item in file.items(section) {
        let fields = file.fields(item, "a quota", KEYS);
        let quota = Quota {
            containers: value(file, &fields, "containers", number),
            memory: value(file, &fields, "memory", memory),
            cpus: value(file, &fields, "cpus", cpus),
            volumes: value(file, &fields, "volumes", number),
            ports: value(file, &fields, "ports", number),
        };
        if quota == Quota::default() {
            let help = "say how many `containers`, `volumes` or `ports`, how much `memory` or how many `cpus`";
            file.fault_with(item.referenced, "this quota limits nothing", help);
        }
        let names = |name| fields.get(name).map(|field| field.value.clone());
        quotas.push(QuotaEntry { to: names("to"), except: names("except"), quota });
    }
    quotas
}

fn number(text: &str) -> Result<i64, &'static str> {
    text.parse().ok().filter(|number| *number >= 0).ok_or("that is a whole number, 0 for none at all")
}

const KEYS: &[&str] = &["to", "except", "containers", "memory", "cpus", "volumes", "ports"];
