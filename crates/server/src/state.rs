//! What must outlive the process: a small SQLite database.
//!
//! One thread has the connection. What waits while a transaction is written goes into the next one together, so that
//! many writers cost as many trips to the disk as one. A write is on the disk when it is answered (WAL, `synchronous`
//! full); one that fails leaves nothing behind, and whoever asked must not go on as if it had been kept.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::sync::oneshot;

/// The database and the thread that has it.
#[derive(Debug)]
pub struct State {
    jobs: Option<mpsc::SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// One thing to do in a transaction; gives the word to say once it is on the disk.
type Job = Box<dyn FnOnce(&mut Transaction<'_>) -> Told + Send>;
/// Tells who asked: `None` when it is kept, else why it is not.
type Told = Box<dyn FnOnce(Option<&str>) + Send>;

/// Why there is no state.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum StateError {
    #[error("cannot open the state `{}`: {source}", file.display())]
    Open { file: PathBuf, source: io::Error },
    #[error("the state `{}` is in use by another dockwarden; give each its own (see `state`)", file.display())]
    InUse { file: PathBuf },
    #[error("cannot use the state `{}`: {source}", file.display())]
    Database { file: PathBuf, source: rusqlite::Error },
    #[error("the state `{}` was written by a later version of dockwarden", file.display())]
    Later { file: PathBuf },
}

/// Something could not be kept, or not be read. The reason holds no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state cannot be used ({reason})")]
pub struct Unkept {
    /// In the words of the database.
    pub reason: String,
}

impl State {
    /// Opens the file, makes it where there is none, and brings its tables up to date.
    pub fn open(file: &Path) -> Result<State, StateError> {
        let lock = lock(file)?;
        let database = |source| StateError::Database { file: file.to_owned(), source };
        let mut connection = Connection::open(file).map_err(database)?;
        connection.pragma_update(None, "journal_mode", "wal").map_err(database)?;
        connection.pragma_update(None, "synchronous", "full").map_err(database)?;
        migrate(&mut connection, file)?;
        State::start(connection, Some(lock)).map_err(|source| StateError::Open { file: file.to_owned(), source })
    }

    /// A state that ends with the process: for one command, or a rehearsal.
    pub fn in_memory() -> Result<State, StateError> {
        let file = PathBuf::from(":memory:");
        let mut connection =
            Connection::open_in_memory().map_err(|source| StateError::Database { file: file.clone(), source })?;
        migrate(&mut connection, &file)?;
        State::start(connection, None).map_err(|source| StateError::Open { file, source })
    }

    fn start(connection: Connection, lock: Option<File>) -> io::Result<State> {
        let (jobs, waiting) = mpsc::sync_channel(QUEUE);
        let run = move || {
            work(connection, &waiting);
            drop(lock);
        };
        let thread = std::thread::Builder::new().name("state".to_owned()).spawn(run)?;
        Ok(State { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Reads or writes in a transaction. Answered once what was written is on the disk.
    pub async fn with<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unkept> {
        let (tell, told) = oneshot::channel();
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(boxed(job, tell)).is_ok());
        if !sent {
            return Err(Unkept { reason: "too much waits to be kept".to_owned() });
        }
        told.await.unwrap_or_else(|_| Err(Unkept { reason: "its thread has ended".to_owned() }))
    }

    /// The same for a thread that may wait.
    pub fn with_blocking<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unkept> {
        let (tell, told) = oneshot::channel();
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(boxed(job, tell)).is_ok());
        if !sent {
            return Err(Unkept { reason: "its thread has ended".to_owned() });
        }
        told.blocking_recv().unwrap_or_else(|_| Err(Unkept { reason: "its thread has ended".to_owned() }))
    }
}

impl Drop for State {
    /// What waits is done first.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A job within a savepoint of its own, so that its failure takes nothing of others with it.
fn boxed<T: Send + 'static>(
    job: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    tell: oneshot::Sender<Result<T, Unkept>>,
) -> Job {
    Box::new(move |transaction| {
        let done = within_savepoint(transaction, job);
        Box::new(move |failed| {
            let _ = tell.send(match (failed, done) {
                (None, Ok(done)) => Ok(done),
                (None, Err(error)) => Err(Unkept { reason: error.to_string() }),
                (Some(reason), _) => Err(Unkept { reason: reason.to_owned() }),
            });
        })
    })
}

fn within_savepoint<T>(
    transaction: &mut Transaction<'_>,
    job: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    transaction.execute_batch("SAVEPOINT job")?;
    let done = job(transaction);
    transaction.execute_batch(if done.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" })?;
    done
}

/// Does what waits, as much as there is in one transaction, until nobody can ask any more.
fn work(mut connection: Connection, waiting: &mpsc::Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let jobs = std::iter::once(first).chain(waiting.try_iter().take(AT_ONCE));
        let failed = |error: &rusqlite::Error| {
            tracing::error!(%error, "the state cannot be written");
            error.to_string()
        };
        match connection.transaction() {
            Ok(mut transaction) => {
                let told: Vec<Told> = jobs.map(|job| job(&mut transaction)).collect();
                let kept = transaction.commit().err().map(|error| failed(&error));
                told.into_iter().for_each(|tell| tell(kept.as_deref()));
            }
            // Whoever asked hears that the thread dropped the question.
            Err(error) => drop((jobs.collect::<Vec<_>>(), failed(&error))),
        }
    }
}

/// One process at a time: what it remembers of the state must be what the state is. The lock goes with the process.
fn lock(file: &Path) -> Result<File, StateError> {
    let opened = |file: &Path| {
        let mut options = File::options();
        options.create(true).truncate(false).write(true).mode(0o600).open(file)
    };
    let open = |source| StateError::Open { file: file.to_owned(), source };
    // Made by us with these permissions, before the database would make it with others.
    opened(file).map_err(open)?;
    let mut beside = file.as_os_str().to_owned();
    beside.push(".lock");
    let lock = opened(Path::new(&beside)).map_err(open)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(Errno::WOULDBLOCK) => Err(StateError::InUse { file: file.to_owned() }),
        Err(error) => Err(open(error.into())),
    }
}

/// Brings the tables up to date, all or nothing.
fn migrate(connection: &mut Connection, file: &Path) -> Result<(), StateError> {
    let database = |source| StateError::Database { file: file.to_owned(), source };
    let transaction = connection.transaction().map_err(database)?;
    let version = transaction.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0)).map_err(database)?;
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    let Some(missing) = MIGRATIONS.get(version..) else { return Err(StateError::Later { file: file.to_owned() }) };
    for migration in missing {
        transaction.execute_batch(migration).map_err(database)?;
    }
    let now = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    transaction.pragma_update(None, "user_version", now).map_err(database)?;
    transaction.commit().map_err(database)
}

