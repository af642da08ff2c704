//! `dockwarden compat docker-socket-proxy`: the firewall by the variables of Tecnativa's and LinuxServer's proxy, out of the
//! environment, on the port that it listened on.

use std::path::PathBuf;

use clap::Args;
use policy::NamedText;
use server::listen::ListenAddress;

use super::super::{Exit, Failure, serve};
use super::quoted;
use crate::config::{Wishes, parse_address};
use crate::import::{self, Maker, Manner};
use crate::talk;

/// Tecnativa's docker-socket-proxy: CONTAINERS=1, POST=0 and the like
///
/// Reads its variables from the environment (SOCKET_PATH and LOG_LEVEL, too), and listens where it did, on TCP port 2375
/// of all addresses. What they grant is said at the start.
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
pub fn run(arguments: Arguments, maker: Maker) -> Result<Exit, Failure> {
    let manner = if arguments.as_permissive { Manner::Permissive } else { Manner::Guarded };
    let variables = NamedText { name: "the environment".to_owned(), text: variables(maker) };
    let plan = import::docker_socket_proxy(&variables, maker)?;
    plan.told().for_each(|grant| tracing::info!("granted by {grant}"));
    match manner {
        _ if !plan.makes() => {}
        Manner::Guarded => tracing::info!("{GUARDED}"),
        Manner::Permissive => talk::say(PERMISSIVE),
    }
    let mut text = plan.write(manner);
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
fn variables(maker: Maker) -> String {
    let of_environment = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| maker.knows(name))?;
        // What is no text is no value either.
        Some(format!("{name}={}", value.to_string_lossy().replace('\n', "\u{fffd}")))
    });
    let mut lines: Vec<String> = of_environment.collect();
    lines.sort();
    lines.join("\n")
}

const GUARDED: &str = "what is created, started or entered may ask for what gives nobody the host; --as-permissive lets it ask \
                       for anything, as it could there";
const PERMISSIVE: &str = "--as-permissive: containers may be privileged and have all of the host, so whoever can connect is as good \
                          as root on it";

const EXAMPLES: &str = "\
Examples:
  CONTAINERS=1 dockwarden compat docker-socket-proxy
  CONTAINERS=1 POST=1 dockwarden compat docker-socket-proxy --listen unix:///run/proxy/docker.sock
  ALLOW_RESTARTS=1 dockwarden compat linuxserver-socket-proxy

The same as a configuration file: `dockwarden import docker-socket-proxy proxy.env`.";
