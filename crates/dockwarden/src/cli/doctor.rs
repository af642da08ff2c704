//! `dockwarden doctor`: what is weak on this host, and what to do about it.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use server::record::Timestamp;

use super::{Exit, Failure, go_on};
use crate::doctor::finding::{Finding, Severity};
use crate::doctor::fix::{self, Change};
use crate::doctor::host::{Host, Places};
use crate::doctor::{IDS, apply, examine, show};
use crate::engine::local;
use crate::talk;

/// What is weak about Docker on this host, why, and what to do
///
/// Looks at the daemon's files, its sockets, its users, and asks the daemon itself where it answers. Changes nothing
/// unless it is told to.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The host's root: a copy of a host's files in a folder is looked at as if it were one
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// The daemon's own socket [default: the one that the host's files name]
    #[arg(long, value_name = "ADDR", value_parser = local)]
    docker: Option<PathBuf>,
    /// The file of the daemon's process id [default: as the daemon's configuration says, or /var/run/docker.pid]
    #[arg(long, value_name = "FILE")]
    pidfile: Option<PathBuf>,
    /// Only these findings
    #[arg(long, value_name = "ID", value_delimiter = ',', hide_possible_values = true, value_parser = PossibleValuesParser::new(IDS))]
    only: Vec<String>,
    /// All but these findings
    #[arg(long, value_name = "ID", value_delimiter = ',', hide_possible_values = true, value_parser = PossibleValuesParser::new(IDS))]
    skip: Vec<String>,
    /// Print the changes that would be made, as a diff for `patch -p1`
    #[arg(long)]
    fix: bool,
    /// Make them, after asking; what was there is kept beside each file
    #[arg(long, conflicts_with = "fix")]
    apply: bool,
    /// Do not ask whether to go on
    #[arg(long, requires = "apply")]
    yes: bool,
    /// Restart Docker afterwards, by systemd
    #[arg(long, requires = "apply")]
    restart: bool,
}

/// Looks, and says or does what is to be done.
pub fn run(arguments: &Arguments, as_json: bool) -> Result<Exit, Failure> {
    let Arguments { root, docker, pidfile, .. } = arguments;
    let places = Places { root: root.clone(), docker: docker.clone(), pidfile: pidfile.clone() };
    let host = Host::look(&places)?;
    let mut findings = examine(&host);
    findings.retain(|finding| arguments.is_wanted(finding.id));
    if arguments.fix || arguments.apply {
        let changes = fix::changes(&host, &findings);
        if arguments.apply {
            return arguments.apply(&host, &findings, &changes, as_json);
        }
        print(&changes, &findings, as_json)?;
    } else if as_json {
        talk::result(&show::for_programs(&host, &findings).to_string())?;
    } else {
        let coloured = talk::coloured(&std::io::stdout());
        talk::result(show::for_people(&host, &findings, coloured).trim_end())?;
    }
    let bad = findings.iter().any(|finding| finding.severity <= Severity::Warning);
    Ok(if bad { Exit::Failed } else { Exit::Done })
}

impl Arguments {
    fn is_wanted(&self, id: &str) -> bool {
        let has = |ids: &[String]| ids.iter().any(|one| one == id);
        (self.only.is_empty() || has(&self.only)) && !has(&self.skip)
    }

    fn apply(&self, host: &Host, findings: &[Finding], changes: &[Change], as_json: bool) -> Result<Exit, Failure> {
        if changes.is_empty() {
            talk::say("there is nothing to change");
            return Ok(Exit::Done);
        }
        if self.restart {
            may_restart(host, findings)?;
        }
        if !self.yes {
            print(changes, findings, as_json)?;
            go_on("--fix")?;
        }
        let time = Timestamp::now().to_string().split('.').next().unwrap_or_default().replace(['-', ':'], "");
        let written = apply::apply(host, changes, &time).map_err(Failure::Sentence)?;
        for file in &written {
            talk::result(&match (as_json, &file.kept) {
                (true, kept) => json!({ "written": file.file, "kept": kept }).to_string(),
                (false, Some(kept)) => format!("written: {} (as it was: {kept})", file.file),
                (false, None) => format!("written: {}", file.file),
            })?;
        }
        match self.restart {
            true => restart().map_err(Failure::Sentence)?,
            false => talk::say(
                "Docker was not restarted, and takes them when it is: systemctl daemon-reload; systemctl restart docker. \
                 Containers stop, unless live-restore was on before",
            ),
        }
        Ok(Exit::Done)
    }
}

/// Prints changes, and what they bring with them.
fn print(changes: &[Change], findings: &[Finding], as_json: bool) -> Result<(), Failure> {
    if changes.is_empty() {
        talk::say("there is nothing to change");
    }
    for change in changes {
        talk::result(&if as_json { change.as_json().to_string() } else { change.diff().trim_end().to_owned() })?;
    }
    for finding in findings.iter().filter(|finding| !finding.edits.is_empty()) {
        talk::say(&format!("{}: {}", finding.id, finding.remedy));
    }
    Ok(())
}

/// Whether a daemon would come up again, as far as that can be seen.
fn may_restart(host: &Host, findings: &[Finding]) -> Result<(), Failure> {
    let why = if !host.root.is_this_host() {
        "--restart is for the daemon of this host; the files are another's"
    } else if !std::path::Path::new("/run/systemd/system").is_dir() {
        "no systemd runs this host: restart dockerd by what starts it, without --restart"
    } else if findings.iter().any(|finding| finding.id == "plugin-silent") {
        "Docker would not come up: an authorization plugin that it asks does not answer"
    } else {
        return Ok(());
    };
    Err(Failure::Sentence(why.to_owned()))
}

fn restart() -> Result<(), String> {
    for words in [["daemon-reload", ""], ["restart", "docker"]] {
        let words = words.into_iter().filter(|word| !word.is_empty());
        let said = Command::new("systemctl").args(words).output().map_err(|error| format!("systemctl: {error}"))?;
        if !said.status.success() {
            return Err(format!("systemctl: {}", String::from_utf8_lossy(&said.stderr).trim()));
        }
    }
    Ok(())
}

const EXAMPLES: &str = "\
Examples:
  dockwarden doctor
  dockwarden doctor --json | jq '.findings[].id'
  dockwarden doctor --fix --skip userns-off            what would be changed
  dockwarden doctor --apply --only live-restore --yes
  dockwarden doctor --root /mnt/image                  the files of another host

Exit status: 0 nothing worse than a note, 1 findings, 3 a file that cannot be understood. With --apply 0 when the
changes are made.";
