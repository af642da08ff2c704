//! Whose builds and sessions are whose.
//!
//! Clients name both themselves, by ids that nobody can guess, but that others may learn: lists tell them. Whoever names a
//! build in a call, or a session in a build, must be who began it. It is remembered in memory alone: after a restart of
//! the firewall, what was begun before is nobody's.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// The builds and sessions that are known.
#[derive(Default)]
pub(in crate::gateway) struct Builds {
    known: Mutex<Known>,
    /// Something has become known.
    news: Notify,
}

#[derive(Default)]
struct Known {
    builds: HashMap<String, Begun>,
    sessions: HashMap<String, Opened>,
    /// The builds of each user, the oldest first.
    of_users: HashMap<String, VecDeque<String>>,
}

struct Begun {
    user: String,
    /// Whether it is its client's own house-keeping, and gives no image.
    internal: bool,
    /// Why it was refused when it was to begin.
    refused: Option<String>,
    /// What the daemon's store has of it, by digest.
    content: HashSet<String>,
    /// The ids of the results that its client was given.
    results: HashSet<String>,
}

struct Opened {
    user: String,
    times: usize,
}

/// Whose something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Who asks.
    Own,
    /// Theirs, and it was refused when it was to begin, in these words.
    Refused(String),
    /// Somebody else's, or nobody's.
    Others,
}

/// An id that somebody else has.
#[derive(Debug, thiserror::Error)]
#[error("this {0} belongs to somebody else")]
pub(super) struct Taken(&'static str);

/// Whether a session can go by it. BuildKit leaves out what stands before a colon when it looks for a session: by
/// `x:HERS`, somebody would open one of their own and name another's.
pub(super) fn is_session_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=LONGEST_SESSION).contains(&id.len()) && id.bytes().all(plain)
}

/// A session that lasts.
pub(super) struct OpenSession {
    builds: Arc<Builds>,
    id: String,
}

impl Builds {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A build is about to begin: it is this user's.
    pub(super) fn begin(&self, reference: &str, user: &str, internal: bool) -> Result<(), Taken> {
        let mut known = self.known();
        match known.builds.get_mut(reference) {
            Some(begun) if begun.user != user => return Err(Taken("build")),
            Some(begun) => (begun.refused, begun.internal) = (None, internal),
            None => {
                let (owner, content, results) = (user.to_owned(), HashSet::new(), HashSet::new());
                let begun = Begun { user: owner, internal, refused: None, content, results };
                known.builds.insert(reference.to_owned(), begun);
                let of_user = known.of_users.entry(user.to_owned()).or_default();
                of_user.push_back(reference.to_owned());
                let oldest = if of_user.len() > MOST { of_user.pop_front() } else { None };
                oldest.map(|oldest| known.builds.remove(&oldest));
            }
        }
        drop(known);
        self.news.notify_waiters();
        Ok(())
    }

    /// It was refused: what goes with it need not wait for it, and is told the same.
    pub(super) fn refused(&self, reference: &str, why: &str) {
        if let Some(begun) = self.known().builds.get_mut(reference) {
            begun.refused = Some(why.to_owned());
        }
        self.news.notify_waiters();
    }

    /// Whose a build is. Calls of one build overtake one another: of one that is not known it is waited for a moment
    /// whether it begins, as the daemon itself does.
    pub(super) async fn build(&self, reference: &str, user: &str) -> Standing {
        let standing = |known: &Known| {
            known.builds.get(reference).map(|begun| match &begun.refused {
                _ if begun.user != user => Standing::Others,
                Some(why) => Standing::Refused(why.clone()),
                None => Standing::Own,
            })
        };
        self.wait_for(standing).await.unwrap_or(Standing::Others)
    }

    /// The same, as it is known now.
    pub(super) fn is_own(&self, reference: &str, user: &str) -> bool {
        self.known().builds.get(reference).is_some_and(|begun| begun.user == user)
    }

    /// Whether a build is its client's own house-keeping.
    pub(super) fn is_internal(&self, reference: &str) -> bool {
        self.known().builds.get(reference).is_some_and(|begun| begun.internal)
    }

    /// Whether a session is this user's. Builds name their session before they open it.
    pub(in crate::gateway) async fn is_own_session(&self, id: &str, user: &str) -> bool {
        self.wait_for(|known| known.sessions.get(id).map(|opened| opened.user == user)).await.unwrap_or(false)
    }

    async fn wait_for<T>(&self, look: impl Fn(&Known) -> Option<T>) -> Option<T> {
        let looking = async {
            loop {
                let mut news = pin!(self.news.notified());
                // From here on nothing is missed.
                news.as_mut().enable();
                if let Some(found) = look(&self.known()) {
                    return found;
                }
                news.await;
            }
        };
        tokio::time::timeout(WAIT, looking).await.ok()
    }

    /// A session is about to be opened: it is this user's for as long as what this gives is kept.
    pub(super) fn open_session(builds: &Arc<Builds>, id: &str, user: &str) -> Result<OpenSession, Taken> {
        let mut known = builds.known();
        let opened = known.sessions.entry(id.to_owned()).or_insert_with(|| Opened { user: user.to_owned(), times: 0 });
        if opened.user != user {
            return Err(Taken("session"));
        }
        opened.times = opened.times.saturating_add(1);
        drop(known);
        builds.news.notify_waiters();
        Ok(OpenSession { builds: Arc::clone(builds), id: id.to_owned() })
    }

