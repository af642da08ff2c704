//! What is open that should perhaps not be: said once at the start, and by `check`. None of it keeps
//! anybody from starting, for each has its honest uses; but each is a way around the firewall.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use nix::unistd::{Gid, Group};
use server::listen::ListenAddress;
use server::upstream::UpstreamAddress;

use super::{Listen, PluginDoor, Settings};

/// Sentences; none when all is well.
pub fn warnings(settings: &Settings) -> Vec<String> {
    let listening = settings.listen.iter().filter_map(of_listener);
    // Where the daemon asks its plugin, nobody is past this policy who reaches it.
    let upstream = of_upstream(&settings.upstream.address, settings.upstream.tls.is_some());
    let asked = settings.plugin.iter().filter_map(of_plugin);
    let is_asked = settings.guards_upstream() && settings.plugin.is_none();
    listening.chain(asked).chain(upstream.filter(|_| is_asked)).collect()
}

/// Whether a listener is the very socket that the daemon is expected on: every request would come back.
pub fn loops(settings: &Settings) -> Option<String> {
    let UpstreamAddress::Unix(daemon) = &settings.upstream.address else { return None };
    let ours = settings
        .listen
        .iter()
        .any(|listen| matches!(&listen.address, ListenAddress::Unix { path, .. } if whole(path) == whole(daemon)));
    ours.then(|| {
        let daemon = daemon.display();
        format!("`{daemon}` cannot be both where dockwarden listens and where the daemon is; choose another socket to listen on")
    })
}

fn of_listener(listen: &Listen) -> Option<String> {
    let (ListenAddress::Tcp(address) | ListenAddress::Transparent { address, .. }) = &listen.address else {
        return None;
    };
    if address.ip().is_loopback() || listen.tls.is_some() {
        return None;
    }
    Some(format!(
        "tcp://{address} is open to the network without TLS: whoever reaches it asks without proof of who \
         they are, and whoever is on the way can read and change what is asked; add `tls` with `client_ca`"
    ))
}

fn of_plugin(door: &PluginDoor) -> Option<String> {
    let ListenAddress::Tcp(address) = &door.listen.address else { return None };
    door.listen.tls.is_none().then(|| {
        format!(
            "the daemon asks its plugin at tcp://{address} without TLS: root of this host can ask, too, and so can root \
             of containers with the host's network; `socket: true` in docksec's file is for the daemon alone"
        )
    })
}

fn of_upstream(address: &UpstreamAddress, tls: bool) -> Option<String> {
    match address {
        UpstreamAddress::Unix(path) => reachable_by(path).map(|who| {
            let path = path.display();
            format!(
                "{who} can reach the daemon at {path} directly, past this policy; make it root's own: chmod 0600 {path}"
            )
        }),
        UpstreamAddress::Tcp { host, port } if !tls => Some(format!(
            "the daemon at tcp://{host}:{port} takes requests without TLS: whoever reaches it needs no firewall's leave"
        )),
        UpstreamAddress::Tcp { .. } => None,
    }
}

/// Who but root and the owner may connect to a socket. What is not there (yet) is reachable by nobody.
fn reachable_by(path: &Path) -> Option<String> {
    let found = std::fs::metadata(path).ok().filter(|found| found.file_type().is_socket())?;
    if found.mode() & 0o002 != 0 {
        return Some("every user of this host".to_owned());
    }
    let group = found.gid();
    if found.mode() & 0o020 == 0 || group == 0 {
        return None;
    }
    let name = Group::from_gid(Gid::from_raw(group)).ok().flatten().map(|group| group.name);
    Some(format!("every member of group `{}`", name.unwrap_or_else(|| group.to_string())))
}

/// Without links: /var/run is one.
fn whole(path: &Path) -> Option<std::path::PathBuf> {
    let folder = path.parent()?;
    Some(folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).join(path.file_name()?))
}
