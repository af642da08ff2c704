//! Taking the policy again, on SIGHUP and when its files change: whole or not at all.
//!
//! The temporary rules stay. What is at fault changes nothing; the log says where.

use std::path::PathBuf;
use std::sync::Arc;

use policy::Diagnostics;
use sd_notify::NotifyState;
use server::firewall::Firewall;
use server::rules::Rules;
use server::watch::Watch;

use super::tell_system;
use crate::config::{self, Config, Settings, Wishes};

/// What a reload needs: what was wished for, and what is in force.
pub struct Reload {
    wishes: Wishes,
    settings: Settings,
    rules: Arc<Rules>,
    firewall: Arc<Firewall>,
    watch: Option<Watch>,
}

impl Reload {
    /// Watches what the configuration was read from, unless told otherwise.
    pub fn new(
        wishes: Wishes,
        settings: Settings,
        read_from: Vec<PathBuf>,
        rules: Arc<Rules>,
        firewall: Arc<Firewall>,
    ) -> Self {
        let watch = if settings.reload.watch { watch(read_from) } else { None };
        Self { wishes, settings, rules, firewall, watch }
    }

    /// Returns when files have changed. May be dropped at any time.
    pub async fn changed(&mut self) {
        match &mut self.watch {
            Some(watch) => watch.changed().await,
            None => std::future::pending().await,
        }
    }

    /// Takes the policy again. Reading would hold up a thread that serves.
    pub async fn go(mut self) -> Result<Self, String> {
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell_system(&[NotifyState::Reloading, now]);
        }
        let wishes = self.wishes.clone();
        let loaded = tokio::task::spawn_blocking(move || config::load(&wishes)).await;
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
        if config.settings != self.settings {
            tracing::warn!("what changed beside `policy`, `groups` and `defaults` takes effect at the next start");
        }
    }
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
