//! The daemon's process: it is told to read its configuration again, and never restarted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A running daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(Pid);

impl Process {
    /// The one whose id is in the file; `None` where there is no file or no such process.
    pub fn find(pidfile: &Path) -> Result<Option<Process>, String> {
        let text = match fs::read_to_string(pidfile) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", pidfile.display())),
        };
        let pid = text.trim().parse().ok().filter(|pid| *pid > 1).map(Pid::from_raw);
        let pid = pid.ok_or_else(|| format!("{}: `{}` is no process id", pidfile.display(), text.trim()))?;
        let process = Process(pid);
        match process.command() {
            None => Ok(None),
            // A signal to a stranger would end it.
            Some(name) if !name.contains("dockerd") => {
                Err(format!("{}: process {pid} is `{name}`, not dockerd; say where with --pidfile", pidfile.display()))
            }
            Some(_) => Ok(Some(process)),
        }
    }

    /// Whether it still runs.
    pub fn runs(self) -> bool {
        self.command().is_some()
    }

    /// Has it read its configuration again, which changes its plugins at once and ends nothing.
    pub fn reload(self) -> Result<(), String> {
        kill(self.0, Signal::SIGHUP).map_err(|error| format!("cannot send SIGHUP to dockerd ({}): {error}", self.0))
    }

    /// What the daemon itself says of a configuration file, where it is of a version that looks.
    pub fn validate(self, file: &Path) -> Result<(), String> {
        validate(&PathBuf::from(format!("/proc/{}/exe", self.0)), file)
    }

    /// The words that it was started with.
    pub fn words(self) -> Vec<String> {
        let bytes = fs::read(format!("/proc/{}/cmdline", self.0)).unwrap_or_default();
        let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    /// Its process id, for people.
    pub fn id(self) -> i32 {
        self.0.as_raw()
    }

    fn command(self) -> Option<String> {
        // What has ended and was not waited for yet has no program any more.
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        (!rest.trim_start().starts_with('Z')).then(|| name.to_owned())
    }
}

/// What a program of the daemon says of a configuration file; one that does not know how to look says nothing.
pub fn validate(program: &Path, file: &Path) -> Result<(), String> {
    let Ok(said) = Command::new(program).arg("--validate").arg("--config-file").arg(file).output() else {
        return Ok(());
    };
    let words = String::from_utf8_lossy(&said.stderr);
    let words = words.trim();
    // One that cannot even start, for it lives in a root of its own, says nothing of the file.
    let is_refusal = words.contains("configur") && !words.contains("unknown flag");
    if said.status.success() || !is_refusal {
        return Ok(());
    }
    Err(format!("dockerd would not take its new configuration: {words}"))
}
