//! Making a local socket that is never reachable with the wrong owner or mode, replacing one that a
//! crash left behind, and removing our own at the end.
//!
//! A socket accepts connections only after `listen(2)`; owner and mode are set between `bind` and
//! `listen`, on the file that was just bound (held by descriptor, in case the directory is somebody
//! else's). There is no moment with the wrong mode, and no need for the process-wide umask.

use super::ListenError;
use nix::unistd::{Group, User};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, chmodat, chownat, fstat};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use rustix::process::{Gid, Uid};
use std::fs::DirBuilder;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// How the socket file should look.
pub(super) struct Wanted {
    pub(super) mode: Option<u32>,
    pub(super) owner: Option<String>,
    pub(super) group: Option<String>,
}

/// A socket file that we made, removed on drop if it is still the same one.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

pub(super) fn bind(path: &Path, wanted: &Wanted) -> Result<(UnixListener, SocketFile), ListenError> {
    let owner = wanted.owner.as_deref().map(|name| user(path, name)).transpose()?;
    let group = wanted.group.as_deref().map(|name| group(path, name)).transpose()?;
    let address = address(path)?;
    make_directory(path)?;
    clear_stale(path, &address)?;

    let socket = new_socket().map_err(failed(path, "cannot make a socket"))?;
    // Linux gives the file the mode of the socket (less the umask), so that it is born closed.
    let _ = rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR);
    rustix::net::bind(&socket, &address).map_err(failed(path, "cannot bind"))?;
    let (held, file) = hold(path)?;
    set_owner(&held, path, owner, group)?;
    set_mode(&held, wanted.mode.unwrap_or(DEFAULT_MODE)).map_err(failed(path, "cannot set the mode"))?;
    rustix::net::listen(&socket, BACKLOG).map_err(failed(path, "cannot listen"))?;

    let socket = std::os::unix::net::UnixListener::from(socket);
    let socket = UnixListener::from_std(socket).map_err(failed(path, "cannot prepare"))?;
    Ok((socket, file))
}

fn address(path: &Path) -> Result<SocketAddrUnix, ListenError> {
    let wrong = |problem| ListenError::Path { path: path.to_owned(), problem };
    if !path.is_absolute() {
        return Err(wrong("the path must be absolute"));
    }
    SocketAddrUnix::new(path).map_err(|_| wrong("the path is too long for a socket, 107 bytes are the most"))
}

/// Below /run, directories vanish at every boot; elsewhere a missing one is a mistake to be told.
fn make_directory(path: &Path) -> Result<(), ListenError> {
    let Some(parent) = path.parent() else { return Ok(()) };
    if parent.is_dir() {
        return Ok(());
    }
    if !(parent.starts_with("/run") || parent.starts_with("/var/run")) {
        let problem = "its directory does not exist; create it first";
        return Err(ListenError::Path { path: path.to_owned(), problem });
    }
    DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(failed(path, "cannot create its directory"))
}

/// Removes a socket file on which nobody answers. What answers, what is not a socket and what we
/// cannot tell stays.
fn clear_stale(path: &Path, address: &SocketAddrUnix) -> Result<(), ListenError> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(path, "cannot look at it")(error)),
    };
    if !found.file_type().is_socket() {
        return Err(ListenError::NotASocket { path: path.to_owned() });
    }
    let probe = new_socket().map_err(failed(path, "cannot make a socket"))?;
    match rustix::net::connect(&probe, address) {
        Err(rustix::io::Errno::CONNREFUSED) => {}
        // EAGAIN: somebody is there and its queue is full.
        Ok(()) | Err(rustix::io::Errno::AGAIN) => {
            return Err(ListenError::Living { path: path.to_owned() });
        }
        Err(error) => return Err(failed(path, "cannot tell whether the socket is in use")(error)),
    }
    std::fs::remove_file(path).map_err(failed(path, "cannot remove the old socket"))
}

/// Non-blocking, as tokio and the probe need it.
fn new_socket() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// Holds the file that was just bound, so that what is changed next is that file even if someone
/// who may write to the directory puts a link in its place.
fn hold(path: &Path) -> Result<(OwnedFd, SocketFile), ListenError> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held =
        rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(failed(path, "cannot open the new socket"))?;
    let stat = fstat(&held).map_err(failed(path, "cannot look at the new socket"))?;
    if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_socket() {
        return Err(ListenError::NotASocket { path: path.to_owned() });
    }
    let file = SocketFile { path: path.to_owned(), identity: (stat.st_dev, stat.st_ino) };
    Ok((held, file))
}

fn set_owner(held: &OwnedFd, path: &Path, owner: Option<Uid>, group: Option<Gid>) -> Result<(), ListenError> {
    let change = |group| chownat(held, "", owner, group, AtFlags::EMPTY_PATH);
    if owner.is_none() && group.is_none() {
        // Nobody asked for `docker`: where we may not give it away, our own group will do.
        if let Some(docker) = find_group(DEFAULT_GROUP) {
            let _ = change(Some(docker));
        }
        return Ok(());
    }
    let group = group.or_else(|| find_group(DEFAULT_GROUP));
    change(group).map_err(failed(path, "cannot set the owner"))
}

/// A descriptor opened with O_PATH cannot be changed itself, its name under /proc can.
fn set_mode(held: &OwnedFd, mode: u32) -> rustix::io::Result<()> {
    let name = format!("/proc/self/fd/{}", held.as_raw_fd());
    chmodat(CWD, name, Mode::from_raw_mode(mode & 0o777), AtFlags::empty())
}

fn user(path: &Path, name: &str) -> Result<Uid, ListenError> {
    let number = name.parse().ok();
    let found = number.or_else(|| Some(User::from_name(name).ok()??.uid.as_raw()));
    found.map(Uid::from_raw).ok_or_else(|| no_such(path, "user", name))
}

fn group(path: &Path, name: &str) -> Result<Gid, ListenError> {
    let number = name.parse().ok().map(Gid::from_raw);
    number.or_else(|| find_group(name)).ok_or_else(|| no_such(path, "group", name))
}

fn find_group(name: &str) -> Option<Gid> {
    Some(Gid::from_raw(Group::from_name(name).ok()??.gid.as_raw()))
}

fn no_such(path: &Path, kind: &'static str, name: &str) -> ListenError {
    ListenError::NoSuchName { path: path.to_owned(), kind, name: name.to_owned() }
}

fn failed<E: Into<io::Error>>(path: &Path, what: &'static str) -> impl FnOnce(E) -> ListenError {
    let place = path.display().to_string();
    move |error| ListenError::System { place, what, source: error.into() }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let still_ours =
            std::fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.identity);
        if still_ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

const DEFAULT_MODE: u32 = 0o660;
const DEFAULT_GROUP: &str = "docker";
/// As many as may wait for accept; Linux cuts it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;
