//! What the rest of the machine did meanwhile. Figures taken beside a build are worth little, and nobody
//! remembers the build afterwards: each trial says how much CPU went to processes that are no part of it.

use std::time::Duration;

use crate::failure::Failure;

/// The kernel gives these times in ticks of 10 ms (USER_HZ) on every architecture that we run on.
const TICK: Duration = Duration::from_millis(10);

/// CPU time that this machine has spent working since it started, stolen time included, all cores summed.
pub fn busy() -> Result<Duration, Failure> {
    let text = std::fs::read_to_string("/proc/stat").map_err(Failure::during("cannot read /proc/stat"))?;
    let ticks = busy_ticks(&text).ok_or_else(|| Failure::trial("/proc/stat does not begin with the line `cpu`"))?;
    Ok(TICK * ticks)
}

/// user nice system - - irq softirq steal; idle and waiting for disks are not work, guests are in user.
fn busy_ticks(stat: &str) -> Option<u32> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
    let idle = ticks.get(3)? + ticks.get(4)?;
    let all: u64 = ticks.iter().take(8).sum();
    u32::try_from(all - idle).ok()
}

#[cfg(test)]
mod tests {
    use super::busy_ticks;

    #[test]
    fn idle_and_waiting_are_not_work() {
        assert_eq!(busy_ticks("cpu  10 1 20 9000 500 2 3 4 99 9\ncpu0 1 1 1\n"), Some(40));
        assert_eq!(busy_ticks("intr 1 2 3\n"), None);
    }
}
