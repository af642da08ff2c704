//! Hostile load, by the thousand: slow clients, noise, and a daemon that misbehaves. Others are served meanwhile, memory
//! stays bounded, and nothing is left behind. The figures are printed (`-- hostile --nocapture`) and kept in
//! `docs/robustness.md`.

mod daemon;
mod noise;
mod slow;
mod unfinished;

use crate::harness::{Firewall, eventually, http};
use std::time::{Duration, Instant};

impl Firewall {
    /// Resident memory, in KiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Open descriptors.
    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("its descriptors").count()
    }

    /// Back to as many descriptors as before, alive, without a panic.
    fn has_come_to_rest(&mut self, descriptors: usize) {
        let rest = eventually(Duration::from_secs(10), || self.descriptors() <= descriptors);
        assert!(rest, "{descriptors} descriptors before, {} after", self.descriptors());
        assert!(self.ended().is_none(), "the firewall ended");
        assert!(!self.log().contains("panicked"), "{}", self.log());
    }
}

/// How long an honest client waits for its answers.
struct Latency {
    median: Duration,
    worst: Duration,
}

impl Latency {
    /// Measured by that many requests, a hundred a second, each on a connection of its own.
    fn of(firewall: &Firewall, path: &str, requests: usize) -> Latency {
        let request = |_| {
            std::thread::sleep(Duration::from_millis(10));
            once(firewall, path)
        };
        let mut all: Vec<Duration> = (0..requests).map(request).collect();
        all.sort();
        Latency { median: all[requests / 2], worst: all[requests - 1] }
    }
}

fn once(firewall: &Firewall, path: &str) -> Duration {
    let begin = Instant::now();
    let (status, body) = http::call(&firewall.socket(), "GET", path, None);
    assert_eq!(status, 200, "{path}: {body}");
    begin.elapsed()
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} µs, at worst {} µs", self.median.as_micros(), self.worst.as_micros())
    }
}
