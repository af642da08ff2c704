//! The plugin's socket, asked as the daemon asks it, before the daemon does.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::SOCKET;
use super::socket::Request;

/// What a plugin says of itself and of two requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Whether it lets everybody ask the daemon whether it is there; it does not where it wants to be asked through the
    /// gateway only.
    pub lets_pass: bool,
}

/// Asks a plugin what it is and what it would decide. The sentence says why it cannot be a daemon's.
pub fn ask(socket: &Path) -> Result<Found, String> {
    let activated = post(socket, "/Plugin.Activate", &Value::Null)?;
    let implements = activated.get("Implements").and_then(Value::as_array);
    if !implements.is_some_and(|all| all.iter().any(|one| one == "authz")) {
        return Err(format!("what answers at {} is no authorization plugin", socket.display()));
    }
    let allows = |target: &str| {
        let question = json!({ "RequestMethod": "GET", "RequestUri": target });
        let answer = post(socket, "/AuthZPlugin.AuthZReq", &question)?;
        answer.get("Allow").and_then(Value::as_bool).ok_or_else(|| format!("the plugin gave no decision: {answer}"))
    };
    if allows(MARKED)? {
        return Err("the plugin lets a request pass that Dockwarden never does: this is not Dockwarden".to_owned());
    }
    Ok(Found { lets_pass: allows("/_ping")? })
}

/// The same, as soon as somebody answers.
pub fn ask_patiently(socket: &Path, patience: Duration) -> Result<Found, String> {
    let begin = Instant::now();
    loop {
        match ask(socket) {
            Err(_) if begin.elapsed() < patience => std::thread::sleep(PAUSE),
            found => return found,
        }
    }
}

/// Whether a plugin that may be anybody's answers there.
pub fn activates(socket: &Path) -> bool {
    post(socket, "/Plugin.Activate", &Value::Null).is_ok_and(|answer| answer.get("Implements").is_some())
}

/// Where the daemon finds the socket of a plugin that is no managed one.
pub fn of_service(plugins: &Path, name: &str) -> Option<PathBuf> {
    let beside = plugins.join(format!("{name}.sock"));
    let within = plugins.join(name).join(format!("{name}.sock"));
    [beside, within].into_iter().find(|path| path.metadata().is_ok_and(|found| found.file_type().is_socket()))
}

/// Where a managed plugin of Dockwarden's answers; the daemon may not say which one.
pub fn of_managed(plugins: &Path) -> Option<PathBuf> {
    let folders = plugins.read_dir().ok()?.flatten().map(|folder| folder.path().join(SOCKET));
    let mut sockets = folders.filter(|path| path.exists());
    sockets.find(|socket| ask(socket).is_ok())
}

fn post(socket: &Path, target: &str, body: &Value) -> Result<Value, String> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request { body: Some(("", body.as_bytes())), ..Request::new("POST", target, WAIT) };
    let answer = request.ask(socket).map_err(|error| format!("the plugin at {}: {error}", socket.display()))?;
    match answer.status {
        200 => Ok(answer.json()),
        status => Err(format!("the plugin at {} answers {status}", socket.display())),
    }
}

/// A request without effect that no policy lets pass, for it has a parameter that nobody knows: who asks Dockwarden
/// about it refuses it, and who does not answers it.
pub const MARKED: &str = "/_ping?dockwarden-asks=1";
/// For one answer.
const WAIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
