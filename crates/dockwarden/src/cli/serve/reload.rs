//! Taking the policy again, on SIGHUP, when its files change and when its bundle does: whole or not at all.
//!
//! The temporary rules stay. What is at fault changes nothing; the log says where.

use std::path::PathBuf;
use std::sync::Arc;

use policy::Diagnostics;
use sd_notify::NotifyState;
use server::bundle::{Fetched, Poll};
use server::firewall::Firewall;
use server::rules::Rules;
use server::watch::Watch;
use tokio::sync::Notify;

use super::reader::Reader;
use super::tell_system;
use crate::config::{self, Bundle, Config, Settings, Which, Wishes};

/// What a reload needs: what was wished for, and what is in force.
pub struct Reload {
    wishes: Wishes,
    settings: Settings,
    rules: Arc<Rules>,
    firewall: Arc<Firewall>,
    watch: Option<Watch>,
    poll: Option<Poll>,
    reader: Reader,
    /// Why the last policy was refused, if it was.
    refused: Option<String>,
}

/// Why the policy is taken again.
enum Cause {
    /// Somebody asked for it, or files have changed.
    Files,
    /// This is its bundle now.
    Bundle(Fetched),
}

impl Reload {
    /// Watches what the configuration was read from, unless told otherwise.
    pub fn new(
        wishes: Wishes,
        settings: Settings,
        read_from: Vec<PathBuf>,
        bundle: Option<&Bundle>,
        rules: Arc<Rules>,
        firewall: Arc<Firewall>,
    ) -> Self {
        let watch = if settings.reload.watch { watch(read_from) } else { None };
        let wishes = Wishes { in_force: bundle.map(|bundle| bundle.fetched.clone()), ..wishes };
        let (poll, reader) = (bundle.map(poll), Reader::default());
        Self { wishes, settings, rules, firewall, watch, poll, reader, refused: None }
    }

    /// Takes the policy again whenever it is asked to, and when files or the bundle have changed, for ever.
    pub async fn run(mut self, asked: Arc<Notify>) {
        loop {
            let cause = tokio::select! {
                () = asked.notified() => Cause::Files,
                () = if_any(&mut self.watch, Watch::changed) => Cause::Files,
                fetched = if_any(&mut self.poll, Poll::changed) => Cause::Bundle(fetched),
            };
            self.go(cause).await;
        }
    }

    /// Takes the policy again. Reading would hold up a thread that serves.
    async fn go(&mut self, cause: Cause) {
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell_system(&[NotifyState::Reloading, now]);
        }
        let of_bundle = matches!(cause, Cause::Bundle(_));
        let taken = match self.load(cause).await {
            Ok(config) => self.take(config).await,
            Err(faults) => Err(faults),
        };
        match taken {
            Ok(()) => self.refused = None,
            Err(faults) => self.refuse(&faults, of_bundle),
        }
        tell_system(&[NotifyState::Ready]);
    }

    async fn load(&mut self, cause: Cause) -> Result<Config, Diagnostics> {
        if self.reader.is_at_work() {
            return Err(Diagnostics::sentence("one before it is still being read, which took too long"));
        }
        let (reader, wishes) = (self.reader.clone(), self.wishes.clone());
        let loaded = tokio::task::spawn_blocking(move || match cause {
            Cause::Files => reader.load(&wishes),
            Cause::Bundle(fetched) => reader.read(Wishes { bundle: Which::Given(fetched), ..wishes }),
        });
        loaded.await.unwrap_or_else(|error| Err(Diagnostics::sentence(&error.to_string())))
    }

    async fn take(&mut self, config: Config) -> Result<(), Diagnostics> {
        config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        let (before, now) = self.rules.take(config.policy).await?;
        self.firewall.take_checks(config.checks);
        tracing::info!("policy taken again: {} (before: {})", config::summary(&now), before.version());
        if let Some(watch) = &mut self.watch {
            watch.watch(name(config.read_from));
        }
        self.poll = config.bundle.as_ref().map(poll);
        self.wishes.in_force = config.bundle.as_ref().map(|bundle| bundle.fetched.clone());
        if let Some(bundle) = config.bundle {
            tracing::info!("{}", bundle.told());
            let _ = tokio::task::spawn_blocking(move || bundle.keep()).await;
        }
        if config.settings != self.settings {
            tracing::warn!("what changed beside `policy`, `groups` and `defaults` takes effect at the next start");
        }
        Ok(())
    }

    /// Says why the policy stays as it is. A bundle that was refused is fetched again, for what was wrong may have been
    /// something else; the same words about it are said once.
    fn refuse(&mut self, faults: &Diagnostics, of_bundle: bool) {
        let first = faults.0.first().map(ToString::to_string).unwrap_or_default();
        let more = faults.0.len().saturating_sub(1);
        let others = if more == 0 { String::new() } else { format!("; and {more} more, see `dockwarden check`") };
        let said = format!("the policy stays as it is, for the new one is faulty: {first}{others}");
        if !of_bundle || self.refused.as_ref() != Some(&said) {
            tracing::error!("{said}");
        }
        self.refused = Some(said);
        if let Some(poll) = self.poll.as_mut().filter(|_| of_bundle) {
            poll.refused();
        }
    }
}

async fn if_any<'a, T, Told>(of: &'a mut Option<T>, changed: impl AsyncFnOnce(&'a mut T) -> Told) -> Told {
    match of {
        Some(of) => changed(of).await,
        None => std::future::pending().await,
    }
}

fn poll(bundle: &Bundle) -> Poll {
    Poll::new(Arc::clone(&bundle.source), &bundle.fetched, bundle.trouble.clone())
}

fn watch(read_from: Vec<PathBuf>) -> Option<Watch> {
    Watch::new(name(read_from))
        .inspect_err(|error| tracing::warn!("changes of the configuration will not be noticed, send SIGHUP: {error}"))
        .ok()
}

/// The files of patterns, whichever these are at the time.
fn name(patterns: Vec<PathBuf>) -> Box<dyn Fn() -> Vec<PathBuf> + Send> {
    Box::new(move || config::files(&patterns))
}
