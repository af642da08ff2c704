//! `dockwarden plugin`: the firewall as an authorization plugin of a Docker daemon, put in and taken out in an order
//! that keeps the daemon alive.
//!
//! A daemon that is told to ask a plugin which does not answer ends at once, and one whose plugin is disabled under it
//! goes on without a firewall. So a plugin answers before the daemon is told of it, and the daemon forgets it before
//! it is taken away. Each command is a plan of [`step`]s, which can be shown instead of carried out.

mod bundle;
mod elf;
mod install;
mod package;
mod rescue;
mod service;
mod status;
mod step;
#[cfg(test)]
mod tests;
mod uninstall;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Exit, Failure};
use crate::engine::local;

/// Be an authorization plugin of a Docker daemon: install, look after, take out
///
/// Docker asks an authorization plugin about every request, whatever socket it came by. All but `package` and `status`
/// change how the daemon of this host works, and need root.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Package(package::Arguments),
    Install(Box<install::Arguments>),
    Status(status::Arguments),
    Uninstall(uninstall::Arguments),
    Rescue(rescue::Arguments),
}

/// Where things of the daemon are: the same flags wherever they matter.
#[derive(Debug, Clone, Args)]
struct Places {
    /// The daemon's own socket
    #[arg(long, value_name = "ADDR", default_value = "unix:///var/run/docker.sock", value_parser = local)]
    docker: PathBuf,
    /// The daemon's configuration file
    #[arg(long, value_name = "FILE", default_value = "/etc/docker/daemon.json")]
    daemon_json: PathBuf,
    /// The file of the daemon's process id [default: as the configuration file says, or /var/run/docker.pid]
    #[arg(long, value_name = "FILE")]
    pidfile: Option<PathBuf>,
    /// Where the daemon looks for sockets of plugins
    #[arg(long, value_name = "DIR", default_value = "/run/docker/plugins")]
    plugins: PathBuf,
}

/// Does what was asked.
pub fn run(arguments: Arguments, as_json: bool) -> Result<Exit, Failure> {
    match arguments.what {
        What::Package(arguments) => package::run(&arguments),
        What::Install(arguments) => install::run(*arguments, as_json),
        What::Status(arguments) => status::run(&arguments, as_json),
        What::Uninstall(arguments) => uninstall::run(arguments, as_json),
        What::Rescue(arguments) => rescue::run(&arguments, as_json),
    }
}

const EXAMPLES: &str = "\
Examples:
  dockwarden plugin install --as managed        a plugin that the daemon itself runs
  dockwarden plugin install --as service        a service of this host that the daemon asks
  dockwarden plugin install --dry-run           what would be done
  dockwarden plugin status
  dockwarden plugin uninstall
  dockwarden plugin rescue                      the firewall is broken, and Docker refuses everything";
