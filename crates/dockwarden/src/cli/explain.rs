//! `dockwarden explain`: why something is or would be allowed or refused, question by question.
//!
//! Nothing is carried out. A docker command runs for real, but against a private socket whose gateway
//! only rehearses; a recorded request is sent to the same socket; a record is looked up and retold. The
//! three have one form in the end, a record, and one way of being shown.

mod asker;
mod found;
mod rehearse;
mod replay;
mod show;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use policy::{Policy, Subject};
use server::upstream::UpstreamAddress;

use super::{Exit, Failure, PolicyArguments};
use crate::config::{self, Config, Wishes};
use crate::talk;

/// Tell why a docker command, a request or a recorded exchange is (or would be) allowed or refused
///
/// With `-- docker ...`, the real client runs against a socket that judges, answers as a daemon might
/// and changes nothing. With a RECORD (the id that a refusal names), the record is retold; with the id of
/// a build (`docker buildx history ls`), its records. With --request, a request from a file is judged. Exit status 2 when anything is refused.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub struct Arguments {
    #[command(flatten)]
    policy: PolicyArguments,
    /// Ask as this user: the system's groups, or those given
    #[arg(long = "as", value_name = "USER[,GROUP...]", value_parser = asker::parse, conflicts_with = "record")]
    subject: Option<Subject>,
    /// Where the daemon is, for looking at what is there: unix:///path or tcp://HOST:PORT
    #[arg(long, value_name = "ADDR")]
    upstream: Option<UpstreamAddress>,
    /// The file of records to look in [default: the configuration's]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["request", "command"])]
    records: Option<PathBuf>,
    /// Judge the requests in a file (or - for stdin): raw HTTP, or one JSON object a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["record", "command"])]
    request: Option<PathBuf>,
    /// Hide what the docker command prints
    #[arg(long)]
    quiet: bool,
    /// The id of a record, or of a build
    #[arg(value_name = "RECORD", conflicts_with = "command", required_unless_present_any = ["command", "request"])]
    record: Option<String>,
    /// The docker command to rehearse
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Explains.
pub fn run(arguments: Arguments, as_json: bool) -> Result<Exit, Failure> {
    let wishes = Wishes { upstream: arguments.upstream.clone(), tell_rego: true, ..arguments.policy.wishes() };
    if let (Some(id), Some(file)) = (&arguments.record, &arguments.records) {
        // The policy of today only adds the places of the policies.
        let known = config::load(&wishes).map(|config| show::Places::of(&config)).unwrap_or_default();
        return retell(file.clone(), id, &known, as_json);
    }
    let mut config = config::load(&wishes)?;
    talk::complain(&config.warnings, as_json);
    if arguments.policy.are_the_files() {
        config.policy = with_rules_of_now(&config)?;
    }
    let places = show::Places::of(&config);
    if let Some(id) = &arguments.record {
        return retell(config.settings.records.file, id, &places, as_json);
    }
    let told = judged(config, arguments)?;
    talk::result(&show::records(&told, &places, as_json))?;
    if !as_json {
        talk::result(&format!("\n{}", show::verdict(&told)))?;
    }
    Ok(show::exit(&told))
}

/// The policy with the temporary rules of the running firewall, where there is one.
fn with_rules_of_now(config: &Config) -> Result<Policy, Failure> {
    let socket = config.settings.admin.to_ask();
    let asked = if socket.exists() { super::rules::of_firewall(&socket) } else { Ok(Vec::new()) };
    let rules = asked.unwrap_or_else(|reason| {
        talk::say(&format!("the temporary rules of the running firewall are left out: {reason}"));
        Vec::new()
    });
    Ok(config.policy.with_rules(rules)?)
}

fn retell(file: PathBuf, id: &str, places: &show::Places, as_json: bool) -> Result<Exit, Failure> {
    let found = found::find(&file, id).map_err(Failure::Sentence)?;
    talk::result(&show::records(&found, places, as_json))?;
    Ok(show::exit(&found))
}

/// What the rehearsal told.
fn judged(config: Config, arguments: Arguments) -> Result<Vec<show::Told>, Failure> {
    let Arguments { subject, request, command, quiet, .. } = arguments;
    let requests = match request {
        Some(file) => Some(replay::read(&file).map_err(Failure::Sentence)?),
        None => None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::Sentence(format!("cannot start: {error}")))?;
    let told = runtime.block_on(async {
        let rehearsal = rehearse::Rehearsal::open(config, subject)?;
        match requests {
            Some(requests) => tokio::select! {
                told = replay::send(rehearsal, &requests) => told,
                () = rehearse::interrupted() => Err("interrupted".to_owned()),
            },
            None => rehearsal.of(&command, quiet).await,
        }
    });
    runtime.shutdown_background();
    let told: Result<Vec<_>, _> = told.map_err(Failure::Sentence)?.iter().map(show::Told::of).collect();
    told.map_err(|error| Failure::Sentence(format!("a record cannot be read back: {error}")))
}

const USAGE: &str = "\
dockwarden explain [OPTIONS] -- docker COMMAND...
       dockwarden explain [OPTIONS] RECORD
       dockwarden explain [OPTIONS] --request FILE";

const EXAMPLES: &str = "\
Examples:
  dockwarden explain -- docker run --rm -v /etc:/host alpine cat /host/shadow
  dockwarden explain --preset ci --as gitlab-runner,ci -- docker build .
  dockwarden explain 01JDCX5M8Z6M0Q3K3Y4V9T2R7S
  dockwarden explain --request create.http --json
  printf 'POST /build/prune HTTP/1.1\\r\\nHost: docker\\r\\n\\r\\n' | dockwarden explain --request -";
