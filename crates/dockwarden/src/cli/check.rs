//! `dockwarden check`: is this configuration right? Nothing is opened, bound or started.

use std::io;

use clap::Args;
use policy::{Diagnostic, Severity};
use serde_json::json;

use super::{Exit, Failure, PolicyArguments};
use crate::config::{self, Config, Wishes, exposure};
use crate::talk;

/// Check a configuration and its policies without starting anything
///
/// Prints every fault with its place and the nearest known name. Exit status 3 when there is one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    policy: PolicyArguments,
}

/// Prints all faults and warnings, or that there are none.
pub fn run(arguments: &Arguments, as_json: bool) -> Result<Exit, Failure> {
    let loaded = config::load(&Wishes { serves: true, ..arguments.policy.wishes() });
    let exit = if loaded.is_ok() { Exit::Done } else { Exit::Invalid };
    let text = if as_json { for_programs(loaded.as_ref()) } else { for_people(loaded.as_ref()) };
    talk::result(text.trim_end())?;
    Ok(exit)
}

type Loaded<'a> = Result<&'a Config, &'a policy::Diagnostics>;

fn for_people(loaded: Loaded<'_>) -> String {
    let coloured = talk::coloured(&io::stdout());
    match loaded {
        Ok(config) => {
            let mut text = talk::rendered(&config.warnings, coloured);
            for sentence in exposure::warnings(&config.settings) {
                text.push_str(&format!("warning: {sentence}\n"));
            }
            text.push_str(&format!("ok: {}\n", config.summary()));
            text
        }
        Err(faults) => {
            let errors = faults.0.iter().filter(|fault| fault.severity == Severity::Error).count();
            format!("{}{}\n", talk::rendered(&faults.0, coloured), counted(errors))
        }
    }
}

fn counted(errors: usize) -> String {
    match errors {
        1 => "1 fault".to_owned(),
        errors => format!("{errors} faults"),
    }
}

fn for_programs(loaded: Loaded<'_>) -> String {
    let listed = |faults: &[Diagnostic]| faults.iter().map(talk::as_json).collect::<Vec<_>>();
    let said = match loaded {
        Ok(config) => json!({
            "ok": true,
            "policies": config.policy.count(),
            "preset": config.policy.preset(),
            "mode": config.policy.mode().name(),
            "version": config.policy.version(),
            "diagnostics": listed(&config.warnings),
            "exposures": exposure::warnings(&config.settings),
        }),
        Err(faults) => json!({ "ok": false, "diagnostics": listed(&faults.0) }),
    };
    said.to_string()
}

const EXAMPLES: &str = "\
Examples:
  dockwarden check
  dockwarden check --config dockwarden.yaml
  dockwarden check --preset none --policy team.cedar --json";
