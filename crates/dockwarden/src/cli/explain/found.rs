//! A record by its id, or those of a build by its reference, out of the file of records.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::show::Told;

/// Finds them. Ids of records are told to users and typed back by them: their case does not matter.
pub fn find(file: &Path, named: &str) -> Result<Vec<Told>, String> {
    let name = file.display();
    let unread = |error| format!("cannot read the records in `{name}`: {error}");
    let named = named.trim_end_matches('.');
    let id = named.to_ascii_uppercase();
    let mut of_build = Vec::new();
    for line in BufReader::new(File::open(file).map_err(unread)?).lines() {
        let line = line.map_err(unread)?;
        let Some(told) = [named, &id].iter().any(|it| line.contains(*it)).then(|| Told::read(&line).ok()).flatten()
        else {
            continue;
        };
        if told.id == id {
            return Ok(vec![told]);
        }
        if told.build() == Some(named) {
            of_build.push(told);
        }
    }
    if of_build.is_empty() {
        let help = "if the file was rotated, name the older one with --records";
        return Err(format!("there is no record `{named}`, or of a build of that name, in `{name}`; {help}"));
    }
    Ok(of_build)
}
