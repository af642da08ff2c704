//! What a managed plugin is made of: `config.json`, and a root file system that holds this program and, where it is not
//! whole by itself, what loads it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::elf::Program;
use super::package::this_program;
use crate::engine::SOCKET;
use crate::scratch::Scratch;

/// What was put into a bundle.
pub struct Bundle {
    /// What loads the program, and its libraries. None: it is static.
    pub libraries: Vec<PathBuf>,
    /// The size of the program, without what is never loaded.
    pub size: usize,
}

/// Writes a bundle into a folder, which is made; one that is there must be empty.
pub fn write(folder: &Path, binary: &Path) -> Result<Bundle, String> {
    let of = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let bytes = fs::read(binary).map_err(|error| of(binary, &error))?;
    let program = Program::read(&bytes).map_err(|error| of(binary, &error))?;
    let libraries = match program.interpreter() {
        Some(interpreter) => libraries(interpreter, binary)?,
        None => Vec::new(),
    };
    fs::create_dir_all(folder).map_err(|error| of(folder, &error))?;
    if fs::read_dir(folder).map_err(|error| of(folder, &error))?.next().is_some() {
        return Err(of(folder, &"it is not empty"));
    }
    let root = folder.join("rootfs");
    let stripped = program.stripped();
    let size = stripped.len();
    put(&root, Path::new(PROGRAM), &stripped)?;
    for library in &libraries {
        // A link among the places of libraries is no concern of the plugin's root: what it leads to is put there.
        put(&root, library, &fs::read(library).map_err(|error| of(library, &error))?)?;
    }
    let configuration = folder.join("config.json");
    fs::write(&configuration, format!("{:#}\n", config())).map_err(|error| of(&configuration, &error))?;
    Ok(Bundle { libraries, size })
}

/// A bundle as the daemon takes it: that of a folder, or one of this program.
pub fn archive(folder: Option<&Path>) -> Result<Vec<u8>, String> {
    let scratch = Scratch::make()?;
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => {
            let made = scratch.path().join("plugin");
            write(&made, &this_program()?)?;
            made
        }
    };
    let mut tar = Command::new("tar");
    tar.args(["--create", "--owner=0", "--group=0", "--numeric-owner", "--directory"]).arg(&folder);
    let said = tar.args(["config.json", "rootfs"]).output().map_err(|error| format!("tar: {error}"))?;
    if !said.status.success() {
        return Err(format!("tar: {}", String::from_utf8_lossy(&said.stderr).trim()));
    }
    Ok(said.stdout)
}

/// What loads a program, and all that it would load for it: it is asked itself, which knows best where it looks. The
/// program is not run.
fn libraries(interpreter: &str, binary: &Path) -> Result<Vec<PathBuf>, String> {
    let cannot =
        |error: &dyn std::fmt::Display| format!("cannot tell what {} is loaded with: {error}", binary.display());
    let listed = Command::new(interpreter).arg("--list").arg(binary).output().map_err(|error| cannot(&error))?;
    if !listed.status.success() {
        return Err(cannot(&String::from_utf8_lossy(&listed.stderr).trim()));
    }
    let mut found = vec![PathBuf::from(interpreter)];
    for line in String::from_utf8_lossy(&listed.stdout).lines() {
        // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)`; what the kernel brings itself has no path.
        let path = line.split_once("=>").map_or(line, |(_, path)| path).trim();
        let path = path.split_once(" (").map_or(path, |(path, _)| path);
        if path == "not found" {
            return Err(cannot(&line.trim()));
        }
        let path = PathBuf::from(path);
        if path.is_absolute() && !found.contains(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Puts a program or a library into a root.
fn put(root: &Path, path: &Path, bytes: &[u8]) -> Result<(), String> {
    let inside = root.join(path.strip_prefix("/").unwrap_or(path));
    let written = inside.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        fs::write(&inside, bytes)?;
        fs::set_permissions(&inside, fs::Permissions::from_mode(0o755))
    });
    written.map_err(|error| format!("{}: {error}", inside.display()))
}

/// The plugin as the daemon is told of it. It asks for as little as the work needs: no network, no further
/// capabilities, and of the host to look, but for the folder that it keeps its state and records in.
fn config() -> Value {
    let mount = |name: &str, source: &str, destination: &str, options: &[&str], what: &str| {
        json!({
            "name": name, "description": what, "type": "bind",
            "source": source, "destination": destination, "options": options, "settable": ["source"],
        })
    };
    json!({
        "description": "Dockwarden, a policy firewall for the Docker API",
        "documentation": "docs/plugin-install.md in Dockwarden's sources",
        "interface": { "types": ["docker.authz/1.0"], "socket": SOCKET },
        "entrypoint": [
            PROGRAM, "serve", "--plugin-socket", format!("/run/docker/plugins/{SOCKET}"), "--host-root", HOST,
        ],
        "workdir": "/",
        "network": { "type": "none" },
        "linux": { "capabilities": [], "allowAllDevices": false, "devices": [] },
        "mounts": [
            mount("config", "/etc/dockwarden", "/etc/dockwarden", &["rbind", "ro"], "the folder of config.yaml"),
            mount("state", STATE, "/var/lib/dockwarden", &["rbind"], "where state and records are kept"),
            mount("docker", "/var/run/docker.sock", "/var/run/docker.sock", &["rbind"], "the daemon's own socket"),
            mount("passwd", "/etc/passwd", "/etc/passwd", &["rbind", "ro"], "the names of the host's users"),
            mount("group", "/etc/group", "/etc/group", &["rbind", "ro"], "the names of the host's groups"),
            // As the host mounts and unmounts, so it is seen here, and no file system is kept busy.
            mount("host", "/", HOST, &["rbind", "ro", "rslave"], "where links in host paths are followed"),
        ],
        "env": [
            { "name": "RUST_LOG", "description": "how much to say: error, warn, info, debug",
              "value": "info", "settable": ["value"] },
        ],
        "args": { "name": "args", "description": "further flags of `dockwarden serve`", "value": [], "settable": ["value"] },
    })
}

/// The program within the plugin.
const PROGRAM: &str = "/dockwarden";
/// The host's files within the plugin.
const HOST: &str = "/host";
/// The plugin's state on the host. Not that of a gateway beside it: one process has a state at a time.
pub const STATE: &str = "/var/lib/dockwarden-plugin";
