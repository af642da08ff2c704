//! Whose things are, for administrators: shown by the names that the daemon has for them, and given to others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use docker::endpoint::Kind;
use serde_json::{Value, json};

use super::words::{Fault, FaultKind};
use crate::firewall::Firewall;
use crate::owners::{EVERYBODY, Owned, Owners, Thing};
use crate::record::Timestamp;

/// Who owns what, and the daemon that has it.
pub struct OwnersDesk {
    /// Whose daemon it is.
    pub firewall: Arc<Firewall>,
    /// Who owns what.
    pub owners: Arc<Owners>,
}

impl OwnersDesk {
    /// Everything that the daemon has, with or without an owner; of `name` alone, where one is given.
    pub(super) async fn list(&self, name: Option<&str>) -> Result<Value, Fault> {
        let names = self.names().await?;
        let mut owned: HashMap<Thing, Owned> =
            self.owners.list().into_iter().map(|owned| (owned.thing.clone(), owned)).collect();
        let wanted = |thing: &Thing, names: &[String]| name.is_none_or(|name| is_called(thing, names, name));
        let mut things: Vec<_> = names.into_iter().filter(|(thing, names)| wanted(thing, names)).collect();
        things.sort();
        if let (Some(name), true) = (name, things.is_empty()) {
            return Err(Fault::new(FaultKind::NotFound, format!("the daemon has nothing that is called `{name}`")));
        }
        let things: Vec<Value> =
            things.into_iter().map(|(thing, names)| described(&thing, &names, owned.remove(&thing))).collect();
        Ok(json!({ "things": things }))
    }

    /// Makes a thing somebody's, and nobody else's.
    pub(super) async fn give(&self, name: &str, to: String) -> Result<Value, Fault> {
        let (thing, names) = self.one(name).await?;
        let to = match (to.as_str(), thing.kind) {
            ("everybody", Kind::Image) => EVERYBODY.to_owned(),
            ("everybody", _) => {
                return Err(Fault::new(FaultKind::Invalid, "only an image can be everybody's".to_owned()));
            }
            _ => to,
        };
        self.owners.give(thing.clone(), to).await.map_err(|unkept| failed(&unkept))?;
        Ok(self.now(&thing, &names))
    }

    /// Lets a group handle a thing like its owner, or no longer.
    pub(super) async fn share(&self, name: &str, with: String, shared: bool) -> Result<Value, Fault> {
        let (thing, names) = self.one(name).await?;
        if self.owners.of(thing.kind, &thing.id).owners.is_empty() {
            let words = format!("`{name}` belongs to nobody; give it to somebody first");
            return Err(Fault::new(FaultKind::Invalid, words));
        }
        self.owners.share(thing.clone(), with, shared).await.map_err(|unkept| failed(&unkept))?;
        Ok(self.now(&thing, &names))
    }

    fn now(&self, thing: &Thing, names: &[String]) -> Value {
        let owned = self.owners.list().into_iter().find(|owned| owned.thing == *thing);
        json!({ "thing": described(thing, names, owned) })
    }

    /// The one thing that is called so.
    async fn one(&self, name: &str) -> Result<(Thing, Vec<String>), Fault> {
        let mut called: Vec<_> =
            self.names().await?.into_iter().filter(|(thing, names)| is_called(thing, names, name)).collect();
        match (called.pop(), called.len()) {
            (Some(thing), 0) => Ok(thing),
            (None, _) => {
                Err(Fault::new(FaultKind::NotFound, format!("the daemon has nothing that is called `{name}`")))
            }
            (Some(_), _) => {
                let words = format!("several things are called `{name}`; say which: its full id, or KIND/NAME");
                Err(Fault::new(FaultKind::Invalid, words))
            }
        }
    }

    async fn names(&self) -> Result<Vec<(Thing, Vec<String>)>, Fault> {
        self.firewall
            .inventory()
            .await
            .map_err(|error| Fault::new(FaultKind::Failed, format!("the daemon's things cannot be listed: {error}")))
    }
}

/// By a name, `KIND/NAME`, the id, or the beginning of the id.
fn is_called(thing: &Thing, names: &[String], name: &str) -> bool {
    let kind = format!("{}/", thing.kind.noun());
    let name = name.strip_prefix(&kind).unwrap_or(name);
    let id = thing.id.strip_prefix("sha256:").unwrap_or(&thing.id);
    let short = name.strip_prefix("sha256:").unwrap_or(name);
    names.iter().any(|known| known.trim_start_matches('/') == name)
        || id == short
        || (short.len() >= SHORTEST && short.bytes().all(|byte| byte.is_ascii_hexdigit()) && id.starts_with(short))
}

fn described(thing: &Thing, names: &[String], owned: Option<Owned>) -> Value {
    let names: Vec<&str> = names.iter().map(|name| name.trim_start_matches('/')).collect();
    let mut described = json!({ "kind": thing.kind.noun(), "id": thing.id, "names": names });
    if let (Some(owned), Some(fields)) = (owned, described.as_object_mut()) {
        let since = Duration::from_secs(u64::try_from(owned.since).unwrap_or_default());
        let since = UNIX_EPOCH.checked_add(since).map(|since| Timestamp::from(since).to_string());
        let everybody = owned.ownership.everybodys.then(|| "everybody".to_owned());
        let owners: Vec<String> = everybody.into_iter().chain(owned.ownership.owners).collect();
        fields.insert("owners".to_owned(), json!(owners));
        fields.insert("shared_with".to_owned(), json!(owned.ownership.shared_with));
        fields.insert("since".to_owned(), json!(since));
    }
    described
}

fn failed(why: &dyn std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Failed, why.to_string())
}

/// The least of an id that is taken for it, in digits.
const SHORTEST: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_called_by_name_and_id() {
        let web = Thing { kind: Kind::Container, id: "4f66aabbccdd".repeat(5) };
        let names = ["/web".to_owned()];
        for name in ["web", "container/web", "4f66aa", &web.id] {
            assert!(is_called(&web, &names, name), "{name}");
        }
        for name in ["we", "image/web", "4f66a", "4f67aa", ""] {
            assert!(!is_called(&web, &names, name), "{name}");
        }
    }
}
