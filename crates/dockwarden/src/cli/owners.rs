//! `dockwarden owners`: whose containers, images, volumes and the rest are, in the running firewall.

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use server::admin::Command;

use super::running::{self, Running};
use super::{Exit, Failure};
use crate::talk;

/// Show whose things are, and give them to others
///
/// Whoever makes a container, image, volume, network, service, secret or config owns it. What was there before the
/// firewall, or was made around it, is nobody's. Only for root, the user that the firewall runs as, and members of the
/// groups in `admin` of the configuration.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    running: Running,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Everything that the daemon has, and whose it is
    List {
        /// Only what belongs to this user
        #[arg(long, value_name = "USER")]
        of: Option<String>,
        /// Only what belongs to nobody
        #[arg(long, conflicts_with = "of")]
        nobodys: bool,
    },
    /// Whose a thing is
    Show {
        /// Its name, its id, the beginning of its id, or KIND/NAME
        thing: String,
    },
    /// Make a thing somebody's, and nobody else's
    Give {
        /// Its name, its id, the beginning of its id, or KIND/NAME
        thing: String,
        /// The user, by the name that policies know; `everybody` for an image that all may use
        user: String,
    },
    /// Let the members of a group handle a thing like its owner
    Share {
        /// Its name, its id, the beginning of its id, or KIND/NAME
        thing: String,
        /// The group
        #[arg(long, value_name = "GROUP")]
        with: String,
        /// No longer
        #[arg(long)]
        stop: bool,
    },
}

/// A thing as the firewall tells it.
#[derive(Debug, Serialize, Deserialize)]
struct Thing {
    kind: String,
    id: String,
    names: Vec<String>,
    #[serde(default)]
    owners: Vec<String>,
    #[serde(default)]
    shared_with: Vec<String>,
    #[serde(default)]
    since: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    things: Vec<Thing>,
}

#[derive(Deserialize)]
struct Changed {
    thing: Thing,
}

/// Asks the firewall.
pub fn run(arguments: Arguments, as_json: bool) -> Result<Exit, Failure> {
    let socket = arguments.running.socket()?;
    let ask = |command| running::ask::<Changed>(&socket, command, "").map(|Changed { thing }| vec![thing]);
    let things = match arguments.what {
        What::List { of, nobodys } => {
            let Listed { mut things } = running::ask(&socket, Command::OwnersList { name: None }, "")?;
            things.retain(|thing| of.as_ref().is_none_or(|user| thing.owners.contains(user)));
            things.retain(|thing| !nobodys || thing.owners.is_empty());
            things
        }
        What::Show { thing } => running::ask::<Listed>(&socket, Command::OwnersList { name: Some(thing) }, "")?.things,
        What::Give { thing, user } => ask(Command::OwnersGive { name: thing, to: user })?,
        What::Share { thing, with, stop } => ask(Command::OwnersShare { name: thing, with, shared: !stop })?,
    };
    let said = if as_json { lines(&things)? } else { table(&things) };
    if !said.is_empty() {
        talk::result(&said)?;
    }
    Ok(Exit::Done)
}

/// One JSON object a line.
fn lines(things: &[Thing]) -> Result<String, Failure> {
    let lines = things.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
    lines.map(|lines| lines.join("\n")).map_err(|error| Failure::Sentence(error.to_string()))
}

/// All of them, one a line under a head.
fn table(things: &[Thing]) -> String {
    let head = ["KIND", "ID", "NAME", "OWNER", "SHARED WITH", "SINCE"].map(str::to_owned);
    let row = |thing: &Thing| {
        let id = thing.id.strip_prefix("sha256:").unwrap_or(&thing.id);
        let id: String = id.chars().take(if thing.kind == "volume" { 20 } else { 12 }).collect();
        let or = |list: &[String], nothing: &str| if list.is_empty() { nothing.to_owned() } else { list.join(",") };
        let since = thing.since.clone().unwrap_or_default();
        let since = since.split('.').next().unwrap_or_default().to_owned();
        [thing.kind.clone(), id, or(&thing.names, "-"), or(&thing.owners, "nobody"), or(&thing.shared_with, "-"), since]
    };
    talk::columns(std::iter::once(head).chain(things.iter().map(row)))
}

const EXAMPLES: &str = "\
Examples:
  dockwarden owners list --nobodys
  dockwarden owners show web
  dockwarden owners give volume/data alice
  dockwarden owners share web --with ops";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nobodys_says_so() {
        let thing = |owners: &[&str]| Thing {
            kind: "container".to_owned(),
            id: "4".repeat(64),
            names: vec!["web".to_owned()],
            owners: owners.iter().map(|owner| (*owner).to_owned()).collect(),
            shared_with: Vec::new(),
            since: Some("2026-11-26T02:00:00.000Z".to_owned()),
        };
        let table = table(&[thing(&["alice"]), thing(&[])]);
        assert_eq!(
            table,
            "KIND       ID            NAME  OWNER   SHARED WITH  SINCE\n\
             container  444444444444  web   alice   -            2026-11-26T02:00:00\n\
             container  444444444444  web   nobody  -            2026-11-26T02:00:00"
        );
    }
}
