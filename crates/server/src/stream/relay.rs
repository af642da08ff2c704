//! Both directions of a taken-over stream, until both have ended, one has broken, or both have been
//! silent for too long.

use super::{ClientStream, DaemonStream, Raw, copy, splice};
use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::future::pending;
use std::io;
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Bytes that were read together with a head and belong to the stream. They go first.
#[derive(Clone, Debug, Default)]
pub struct Already {
    /// Read from the client, not yet given to the daemon.
    pub to_daemon: Bytes,
    /// Read from the daemon, not yet given to the client.
    pub to_client: Bytes,
}

/// How many bytes have passed so far. Lives outside of [`relay`] so that the record is right even
/// when the relay breaks or is dropped halfway.
#[derive(Debug, Default)]
pub struct Traffic {
    pub(super) to_daemon: AtomicU64,
    pub(super) to_client: AtomicU64,
}

impl Traffic {
    /// Counts bytes given to the daemon by somebody else than [`relay`].
    pub(crate) fn to_daemon(&self, bytes: usize) {
        self.to_daemon.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts bytes given to the client by somebody else than [`relay`].
    pub(crate) fn to_client(&self, bytes: usize) {
        self.to_client.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The count now.
    pub fn so_far(&self) -> Transferred {
        Transferred {
            to_daemon: self.to_daemon.load(Ordering::Relaxed),
            to_client: self.to_client.load(Ordering::Relaxed),
        }
    }
}

/// Bytes given to either side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transferred {
    /// From the client to the daemon.
    pub to_daemon: u64,
    /// From the daemon to the client.
    pub to_client: u64,
}

/// Moves bytes both ways until both directions have ended, each with a half-close passed on to the
/// other side. An error in one direction ends both. With `silence`, so does that long a time
/// without a byte either way (`TimedOut`, at most a quarter late).
pub async fn relay(
    mut client: ClientStream,
    mut daemon: DaemonStream,
    already: Already,
    silence: Option<Duration>,
    traffic: &Traffic,
) -> io::Result<Transferred> {
    // Pinned where they are made: a future that is moved takes its room twice, and a stream rests for days.
    let moved = pin!(async {
        match (client.raw(), daemon.raw()) {
            (Some(c), Some(d)) => spliced(c, d, &already, traffic).await,
            _ => Box::pin(copied(&mut client, &mut daemon, already, traffic)).await,
        }
    });
    tokio::select! {
        ended = moved => ended?,
        () = silent(silence, traffic) => {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the stream was silent for too long"));
        }
    }
    Ok(traffic.so_far())
}

async fn spliced(client: Raw<'_>, daemon: Raw<'_>, already: &Already, traffic: &Traffic) -> io::Result<()> {
    let (client_ended, daemon_ended) = (Notify::new(), Notify::new());
    let mut inward = pin!(async {
        splice::pump(client, daemon, &already.to_daemon, &traffic.to_daemon).await?;
        client_ended.notify_one();
        Ok(())
    });
    let mut outward = pin!(async {
        splice::pump(daemon, client, &already.to_client, &traffic.to_client).await?;
        daemon_ended.notify_one();
        Ok(())
    });
    tokio::select! {
        both = async { tokio::try_join!(&mut inward, &mut outward) } => both.map(|((), ())| ()),
        () = gone(client, &client_ended) => Ok(()),
        () = gone(daemon, &daemon_ended) => Ok(()),
    }
}

async fn copied(
    client: &mut ClientStream,
    daemon: &mut DaemonStream,
    already: Already,
    traffic: &Traffic,
) -> io::Result<()> {
    let (from_client, to_client) = tokio::io::split(client);
    let (from_daemon, to_daemon) = tokio::io::split(daemon);
    tokio::try_join!(
        copy::pump(from_client, to_daemon, already.to_daemon, &traffic.to_daemon),
        copy::pump(from_daemon, to_client, already.to_client, &traffic.to_client),
    )?;
    Ok(())
}

/// Ends when a side that has already said that it will send no more is not there to receive either.
/// A half-close and a killed client look the same to a reader; without this look a killed
/// `docker attach` to a silent container would keep its two connections for as long as the
/// container is silent.
async fn gone(side: Raw<'_>, ended: &Notify) {
    ended.notified().await;
    Box::pin(hung_up(&side, LOOK_EVERY)).await;
}

/// Ends when the other side of a socket has closed both directions; looks every so often, for the first
/// time after that long, so that what is on its way in the other direction still gets its chance.
pub(crate) async fn hung_up(socket: &impl AsFd, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let mut watched = [PollFd::new(socket, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let looked = rustix::event::poll(&mut watched, Some(&now));
        let hung_up = watched.iter().any(|fd| fd.revents().contains(PollFlags::HUP));
        if looked.is_ok() && hung_up {
            return;
        }
    }
}

/// Ends when no byte has moved for `wait`; never without one.
async fn silent(wait: Option<Duration>, traffic: &Traffic) {
    let Some(wait) = wait else { return pending().await };
    let quarter = wait.checked_div(4).unwrap_or(wait).max(Duration::from_millis(1));
    let (mut before, mut quiet) = (traffic.so_far(), Duration::ZERO);
    while quiet < wait {
        tokio::time::sleep(quarter).await;
        let now = traffic.so_far();
        quiet = if now == before { quiet.saturating_add(quarter) } else { Duration::ZERO };
        before = now;
    }
}

/// How often to look whether a side that has half-closed is still there.
const LOOK_EVERY: Duration = Duration::from_secs(5);
