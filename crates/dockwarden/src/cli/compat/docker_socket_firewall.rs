//! `dockwarden compat docker-socket-firewall`: a socket in front of the daemon's, and two policies in Rego that decide.
//!
//! As it was, but that a policy that is not there is an error at start, that what a request means is understood before
//! anybody is asked, and that no request goes to the daemon which could be read in two ways.

use std::ffi::OsString;
use std::path::Path;

use super::go_flags::{self, Flags};
use crate::cli::{Exit, Failure, serve};
use crate::config::{RegoWish, Wishes};
use crate::talk;

/// Serves, or says what its flags are.
pub fn run(words: &[OsString]) -> Result<Exit, Failure> {
    let flags = match go_flags::read(words, &["host", "policyDir", "target"], &["usage", "verbose"]) {
        Ok(flags) => flags,
        Err(problem) => {
            talk::say(&problem);
            talk::say(USAGE);
            return Ok(Exit::Usage);
        }
    };
    if flags.is_on("usage") {
        talk::result(USAGE)?;
        return Ok(Exit::Done);
    }
    serve::serve_by(wishes(&flags)?)
}

fn wishes(flags: &Flags) -> Result<Wishes, Failure> {
    let address = |path: &str| format!("unix://{path}");
    let host = flags.text("host", "/var/run/protected-docker.sock");
    let listen = crate::config::parse_address(&address(host)).map_err(Failure::Sentence)?;
    let target = flags.text("target", "/var/run/docker.sock");
    let upstream = address(target).parse().map_err(|error| Failure::Sentence(format!("-target: {error}")))?;
    let folder = Path::new(flags.text("policyDir", "/etc/docker"));
    let files = ["authz.rego", "build.rego"].map(|name| folder.join(name)).to_vec();
    Ok(Wishes {
        only_named: true,
        serves: true,
        listen: vec![listen],
        upstream: Some(upstream),
        preset: Some("open".to_owned()),
        rego: Some(RegoWish { files, input: "docker-socket-firewall", build: "data.docker.build.allow" }),
        tell_rego: flags.is_on("verbose"),
        ..Wishes::default()
    })
}

const USAGE: &str = "\
Usage of docker-socket-firewall:
  -host string
        The docker socket to listen on (default \"/var/run/protected-docker.sock\")
  -policyDir string
        The directory containing the OPA policies (default \"/etc/docker\")
  -target string
        The docker socket to connect to (default \"/var/run/docker.sock\")
  -usage
        Print usage information
  -verbose
        Print each request, the input of the policy and its decision";
