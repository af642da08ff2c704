//! The two system calls that the standard library does not offer. The only unsafe code of the package.
#![expect(unsafe_code, reason = "two foreign calls without pointers into our data beyond their own out parameter")]

use std::io;
use std::time::Duration;

/// CPU time of all threads, living and dead, of process `pid` since it began, in nanoseconds.
///
/// `/proc/PID/stat` says the same in ticks of 10 ms, too coarse for short trials;
/// `/proc/PID/task/*/schedstat` forgets threads that ended.
pub fn cpu_time(pid: libc::pid_t) -> io::Result<Duration> {
    let mut clock: libc::clockid_t = 0;
    // SAFETY: `clock` is a valid place for the one value that is written.
    let refused = unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) };
    if refused != 0 {
        return Err(io::Error::from_raw_os_error(refused));
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the one value that is written.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let seconds = u64::try_from(time.tv_sec).map_err(io::Error::other)?;
    let nanoseconds = u32::try_from(time.tv_nsec).map_err(io::Error::other)?;
    Ok(Duration::new(seconds, nanoseconds))
}

/// Lets this thread, and those it starts, wake when asked and not up to 50 µs later.
pub fn sleep_exactly() -> io::Result<()> {
    let one_nanosecond: libc::c_ulong = 1;
    // SAFETY: PR_SET_TIMERSLACK takes one integer and no pointer.
    match unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, one_nanosecond) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_cpu_time_grows() {
        let own = libc::pid_t::try_from(std::process::id()).unwrap();
        let before = cpu_time(own).unwrap();
        let sum: u64 = (0..3_000_000).map(std::hint::black_box).sum();
        assert!(cpu_time(own).unwrap() > before, "{sum}");
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        let beyond_all_pids = 1 << 22;
        assert!(cpu_time(beyond_all_pids).is_err());
    }
}
