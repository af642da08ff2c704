//! Remembers answers to questions that are asked again and again: lists, pings, information.
//!
//! Only where the answer can depend on nothing but what is in the key. It lives inside one policy
//! snapshot, so a new policy starts with an empty memory; it is bounded, and forgets all at once.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use docker::endpoint::Operation;
use docker::target::ApiVersion;

use crate::decision::Door;
use crate::{Answered, Subject};

const SHARDS: usize = 16;
const ENTRIES_IN_SHARD: usize = 256;

/// Everything that the answer depends on.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
pub(crate) struct Key<'a> {
    pub user: &'a str,
    pub groups: &'a [String],
    pub uid: Option<u32>,
    pub proof: &'static str,
    pub container: Option<&'a str>,
    pub address: Option<IpAddr>,
    pub operation: Operation,
    pub version: Option<ApiVersion>,
    pub door: Door,
}

/// A key that owns its texts.
struct Kept {
    subject: Subject,
    proof: &'static str,
    operation: Operation,
    version: Option<ApiVersion>,
    door: Door,
}

type Shard = HashMap<u64, (Kept, Arc<[Answered]>)>;

/// The memory.
#[derive(Default)]
pub(crate) struct Cache {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

impl<'a> Key<'a> {
    pub fn new(subject: &'a Subject, operation: Operation, version: Option<ApiVersion>, door: Door) -> Key<'a> {
        Key {
            user: &subject.user,
            groups: &subject.groups,
            uid: subject.uid,
            proof: crate::circumstances::proof(&subject.proof),
            container: subject.container.as_deref(),
            address: subject.address,
            operation,
            version,
            door,
        }
    }
}

impl Kept {
    fn key(&self) -> Key<'_> {
        Key { proof: self.proof, ..Key::new(&self.subject, self.operation, self.version, self.door) }
    }
}

impl Cache {
    pub fn get(&self, key: &Key<'_>) -> Option<Arc<[Answered]>> {
        let (hash, shard) = self.place(key)?;
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, answers) = shard.get(&hash)?;
        (kept.key() == *key).then(|| answers.clone())
    }

    pub fn keep(&self, key: &Key<'_>, subject: &Subject, answers: &Arc<[Answered]>) {
        let Some((hash, shard)) = self.place(key) else { return };
        let kept = Kept {
            subject: subject.clone(),
            proof: key.proof,
            operation: key.operation,
            version: key.version,
            door: key.door,
        };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= ENTRIES_IN_SHARD {
            shard.clear();
        }
        shard.insert(hash, (kept, answers.clone()));
    }

    fn place(&self, key: &Key<'_>) -> Option<(u64, &Mutex<Shard>)> {
        let hash = self.hasher.hash_one(key);
        let at = usize::try_from(hash).unwrap_or(0).checked_rem(SHARDS)?;
        Some((hash, self.shards.get(at)?))
    }
}
