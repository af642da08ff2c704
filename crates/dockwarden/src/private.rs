//! A filtered socket for one command: in a folder that only its user can enter, gone with the command.
//!
//! Made by `run` and `explain`; who may connect is settled by the folder, before any policy.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use policy::Policy;
use server::firewall::{Firewall, Settings};
use server::gateway::Gateway;
use server::listen::{ListenAddress, ListenSpec, Listener};
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// An open socket with a gateway behind it.
pub struct PrivateDoor {
    folder: Folder,
    firewall: Arc<Firewall>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl PrivateDoor {
    /// Opens it. The sentence says why it cannot be.
    pub fn open(settings: Settings, policy: Policy) -> Result<Self, String> {
        let folder = Folder::make().map_err(|error| format!("cannot make a private folder: {error}"))?;
        let address = ListenAddress::Unix { path: folder.socket(), mode: Some(0o600), owner: None, group: None };
        let listener = Listener::bind(ListenSpec { address, tls: None }).map_err(|error| error.to_string())?;
        let firewall = Firewall::new(settings, Arc::new(ArcSwap::from_pointee(policy)));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn({
            let gateway = Gateway::new(Arc::clone(&firewall));
            async move {
                gateway.serve(vec![listener], async { drop(stopped.await) }).await;
            }
        });
        Ok(Self { folder, firewall, stop, serving })
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.socket()
    }

    /// Points a command's docker clients at it, whatever the user's environment points them at.
    pub fn point(&self, command: &mut Command) {
        command.env("DOCKER_HOST", format!("unix://{}", self.socket().display()));
        for other in ["DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"] {
            command.env_remove(other);
        }
    }

    /// Closes it, and waits until its records are kept.
    pub async fn close(self) {
        let _ = self.stop.send(());
        let _ = self.serving.await;
        let firewall = self.firewall;
        let _ = tokio::task::spawn_blocking(move || firewall.flush_records()).await;
    }
}

/// A folder of our own, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    /// In the user's own run-time folder where there is one; else in the one for temporary files, where
    /// others may have put something of that name: then the next one is tried.
    fn make() -> io::Result<Self> {
        let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_dir());
        let parent = own.unwrap_or_else(std::env::temp_dir);
        let parent = std::path::absolute(parent)?;
        let mut attempt = 0_u32;
        loop {
            let folder = parent.join(format!("dockwarden-{}-{attempt}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => return Ok(Self(folder)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS => {}
                Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", folder.display()))),
            }
            attempt = attempt.saturating_add(1);
        }
    }

    fn socket(&self) -> PathBuf {
        self.path().join("docker.sock")
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.path());
    }
}

const ATTEMPTS: u32 = 1000;