/// What was added by each version, in order. Never changed, only added to.
const MIGRATIONS: &[&str] = &[
    // 1: who owns what. `memory` in bytes, `cpus` in billionths: what a container was promised. An intent is a thing
    // that was about to be made when it was written down: until it is known whether it was.
    "CREATE TABLE owners (
         kind TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, since INTEGER NOT NULL,
         memory INTEGER NOT NULL DEFAULT 0, cpus INTEGER NOT NULL DEFAULT 0, ports INTEGER NOT NULL DEFAULT 0,
         PRIMARY KEY (kind, id, owner)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE shares (
         kind TEXT NOT NULL, id TEXT NOT NULL, with_group TEXT NOT NULL, PRIMARY KEY (kind, id, with_group)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE intents (
         id TEXT PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, volumes TEXT NOT NULL,
         since INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;",
    // 2: rules that end by themselves, as they were given. Times in seconds since 1970.
    "CREATE TABLE rules (
         id TEXT PRIMARY KEY, rule TEXT NOT NULL, reason TEXT NOT NULL, added_by TEXT NOT NULL,
         since INTEGER NOT NULL, until INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;",
    // 3: what was done once and for all.
    "CREATE TABLE marks (mark TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;",
];

/// Jobs that may wait.
const QUEUE: usize = 4096;
/// Jobs that share a transaction.
const AT_ONCE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn count(state: &State) -> i64 {
        state.with_blocking(|db| db.query_row("SELECT count(*) FROM intents", [], |row| row.get(0))).unwrap()
    }

    fn add(state: &State, id: &'static str) -> Result<usize, Unkept> {
        state.with_blocking(move |db| {
            db.execute("INSERT INTO intents VALUES (?, 'container', 'alice', '', '', 0)", [id])
        })
    }

    #[test]
    fn what_is_answered_is_there_after_a_restart_and_what_fails_is_not() {
        let folder = tempfile();
        let file = folder.join("state.db");
        let state = State::open(&file).unwrap();
        add(&state, "one").unwrap();
        assert!(add(&state, "one").unwrap_err().reason.contains("UNIQUE"), "a second of the same key");
        assert!(matches!(State::open(&file), Err(StateError::InUse { .. })));
        drop(state);
        let state = State::open(&file).unwrap();
        assert_eq!(count(&state), 1);
        drop(state);
        let _ = std::fs::remove_dir_all(folder);
    }

    #[test]
    fn a_later_state_is_not_touched() {
        let folder = tempfile();
        let file = folder.join("state.db");
        drop(State::open(&file).unwrap());
        Connection::open(&file).unwrap().pragma_update(None, "user_version", 999).unwrap();
        assert!(matches!(State::open(&file), Err(StateError::Later { .. })));
        let _ = std::fs::remove_dir_all(folder);
    }

    fn tempfile() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("dockwarden-state-{}", ulid::Ulid::generate()));
        std::fs::create_dir(&folder).unwrap();
        folder
    }
}
