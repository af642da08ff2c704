//! `dockwarden plugin rescue`: the firewall is broken, and Docker refuses everything, or does not even start. Nothing is
//! asked of the daemon here: it would ask the plugin.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

use super::super::{Exit, Failure};
use super::Places;
use super::step::{Manner, Step};
use crate::engine::daemon::{Asks, Daemon};
use crate::engine::daemon_json::DaemonJson;
use crate::engine::process::Process;
use crate::engine::{door, is_own};
use crate::talk;

/// Get Docker back when the firewall is broken
///
/// Takes the plugin out of the daemon's configuration file (kept beside it as it was) and has a running daemon read it.
/// Needs neither the daemon's API nor the plugin. From then on nobody is asked: Docker has no firewall.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    places: Places,
    /// The plugin's name as the daemon's configuration file has it [default: all that are called `dockwarden`]
    #[arg(long)]
    name: Vec<String>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Takes it out.
pub fn run(arguments: &Arguments, as_json: bool) -> Result<Exit, Failure> {
    let Arguments { places, name: names, dry_run } = arguments;
    let file = DaemonJson::read(&places.daemon_json)?;
    let ours = |name: &String| if names.is_empty() { is_own(name) } else { names.contains(name) };
    let (out, stay): (Vec<String>, Vec<String>) = file.plugins().iter().cloned().partition(ours);
    let pidfile = places.pidfile.clone().unwrap_or_else(|| file.pidfile());
    let process = Process::find(&pidfile).map_err(Failure::Sentence)?;
    let (path, text) = (file.path().display(), file.with_plugins(&stay));
    let daemon = Daemon::new(&places.docker);
    let (stay, daemon) = (&stay, &daemon);
    let mut plan = Vec::new();
    if out.is_empty() {
        let found = if stay.is_empty() { "no plugins".to_owned() } else { stay.join(", ") };
        talk::say(&format!("{path} names {found}: nothing is to be taken out of it (others go by --name)"));
    } else {
        let words = format!("take {} out of {path} (as it was: {})", out.join(", "), file.backup().display());
        plan.push(Step::new(words, || file.write(&text)));
    }
    match process {
        Some(process) => {
            plan.push(Step::new(format!("have dockerd ({}) read it", process.id()), move || {
                others_answer(stay, &places.plugins, process)?;
                process.reload()
            }));
            plan.push(Step::new("see that Docker answers", move || answers_again(daemon, process)));
        }
        None => talk::say(NOT_RUNNING),
    }
    let exit = Manner { dry_run: *dry_run, as_json }.carry_out(&plan)?;
    if !dry_run {
        talk::say(AFTERWARDS);
    }
    Ok(exit)
}

/// A daemon that reads a list with a plugin that does not answer ends.
fn others_answer(others: &[String], plugins: &Path, process: Process) -> Result<(), String> {
    let silent =
        others.iter().find(|name| !door::of_service(plugins, name).is_some_and(|socket| door::activates(&socket)));
    match silent {
        None => Ok(()),
        Some(name) => Err(format!(
            "plugin {name} stays in the list and cannot be seen to answer, and a daemon that is told of a plugin which \
             does not answer ends: take it out too (--name), or if it answers: kill -HUP {}",
            process.id()
        )),
    }
}

fn answers_again(daemon: &Daemon, process: Process) -> Result<(), String> {
    let begin = Instant::now();
    loop {
        let found = daemon.asks("", WAIT);
        match found {
            Asks::Nobody | Asks::Another(_) | Asks::Us => return Ok(()),
            _ if !process.runs() => return Err("dockerd has ended; start it again: systemctl start docker".to_owned()),
            Asks::Broken(_) | Asks::Silent(_) if begin.elapsed() > PATIENCE => return Err(found.words("the plugin")),
            Asks::Broken(_) | Asks::Silent(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// For one answer.
const WAIT: Duration = Duration::from_secs(5);
/// Requests that came before wait for the plugin, 15 seconds long.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(100);

const NOT_RUNNING: &str = "no daemon runs; start it again: systemctl reset-failed docker; systemctl start docker. Where it \
                           does not start, its log says why: journalctl -u docker -n 50";
const AFTERWARDS: &str =
    "Docker has no firewall now. When it is whole again: dockwarden plugin uninstall, then install";

const EXAMPLES: &str = "\
Examples:
  dockwarden plugin rescue --dry-run
  dockwarden plugin rescue
  dockwarden plugin rescue --name some/other-plugin:latest";
