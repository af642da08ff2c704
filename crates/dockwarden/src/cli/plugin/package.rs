//! `dockwarden plugin package`: the folder that a managed plugin is made from.

use std::path::PathBuf;

use clap::Args;

use super::super::{Exit, Failure};
use super::bundle;
use crate::talk;

/// Write the folder that a managed plugin is made from
///
/// DIR gets config.json and rootfs/ with this program, without its tables for debuggers. Where the program is not
/// static, what loads it and its libraries are put beside it; `make plugin` builds one that is static.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The folder; made where it is missing, and empty where it is there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The program to put in, instead of this very one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// Writes it, and says what comes next.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => this_program().map_err(Failure::Sentence)?,
    };
    let folder = &arguments.folder;
    let made = bundle::write(folder, &binary).map_err(|error| Failure::Sentence(format!("cannot package: {error}")))?;
    let kind = match made.libraries.len() {
        0 => "static".to_owned(),
        many => format!("with {many} libraries of this host"),
    };
    talk::result(&format!(
        "{folder}: a program of {size} MiB, {kind}\nnext: docker plugin create dockwarden {folder}, or all of it by \
         `dockwarden plugin install --as managed --bundle {folder}`",
        folder = folder.display(),
        size = made.size.wrapping_shr(20),
    ))?;
    Ok(Exit::Done)
}

/// The file that this process runs.
pub fn this_program() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("cannot tell which program this is: {error}; name it by --binary"))
}

const EXAMPLES: &str = "\
Examples:
  dockwarden plugin package /tmp/plugin && docker plugin create dockwarden /tmp/plugin
  dockwarden plugin package plugin --binary target/plugin/release/dockwarden";
