//! `dockwarden compat NAME ...`: the predecessors, called as they were. Their flags are theirs, so each reads its own.

mod docker_socket_firewall;
mod go_flags;

use std::ffi::OsString;

use clap::{Args, Subcommand};

use super::{Exit, Failure};

/// Stand in for another firewall, with its own flags
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    name: Name,
}

#[derive(Debug, Subcommand)]
enum Name {
    /// docker-socket-firewall: a socket with policies in Rego
    #[command(disable_help_flag = true)]
    DockerSocketFirewall {
        /// Its flags: -host, -target, -policyDir, -verbose, -usage
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAG")]
        flags: Vec<OsString>,
    },
}

/// Stands in.
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.name {
        Name::DockerSocketFirewall { flags } => docker_socket_firewall::run(&flags),
    }
}
