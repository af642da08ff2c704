//! `dockwarden completions SHELL`: what the shell needs to complete our command line.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Exit, Failure};
use crate::talk;

/// Print the completion script of a shell
///
/// For bash: `dockwarden completions bash > /etc/bash_completion.d/dockwarden`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Which shell
    #[arg(value_parser = ["bash", "zsh", "fish"])]
    shell: String,
}

/// Prints the script.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let shell = match arguments.shell.as_str() {
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => Shell::Bash,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dockwarden", &mut script);
    talk::result(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}

const EXAMPLES: &str = "\
Examples:
  dockwarden completions bash > /etc/bash_completion.d/dockwarden
  dockwarden completions zsh > ~/.zfunc/_dockwarden
  dockwarden completions fish > ~/.config/fish/completions/dockwarden.fish";
