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
}

/// Why the policy is taken again.
pub enum Cause {
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
        Self { wishes, settings, rules, firewall, watch, poll: bundle.map(poll) }
    }

    /// Returns when files or the bundle have changed. May be dropped at any time.
    pub async fn changed(&mut self) -> Cause {
        tokio::select! {
            () = if_any(&mut self.watch, Watch::changed) => Cause::Files,
            fetched = if_any(&mut self.poll, Poll::changed) => Cause::Bundle(fetched),
        }
    }

    /// Takes the policy again. Reading would hold up a thread that serves.
    pub async fn go(mut self, cause: Cause) -> Result<Self, String> {
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell_system(&[NotifyState::Reloading, now]);
        }
        let wishes = self.wishes.clone();
        let load = move || match cause {
            Cause::Files => load(&wishes),
            Cause::Bundle(fetched) => config::load(&Wishes { bundle: Which::Given(fetched), ..wishes }),
        };
        let loaded = tokio::task::spawn_blocking(load).await;
        match loaded.map_err(|error| format!("the reload ended by itself: {error}"))? {
            Ok(config) => self.take(config).await,
            Err(faults) => refuse(&faults),
        }
        tell_system(&[NotifyState::Ready]);
        Ok(self)
    }

    async fn take(&mut self, config: Config) {
        config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        match self.rules.take(config.policy).await {
            Ok((before, now)) => {
                self.firewall.take_checks(config.checks);
                tracing::info!("policy taken again: {} (before: {})", config::summary(&now), before.version());
            }
            Err(faults) => return refuse(&faults),
        }
        if let Some(watch) = &mut self.watch {
            watch.watch(name(config.read_from));
        }
        self.poll = config.bundle.as_ref().map(poll);
        let _ = tokio::task::spawn_blocking(move || config.bundle.iter().for_each(Bundle::keep)).await;
        if config.settings != self.settings {
            tracing::warn!("what changed beside `policy`, `groups` and `defaults` takes effect at the next start");
        }
    }
}

/// Loads the configuration; where the bundle that the server has now is what is at fault, with the last good one.
pub fn load(wishes: &Wishes) -> Result<Config, Diagnostics> {
    config::load(wishes).or_else(|faults| match config::load(&Wishes { bundle: Which::Kept, ..wishes.clone() }) {
        Ok(config) if config.bundle.as_ref().is_some_and(|bundle| bundle.is_kept) => {
            tracing::error!("the last good bundle decides, for the server's is faulty: {faults}");
            Ok(config)
        }
        _ => Err(faults),
    })
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

fn refuse(faults: &Diagnostics) {
    let first = faults.0.first().map(ToString::to_string).unwrap_or_default();
    let more = faults.0.len().saturating_sub(1);
    let others = if more == 0 { String::new() } else { format!("; and {more} more, see `dockwarden check`") };
    tracing::error!("the policy stays as it is, for the new one is faulty: {first}{others}");
}
