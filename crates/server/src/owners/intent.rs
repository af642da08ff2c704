//! A making under way: what came of it is written down, or found out later.

use docker::endpoint::Kind;
use docker::ownership::Making;
use rusqlite::Transaction;

use super::table::{add, forget, settle};
use super::{EVERYBODY, Intent, Known, Thing, Usage};
use crate::state::Unkept;

impl Intent {
    /// These were made: each of them is its maker's from now on, as far as it is not somebody's already. On the disk when
    /// this is answered.
    pub async fn made(&mut self, things: Vec<Thing>) -> Result<(), Unkept> {
        self.write_down(things, false).await
    }

    /// These were made, and nothing else will be.
    pub async fn finish(mut self, things: Vec<Thing>) -> Result<(), Unkept> {
        self.write_down(things, true).await?;
        self.open = false;
        Ok(())
    }

    async fn write_down(&mut self, things: Vec<Thing>, last: bool) -> Result<(), Unkept> {
        let (owner, groups) = (self.wish.owner.clone(), self.wish.shared_with.clone());
        let new: Vec<(Thing, Usage)> = {
            let known = self.owners.known();
            let with_usage = |thing: Thing| self.usage_if_new(&known, &thing).map(|usage| (thing, usage));
            things.into_iter().filter_map(with_usage).collect()
        };
        let (id, written) = (self.id.clone(), new.clone());
        let write = move |db: &Transaction<'_>| {
            for (thing, usage) in &written {
                if thing.kind != Kind::Image {
                    forget(db, thing)?;
                }
                add(db, thing, &owner, usage, &groups)?;
            }
            if last { settle(db, &id) } else { Ok(()) }
        };
        self.owners.state.with(write).await?;
        let mut known = self.owners.known();
        // Counted from here on as what is there.
        known.making.remove(&self.id);
        for (thing, usage) in new {
            if thing.kind != Kind::Image {
                known.things.remove(&thing);
            }
            known.add(thing, self.wish.owner.clone(), usage, &self.wish.shared_with);
        }
        Ok(())
    }

    /// What it takes; `None` for what was there before.
    fn usage_if_new(&self, known: &Known, thing: &Thing) -> Option<Usage> {
        let new = match thing.kind {
            Kind::Image => !known.things.get(thing).is_some_and(|entry| entry.owners.contains_key(EVERYBODY)),
            // The daemon gives a volume that it has.
            Kind::Volume => self.wish.making.volumes.contains(&thing.id) || !known.things.contains_key(thing),
            _ => true,
        };
        let whole = thing.kind == self.wish.making.kind;
        new.then(|| if whole { Usage::of(&self.wish.making) } else { Usage::default() })
    }

    /// All that came of it is known: what was made was told, or the daemon says that nothing was.
    pub async fn settle(mut self) -> Result<(), Unkept> {
        let id = self.id.clone();
        self.owners.state.with(move |db| settle(db, &id)).await?;
        self.open = false;
        Ok(())
    }

    /// What is about to be made.
    pub fn making(&self) -> &Making {
        &self.wish.making
    }
}

impl Drop for Intent {
    fn drop(&mut self) {
        let mut known = self.owners.known();
        known.making.remove(&self.id);
        known.names_given(&self.wish);
        drop(known);
        if self.open {
            // The client left, or the daemon did: it may have been made all the same.
            self.owners.unsettled.notify_one();
        }
    }
}
