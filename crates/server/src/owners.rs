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
use docker::ownership::{Making, Ownership};
use docker::resource::{Container, Resource};
use policy::Quota;
use rusqlite::{Transaction, params};
use tokio::sync::Notify;

use crate::state::{State, Unkept};

mod intent;
mod quota;
mod table;
#[cfg(test)]
mod tests;

pub use quota::{Exceeded, Usage};

use table::{add, adopt, forget, read_all};

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
    unsettled: Notify,
}

#[derive(Debug, Default)]
struct Known {
    things: HashMap<Thing, Entry>,
    /// When a name was given to an image, and by whom.
    named: HashMap<String, (String, u64)>,
    /// What is being made, by the id of its intent.
    making: HashMap<String, Wish>,
    /// Counts what was made: a look that began before is older.
    moment: u64,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    owners: BTreeMap<String, Usage>,
    shared_with: BTreeSet<String>,
    /// In seconds since 1970.
    since: i64,
    /// In billionths of a second since 1970; 0 for what was made before this process.
    made: i64,
    moment: u64,
}

/// What somebody is about to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What it is.
    pub making: Making,
    /// Who makes it.
    pub owner: String,
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
    /// Another one makes, or has just made, a volume or image of that name.
    #[error("somebody else is making, or has just made, something called `{0}`; try again")]
    Taken(String),
}

/// A making under way. Dropped before it is settled, it stays on the disk until it is known what came of it.
#[derive(Debug)]
pub struct Intent {
    owners: Arc<Owners>,
    id: String,
    wish: Wish,
    open: bool,
}

impl Owners {
    /// Reads what was written down. Blocks.
    pub fn load(state: Arc<State>) -> Result<Arc<Owners>, Unkept> {
        let things = state.with_blocking(read_all)?;
        let known = Known { things, ..Known::default() };
        Ok(Arc::new(Owners { state, known: Mutex::new(known), unsettled: Notify::new() }))
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
    ///
    /// `id` is that of the request's record, which the thing is labelled with.
    pub async fn begin(
        self: &Arc<Self>,
        id: String,
        wish: Wish,
        quota: &Quota,
        looked: u64,
    ) -> Result<Intent, Hindrance> {
        {
            let mut known = self.known();
            known.no_other(&wish, looked)?;
            known.within(&wish, quota)?;
            known.making.insert(id.clone(), wish.clone());
        }
        let (kind, owner) = (wish.making.kind.noun(), wish.owner.clone());
        let (names, volumes) = (wish.making.names.join(" "), wish.making.volumes.join(" "));
        // From here on, dropping it gives back what it holds.
        let mut intent = Intent { owners: Arc::clone(self), id: id.clone(), wish, open: false };
        let write = move |db: &Transaction<'_>| {
            db.execute("INSERT INTO intents VALUES (?, ?, ?, ?, ?, ?)", params![id, kind, owner, names, volumes, now()])
        };
        self.state.with(write).await?;
        intent.open = true;
        Ok(intent)
    }

    /// What was made before a crash and never written down: things of the daemon that nobody owns, each with the owner
    /// that its label names and the names that it has. Intents of what is not there (yet) are kept for a while: the daemon may
    /// still be at it.
    pub async fn adopt(&self, found: Vec<Found>) -> Result<Adopted, Unkept> {
        let under_way: HashSet<String> = self.known().making.keys().cloned().collect();
        let (adopted, left) = self.state.with(move |db| adopt(db, &found, &under_way)).await?;
        let count = adopted.len();
        let mut known = self.known();
        for (thing, owner, usage) in adopted {
            known.add(thing, owner, usage, &[]);
        }
        Ok(Adopted { count, left: left > 0 })
    }

