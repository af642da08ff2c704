//! `dockwarden import NAME FILE`: the configuration of another tool in our own words.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use policy::{Diagnostics, NamedText};

use super::{Exit, Failure};
use crate::import::{self, Format, Manner};
use crate::replace;
use crate::talk;

/// Put the configuration of another tool into our own words
///
/// Prints a configuration for `serve --config`, with comments that say which line each rule came from and
/// what could not be carried over. What is not understood is a fault with its place, exit status 3.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Whose configuration it is
    #[arg(value_enum, value_name = "NAME")]
    format: Format,
    /// The file; `-` for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Let what is created ask for anything, as it could there, and with it for the host
    #[arg(long)]
    as_permissive: bool,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints what it comes to.
pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { format, file, as_permissive, output } = arguments;
    if *as_permissive && !format.is_list() {
        let name = format.name();
        return Err(Failure::Sentence(format!(
            "--as-permissive is for lists of paths; {name} says itself what may be asked for"
        )));
    }
    let manner = if *as_permissive { Manner::Permissive } else { Manner::Guarded };
    let text = import::import(*format, &read(file)?, manner)?;
    match output {
        None => talk::result(text.trim_end())?,
        Some(path) => replace::replace(path, path, &text)
            .map_err(|problem| Failure::Sentence(format!("cannot write {problem}")))?,
    }
    Ok(Exit::Done)
}

fn read(path: &Path) -> Result<NamedText, Failure> {
    let unread = |error| Diagnostics::sentence(&format!("cannot read {}: {error}", path.display()));
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map_err(unread)?;
        return Ok(NamedText { name: "stdin".to_owned(), text });
    }
    let text = std::fs::read_to_string(path).map_err(unread)?;
    Ok(NamedText { name: path.display().to_string(), text })
}

const EXAMPLES: &str = "\
Examples:
  dockwarden import docker-socket-proxy proxy.env > dockwarden.yaml
  dockwarden import socket-proxy flags.txt -o dockwarden.yaml
  dockwarden import twistlock-authz /var/lib/authz-broker/policy.json | less

What is carried over of each, and what is not: docs/import.md.";
