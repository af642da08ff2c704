//! The thread that writes: takes lines from the queue, appends them in pieces, keeps what could not
//! be written and tries again. The lock is never held while the disk is at work.

use super::{Lost, Shared, State};
use crate::record::file::LogFile;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

pub(super) struct Writer {
    shared: Arc<Shared>,
    log: LogFile,
    path: PathBuf,
    /// Whole lines taken from the queue, the first `done` bytes of which are in the file.
    hand: Vec<u8>,
    done: usize,
}

/// What there is to do.
struct Work {
    lost: Lost,
    reopen: bool,
    flush: Option<u64>,
    stop: bool,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, log: LogFile, path: PathBuf) -> Self {
        Self { shared, log, path, hand: Vec::new(), done: 0 }
    }

    pub(super) fn run(mut self) {
        loop {
            let work = self.next();
            let written = self.attempt(&work);
            let failed = written.is_err();
            let reopen_again = failed && work.reopen;
            self.note(written);
            let mut state = self.shared.lock();
            state.reopen |= reopen_again;
            let all = !failed && state.lines.is_empty() && state.lost.count == 0;
            if let (true, Some(ticket)) = (all, work.flush) {
                state.flushes.1 = ticket;
            }
            let over = work.stop && (failed || all);
            drop(state);
            self.shared.progress.notify_all();
            if over {
                return;
            }
        }
    }

    /// Holds space ahead and notes whether it could be had.
    pub(super) fn hold_space(&mut self) {
        let held = self.log.hold_space();
        self.note(held);
    }

    /// Waits for work; in times of trouble, for the time to try again. Takes some lines in hand.
    fn next(&mut self) -> Work {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        if state.trouble.is_some() && !state.stop {
            // Nothing but time, or a new file, helps.
            state = wait(&shared, state, |state| state.stop || state.reopen, Some(RETRY));
        } else {
            state = wait(&shared, state, State::has_work, None);
            // What comes within the next moment is written with it: one wake-up for many records.
            state = wait(&shared, state, State::is_urgent, Some(GATHER));
        }
        while self.hand.len() < PIECE {
            let Some(line) = state.lines.pop_front() else { break };
            self.hand.extend_from_slice(&line);
        }
        Work {
            lost: state.lost,
            reopen: std::mem::take(&mut state.reopen),
            flush: (state.flushes.0 > state.flushes.1).then_some(state.flushes.0),
            stop: state.stop,
        }
    }

    fn attempt(&mut self, work: &Work) -> io::Result<()> {
        if self.log.follow(work.reopen)? {
            // In a new file, a line that was cut off begins anew.
            self.done = self.line_begin();
        }
        let space = self.log.hold_space();
        let written = self.append_up_to(self.line_end()).and_then(|()| {
            self.append_lost(work.lost)?;
            self.append_up_to(self.hand.len())
        });
        self.let_go();
        written.and(space)?;
        if work.flush.is_some() { self.log.sync() } else { Ok(()) }
    }

    fn append_up_to(&mut self, end: usize) -> io::Result<()> {
        let rest = self.hand.get(self.done..end).unwrap_or_default();
        let (written, ended) = self.log.append(rest);
        self.done = self.done.saturating_add(written);
        ended
    }

    /// Says how many were lost, before anything else that is new. Counted as said once a part of
    /// the line is in the file; the rest of it then stays in hand.
    fn append_lost(&mut self, lost: Lost) -> io::Result<()> {
        let Some(line) = lost.line() else { return Ok(()) };
        let (written, ended) = self.log.append(&line);
        if written > 0 {
            let mut state = self.shared.lock();
            state.lost.count = state.lost.count.saturating_sub(lost.count);
            if state.lost.count == 0 {
                state.lost.since = None;
            }
            state.bytes = state.bytes.saturating_add(line.len());
            drop(state);
            self.hand.splice(self.done..self.done, line);
            self.done = self.done.saturating_add(written);
        }
        ended
    }

    /// Forgets whole lines that are in the file.
    fn let_go(&mut self) {
        let gone = self.line_begin();
        self.hand.drain(..gone);
        self.done = self.done.saturating_sub(gone);
        let mut state = self.shared.lock();
        state.bytes = state.bytes.saturating_sub(gone);
    }

    /// Where the line begins that `done` is in.
    fn line_begin(&self) -> usize {
        let before = self.hand.get(..self.done).unwrap_or_default();
        before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end.saturating_add(1))
    }

    /// Where the line ends that `done` is within; `done` itself between two lines.
    fn line_end(&self) -> usize {
        if self.line_begin() == self.done {
            return self.done;
        }
        let rest = self.hand.get(self.done..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end.saturating_add(1));
        self.done.saturating_add(length)
    }

    /// One line in the log when trouble begins, one when it is over.
    fn note(&self, outcome: io::Result<()>) {
        let mut state = self.shared.lock();
        let before = std::mem::replace(&mut state.trouble, outcome.err().map(|error| error.to_string()));
        let now = state.trouble.clone();
        drop(state);
        let file = self.path.display();
        match (before, now) {
            (None, Some(reason)) => {
                tracing::error!(%file, %reason, "records cannot be written; trying again every second");
            }
            (Some(_), None) => tracing::info!(%file, "records can be written again"),
            _ => {}
        }
    }
}

impl State {
    /// Whether somebody waits for the writer, or much has gathered.
    pub(super) fn is_urgent(&self) -> bool {
        self.reopen || self.stop || self.flushes.0 > self.flushes.1 || self.bytes > PIECE
    }

    fn has_work(&self) -> bool {
        !self.lines.is_empty() || self.lost.count > 0 || self.reopen || self.stop || self.flushes.0 > self.flushes.1
    }
}

fn wait<'a>(
    shared: &'a Shared,
    state: MutexGuard<'a, State>,
    until: impl Fn(&State) -> bool,
    at_most: Option<Duration>,
) -> MutexGuard<'a, State> {
    let Some(at_most) = at_most else {
        return shared.work.wait_while(state, |state| !until(state)).unwrap_or_else(std::sync::PoisonError::into_inner);
    };
    match shared.work.wait_timeout_while(state, at_most, |state| !until(state)) {
        Ok((state, _)) => state,
        Err(poisoned) => poisoned.into_inner().0,
    }
}

/// How long records are gathered before they are written.
const GATHER: Duration = Duration::from_millis(20);
const RETRY: Duration = Duration::from_secs(1);
/// Lines are written in pieces of about this many bytes.
const PIECE: usize = 256 << 10;
