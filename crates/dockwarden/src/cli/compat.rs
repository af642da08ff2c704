//! `dockwarden compat TOOL`: takes the place of another tool, with that tool's own flags and files.
//!
//! Each is put into words of our own configuration, which `dockwarden` then goes by as if somebody had written it.

mod docker_socket_firewall;
mod docker_socket_proxy;
mod secdocker;

use std::ffi::{OsStr, OsString};

use clap::{Args, Subcommand};

use super::{Exit, Failure};
use crate::import::Maker;

const EXAMPLES: &str = "\
Examples:
  CONTAINERS=1 dockwarden compat docker-socket-proxy
  ALLOW_RESTARTS=1 dockwarden compat linuxserver-socket-proxy
  dockwarden compat docker-socket-firewall -host /run/docker-firewall.sock -policyDir /etc/docker-policies
  dockwarden compat secdocker -tcp 8999
  dockwarden compat secdocker run --rm alpine id";

/// Take the place of another tool, with its own flags
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Debug, Subcommand)]
enum Tool {
    DockerSocketProxy(docker_socket_proxy::Arguments),
    /// LinuxServer's socket-proxy: the same, where ALLOW_START and the like do without POST
    LinuxserverSocketProxy(docker_socket_proxy::Arguments),
    DockerSocketFirewall(docker_socket_firewall::Arguments),
    Secdocker(secdocker::Arguments),
}

/// Does what the tool would do.
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.tool {
        Tool::DockerSocketProxy(arguments) => docker_socket_proxy::run(arguments, Maker::Tecnativa),
        Tool::LinuxserverSocketProxy(arguments) => docker_socket_proxy::run(arguments, Maker::LinuxServer),
        Tool::DockerSocketFirewall(arguments) => docker_socket_firewall::run(&arguments),
        Tool::Secdocker(arguments) => secdocker::run(arguments),
    }
}

impl Arguments {
    /// Whether it serves until it is told to stop, and has more to say than a short-lived command.
    pub fn serves(&self) -> bool {
        match &self.tool {
            Tool::DockerSocketProxy(_) | Tool::LinuxserverSocketProxy(_) | Tool::DockerSocketFirewall(_) => true,
            Tool::Secdocker(arguments) => arguments.serves(),
        }
    }

    /// How much the tool was told to say, where it has words of its own for that.
    pub fn loudness(&self) -> Option<&'static str> {
        match &self.tool {
            Tool::DockerSocketProxy(_) | Tool::LinuxserverSocketProxy(_) => docker_socket_proxy::loudness(),
            Tool::DockerSocketFirewall(_) | Tool::Secdocker(_) => None,
        }
    }
}

/// Flags as programs written in Go take them, one dash or two, as those with two; and what comes after them. `valued`:
/// the flags whose value may be the next word.
fn go_flags(arguments: &[OsString], valued: &[&str]) -> (Vec<OsString>, Vec<OsString>) {
    let mut flags = Vec::new();
    let mut rest = arguments.iter();
    loop {
        let left = rest.as_slice();
        let Some(argument) = rest.next() else { return (flags, Vec::new()) };
        match argument.to_str().and_then(|text| text.strip_prefix('-')) {
            None | Some("") => return (flags, left.to_vec()),
            Some("-") => return (flags, rest.as_slice().to_vec()),
            Some("h") => flags.push(argument.clone()),
            Some(name) => {
                let name = name.strip_prefix('-').unwrap_or(name);
                flags.push(format!("--{name}").into());
                if valued.contains(&name) {
                    flags.extend(rest.next().cloned());
                }
            }
        }
    }
}

/// A text as a word of YAML.
fn quoted(text: &OsStr) -> Result<String, Failure> {
    match text.to_str() {
        Some(text) => Ok(serde_json::Value::from(text).to_string()),
        None => Err(Failure::Sentence(format!("`{}` cannot be written as text", text.to_string_lossy()))),
    }
}

#[cfg(test)]
mod tests {
    use super::go_flags;

    #[test]
    fn flags_of_go_are_flags() {
        let split = |line: &str| {
            let words: Vec<_> = line.split_whitespace().map(Into::into).collect();
            let (flags, rest) = go_flags(&words, &["tcp", "config"]);
            let join = |words: Vec<std::ffi::OsString>| words.join(" ".as_ref()).into_string().unwrap();
            (join(flags), join(rest))
        };
        for (line, flags, rest) in [
            ("", "", ""),
            ("-tcp 8999 -config a.yml", "--tcp 8999 --config a.yml", ""),
            ("--tcp=8999 run -p 1:1 x", "--tcp=8999", "run -p 1:1 x"),
            ("-config run run -it x", "--config run", "run -it x"),
            ("-h", "-h", ""),
            ("-- run", "", "run"),
            ("-tcp", "--tcp", ""),
            ("-show=false", "--show=false", ""),
        ] {
            assert_eq!(split(line), (flags.to_owned(), rest.to_owned()), "{line}");
        }
    }
}
