//! Writing records without ever keeping an exchange waiting, and without losing one silently.
//!
//! Exchanges put lines into a bounded queue; one thread writes them. When it cannot, lines are kept
//! and tried again every second; meanwhile [`Recorder::ready`] says no to whatever would change
//! something. When even the queue is full, the lines that are lost are counted, and the first line
//! after recovery says how many.

mod writer;

use super::Timestamp;
use super::file::LogFile;
use serde::Serialize;
use serde_json::json;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where and how records are kept.
#[derive(Clone, Debug)]
pub struct RecordSettings {
    /// The file; also a device or pipe such as `/dev/stdout`.
    pub file: PathBuf,
    /// What to do about changes while records cannot be written.
    pub when_unwritable: WhenUnwritable,
    /// Disk space held ahead, in bytes; 0 for none.
    pub space_ahead: u64,
    /// Most bytes of lines kept in memory.
    pub queue_bytes: usize,
}

/// What to do about changes while records cannot be written. Reads go on either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnwritable {
    /// Nothing happens that is not recorded.
    RefuseChanges,
    /// Work goes on; lost records are counted.
    Continue,
}

/// Why records cannot be kept at all.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum RecordError {
    #[error("cannot open the record file `{}`: {source}", file.display())]
    Open { file: PathBuf, source: io::Error },
    #[error("cannot start the thread that writes records: {0}")]
    Thread(io::Error),
}

/// Records cannot be written now. The sentence is for the client whose change is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("records cannot be written ({reason}), so nothing may be changed until they can")]
pub struct Unwritable {
    /// In the words of the system; holds no path.
    pub reason: String,
}

/// Takes records and sees to it that they are written.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    when_unwritable: WhenUnwritable,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Tells the writer that there is work.
    work: Condvar,
    /// Tells who flushes that something was written.
    progress: Condvar,
    queue_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    /// Bytes of `lines`, and of what the writer has in hand.
    bytes: usize,
    lost: Lost,
    trouble: Option<String>,
    reopen: bool,
    /// Flushes that were asked for and that were done.
    flushes: (u64, u64),
    stop: bool,
}

/// Records that found no room.
#[derive(Clone, Copy, Debug, Default)]
struct Lost {
    count: u64,
    since: Option<Timestamp>,
}

impl RecordSettings {
    /// The usual settings for a file.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            when_unwritable: WhenUnwritable::RefuseChanges,
            space_ahead: 1 << 20,
            queue_bytes: 16 << 20,
        }
    }
}

impl Recorder {
    /// Opens the file and starts the thread that writes. A disk that is full already is no error
    /// here: reads may go on, changes are refused until there is room.
    pub fn open(settings: RecordSettings) -> Result<Self, RecordError> {
        let RecordSettings { file, when_unwritable, space_ahead, queue_bytes } = settings;
        let log =
            LogFile::open(&file, space_ahead).map_err(|source| RecordError::Open { file: file.clone(), source })?;
        let shared =
            Arc::new(Shared { state: Mutex::default(), work: Condvar::new(), progress: Condvar::new(), queue_bytes });
        let mut writer = writer::Writer::new(Arc::clone(&shared), log, file);
        // Before anybody asks whether we are ready.
        writer.hold_space();
        let writer = std::thread::Builder::new()
            .name("records".to_owned())
            .spawn(move || writer.run())
            .map_err(RecordError::Thread)?;
        Ok(Self { shared, when_unwritable, writer: Some(writer) })
    }

    /// Hands over a record, of an exchange or of something else. Never waits for the disk.
    pub fn write(&self, record: &impl Serialize) {
        let mut line = Vec::with_capacity(USUAL_LINE);
        if let Err(error) = serde_json::to_writer(&mut line, record) {
            tracing::error!(%error, "a record cannot be put into words");
            line.clear();
        }
        line.push(b'\n');
        let mut state = self.shared.lock();
        let bytes = state.bytes.saturating_add(line.len());
        if line.len() == 1 || bytes > self.shared.queue_bytes {
            if state.lost.count == 0 {
                tracing::error!("no more room to keep records in memory; from here on some are lost");
            }
            state.lost.count = state.lost.count.saturating_add(1);
            state.lost.since.get_or_insert_with(Timestamp::now);
        } else {
            state.bytes = bytes;
            state.lines.push_back(line);
        }
        // A writer that gathers needs no telling, unless there is much.
        let tell = state.lines.len() <= 1 || state.is_urgent();
        drop(state);
        if tell {
            self.shared.work.notify_one();
        }
    }

    /// Whether a record of what is about to change could be written. Ask before every change.
    pub fn ready(&self) -> Result<(), Unwritable> {
        if self.when_unwritable == WhenUnwritable::Continue {
            return Ok(());
        }
        let state = self.shared.lock();
        let reason = match &state.trouble {
            Some(trouble) => trouble.clone(),
            // Half of the queue is left to the records of what is under way.
            None if state.bytes > self.shared.queue_bytes.wrapping_div(2) => "the disk is too slow for them".to_owned(),
            None => return Ok(()),
        };
        Err(Unwritable { reason })
    }

    /// Opens the file anew, for log rotation. A file that was moved away is noticed without this.
    pub fn reopen(&self) {
        self.shared.lock().reopen = true;
        self.shared.work.notify_one();
    }

    /// Waits until all records are on the disk, at most for `within`. Blocks: for shutdown.
    pub fn flush(&self, within: Duration) -> Result<(), Unwritable> {
        let deadline = Instant::now().checked_add(within);
        let mut state = self.shared.lock();
        let ticket = state.flushes.0.saturating_add(1);
        state.flushes.0 = ticket;
        self.shared.work.notify_one();
        while state.flushes.1 < ticket {
            let left = deadline.map_or(within, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                let reason = state.trouble.clone();
                let reason = reason.unwrap_or_else(|| "the disk is too slow for them".to_owned());
                return Err(Unwritable { reason });
            }
            state = match self.shared.progress.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        Ok(())
    }
}

impl Drop for Recorder {
    /// Lets the writer make one last attempt and end.
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.work.notify_one();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lost {
    /// The line that says so.
    fn line(self) -> Option<Vec<u8>> {
        let since = self.since.filter(|_| self.count > 0)?;
        let count = self.count;
        let message = format!("{count} records were lost since {since} because they could not be written");
        let line = json!({ "time": Timestamp::now(), "lost": count, "since": since, "message": message });
        Some(format!("{line}\n").into_bytes())
    }
}

/// Room for a record of few questions, so that its line need not grow while it is written, in bytes.
const USUAL_LINE: usize = 1 << 10;
