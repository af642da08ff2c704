//! `dockwarden plugin uninstall`: the daemon stops asking first, then the plugin goes.

use std::path::Path;

use clap::Args;

use super::super::{Exit, Failure};
use super::step::{Manner, Step};
use super::{Places, service};
use crate::engine::daemon::Daemon;
use crate::engine::daemon_json::DaemonJson;
use crate::engine::process::Process;
use crate::engine::{OWN, is_own, own_name, tagged};
use crate::talk;

/// Have the daemon stop asking, then take the plugin away
///
/// State, records and configuration stay. The daemon is not restarted.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    places: Places,
    /// The plugin's name, where the daemon's configuration file does not say
    #[arg(long, value_parser = own_name)]
    name: Option<String>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Takes it out.
pub fn run(arguments: Arguments, as_json: bool) -> Result<Exit, Failure> {
    let Arguments { places, name, dry_run } = arguments;
    let file = DaemonJson::read(&places.daemon_json)?;
    let listed = file.plugins().iter().find(|listed| name.as_ref().map_or(is_own(listed), |name| *listed == name));
    let name = listed.cloned().or(name).unwrap_or_else(|| OWN.to_owned());
    let pidfile = places.pidfile.clone().unwrap_or_else(|| file.pidfile());
    let process = Process::find(&pidfile).map_err(Failure::Sentence)?;
    let daemon = Daemon::new(&places.docker);
    let mut plan = Vec::new();
    if listed.is_some() {
        plan.push(take_out(&file, &name, process, &daemon));
    }
    plan.extend(take_away(&name, process, &daemon));
    let exit = Manner { dry_run, as_json }.carry_out(&plan)?;
    if process.is_none() {
        talk::say("no daemon runs; once it does, do this again, in case the plugin is a managed one");
    }
    Ok(exit)
}

/// The daemon's list without a name.
pub fn without(file: &DaemonJson, name: &str) -> String {
    let others: Vec<String> = file.plugins().iter().filter(|other| *other != name).cloned().collect();
    file.with_plugins(&others)
}

fn take_out<'a>(file: &'a DaemonJson, name: &'a str, process: Option<Process>, daemon: &'a Daemon) -> Step<'a> {
    let path = file.path().display();
    let Some(process) = process else {
        return Step::new(format!("take {name} out of {path}"), move || file.write(&without(file, name)));
    };
    let words =
        format!("take {name} out of {path}, have dockerd ({}) read it, and see that it asks no more", process.id());
    let act = move || {
        file.write(&without(file, name))?;
        process.reload()?;
        daemon.wait_until_it_asks_no_more(name)
    };
    // Not read again: the daemon is asked to end where what is in it does not answer.
    Step::new(words, act).undone_by(format!("put back {path}"), move || file.restore())
}

/// The plugin itself, which nobody asks any more.
fn take_away<'a>(name: &'a str, process: Option<Process>, daemon: &'a Daemon) -> Vec<Step<'a>> {
    let whole = tagged(name);
    let managed = process.and_then(|_| daemon.plugin(&whole).ok().flatten()).is_some();
    let in_list_as_managed = whole == name;
    let mut plan = Vec::new();
    // It may be that the daemon says nothing of its plugins while the firewall is in force: it is asked again then.
    if managed || (in_list_as_managed && process.is_some()) {
        let (disabled, removed) = (whole.clone(), whole);
        plan.push(Step::new(format!("disable {disabled}"), move || daemon.disable(&disabled)));
        plan.push(Step::new(format!("remove {removed}"), move || daemon.remove(&removed)));
    }
    let specs = Path::new(service::SPECS);
    if service::spec(specs).exists() {
        let words = format!("remove {}", service::spec(specs).display());
        plan.push(Step::new(words, move || service::remove_spec(specs)));
    }
    if !in_list_as_managed && service::has_systemd() {
        plan.push(Step::new(format!("end {}", service::SERVICE), service::stop));
    }
    plan
}

const EXAMPLES: &str = "\
Examples:
  dockwarden plugin uninstall --dry-run
  dockwarden plugin uninstall";
