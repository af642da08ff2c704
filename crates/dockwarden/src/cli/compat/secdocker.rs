//! `dockwarden compat secdocker`: the firewall on the way to TCP daemons, and `run`, by SecDocker's `config.yml`.
//!
//! What it does is what this configuration says:
//!
//! ```yaml
//! listen: [{ address: "[::]:8999", transparent: redirect }]
//! policy: { preset: open, secdocker: config.yml }
//! records: { file: secdocker.log }
//! state: secdocker.db
//! ```

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use clap::{Args, Parser};
use policy::{Diagnostics, NamedText, SecDocker};
use server::upstream::UpstreamAddress;

use super::super::{Exit, Failure, run, serve, usage};
use super::{go_flags, quoted};
use crate::config::{self, Wishes};
use crate::talk;

/// SecDocker: stand between docker clients and TCP daemons, or run one container by its rules
///
/// Connections that the host's firewall sends to the port go on to where they were going, and what is
/// asked on them is judged by config.yml. With `run`, a docker command line is judged by it and run with
/// its settings.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub struct Arguments {
    /// SecDocker's own flags, then nothing, or `run` with docker's options, image and command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
    arguments: Vec<OsString>,
}

/// Its flags.
#[derive(Debug, Parser)]
#[command(name = "dockwarden compat secdocker", disable_version_flag = true, after_help = EXAMPLES, override_usage = USAGE)]
struct Flags {
    /// The port to listen on
    #[arg(long, value_name = "PORT", default_value_t = 8999)]
    tcp: u16,
    /// SecDocker's configuration
    #[arg(long, value_name = "FILE", default_value = "config.yml")]
    config: PathBuf,
    /// Taken and not needed: records say who came
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, hide = true)]
    show: Option<Option<bool>>,
}

impl Arguments {
    /// Whether it serves.
    pub fn serves(&self) -> bool {
        go_flags(&self.arguments, VALUED).1.is_empty()
    }
}

/// Serves, or runs one command.
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let (flags, rest) = go_flags(&arguments.arguments, VALUED);
    let flags = match Flags::try_parse_from([OsString::from("secdocker")].into_iter().chain(flags)) {
        Ok(flags) => flags,
        Err(error) => {
            let _ = error.print();
            return Ok(usage(&error));
        }
    };
    let config = flags.config;
    match rest.split_first() {
        None => serve::with(Wishes { serves: true, ..wishes(serving(flags.tcp, &config)?) }),
        Some((word, command)) if word == "run" && !command.is_empty() => one(&config, command),
        Some((word, [])) if word == "run" => {
            Err(Failure::Sentence("`run` needs an image: run [DOCKER OPTIONS] IMAGE".into()))
        }
        Some((word, _)) => {
            Err(Failure::Sentence(format!("`{}` is no command of SecDocker; there is `run`", word.to_string_lossy())))
        }
    }
}

fn wishes(text: String) -> Wishes {
    let text = NamedText { name: "compat secdocker".to_owned(), text };
    Wishes { text: Some(text), only_named: true, ..Wishes::default() }
}

/// Its log is where this tool always kept it: in the folder that it is started in.
fn common(config: &Path) -> Result<String, Failure> {
    let config = quoted(config.as_os_str())?;
    Ok(format!("policy: {{ preset: open, secdocker: {config} }}\nrecords: {{ file: secdocker.log }}\n"))
}

fn serving(port: u16, config: &Path) -> Result<String, Failure> {
    // All addresses, those of IPv6 too where there are any.
    let all = if TcpListener::bind("[::]:0").is_ok() { "[::]" } else { "0.0.0.0" };
    let common = common(config)?;
    Ok(format!("listen: [{{ address: \"{all}:{port}\", transparent: redirect }}]\n{common}state: secdocker.db\n"))
}

/// `docker run` on a socket of its own, judged by the rules and with the settings added.
fn one(config: &Path, options: &[OsString]) -> Result<Exit, Failure> {
    let mut text = common(config)?;
    if let Some(daemon) = daemon(config)? {
        text.push_str(&format!("upstream: {}\n", quoted(daemon.to_string().as_ref())?));
    }
    let config = config::load(&wishes(text))?;
    talk::complain(&config.warnings, false);
    let command: Vec<OsString> = ["docker", "run"].into_iter().map(Into::into).chain(options.iter().cloned()).collect();
    run::with(config, &command)
}

/// Where the daemon is: as the docker client would have it, else as the file says; else where it usually is.
fn daemon(config: &Path) -> Result<Option<UpstreamAddress>, Failure> {
    if let Some(host) = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()) {
        let address = host.parse().map_err(|error| Failure::Sentence(format!("DOCKER_HOST: {error}")))?;
        return Ok(Some(address));
    }
    let text = config::read_text(config).map_err(|problem| Diagnostics::sentence(&problem))?;
    let api = SecDocker::read(&text)?.docker_api;
    let address = api.as_ref().map(|api| api.value.replacen("http://", "tcp://", 1));
    Ok(address.and_then(|address| address.parse().ok()))
}

/// Flags whose value may be the next word.
const VALUED: &[&str] = &["tcp", "config"];

const USAGE: &str = "\
dockwarden compat secdocker [-tcp PORT] [-config FILE]
       dockwarden compat secdocker [-config FILE] run [DOCKER OPTIONS] IMAGE [COMMAND]";

const EXAMPLES: &str = "\
Examples:
  iptables -t nat -A PREROUTING -i eth0 -p tcp --dport 2376 -j REDIRECT --to-port 8999
  dockwarden compat secdocker -tcp 8999
  dockwarden compat secdocker run --rm alpine id

Requests are recorded in secdocker.log, in the folder that it is started in.";
