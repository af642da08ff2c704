//! `dockwarden rules`: rules that end by themselves, in the running firewall.

mod show;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use policy::TemporaryRule;
use serde::Deserialize;
use server::admin::{Command, Place};

use super::running::{self, Running};
use super::{Exit, Failure};
use crate::config::units;
use crate::talk;

/// Add, list and remove rules that end by themselves
///
/// They are put in force in the running firewall at once, and stay through a restart. A rule that denies refuses what
/// the policy allows; one that allows also lifts what the rules of the configuration deny. Only for root, the user that
/// the firewall runs as, and members of the groups in `admin` of the configuration.
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
    Add(Box<Add>),
    /// All rules that hold now, the next to end first
    List,
    /// End a rule before its time
    Remove {
        /// The rule's id, as `list` shows it
        id: String,
    },
}

/// Allow or deny something for a while
///
/// What is allowed or denied is a word (`exec`, `image prune`, `privileged`) or a privilege with its value
/// (`mount=/srv/ci,readonly=true`), as in the rules of the configuration; --rule takes such a rule whole.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("effect").required(true))]
struct Add {
    /// What is allowed; repeatable
    #[arg(long, value_name = "WHAT", group = "effect")]
    allow: Vec<String>,
    /// What is denied; repeatable
    #[arg(long, value_name = "WHAT", group = "effect")]
    deny: Vec<String>,
    /// A rule as in the configuration: '{ deny: exec, on: { name: db-* } }'
    #[arg(long, value_name = "YAML", group = "effect", conflicts_with_all = ["to", "except", "on"])]
    rule: Option<String>,
    /// Whom it is about: names of groups and users [default: everyone]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    to: Vec<String>,
    /// Whom it is not about
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    except: Vec<String>,
    /// Only on some things: name=PATTERN, image=PATTERN, label=KEY or label=KEY=VALUE
    #[arg(long, value_name = "WHICH")]
    on: Vec<String>,
    /// How long: 90s, 30m, 2h, 3d
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    lasts: Duration,
    /// Why; shown in the list, and to whom it refuses something
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

/// What a change is answered with.
#[derive(Deserialize)]
struct Changed {
    rule: TemporaryRule,
    #[serde(default)]
    warnings: Vec<Place>,
}

#[derive(Deserialize)]
struct Listed {
    rules: Vec<TemporaryRule>,
}

/// Asks the firewall.
pub fn run(arguments: Arguments, as_json: bool) -> Result<Exit, Failure> {
    let Arguments { running, what } = arguments;
    let socket = running.socket()?;
    let said = match what {
        What::Add(wish) => {
            let (rule, seconds) = (wish.rule()?, wish.lasts.as_secs());
            let command = Command::RulesAdd { rule: rule.clone(), seconds, reason: wish.reason };
            let Changed { rule: added, warnings } = running::ask(&socket, command, &rule)?;
            talk::complain(&running::diagnostics(&warnings, &rule), as_json);
            if as_json { show::as_json(&added) } else { format!("rule {} holds until {}", added.id, added.end()) }
        }
        What::List => {
            let rules = of_firewall(&socket)?;
            if as_json { show::lines(&rules) } else { show::table(&rules) }
        }
        What::Remove { id } => {
            let Changed { rule, .. } = running::ask(&socket, Command::RulesRemove { id }, "")?;
            if as_json { show::as_json(&rule) } else { format!("rule {} has ended: {}", rule.id, rule.rule) }
        }
    };
    if !said.is_empty() {
        talk::result(&said)?;
    }
    Ok(Exit::Done)
}

/// The rules that hold now in the firewall behind a socket.
pub fn of_firewall(socket: &Path) -> Result<Vec<TemporaryRule>, Failure> {
    running::ask(socket, Command::RulesList {}, "").map(|Listed { rules }| rules)
}

impl Add {
    /// The rule as YAML.
    fn rule(&self) -> Result<String, Failure> {
        let Add { allow, deny, rule, to, except, on, .. } = self;
        match rule {
            Some(rule) => Ok(rule.clone()),
            None if allow.is_empty() => text::rule("deny", deny, to, except, on),
            None => text::rule("allow", allow, to, except, on),
        }
        .map_err(Failure::Sentence)
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let lasts = units::duration(text)?;
    if lasts.subsec_millis() != 0 || lasts.is_zero() {
        return Err("a rule lasts whole seconds, one or more".to_owned());
    }
    Ok(lasts)
}

const EXAMPLES: &str = "\
Examples:
  dockwarden rules add --deny exec --for 2h --reason 'database migration'
  dockwarden rules add --allow exec --to alice --for 30m
  dockwarden rules add --allow 'mount=/srv/ci,readonly=true' --to ci --for 1d
  dockwarden rules add --rule '{ deny: rm, on: { name: db-* }, except: [admins] }' --for 3d
  dockwarden rules list
  dockwarden rules remove 7q3k9xmz";