    /// Makes these images everybody's, once and for all: those that were there when the firewall first saw the daemon.
    pub async fn everybodys(&self, images: Vec<String>) -> Result<(), Unkept> {
        let write = move |db: &Transaction<'_>| {
            if db.execute("INSERT OR IGNORE INTO marks VALUES ('images seen')", [])? == 0 {
                return Ok(Vec::new());
            }
            for id in &images {
                add(db, &Thing { kind: Kind::Image, id: id.clone() }, EVERYBODY, &Usage::default(), &[])?;
            }
            Ok(images)
        };
        let new = self.state.with(write).await?;
        let mut known = self.known();
        for id in new {
            known.add(Thing { kind: Kind::Image, id }, EVERYBODY.to_owned(), Usage::default(), &[]);
        }
        Ok(())
    }

    /// Forgets things that went at this time, in billionths of a second since 1970. What was made since under the same
    /// name is another thing.
    pub async fn gone(&self, things: Vec<Thing>, time: i64) -> Result<(), Unkept> {
        let owned: Vec<Thing> = {
            let mut known = self.known();
            let goes = |known: &mut Known, thing: &Thing| {
                known.things.get(thing).is_some_and(|entry| entry.made <= time) && known.things.remove(thing).is_some()
            };
            things.into_iter().filter(|thing| goes(&mut known, thing)).collect()
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
        self.gone(gone, i64::MAX).await
    }

    /// An image was pulled for somebody, who owns it now, too; unless it is everybody's.
    pub async fn pulled(&self, owner: &str, id: String) -> Result<(), Unkept> {
        let thing = Thing { kind: Kind::Image, id };
        let has = |owner: &str| self.known().things.get(&thing).is_some_and(|entry| entry.owners.contains_key(owner));
        if has(EVERYBODY) || has(owner) {
            return Ok(());
        }
        let (written, to) = (thing.clone(), owner.to_owned());
        self.state.with(move |db| add(db, &written, &to, &Usage::default(), &[])).await?;
        self.known().add(thing, owner.to_owned(), Usage::default(), &[]);
        Ok(())
    }

    /// These were made by somebody around the gateway. What has an owner keeps it.
    pub async fn learn(&self, owner: String, things: Vec<Thing>) -> Result<(), Unkept> {
        let new: Vec<Thing> = {
            let known = self.known();
            things.into_iter().filter(|thing| !known.things.contains_key(thing)).collect()
        };
        let (written, to) = (new.clone(), owner.clone());
        let write = move |db: &Transaction<'_>| {
            written.iter().try_for_each(|thing| add(db, thing, &to, &Usage::default(), &[]))
        };
        self.state.with(write).await?;
        let mut known = self.known();
        new.into_iter().for_each(|thing| known.add(thing, owner.clone(), Usage::default(), &[]));
        Ok(())
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

    /// Lets a group handle a thing like its owner, or no longer.
    pub async fn share(&self, thing: Thing, with: String, shared: bool) -> Result<(), Unkept> {
        let (written, group) = (thing.clone(), with.clone());
        let write = move |db: &Transaction<'_>| {
            let sql = match shared {
                true => "INSERT OR REPLACE INTO shares VALUES (?, ?, ?)",
                false => "DELETE FROM shares WHERE kind = ? AND id = ? AND with_group = ?",
            };
            db.execute(sql, params![written.kind.noun(), written.id, group])
        };
        self.state.with(write).await?;
        if let Some(entry) = self.known().things.get_mut(&thing) {
            match shared {
                true => drop(entry.shared_with.insert(with)),
                false => drop(entry.shared_with.remove(&with)),
            }
        }
        Ok(())
    }

    /// Whether a container may have other limits. From then on it counts with them; gives what it counted with before.
    pub fn resize(&self, id: &str, memory: i64, cpus: i64, quota: &Quota) -> Result<Option<Usage>, Exceeded> {
        let thing = Thing { kind: Kind::Container, id: id.to_owned() };
        let mut known = self.known();
        let Some(entry) = known.things.get(&thing) else { return Ok(None) };
        let Some((owner, before)) = entry.owners.iter().next().map(|(owner, usage)| (owner.clone(), usage.clone()))
        else {
            return Ok(None);
        };
        known.may_grow(&owner, &before, memory, cpus, quota)?;
        if let Some(usage) = known.things.get_mut(&thing).and_then(|entry| entry.owners.get_mut(&owner)) {
            (usage.memory, usage.cpus) = (memory, cpus);
        }
        Ok(Some(before))
    }

    /// Writes down the limits that a container has got.
    pub async fn resized(&self, id: String, memory: i64, cpus: i64) -> Result<(), Unkept> {
        let write = move |db: &Transaction<'_>| {
            let sql = "UPDATE owners SET memory = ?, cpus = ? WHERE kind = 'container' AND id = ?";
            db.execute(sql, params![memory, cpus, id])
        };
        self.state.with(write).await.map(drop)
    }

    /// Writes into a thing whose it is.
    pub fn mark(&self, resource: &mut Resource) {
        match resource {
            Resource::Daemon => {}
            Resource::Container(container) => self.mark_container(container),
            Resource::Image(image) => image.ownership = self.of(Kind::Image, image.id.as_deref().unwrap_or_default()),
            Resource::Volume(volume) => volume.ownership = self.of(Kind::Volume, &volume.name),
            Resource::Network(network) => network.ownership = self.of(Kind::Network, &network.id),
            Resource::Thing(thing) => thing.ownership = self.of(thing.kind, &thing.id),
        }
    }

    /// A container that nobody made here is a task's, and belongs to whoever owns the service, if it says so: the label is
    /// the daemon's own, and on a container that somebody made it counts for nothing.
    pub fn mark_container(&self, container: &mut Container) {
        container.ownership = self.of(Kind::Container, &container.id);
        if container.ownership.owners.is_empty()
            && let Some(service) = container.labels.get(SERVICE_LABEL)
        {
            container.ownership = self.of(Kind::Service, service);
        }
    }

    /// Waits until it is not known what came of an intent.
    pub async fn unsettled(&self) {
        self.unsettled.notified().await;
    }
}

