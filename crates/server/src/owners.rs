//! Who owns what.
//!
//! Whoever makes a thing owns it. It is written down before the client hears of success, under the thing's immutable id
//! (a volume has only its name), and kept in memory for the questions. Before anything is made there is an *intent* on
//! the disk: should the firewall die between the daemon's doing and its own writing, the next start finds the intent
//! and the thing, and puts them together ([`Owners::adopt`]).
//!
//! A making also holds what it would take of its owner's quota, and the names of the volumes that it would make: two at
//! once cannot both have the last of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use docker::endpoint::Kind;
use docker::ownership::Ownership;
use rusqlite::{Transaction, params};

use crate::state::{State, Unkept};

mod quota;
#[cfg(test)]
mod tests;

pub use quota::{Exceeded, Usage};

use policy::Quota;

/// A thing: its kind, and its full id; of a volume its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thing {
    /// The kind.
    pub kind: Kind,
    /// The full id.
    pub id: String,
}

/// A thing and whose it is, as `owners list` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The thing.
    pub thing: Thing,
    /// Whose it is.
    pub ownership: Ownership,
    /// Since when, in seconds since 1970.
    pub since: i64,
}

/// All that is owned.
#[derive(Debug)]
pub struct Owners {
    state: Arc<State>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    things: HashMap<Thing, Entry>,
    /// Images that were there before the firewall: who pulls one of them does not become its owner, or nobody else
    /// could use it any more.
    everybodys: HashSet<String>,
    /// What is being made, by the id of its intent.
    making: HashMap<String, Making>,
    /// Counts what was made: a look that began before is older.
    moment: u64,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    owners: BTreeMap<String, Usage>,
    shared_with: BTreeSet<String>,
    since: i64,
    moment: u64,
}

/// What is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Making {
    /// The kind of the thing.
    pub kind: Kind,
    /// Who makes it.
    pub owner: String,
    /// The names by which it can be found again.
    pub names: Vec<String>,
    /// What it takes of its owner's quota.
    pub usage: Usage,
    /// The volumes that it would make.
    pub volumes: Vec<String>,
    /// The groups that it is shared with.
    pub shared_with: Vec<String>,
}

