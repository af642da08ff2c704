//! Where a process lives: on the host, in a container, or in some other sandbox. Read from /proc
//! while the process is held by a descriptor, so that the number still means the same process.

use super::IdentifyError;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::collections::BTreeSet;
use std::os::fd::OwnedFd;

/// Where a process lives.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// Among the host's own processes.
    Host,
    /// In the container with this full id.
    Container(String),
    /// In a process namespace below ours, or in one that cannot be seen, and in no known container.
    Nested,
}

/// Where process `pid` lives, leaving aside containers that we are in ourselves.
pub(super) fn home(pid: i32, pidfd: &OwnedFd, ours: &BTreeSet<String>) -> Result<Home, IdentifyError> {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}"));
    let found = read("cgroup").and_then(|cgroup| Ok((cgroup, read("status")?)));
    // Only now: it has to have been alive while we were reading.
    if ended(pidfd) {
        return Err(IdentifyError::Gone);
    }
    let (cgroup, status) = found.map_err(|source| IdentifyError::Hidden { pid, source })?;
    let mut around: Vec<String> = containers(&cgroup).difference(ours).cloned().collect();
    match (around.pop(), around.len()) {
        (Some(id), 0) => Ok(Home::Container(id)),
        (Some(_), more) => Err(IdentifyError::SeveralContainers { pid, count: more.saturating_add(1) }),
        (None, _) if depth(&status) > own_depth() => Ok(Home::Nested),
        (None, _) => Ok(Home::Host),
    }
}

/// All container ids in the text of /proc/PID/cgroup, v1 or v2, wherever in the path.
///
/// The runtime puts a container at the end of a path, but a container may move its processes
/// further down (docker-in-docker does), and would pass for the host if only the end were looked
/// at; and with `--cgroup-parent` anybody who may create containers can put a false id further up.
/// One id is an answer, two are a doubt.
pub(super) fn containers(cgroup: &str) -> BTreeSet<String> {
    cgroup
        .lines()
        .filter_map(|line| line.splitn(3, ':').nth(2))
        .flat_map(|path| path.split('/'))
        .filter_map(container_id)
        .map(str::to_owned)
        .collect()
}

/// `<id>`, `docker-<id>.scope`, and the likes of other runtimes (`cri-containerd-<id>.scope`).
fn container_id(component: &str) -> Option<&str> {
    let name = component.strip_suffix(".scope").unwrap_or(component);
    let id = name.rsplit(['-', ':']).next()?;
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (id.len() == 64 && id.bytes().all(hex)).then_some(id)
}

/// In how many process namespaces, counted from that of our /proc, the process has a number.
fn depth(status: &str) -> usize {
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.map_or(1, |numbers| numbers.split_ascii_whitespace().count())
}

fn own_depth() -> usize {
    std::fs::read_to_string("/proc/self/status").map_or(1, |status| depth(&status))
}

/// Whether the process has ended. Its descriptor becomes readable at that moment; unlike sending
/// signal 0 this needs no right over the process.
fn ended(pidfd: &OwnedFd) -> bool {
    let mut watched = [PollFd::new(pidfd, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    !matches!(rustix::event::poll(&mut watched, Some(&now)), Ok(0))
}
