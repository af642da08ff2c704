//! What is written down of owners and intents, and how it is read again.

use std::collections::{HashMap, HashSet};

use docker::answer;
use docker::endpoint::Kind;
use rusqlite::{Transaction, params};

use super::{Entry, Found, Thing, Usage, now};

pub(super) fn read_all(db: &Transaction<'_>) -> rusqlite::Result<HashMap<Thing, Entry>> {
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

pub(super) fn add(
    db: &Transaction<'_>,
    thing: &Thing,
    owner: &str,
    usage: &Usage,
    groups: &[String],
) -> rusqlite::Result<()> {
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

pub(super) fn forget(db: &Transaction<'_>, thing: &Thing) -> rusqlite::Result<()> {
    db.execute("DELETE FROM owners WHERE kind = ? AND id = ?", params![thing.kind.noun(), thing.id])?;
    db.execute("DELETE FROM shares WHERE kind = ? AND id = ?", params![thing.kind.noun(), thing.id])?;
    Ok(())
}

pub(super) fn settle(db: &Transaction<'_>, intent: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM intents WHERE id = ?", [intent]).map(drop)
}

/// An intent that was written down.
struct Written {
    id: String,
    kind: String,
    owner: String,
    names: String,
    volumes: String,
    since: i64,
}

impl Written {
    /// Whether that was made by it. Labels come down from images to containers, so an owner's proves nothing: the record's
    /// does, which nobody knew before. The image of a build has no such label; its names were asked for, and it is
    /// labelled last. What a pull or a load made bears no mark, and stays nobody's until it is pulled again.
    fn is_of(&self, found: &Found) -> bool {
        let named = || self.names.split(' ').any(|name| found.names.iter().any(|other| other == name));
        self.kind == found.thing.kind.noun()
            && found.label.as_ref() == Some(&self.owner)
            && match found.thing.kind {
                Kind::Image => named(),
                _ => found.record.as_ref() == Some(&self.id),
            }
    }

    /// Whether that volume was made along: it was to be made, or it has a name of the daemon's own.
    fn made_volume(&self, name: &str) -> bool {
        let asked = |wanted: &str| self.volumes.split(' ').any(|volume| volume == wanted);
        asked(name) || (asked("") && answer::is_id(name))
    }
}

/// A thing, its owner, and what it takes.
pub(super) type Owning = (Thing, String, Usage);

/// Puts intents that nobody works on any more and things that nobody owns together.
pub(super) fn adopt(
    db: &Transaction<'_>,
    found: &[Found],
    under_way: &HashSet<String>,
) -> rusqlite::Result<(Vec<Owning>, usize)> {
    let mut rows = db.prepare("SELECT id, kind, owner, name, volumes, since FROM intents")?;
    let intents = rows.query_map([], |row| {
        Ok(Written {
            id: row.get(0)?,
            kind: row.get(1)?,
            owner: row.get(2)?,
            names: row.get(3)?,
            volumes: row.get(4)?,
            since: row.get(5)?,
        })
    })?;
    let intents: Vec<Written> = intents.collect::<rusqlite::Result<_>>()?;
    let open = || intents.iter().filter(|intent| !under_way.contains(&intent.id));
    let (mut adopted, mut settled) = (Vec::new(), HashSet::new());
    for found in found {
        let Some(intent) = open().find(|intent| intent.is_of(found)) else { continue };
        settled.insert(intent.id.as_str());
        let is_new = |thing: &Thing| {
            let sql = "SELECT count(*) FROM owners WHERE kind = ? AND id = ?";
            let count = db.query_row(sql, params![thing.kind.noun(), thing.id], |row| row.get::<_, i64>(0))?;
            Ok::<_, rusqlite::Error>(count == 0)
        };
        let volumes = found.volumes.iter().filter(|name| intent.made_volume(name));
        let volumes = volumes.map(|id| (Thing { kind: Kind::Volume, id: id.clone() }, Usage::default()));
        for (thing, usage) in [(found.thing.clone(), found.usage.clone())].into_iter().chain(volumes) {
            if !is_new(&thing)? {
                continue;
            }
            add(db, &thing, &intent.owner, &usage, &[])?;
            adopted.push((thing, intent.owner.clone(), usage));
        }
    }
    let old = now().saturating_sub(KEEP_INTENTS);
    let done = |intent: &&Written| settled.contains(intent.id.as_str()) || intent.since < old;
    for intent in open().filter(done) {
        settle(db, &intent.id)?;
    }
    Ok((adopted, open().filter(|intent| !done(intent)).count()))
}

/// How long an intent is kept that nothing has come of, in seconds.
const KEEP_INTENTS: i64 = 600;
