//! The plugin as a service of the host: a unit of systemd, where systemd runs the host, and a file that says where its
//! socket is, where it is not where the daemon looks first.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::package::this_program;
use crate::engine::OWN;

/// Where the daemon reads of plugins whose sockets are elsewhere.
pub const SPECS: &str = "/etc/docker/plugins";

/// Whether systemd runs this host.
pub fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Makes systemd run the plugin, now and at every start.
pub fn start() -> Result<(), String> {
    let unit = unit();
    if !shipped() && !unit.exists() {
        let program = this_program()?.display().to_string();
        let text = UNIT.replace("/usr/bin/dockwarden", &program);
        fs::write(&unit, text).map_err(|error| format!("{}: {error}", unit.display()))?;
        systemctl(&["daemon-reload"])?;
    }
    systemctl(&["enable", "--now", SERVICE])
}

/// Ends it, and takes the unit away that [`start`] wrote.
pub fn stop() -> Result<(), String> {
    if !shipped() && !unit().exists() {
        return Ok(());
    }
    systemctl(&["disable", "--now", SERVICE])?;
    let ours = fs::read_to_string(unit()).is_ok_and(|text| text.starts_with(FIRST_LINE));
    if ours {
        fs::remove_file(unit()).map_err(|error| format!("{}: {error}", unit().display()))?;
        systemctl(&["daemon-reload"])?;
    }
    Ok(())
}

/// The file in which the daemon reads where the socket is.
pub fn spec(folder: &Path) -> PathBuf {
    folder.join(format!("{OWN}.spec"))
}

/// Writes it.
pub fn write_spec(folder: &Path, socket: &Path) -> Result<(), String> {
    let file = spec(folder);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, format!("unix://{}\n", socket.display())));
    written.map_err(|error| format!("{}: {error}", file.display()))
}

/// Takes it away, where it is there.
pub fn remove_spec(folder: &Path) -> Result<(), String> {
    match fs::remove_file(spec(folder)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", spec(folder).display()))
        }
        _ => Ok(()),
    }
}

/// Whether a package of the distribution brought the unit.
fn shipped() -> bool {
    ["/usr/lib/systemd/system", "/lib/systemd/system"].iter().any(|folder| Path::new(folder).join(SERVICE).exists())
}

fn unit() -> PathBuf {
    Path::new("/etc/systemd/system").join(SERVICE)
}

fn systemctl(words: &[&str]) -> Result<(), String> {
    let said = Command::new("systemctl").args(words).output().map_err(|error| format!("systemctl: {error}"))?;
    if said.status.success() {
        return Ok(());
    }
    Err(format!("systemctl {}: {}", words.join(" "), String::from_utf8_lossy(&said.stderr).trim()))
}

/// The unit.
pub const SERVICE: &str = "dockwarden-plugin.service";
const UNIT: &str = include_str!("../../../../../packaging/dockwarden-plugin.service");
const FIRST_LINE: &str = "# Dockwarden as Docker's authorization plugin";
