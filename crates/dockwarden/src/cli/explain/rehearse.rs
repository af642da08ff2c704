//! A private socket that judges and answers, and does nothing else; and the docker client run on it.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use policy::Subject;
use server::firewall::{Manner, Records, Settings};
use server::limits::Limits;
use server::record::Record;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::config::{Config, Mediation};
use crate::private::PrivateDoor;
use crate::talk;

/// The socket, and what is told of the exchanges on it.
pub struct Rehearsal {
    door: PrivateDoor,
    records: UnboundedReceiver<Record>,
}

impl Rehearsal {
    /// Opens the socket.
    pub fn open(config: Config, subject: Option<Subject>) -> Result<Self, String> {
        let (teller, records) = unbounded_channel();
        let checks = server::checks::Desk::new(config.checks, &config.settings.limits);
        let settings = Settings {
            upstream: config.settings.upstream.upstream(),
            limits: Limits { drain: DRAIN, ..config.settings.limits },
            reading: config.settings.understand.reading(),
            records: Records::Tell(teller),
            manner: Manner::Rehearse,
            subject,
            spool: std::env::temp_dir(),
            host_root: "/".into(),
            seal: config.settings.mediation.as_ref().and_then(Mediation::known),
            owners: None,
            checks: Arc::new(checks),
        };
        Ok(Self { door: PrivateDoor::open(settings, config.policy)?, records })
    }

    /// The socket's path.
    pub fn socket(&self) -> PathBuf {
        self.door.socket()
    }

    /// The next exchange; none when there is none in time.
    pub async fn next(&mut self, within: Duration) -> Option<Record> {
        tokio::time::timeout(within, self.records.recv()).await.ok().flatten()
    }

    /// Runs a command against the socket, and tells of every exchange it made.
    pub async fn of(self, command: &[OsString], quiet: bool) -> Result<Vec<Record>, String> {
        let said = match self.start(command) {
            Ok(child) => accompany(child, quiet).await,
            Err(error) => {
                let program = command.first().map(|program| program.to_string_lossy()).unwrap_or_default();
                Err(format!("cannot start `{program}`: {error}; the real docker client is needed to see what it asks"))
            }
        };
        let records = self.end().await;
        said?;
        if records.is_empty() {
            return Err("the command asked nothing of the daemon".to_owned());
        }
        Ok(records)
    }

    /// Closes the socket and gathers what is left to tell.
    pub async fn end(self) -> Vec<Record> {
        let Self { door, mut records } = self;
        door.close().await;
        records.close();
        let mut told = Vec::new();
        while let Some(record) = records.recv().await {
            told.push(record);
        }
        told.sort_by(|one, other| one.id.cmp(&other.id));
        told
    }

    fn start(&self, command: &[OsString]) -> io::Result<Child> {
        let (program, arguments) = command.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        self.door.point(&mut command);
        command.spawn()
    }
}

/// Waits for the command, and passes on what it says. Its own status is not ours: it may well fail on
/// answers that are made up.
async fn accompany(mut child: Child, quiet: bool) -> Result<(), String> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let to_end = async {
        let (_, _, _ended) = tokio::join!(pass_on(stdout, quiet), pass_on(stderr, quiet), child.wait());
    };
    tokio::select! {
        () = to_end => {}
        () = tokio::time::sleep(LONGEST) => {
            talk::say(&format!("the command did not end within {} s and was stopped", LONGEST.as_secs()));
        }
        () = interrupted() => {}
    }
    let _ = child.kill().await;
    Ok(())
}

/// Somebody has seen enough. What was asked so far is told, and the socket removed, all the same.
pub async fn interrupted() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

async fn pass_on(from: Option<impl AsyncRead + Unpin>, quiet: bool) {
    let Some(from) = from else { return };
    let mut lines = BufReader::new(from).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        if !quiet {
            eprintln!("docker | {}", String::from_utf8_lossy(&line).trim_end());
        }
    }
}

/// What a rehearsal of `docker events` would never come to.
const LONGEST: Duration = Duration::from_secs(30);
const DRAIN: Duration = Duration::from_millis(500);