/// Why nothing can be made now.
#[derive(Debug, thiserror::Error)]
pub enum Hindrance {
    /// Who owns it could not be written down.
    #[error(transparent)]
    Unkept(#[from] Unkept),
    /// It would be more than its owner may have.
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
    /// Another one makes, or has just made, a volume of that name.
    #[error("somebody else is making a volume `{0}` at this moment; try again")]
    Taken(String),
}

/// A making under way. Dropped without [`Intent::made`], its intent stays on the disk until it is known what came of it.
#[derive(Debug)]
pub struct Intent {
    owners: Arc<Owners>,
    id: String,
    making: Making,
    unsettled: bool,
}

impl Owners {
    /// Reads what was written down. Blocks.
    pub fn load(state: Arc<State>) -> Result<Arc<Owners>, Unkept> {
        let things = state.with_blocking(read_all)?;
        let known = Known { things, ..Known::default() };
        Ok(Arc::new(Owners { state, known: Mutex::new(known) }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose a thing is.
    pub fn of(&self, kind: Kind, id: &str) -> Ownership {
        let known = self.known();
        let thing = Thing { kind, id: id.to_owned() };
        known.things.get(&thing).map(Entry::ownership).unwrap_or_default()
    }

    /// Now, in the order of things made.
    pub fn moment(&self) -> u64 {
        self.known().moment
    }

    /// Everything that is owned, in order.
    pub fn list(&self) -> Vec<Owned> {
        let known = self.known();
        let owned = |(thing, entry): (&Thing, &Entry)| Owned {
            thing: thing.clone(),
            ownership: entry.ownership(),
            since: entry.since,
        };
        let mut all: Vec<Owned> = known.things.iter().map(owned).collect();
        all.sort_by(|one, other| one.thing.cmp(&other.thing));
        all
    }

    /// Begins to make something, as judged by looks that began at `looked`.
    pub async fn begin(self: &Arc<Self>, making: Making, quota: &Quota, looked: u64) -> Result<Intent, Hindrance> {
        let id = ulid::Ulid::generate().to_string();
        {
            let mut known = self.known();
            known.no_other(&making, looked)?;
            known.within(&making, quota)?;
            known.making.insert(id.clone(), making.clone());
        }
        // From here on, dropping it gives back what it holds.
        let mut intent = Intent { owners: Arc::clone(self), id: id.clone(), making: making.clone(), unsettled: false };
        let names = making.names.join(" ");
        let (kind, owner) = (making.kind.noun(), making.owner);
        let write = move |db: &Transaction<'_>| {
            db.execute("INSERT INTO intents VALUES (?, ?, ?, ?, ?)", params![id, kind, owner, names, now()])
        };
        self.state.with(write).await?;
        intent.unsettled = true;
        Ok(intent)
    }

    /// What was made before a crash and never written down: things of the daemon that nobody owns, each with the owner
    /// that its label names and the names that it has. Gives how many found their owner. `all`: whether every thing of
    /// the daemon is among them, so that intents of things that are not there can be forgotten.
    pub async fn adopt(&self, found: Vec<Found>, all: bool) -> Result<usize, Unkept> {
        let under_way: HashSet<String> = self.known().making.keys().cloned().collect();
        let adopted = self.state.with(move |db| adopt(db, &found, &under_way, all)).await?;
        let count = adopted.len();
        let mut known = self.known();
        for (thing, owner, usage) in adopted {
            known.add(thing, owner, usage, &[]);
        }
        Ok(count)
    }

    /// Notes the images that are there without an owner.
    pub fn everybodys(&self, images: impl IntoIterator<Item = String>) {
        self.known().everybodys.extend(images);
    }

    /// Forgets things that are no more.
    pub async fn gone(&self, things: Vec<Thing>) -> Result<(), Unkept> {
        let owned: Vec<Thing> = {
            let mut known = self.known();
            things.into_iter().filter(|thing| known.things.remove(thing).is_some()).collect()
        };
        if owned.is_empty() {
            return Ok(());
        }
        self.state.with(move |db| owned.iter().try_for_each(|thing| forget(db, thing))).await
    }

    /// Forgets all things of a kind that are not among these, and were made before `looked`.
    pub async fn only(&self, kind: Kind, there: &HashSet<String>, looked: u64) -> Result<(), Unkept> {
        let gone: Vec<Thing> = {
            let known = self.known();
            let gone = known
                .things
                .iter()
                .filter(|(thing, entry)| thing.kind == kind && entry.moment <= looked && !there.contains(&thing.id));
            gone.map(|(thing, _)| thing.clone()).collect()
        };
        self.gone(gone).await
    }

    /// Makes a thing somebody's, and nobody else's.
    pub async fn give(&self, thing: Thing, owner: String) -> Result<(), Unkept> {
        let usage = {
            let known = self.known();
            let owners = known.things.get(&thing).map(|entry| &entry.owners);
            owners.and_then(|owners| owners.values().next().cloned()).unwrap_or_default()
        };
        let (written, to, what) = (thing.clone(), owner.clone(), usage.clone());
        let write = move |db: &Transaction<'_>| {
            db.execute("DELETE FROM owners WHERE kind = ? AND id = ?", params![written.kind.noun(), written.id])?;
            add(db, &written, &to, &what, &[])
        };
        self.state.with(write).await?;
        let mut known = self.known();
        if let Some(entry) = known.things.get_mut(&thing) {
            entry.owners.clear();
        }
        known.add(thing, owner, usage, &[]);
        Ok(())
    }

    /// A container's limits were changed.
    pub async fn changed(&self, thing: Thing, memory: i64, cpus: i64) -> Result<(), Unkept> {
        {
            let mut known = self.known();
            let Some(entry) = known.things.get_mut(&thing) else { return Ok(()) };
            for usage in entry.owners.values_mut() {
                (usage.memory, usage.cpus) = (memory, cpus);
            }
        }
        let write = move |db: &Transaction<'_>| {
            let sql = "UPDATE owners SET memory = ?, cpus = ? WHERE kind = ? AND id = ?";
            db.execute(sql, params![memory, cpus, thing.kind.noun(), thing.id])
        };
        self.state.with(write).await.map(drop)
    }
}

impl Intent {
    /// It was made: these things, each of them its maker's from now on, as far as it is not somebody's already. On the
    /// disk when this is answered.
    pub async fn made(mut self, things: Vec<Thing>) -> Result<(), Unkept> {
        let Making { owner, usage, shared_with, .. } = self.making.clone();
        let things: Vec<(Thing, Usage)> = {
            let known = self.owners.known();
            let is_new = |thing: &Thing| match thing.kind {
                Kind::Image => !known.everybodys.contains(&thing.id),
                // Only what there was not: the daemon gives a volume that it has.
                Kind::Volume => self.making.volumes.contains(&thing.id) || !known.things.contains_key(thing),
                _ => true,
            };
            let of = |thing: &Thing| if thing.kind == self.making.kind { usage.clone() } else { Usage::default() };
            things
                .into_iter()
                .filter(is_new)
                .map(|thing| (of(&thing), thing))
                .map(|(usage, thing)| (thing, usage))
                .collect()
        };
        let (id, written, to, groups) = (self.id.clone(), things.clone(), owner.clone(), shared_with.clone());
        let write = move |db: &Transaction<'_>| {
            for (thing, usage) in &written {
                if thing.kind != Kind::Image {
                    forget(db, thing)?;
                }
                add(db, thing, &to, usage, &groups)?;
            }
            db.execute("DELETE FROM intents WHERE id = ?", [id])
        };
        self.owners.state.with(write).await?;
        self.unsettled = false;
        let mut known = self.owners.known();
        // Counted from here on as what is there.
        known.making.remove(&self.id);
        for (thing, usage) in things {
            if thing.kind != Kind::Image {
                known.things.remove(&thing);
            }
            known.add(thing, owner.clone(), usage, &shared_with);
        }
        Ok(())
    }