    /// The daemon's store has these of a build.
    pub(super) fn note_content(&self, reference: &str, digests: &[&str]) {
        if let Some(begun) = self.known().builds.get_mut(reference) {
            let room = MOST_CONTENT.saturating_sub(begun.content.len());
            begun.content.extend(digests.iter().take(room).map(|digest| (*digest).to_owned()));
        }
    }

    /// Its client is about to be given these results. `false`: it has as many as are remembered.
    pub(super) fn give(&self, reference: &str, results: &BTreeSet<String>) -> bool {
        let mut known = self.known();
        let Some(begun) = known.builds.get_mut(reference) else { return false };
        begun.results.extend(results.iter().cloned());
        begun.results.len() <= MOST_RESULTS
    }

    /// Whether its client was given all of these.
    pub(super) fn gave(&self, reference: &str, results: &BTreeSet<String>) -> bool {
        let known = self.known();
        known.builds.get(reference).is_some_and(|begun| results.iter().all(|id| begun.results.contains(id)))
    }

    /// Whether something in the daemon's store is of a build of this user's.
    pub(super) fn is_own_content(&self, digest: &str, user: &str) -> bool {
        let known = self.known();
        let of_user = known.of_users.get(user).into_iter().flatten();
        of_user.filter_map(|reference| known.builds.get(reference)).any(|begun| begun.content.contains(digest))
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        let mut known = self.builds.known();
        if let Some(opened) = known.sessions.get_mut(&self.id) {
            opened.times = opened.times.saturating_sub(1);
            if opened.times == 0 {
                known.sessions.remove(&self.id);
            }
        }
    }
}

/// How long what is not known yet is waited for: as long as the daemon waits.
const WAIT: Duration = Duration::from_secs(3);
/// The builds of one user that are remembered.
const MOST: usize = 1000;
/// What is remembered of one build.
const MOST_CONTENT: usize = 200;
/// The results of one build that are remembered: one for each step that its client asks for, and each platform.
const MOST_RESULTS: usize = 2000;
/// The longest id of a session, in bytes.
const LONGEST_SESSION: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_somebody_began_is_theirs() {
        let builds = Builds::default();
        builds.begin("a", "alice", false).unwrap();
        assert_eq!(builds.build("a", "alice").await, Standing::Own);
        assert_eq!(builds.build("a", "bob").await, Standing::Others);
        assert_eq!(builds.build("b", "alice").await, Standing::Others, "nobody's");
        assert!(builds.begin("a", "bob", false).is_err());
        builds.refused("a", "no");
        assert_eq!(builds.build("a", "alice").await, Standing::Refused("no".to_owned()));
        builds.note_content("a", &["sha256:1"]);
        assert!(builds.is_own_content("sha256:1", "alice") && !builds.is_own_content("sha256:1", "bob"));
    }

    #[tokio::test]
    async fn what_comes_late_is_waited_for() {
        let builds = Arc::new(Builds::default());
        let later = Arc::clone(&builds);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            later.begin("a", "alice", false).unwrap();
            let session = Builds::open_session(&later, "s", "alice").unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
            drop(session);
        });
        assert_eq!(builds.build("a", "alice").await, Standing::Own);
        assert!(builds.is_own_session("s", "alice").await);
        assert!(!builds.is_own_session("s", "bob").await);
        assert!(Builds::open_session(&builds, "s", "bob").is_err());
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert!(!builds.is_own_session("s", "alice").await, "it ended");
        assert!(Builds::open_session(&builds, "s", "bob").is_ok());
    }

    #[test]
    fn results_are_used_by_whoever_was_given_them() {
        let builds = Builds::default();
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
        builds.begin("a", "alice", false).unwrap();
        assert!(builds.give("a", &ids(&["x", "y"])) && !builds.give("b", &ids(&["x"])));
        assert!(builds.gave("a", &ids(&["x"])) && builds.gave("a", &ids(&["y", "x"])) && builds.gave("a", &ids(&[])));
        assert!(!builds.gave("a", &ids(&["x", "z"])) && !builds.gave("b", &ids(&["x"])));
        let many = (0..MOST_RESULTS).map(|at| at.to_string()).collect();
        assert!(!builds.give("a", &many), "no more than are remembered");
    }

    #[test]
    fn sessions_have_plain_names() {
        assert!(["jx2ybp2sgi4i5vcfyt5qcr8rd", "a-b_c.d"].into_iter().all(is_session_id));
        for odd in ["", "x:hers", "a b", "a/b", "ä", &"a".repeat(129)] {
            assert!(!is_session_id(odd), "{odd}");
        }
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let builds = Builds::default();
        (0..=MOST).for_each(|at| builds.begin(&at.to_string(), "alice", false).unwrap());
        assert!(!builds.is_own("0", "alice") && builds.is_own("1", "alice"));
    }
}
