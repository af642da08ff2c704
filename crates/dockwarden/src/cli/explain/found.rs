//! A record by its id, out of the file of records.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::show::Told;

/// Finds it. Ids are told to users and typed back by them: their case does not matter.
pub fn find(file: &Path, id: &str) -> Result<Told, String> {
    let name = file.display();
    let open = File::open(file).map_err(|error| format!("cannot read the records in `{name}`: {error}"))?;
    let wanted = id.trim_end_matches('.').to_ascii_uppercase();
    for line in BufReader::new(open).lines() {
        let line = line.map_err(|error| format!("cannot read the records in `{name}`: {error}"))?;
        if line.contains(&wanted)
            && let Ok(told) = Told::read(&line)
            && told.id == wanted
        {
            return Ok(told);
        }
    }
    Err(format!("there is no record `{id}` in `{name}`; if the file was rotated, name the older one with --records"))
}
