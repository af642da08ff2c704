//! A process under test, seen through the kernel's own accounting.

use std::time::Duration;

use serde_json::json;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::os;

/// A running process that is measured.
pub struct Process(libc::pid_t);

impl Process {
    /// The process of `--name`, if given.
    pub fn optional(arguments: &Arguments, name: &str) -> Result<Option<Self>, Failure> {
        Ok(arguments.optional(name)?.map(Self))
    }

    /// The process of `--name`.
    pub fn required(arguments: &Arguments, name: &str) -> Result<Self, Failure> {
        arguments.required(name).map(Self)
    }

    /// This process, which makes the load.
    pub fn own() -> Result<Self, Failure> {
        libc::pid_t::try_from(std::process::id()).map(Self).map_err(Failure::during("cannot tell the own pid"))
    }

    /// CPU time that all its threads have used so far.
    pub fn cpu_time(&self) -> Result<Duration, Failure> {
        os::cpu_time(self.0).map_err(Failure::during(format!("cannot read the CPU time of process {}", self.0)))
    }

    /// Resident memory. `smaps_rollup` walks the pages; `VmRSS` in `status` is the same quantity but
    /// is counted per CPU in batches, an error of hundreds of KiB: a tenth of what idle streams cost.
    pub fn resident_kib(&self) -> Result<u64, Failure> {
        let path = format!("/proc/{}/smaps_rollup", self.0);
        let text = std::fs::read_to_string(&path).map_err(Failure::during(format!("cannot read {path}")))?;
        resident_of(&text).ok_or_else(|| Failure::trial(format!("{path} has no line `Rss`")))
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        os::cpu_time(self.0).is_ok()
    }
}

/// CPU time used by a process, if there is one, between two readings.
pub struct CpuMeter<'a> {
    process: Option<&'a Process>,
    start: Duration,
}

impl<'a> CpuMeter<'a> {
    /// Begins to measure.
    pub fn start(process: Option<&'a Process>) -> Result<Self, Failure> {
        let start = process.map_or(Ok(Duration::ZERO), Process::cpu_time)?;
        Ok(Self { process, start })
    }

    /// CPU time since the start; none without a process.
    pub fn used(&self) -> Result<Option<Duration>, Failure> {
        let Some(process) = self.process else {
            return Ok(None);
        };
        Ok(Some(process.cpu_time()?.saturating_sub(self.start)))
    }
}

/// `bench memory`: resident memory now.
pub fn run_memory(arguments: &Arguments) -> Result<String, Failure> {
    let resident = Process::required(arguments, "pid")?.resident_kib()?;
    Ok(json!({ "resident_kib": resident }).to_string())
}

fn resident_of(smaps_rollup: &str) -> Option<u64> {
    let line = smaps_rollup.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::resident_of;

    #[test]
    fn resident_memory_is_the_line_rss() {
        let text = "5581-7ffc ---p 00000000 00:00 0 [rollup]\nRss:                1764 kB\nPss:      206 kB\n";
        assert_eq!(resident_of(text), Some(1764));
        assert_eq!(resident_of("Pss: 206 kB\n"), None);
    }
}
