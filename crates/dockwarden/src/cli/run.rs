//! `dockwarden run -- COMMAND`: a filtered Docker for one command, gone with it.
//!
//! The command sees a socket of its own in `DOCKER_HOST`. It is not confined: whoever can reach the
//! real socket can still do so; this is for a build, a test suite or an agent that should not.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use server::firewall::{Manner, Records, Settings};
use server::upstream::UpstreamAddress;
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind};

use super::{Exit, Failure, PolicyArguments};
use crate::config::{self, Config, Mediation, Wishes};
use crate::private::PrivateDoor;
use crate::talk;

/// Give one command a filtered Docker of its own
///
/// A private socket is put into DOCKER_HOST and is gone with the command. The exit status is the
/// command's; 128 and the signal's number when a signal ended it, 127 when it was not found.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    policy: PolicyArguments,
    /// Where the daemon is: unix:///path or tcp://HOST:PORT
    #[arg(long, value_name = "ADDR")]
    upstream: Option<UpstreamAddress>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Runs the command to its end.
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { policy, upstream, command } = arguments;
    // The system's file is about the system's socket; this one is the user's own.
    let config = config::load(&Wishes { upstream, only_named: true, ..policy.wishes() })?;
    with(config, &command)
}

/// Runs a command on a socket by this configuration.
pub fn with(config: Config, command: &[OsString]) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Sentence(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(beside(config, command));
    runtime.shutdown_background();
    ended.map_err(Failure::Sentence)
}

async fn beside(config: Config, command: &[OsString]) -> Result<Exit, String> {
    let settings = Settings {
        upstream: config.settings.upstream.upstream(),
        limits: server::limits::Limits { drain: DRAIN, ..config.settings.limits.clone() },
        reading: config.settings.understand.reading(),
        records: records(&config),
        manner: Manner::Forward,
        subject: None,
        spool: config.settings.spool.open().unwrap_or_else(|_| std::env::temp_dir()),
        host_root: "/".into(),
        seal: config.settings.mediation.as_ref().and_then(Mediation::known),
        owners: None,
        checks: Arc::new(server::checks::Desk::new(config.checks, &config.settings.limits)),
    };
    // Before the socket is there: from here on a signal must not leave it behind.
    let mut signals = Signals::new().map_err(|error| format!("cannot take signals: {error}"))?;
    let door = PrivateDoor::open(settings, config.policy)?;
    let ended = match start(&door, command) {
        Ok(mut child) => accompany(&mut child, &mut signals)
            .await
            .map(exit)
            .map_err(|error| format!("cannot wait for the command: {error}")),
        Err(error) => Ok(not_started(command, &error)),
    };
    door.close().await;
    ended
}

/// In the state folder; where that cannot be, nowhere: a build must not fail for its records.
fn records(config: &Config) -> Records {
    match config.settings.records.open() {
        Ok(recorder) => Records::File(Arc::new(recorder)),
        Err(error) => {
            talk::say(&format!("no records will be kept: {error}"));
            Records::Nowhere
        }
    }
}

fn start(door: &PrivateDoor, command: &[OsString]) -> io::Result<Child> {
    let (program, arguments) = command.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let mut command = Command::new(program);
    command.args(arguments);
    door.point(&mut command);
    command.spawn()
}

/// As shells and `env` have it.
fn not_started(command: &[OsString], error: &io::Error) -> Exit {
    let program = command.first().map(|program| program.to_string_lossy()).unwrap_or_default();
    talk::say(&format!("cannot start `{program}`: {error}"));
    Exit::Theirs(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
}

/// Waits for the command and hands it the signals that were meant for it.
async fn accompany(child: &mut Child, signals: &mut Signals) -> io::Result<ExitStatus> {
    loop {
        let signal = tokio::select! {
            ended = child.wait() => return ended,
            signal = signals.next() => signal,
        };
        let typed = matches!(signal, Signal::SIGINT | Signal::SIGQUIT) && in_foreground();
        if let Some(pid) = child.id().filter(|_| !typed) {
            let pid = Pid::from_raw(pid.try_into().unwrap_or_default());
            // It may have ended by itself this moment.
            let _ = kill(pid, signal);
        }
    }
}

/// The signals that are for the command.
struct Signals {
    terminate: unix::Signal,
    hangup: unix::Signal,
    interrupt: unix::Signal,
    quit: unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: unix::signal(SignalKind::terminate())?,
            hangup: unix::signal(SignalKind::hangup())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
            quit: unix::signal(SignalKind::quit())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::SIGTERM,
            _ = self.hangup.recv() => Signal::SIGHUP,
            _ = self.interrupt.recv() => Signal::SIGINT,
            _ = self.quit.recv() => Signal::SIGQUIT,
        }
    }
}

/// Whether a Ctrl-C at the terminal is meant for us: then it went to the command as well, and a second
/// one would be taken for impatience.
fn in_foreground() -> bool {
    let terminal = std::fs::File::open("/dev/tty");
    terminal.is_ok_and(|terminal| nix::unistd::tcgetpgrp(terminal) == Ok(nix::unistd::getpgrp()))
}

fn exit(status: ExitStatus) -> Exit {
    let of_signal = || status.signal().map(|signal| signal.saturating_add(128));
    let code = status.code().or_else(of_signal).unwrap_or(1);
    Exit::Theirs(u8::try_from(code).unwrap_or(1))
}

/// The command has ended; what it left running in the background is not waited for long.
const DRAIN: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  dockwarden run -- docker compose up
  dockwarden run --preset ci -- make test
  dockwarden run --preset restricted --policy agent.cedar -- my-agent --task 42

Only --config names a configuration file here: /etc/dockwarden/config.yaml is not read.";
