//! Names of users and groups from the system's own database, which may be LDAP at the other end of
//! a bad line: looked up outside of the async threads and remembered for a while.
//!
//! An absent entry and a failed look are two things. Who has no entry is called by his number; when
//! the look fails nobody gets a name, for a rule that forbids something to a name must not be
//! dodged by a failing name service. Only what was known a moment ago may stand in for it.

use super::IdentifyError;
use nix::unistd::{Gid, Group, Uid, User};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Remembers names.
#[derive(Debug)]
pub(super) struct Names {
    known: Mutex<HashMap<Number, Known>>,
    fresh: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Number {
    User(u32),
    Group(u32),
}

#[derive(Clone, Debug)]
struct Known {
    name: String,
    since: Instant,
}

impl Names {
    pub(super) fn new(fresh: Duration) -> Self {
        Self { known: Mutex::default(), fresh }
    }

    /// The name of a user and the sorted names of groups.
    pub(super) async fn of(&self, uid: u32, gids: BTreeSet<u32>) -> Result<(String, Vec<String>), IdentifyError> {
        let user = self.name(Number::User(uid)).await?;
        let mut groups = Vec::with_capacity(gids.len());
        for gid in gids {
            groups.push(self.name(Number::Group(gid)).await?);
        }
        groups.sort_unstable();
        groups.dedup();
        Ok((user, groups))
    }

    async fn name(&self, number: Number) -> Result<String, IdentifyError> {
        let known = self.remembered(number);
        if let Some(known) = known.as_ref().filter(|known| known.since.elapsed() < self.fresh) {
            return Ok(known.name.clone());
        }
        let looked_up = tokio::task::spawn_blocking(move || look_up(number))
            .await
            .unwrap_or_else(|_| Err("the look-up was stopped".to_owned()));
        match (looked_up, known) {
            (Ok(name), _) => {
                self.remember(number, &name);
                Ok(name)
            }
            (Err(problem), Some(known)) if known.since.elapsed() < STALE => {
                tracing::warn!(%problem, name = %known.name, "the system's name service fails; using what it said before");
                Ok(known.name)
            }
            (Err(problem), _) => Err(IdentifyError::Names { what: number.to_string(), problem }),
        }
    }

    fn remembered(&self, number: Number) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }

    fn remember(&self, number: Number, name: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(number, Known { name: name.to_owned(), since: Instant::now() });
    }
}

/// Blocks, perhaps for long.
fn look_up(number: Number) -> Result<String, String> {
    let found = match number {
        Number::User(uid) => User::from_uid(Uid::from_raw(uid)).map(|found| found.map(|user| user.name)),
        Number::Group(gid) => Group::from_gid(Gid::from_raw(gid)).map(|found| found.map(|group| group.name)),
    };
    let name = match found {
        Ok(name) => name,
        // No entry, or no database at all (a container without /etc/passwd).
        Err(nix::Error::ENOENT | nix::Error::ESRCH) => None,
        Err(errno) => return Err(errno.desc().to_owned()),
    };
    // A colon cannot be in /etc/passwd; from elsewhere it could pass for another kind of subject.
    let name = name.filter(|name| !name.is_empty() && !name.contains(':'));
    Ok(name.unwrap_or_else(|| number.as_name()))
}

impl Number {
    fn as_name(self) -> String {
        match self {
            Self::User(uid) => format!("uid:{uid}"),
            Self::Group(gid) => format!("gid:{gid}"),
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(uid) => write!(f, "user {uid}"),
            Self::Group(gid) => write!(f, "group {gid}"),
        }
    }
}

/// How long an old name may stand in while the name service fails.
const STALE: Duration = Duration::from_secs(3600);
/// More numbers than this are not remembered; an attacker with many uids cannot fill the memory.
const MOST_KNOWN: usize = 8192;