    /// Nothing was made, as the daemon says itself.
    pub async fn came_to_nothing(mut self) -> Result<(), Unkept> {
        let id = self.id.clone();
        self.owners.state.with(move |db| db.execute("DELETE FROM intents WHERE id = ?", [id])).await?;
        self.unsettled = false;
        Ok(())
    }
}

impl Drop for Intent {
    fn drop(&mut self) {
        self.owners.known().making.remove(&self.id);
        if self.unsettled {
            tracing::debug!(intent = self.id, "it is not known what came of an intent; it is found out later");
        }
    }
}

/// A thing of the daemon's that nobody owns.
#[derive(Debug, Clone)]
pub struct Found {
    /// The thing.
    pub thing: Thing,
    /// The owner that its label names.
    pub label: Option<String>,
    /// The names that it has.
    pub names: Vec<String>,
    /// What it takes.
    pub usage: Usage,
}

impl Known {
    fn add(&mut self, thing: Thing, owner: String, usage: Usage, shared_with: &[String]) {
        self.moment = self.moment.saturating_add(1);
        let moment = self.moment;
        let entry = self.things.entry(thing).or_insert_with(|| Entry { since: now(), ..Entry::default() });
        entry.owners.insert(owner, usage);
        entry.shared_with.extend(shared_with.iter().cloned());
        entry.moment = moment;
    }

