//! Everything that is read before and after a load: who used how much CPU.

use std::time::Duration;

use crate::failure::Failure;
use crate::machine;
use crate::process::{CpuMeter, Process};

/// Running meters.
pub struct Meters<'a> {
    proxy: CpuMeter<'a>,
    upstream: CpuMeter<'a>,
    own: CpuMeter<'a>,
    machine: Duration,
}

/// CPU time used while the meters ran.
pub struct Used {
    /// By the proxy, if there is one.
    pub proxy: Option<Duration>,
    /// By the upstream, if it was named.
    pub upstream: Option<Duration>,
    /// By processes that are no part of the trial.
    pub others: Duration,
}

impl<'a> Meters<'a> {
    /// Begins to measure.
    pub fn start(proxy: Option<&'a Process>, upstream: Option<&'a Process>, own: &'a Process) -> Result<Self, Failure> {
        Ok(Self {
            proxy: CpuMeter::start(proxy)?,
            upstream: CpuMeter::start(upstream)?,
            own: CpuMeter::start(Some(own))?,
            machine: machine::busy()?,
        })
    }

    /// Reads them.
    pub fn used(&self) -> Result<Used, Failure> {
        let (proxy, upstream, own) = (self.proxy.used()?, self.upstream.used()?, self.own.used()?);
        let trial: Duration = [proxy, upstream, own].into_iter().flatten().sum();
        let others = machine::busy()?.saturating_sub(self.machine).saturating_sub(trial);
        Ok(Used { proxy, upstream, others })
    }
}
