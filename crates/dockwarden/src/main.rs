//! `dockwarden`, the binary: what a person types and reads.
//!
//! Nothing is decided here. [`cli`] has one file a subcommand; [`config`] turns the configuration file
//! and the flags into checked settings; [`private`] is the filtered socket that `run` and `explain`
//! make for one command; [`engine`] is the daemon beside us, [`doctor`] what is weak about it and its host; [`talk`]
//! is how faults and results are printed. The work itself is in the crates below: `policy` decides, `server` carries out.

mod cli;
mod config;
mod doctor;
mod engine;
mod private;
mod replace;
mod scratch;
mod talk;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
