//! The few calls into the kernel that neither `rustix` nor `nix` offers. The only file of the
//! workspace with `unsafe`; each block says why it is sound, and nothing here decides anything.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Most groups that Linux gives one process (`NGROUPS_MAX`).
const MOST_GROUPS: usize = 65_536;

/// The supplementary groups that the peer of a Unix socket had when it connected
/// (`SO_PEERGROUPS`). May lack the peer's primary group.
pub fn peer_groups(socket: impl AsFd) -> io::Result<Vec<u32>> {
    let fd = socket.as_fd().as_raw_fd();
    let mut room = 64_usize;
    loop {
        let mut groups = vec![0 as libc::gid_t; room];
        let mut bytes = bytes_of(&groups)?;
        // SAFETY: `groups` is writable for `bytes` bytes, which is what the kernel is told; any bit
        // pattern it writes is a valid gid_t; `fd` is open, being borrowed from `socket`.
        let result = unsafe {
            libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_PEERGROUPS, groups.as_mut_ptr().cast(), &raw mut bytes)
        };
        let count = usize::try_from(bytes).unwrap_or(0).checked_div(size_of::<libc::gid_t>());
        let count = count.unwrap_or(0);
        if result == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        // ERANGE says how much room is needed. Never ask twice for the same.
        if error.raw_os_error() != Some(libc::ERANGE) || count <= room || count > MOST_GROUPS {
            return Err(error);
        }
        room = count;
    }
}

fn bytes_of(groups: &[libc::gid_t]) -> io::Result<libc::socklen_t> {
    libc::socklen_t::try_from(size_of_val(groups)).map_err(io::Error::other)
}

/// A descriptor of our own for one that was handed to the process by number (systemd's socket
/// activation). The original stays open, so asking again is harmless.
pub fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_DUPFD_CLOEXEC takes any number and answers EBADF for one that is not open.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made `copy` for us; nothing else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// A socket of which the runtime listens for nothing but this.
pub fn listen_for(interest: Interest, socket: UnixStream) -> io::Result<AsyncFd<UnixStream>> {
    // SAFETY: a `UnixStream` owns its descriptor and answers with the same one for as long as it lives.
    Ok(unsafe { AsyncFd::register_with_interest(socket, interest) }?)
}