/// What came of putting intents and things together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adopted {
    /// How many things found their owner.
    pub count: usize,
    /// Whether there are intents of which nothing has come yet.
    pub left: bool,
}

/// A thing of the daemon's that nobody owns.
#[derive(Debug, Clone)]
pub struct Found {
    /// The thing.
    pub thing: Thing,
    /// The owner that its label names.
    pub label: Option<String>,
    /// The record that its label names.
    pub record: Option<String>,
    /// The names that it has.
    pub names: Vec<String>,
    /// What it takes.
    pub usage: Usage,
    /// Volumes that were made with it.
    pub volumes: Vec<String>,
}

impl Known {
    fn add(&mut self, thing: Thing, owner: String, usage: Usage, shared_with: &[String]) {
        self.moment = self.moment.saturating_add(1);
        let moment = self.moment;
        let entry = self.things.entry(thing).or_insert_with(|| Entry { since: now(), ..Entry::default() });
        entry.owners.insert(owner, usage);
        entry.shared_with.extend(shared_with.iter().cloned());
        entry.moment = moment;
        entry.made = nanos();
    }

    /// Nobody else makes one of its volumes, or gives a name of its images, now or has done so since it was looked at.
    fn no_other(&self, wish: &Wish, looked: u64) -> Result<(), Hindrance> {
        let others = || self.making.values().filter(|other| other.owner != wish.owner);
        for name in wish.making.volumes.iter().filter(|name| !name.is_empty()) {
            let made = self.things.get(&Thing { kind: Kind::Volume, id: name.clone() });
            let made = made.is_some_and(|entry| entry.moment > looked && !entry.owners.contains_key(&wish.owner));
            if made || others().any(|other| other.making.volumes.contains(name)) {
                return Err(Hindrance::Taken(name.clone()));
            }
        }
        let names = wish.making.names.iter().filter(|_| wish.making.kind == Kind::Image);
        for name in names {
            let given = self.named.get(name).is_some_and(|(owner, moment)| *moment > looked && *owner != wish.owner);
            let of_image = |other: &&Wish| other.making.kind == Kind::Image && other.making.names.contains(name);
            if given || others().any(|other| of_image(&other)) {
                return Err(Hindrance::Taken(name.clone()));
            }
        }
        Ok(())
    }

    /// The names of an image are given now.
    fn names_given(&mut self, wish: &Wish) {
        if wish.making.kind != Kind::Image {
            return;
        }
        self.moment = self.moment.saturating_add(1);
        if self.named.len() > MOST_NAMES {
            self.named.clear();
        }
        for name in &wish.making.names {
            self.named.insert(name.clone(), (wish.owner.clone(), self.moment));
        }
    }
}

impl Entry {
    fn ownership(&self) -> Ownership {
        Ownership {
            owners: self.owners.keys().filter(|owner| *owner != EVERYBODY).cloned().collect(),
            shared_with: self.shared_with.iter().cloned().collect(),
            everybodys: self.owners.contains_key(EVERYBODY),
        }
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

fn nanos() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    i64::try_from(since).unwrap_or(i64::MAX)
}

/// Stands for everybody where an owner is written down. No user has such a name.
pub const EVERYBODY: &str = "*";
/// Names of images that are remembered as just given.
const MOST_NAMES: usize = 10_000;
/// What the daemon writes on the containers of a service: the service's id.
const SERVICE_LABEL: &str = "com.docker.swarm.service.id";