    /// Nobody else makes one of its volumes now, or has made it since it was looked at.
    fn no_other(&self, making: &Making, looked: u64) -> Result<(), Hindrance> {
        for name in &making.volumes {
            let under_way =
                self.making.values().any(|other| other.volumes.contains(name) && other.owner != making.owner);
            let made = self.things.get(&Thing { kind: Kind::Volume, id: name.clone() });
            let made = made.is_some_and(|entry| entry.moment > looked && !entry.owners.contains_key(&making.owner));
            if under_way || made {
                return Err(Hindrance::Taken(name.clone()));
            }
        }
        Ok(())
    }
}

impl Entry {
    fn ownership(&self) -> Ownership {
        Ownership {
            owners: self.owners.keys().cloned().collect(),
            shared_with: self.shared_with.iter().cloned().collect(),
        }
    }
}

fn read_all(db: &Transaction<'_>) -> rusqlite::Result<HashMap<Thing, Entry>> {
    let mut things: HashMap<Thing, Entry> = HashMap::new();
    let thing = |kind: String, id: String| Some(Thing { kind: Kind::from_noun(&kind)?, id });
    let mut rows = db.prepare("SELECT kind, id, owner, since, memory, cpus, ports FROM owners")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let Some(thing) = thing(row.get(0)?, row.get(1)?) else { continue };
        let entry = things.entry(thing).or_default();
        entry.since = row.get(3)?;
        let usage = Usage { memory: row.get(4)?, cpus: row.get(5)?, ports: row.get(6)? };
        entry.owners.insert(row.get(2)?, usage);
    }
    let mut rows = db.prepare("SELECT kind, id, with_group FROM shares")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let entry = thing(row.get(0)?, row.get(1)?).and_then(|thing| things.get_mut(&thing));
        if let Some(entry) = entry {
            entry.shared_with.insert(row.get(2)?);
        }
    }
    Ok(things)
}

fn add(db: &Transaction<'_>, thing: &Thing, owner: &str, usage: &Usage, groups: &[String]) -> rusqlite::Result<()> {
    let kind = thing.kind.noun();
    db.execute(
        "INSERT OR REPLACE INTO owners VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![kind, thing.id, owner, now(), usage.memory, usage.cpus, usage.ports],
    )?;
    for group in groups {
        db.execute("INSERT OR REPLACE INTO shares VALUES (?, ?, ?)", params![kind, thing.id, group])?;
    }
    Ok(())
}

fn forget(db: &Transaction<'_>, thing: &Thing) -> rusqlite::Result<()> {
    db.execute("DELETE FROM owners WHERE kind = ? AND id = ?", params![thing.kind.noun(), thing.id])?;
    db.execute("DELETE FROM shares WHERE kind = ? AND id = ?", params![thing.kind.noun(), thing.id])?;
    Ok(())
}

/// Puts intents that nobody works on any more and things that nobody owns together.
fn adopt(
    db: &Transaction<'_>,
    found: &[Found],
    under_way: &HashSet<String>,
    all: bool,
) -> rusqlite::Result<Vec<(Thing, String, Usage)>> {
    let mut rows = db.prepare("SELECT id, kind, owner, name FROM intents")?;
    let intents = rows.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
    })?;
    let intents: Vec<_> = intents.collect::<rusqlite::Result<_>>()?;
    let mut adopted = Vec::new();
    for found in found {
        let is_of = |(id, kind, owner, names): &&(String, String, String, String)| {
            let named = || names.split(' ').any(|name| found.names.iter().any(|other| other == name));
            !under_way.contains(id)
                && kind == found.thing.kind.noun()
                // The label is set by the firewall alone; a pull leaves none, but the name was asked for.
                && (found.label.as_ref() == Some(owner) || (found.label.is_none() && named()))
        };
        if let Some((_, _, owner, _)) = intents.iter().find(is_of) {
            add(db, &found.thing, owner, &found.usage, &[])?;
            adopted.push((found.thing.clone(), owner.clone(), found.usage.clone()));
        }
    }
    for (id, ..) in intents.iter().filter(|(id, ..)| all && !under_way.contains(id)) {
        db.execute("DELETE FROM intents WHERE id = ?", [id])?;
    }
    Ok(adopted)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}
