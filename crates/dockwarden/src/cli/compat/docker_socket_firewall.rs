//! `dockwarden compat docker-socket-firewall`: a socket in front of the daemon's, and two policies in Rego that decide.
//!
//! What it does is what this configuration says:
//!
//! ```yaml
//! listen: [{ socket: /var/run/protected-docker.sock, mode: "0666" }]
//! upstream: unix:///var/run/docker.sock
//! policy:
//!   preset: open
//!   rego:
//!     files: [/etc/docker/authz.rego, /etc/docker/build.rego]
//!     input: docker-socket-firewall
//!     build: data.docker.build.allow
//! ```

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, CommandFactory, Parser};
use policy::NamedText;

use super::super::{Exit, Failure, serve, usage};
use super::{go_flags, quoted};
use crate::config::Wishes;
use crate::talk;

/// docker-socket-firewall: a socket in front of the daemon's, with policies in Rego
#[derive(Debug, Args)]
#[command(override_usage = USAGE)]
pub struct Arguments {
    /// docker-socket-firewall's own flags
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
    arguments: Vec<OsString>,
}

/// Its flags.
#[derive(Debug, Parser)]
#[command(name = "dockwarden compat docker-socket-firewall", disable_version_flag = true, override_usage = USAGE)]
struct Flags {
    /// The docker socket to listen on
    #[arg(long, value_name = "PATH", default_value = "/var/run/protected-docker.sock", overrides_with = "host")]
    host: PathBuf,
    /// The docker socket to connect to
    #[arg(long, value_name = "PATH", default_value = "/var/run/docker.sock", overrides_with = "target")]
    target: PathBuf,
    /// The directory that contains the policies authz.rego and build.rego
    #[arg(long = "policyDir", value_name = "DIR", default_value = "/etc/docker", overrides_with = "policy_dir")]
    policy_dir: PathBuf,
    /// Print usage information
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set,
          default_value = "false", value_parser = BoolishValueParser::new(), hide_default_value = true)]
    usage: bool,
    /// Print each request, the input of the policy and its decision
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set,
          default_value = "false", value_parser = BoolishValueParser::new(), hide_default_value = true)]
    verbose: bool,
}

/// Serves, or says what its flags are.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let (flags, rest) = go_flags(&arguments.arguments, &["host", "target", "policyDir"]);
    // What follows the flags it never looked at.
    if let Some(word) = rest.first() {
        return Err(Failure::Sentence(format!("`{}` is no flag", word.to_string_lossy())));
    }
    let flags = match Flags::try_parse_from([OsString::from("docker-socket-firewall")].into_iter().chain(flags)) {
        Ok(flags) => flags,
        Err(error) => {
            let _ = error.print();
            return Ok(usage(&error));
        }
    };
    if flags.usage {
        talk::result(Flags::command().render_help().to_string().trim_end())?;
        return Ok(Exit::Done);
    }
    let text = NamedText { name: "compat docker-socket-firewall".to_owned(), text: configuration(&flags)? };
    serve::with(Wishes {
        text: Some(text),
        only_named: true,
        serves: true,
        tell_rego: flags.verbose,
        ..Wishes::default()
    })
}

fn configuration(flags: &Flags) -> Result<String, Failure> {
    let target = {
        let mut address = OsString::from("unix://");
        address.push(&flags.target);
        quoted(&address)?
    };
    let host = quoted(flags.host.as_os_str())?;
    let policies = ["authz.rego", "build.rego"].map(|name| quoted(flags.policy_dir.join(name).as_os_str()));
    let [authz, build] = policies;
    Ok(format!(
        "listen: [{{ socket: {host}, mode: \"0666\" }}]\nupstream: {target}\npolicy:\n  preset: open\n  rego:\n    \
         files: [{}, {}]\n    input: docker-socket-firewall\n    build: data.docker.build.allow\n",
        authz?, build?
    ))
}

const USAGE: &str =
    "dockwarden compat docker-socket-firewall [-host PATH] [-target PATH] [-policyDir DIR] [-verbose] [-usage]";
