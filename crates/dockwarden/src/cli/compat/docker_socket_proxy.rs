//! `dockwarden compat docker-socket-proxy`: the firewall by the variables of Tecnativa's and LinuxServer's proxy, out of the
//! environment, on the port that it listened on.

use std::path::PathBuf;

use clap::Args;
use policy::NamedText;
use server::listen::ListenAddress;

use super::super::{Exit, Failure, serve};
use super::quoted;
use crate::config::{Wishes, parse_address};
use crate::import::{self, Format, Manner, is_variable};

/// Tecnativa's docker-socket-proxy and LinuxServer's socket-proxy: CONTAINERS=1, POST=0 and the like
///
/// Reads its variables from the environment (SOCKET_PATH and LOG_LEVEL, too), and listens where it did, on TCP port 2375
/// of all addresses.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Let what is created ask for anything, as it could there, and with it for the host
    #[arg(long)]
    as_permissive: bool,
    /// Listen here instead: unix:///path, tcp://IP:PORT, or fd://NAME
    #[arg(long, value_name = "ADDR", value_parser = parse_address)]
    listen: Vec<ListenAddress>,
    /// What must outlive the process, and the records beside it [default: as `state` of the configuration]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// Serves until a signal.
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let manner = if arguments.as_permissive { Manner::Permissive } else { Manner::Guarded };
    let variables = NamedText { name: "the environment".to_owned(), text: variables() };
    let mut text = import::import(Format::DockerSocketProxy, &variables, manner)?;
    if let Some(state) = &arguments.state {
        text.push_str(&format!("state: {}\n", quoted(state.as_os_str())?));
    }
    let text = NamedText { name: "compat docker-socket-proxy".to_owned(), text };
    serve::with(Wishes {
        text: Some(text),
        only_named: true,
        serves: true,
        listen: arguments.listen,
        ..Wishes::default()
    })
}

/// How loud its log was to be.
pub fn loudness() -> Option<&'static str> {
    import::loudness(&std::env::var("LOG_LEVEL").ok()?)
}

/// Its own variables as a file of them. Others are none of its business.
fn variables() -> String {
    let of_environment = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| is_variable(name))?;
        // What is no text is no value either.
        Some(format!("{name}={}", value.to_string_lossy().replace('\n', "\u{fffd}")))
    });
    let mut lines: Vec<String> = of_environment.collect();
    lines.sort();
    lines.join("\n")
}

const EXAMPLES: &str = "\
Examples:
  CONTAINERS=1 dockwarden compat docker-socket-proxy
  CONTAINERS=1 POST=1 dockwarden compat docker-socket-proxy --listen unix:///run/proxy/docker.sock

The same as a configuration file: `dockwarden import docker-socket-proxy proxy.env`.";
