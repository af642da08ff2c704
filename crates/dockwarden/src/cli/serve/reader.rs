//! Reads configurations, each on a thread of its own.
//!
//! What a bundle holds may be what its reader was not made for: should that take too long, or end by itself, the thread is
//! left behind, and whoever waits goes on with what there was.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use policy::Diagnostics;

use crate::config::{self, Config, Which, Wishes};

/// The threads that read: each of them holds it.
#[derive(Clone, Default)]
pub struct Reader(Arc<()>);

impl Reader {
    /// Loads the configuration; where the bundle that the server has now is what is at fault, with the last good one.
    pub fn load(&self, wishes: &Wishes) -> Result<Config, Diagnostics> {
        self.read(wishes.clone()).or_else(|faults| match self.read(Wishes { bundle: Which::Kept, ..wishes.clone() }) {
            Ok(config) if config.bundle.as_ref().is_some_and(|bundle| bundle.is_kept) => {
                tracing::error!("the last good bundle decides, for the server's is faulty: {faults}");
                Ok(config)
            }
            _ => Err(faults),
        })
    }

    /// Loads the configuration as it is wished.
    pub fn read(&self, wishes: Wishes) -> Result<Config, Diagnostics> {
        self.in_time(PATIENCE, move || config::load(&wishes))
    }

    /// Whether a thread that was left behind is still reading.
    pub fn is_at_work(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    fn in_time<T: Send + 'static>(
        &self,
        patience: Duration,
        read: impl FnOnce() -> Result<T, Diagnostics> + Send + 'static,
    ) -> Result<T, Diagnostics> {
        let at_work = Self(Arc::clone(&self.0));
        let (told, outcome) = mpsc::channel();
        let reading = thread::Builder::new().stack_size(STACK).spawn(move || {
            // Nobody may be waiting any more.
            let _ = told.send(read());
            drop(at_work);
        });
        let failed = |sentence: &str| Err(Diagnostics::sentence(sentence));
        match reading.map(|_| outcome.recv_timeout(patience)) {
            Ok(Ok(read)) => read,
            Ok(Err(RecvTimeoutError::Timeout)) => {
                failed(&format!("the configuration could not be read within {} s", patience.as_secs()))
            }
            Ok(Err(RecvTimeoutError::Disconnected)) => failed("the reading of the configuration ended by itself"),
            Err(error) => failed(&format!("the configuration cannot be read: {error}")),
        }
    }
}

/// How long a configuration may be read, with what it fetches.
const PATIENCE: Duration = Duration::from_secs(30);
/// That of the thread on which a process begins.
const STACK: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_or_panics_is_left_behind() {
        let reader = Reader::default();
        assert_eq!(reader.in_time(PATIENCE, || Ok(1)).unwrap(), 1);
        let said = reader.in_time::<()>(PATIENCE, || panic!("for a test")).unwrap_err().to_string();
        assert_eq!(said, "the reading of the configuration ended by itself");
        assert!(!reader.is_at_work());
        let (end, ended) = mpsc::channel::<()>();
        let slow = move || {
            let _ = ended.recv();
            Ok(())
        };
        let said = reader.in_time(Duration::from_secs(1), slow).unwrap_err().to_string();
        assert_eq!(said, "the configuration could not be read within 1 s");
        assert!(reader.is_at_work());
        drop(end);
        while reader.is_at_work() {
            thread::yield_now();
        }
    }
}
