//! The command line: what can be typed, and what comes back as exit status.
//!
//! Each subcommand is a file: its arguments, then its `run`. A subcommand returns how it ended or a
//! [`Failure`]; this is the one place that turns either into talk and a status.

mod check;
mod compat;
mod completions;
mod doctor;
mod explain;
mod import;
mod owners;
mod plugin;
mod rules;
mod run;
mod running;
mod serve;
#[cfg(test)]
mod tests;

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use policy::Diagnostics;

use crate::config::Wishes;
use crate::talk;

/// A policy firewall for the Docker API.
///
/// Point `docker` at Dockwarden's socket instead of the daemon's: everything ordinary works as before,
/// and what would hand over the host is refused with a reason.
#[derive(Debug, Parser)]
#[command(name = "dockwarden", bin_name = "dockwarden", version, max_term_width = 100, after_help = EXAMPLES, subcommand_required = true)]
struct Cli {
    #[command(flatten)]
    manner: Manner,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Arguments),
    Check(check::Arguments),
    Explain(Box<explain::Arguments>),
    Run(run::Arguments),
    Owners(owners::Arguments),
    Doctor(doctor::Arguments),
    Rules(rules::Arguments),
    Plugin(plugin::Arguments),
    Import(import::Arguments),
    Compat(compat::Arguments),
    Completions(completions::Arguments),
}

/// What every subcommand understands.
#[derive(Debug, Clone, Args)]
struct Manner {
    /// Print for programs: results and faults as JSON, one object a line
    #[arg(long, global = true)]
    json: bool,
    /// How much to say on stderr; RUST_LOG is finer
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<Level>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Which policy: the same flags wherever one is needed.
#[derive(Debug, Clone, Args)]
struct PolicyArguments {
    /// The configuration file [default: /etc/dockwarden/config.yaml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The preset to start from; wins over the configuration file's
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(presets()))]
    preset: Option<String>,
    /// The configuration of docksec, whose commands are switched off; wins over the configuration file's `policy.docksec`
    #[arg(long, value_name = "FILE")]
    docksec: Option<PathBuf>,
    /// A file of Cedar policies, or of rules (.yaml), beside what the configuration file names
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
}

/// How a command ended. The numbers are a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done: 0.
    Done,
    /// It could not be done: 1.
    Failed,
    /// The policy says no: 2.
    Denied,
    /// Configuration or policy cannot be used: 3.
    Invalid,
    /// Wrong usage: 64.
    Usage,
    /// The status of somebody else's command.
    Theirs(u8),
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Configuration or policy cannot be used.
    #[error("{0}")]
    Invalid(#[from] Diagnostics),
    /// Whoever asks may not.
    #[error("{0}")]
    NotAllowed(String),
    /// Anything else, as a sentence.
    #[error("{0}")]
    Sentence(String),
    /// Results cannot be printed.
    #[error("cannot write to stdout: {0}")]
    Stdout(#[from] std::io::Error),
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let Cli { manner, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where nobody can be told, the exit status still says it.
            let _ = error.print();
            return usage(&error).into();
        }
    };
    start_log(&manner, &command);
    let done = match command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Check(arguments) => check::run(&arguments, manner.json),
        Command::Explain(arguments) => explain::run(*arguments, manner.json),
        Command::Run(arguments) => run::run(arguments),
        Command::Doctor(arguments) => doctor::run(&arguments, manner.json),
        Command::Owners(arguments) => owners::run(arguments, manner.json),
        Command::Rules(arguments) => rules::run(arguments, manner.json),
        Command::Plugin(arguments) => plugin::run(arguments, manner.json),
        Command::Import(arguments) => import::run(&arguments),
        Command::Compat(arguments) => compat::run(arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    done.unwrap_or_else(|failure| failure.tell(manner.json)).into()
}

/// Help and version are results; anything else that clap says is a complaint.
fn usage(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    }
}

fn start_log(manner: &Manner, command: &Command) {
    use tracing_subscriber::EnvFilter;
    let level = match (manner.log, command) {
        (Some(Level::Error), _) => "error",
        (Some(Level::Warn), _) => "warn",
        (Some(Level::Info), _) => "info",
        (Some(Level::Debug), _) => "debug",
        (Some(Level::Trace), _) => "trace",
        (None, Command::Serve(_)) => "info",
        (None, Command::Compat(arguments)) if arguments.serves() => arguments.loudness().unwrap_or("info"),
        // Short-lived commands share stderr with what they run.
        (None, _) => "error",
    };
    let filter = match manner.log {
        None => EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level)),
        // What HTTP/2 says of each of its frames is for RUST_LOG.
        Some(_) => EnvFilter::new(format!("{level},h2=warn")),
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_ansi(talk::coloured(&std::io::stderr()));
    if manner.json { log.json().init() } else { log.init() }
}

/// Asks whether to go on, where somebody can be asked; elsewhere names the flag that only shows.
fn go_on(shows: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Sentence(format!("nobody can be asked whether to go on: say --yes, or {shows}")));
    }
    talk::say("go on? [y/N]");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match read {
        Ok(_) if line.trim().eq_ignore_ascii_case("y") => Ok(()),
        _ => Err(Failure::Sentence("nothing was done".to_owned())),
    }
}

fn presets() -> Vec<&'static str> {
    policy::presets().map(|(name, _)| name).collect()
}

impl Failure {
    fn tell(&self, as_json: bool) -> Exit {
        match self {
            Failure::Invalid(faults) => {
                talk::complain(&faults.0, as_json);
                Exit::Invalid
            }
            Failure::NotAllowed(sentence) => {
                talk::say(sentence);
                Exit::Denied
            }
            other => {
                talk::say(&other.to_string());
                Exit::Failed
            }
        }
    }
}

impl PolicyArguments {
    /// Whether nothing is wished for beside what the configuration file says: the policy that is in force, perhaps.
    fn are_the_files(&self) -> bool {
        self.preset.is_none() && self.docksec.is_none() && self.policy.is_empty()
    }

    /// What the flags wish for, as far as all subcommands share it.
    fn wishes(&self) -> Wishes {
        let PolicyArguments { config, preset, docksec, policy } = self.clone();
        Wishes { config, preset, docksec, policies: policy, ..Wishes::default() }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Denied => 2,
            Exit::Invalid => 3,
            Exit::Usage => 64,
            Exit::Theirs(status) => status,
        })
    }
}

const EXAMPLES: &str = "\
Examples:
  dockwarden serve                                 guard the daemon of this host, preset developer
  dockwarden check --config dockwarden.yaml        is this configuration right?
  dockwarden explain -- docker run -v /:/h alpine  would that be allowed, and why (not)?
  dockwarden run --preset ci -- make test          a filtered Docker for one command
  dockwarden rules add --deny exec --for 2h        no exec for two hours
  dockwarden plugin install --as managed           make the daemon itself ask
  dockwarden import docker-socket-proxy proxy.env  another proxy's configuration in our words
  dockwarden doctor                                what is weak on this host, and what to do about it

Exit status: 0 done, 1 failed, 2 denied by the policy, 3 configuration or policy invalid, 64 wrong
usage. `run` exits with the status of its command.";
