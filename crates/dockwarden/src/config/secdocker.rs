//! `policy: { secdocker: FILE }`: SecDocker's own configuration, read where it is.

use std::path::{Path, PathBuf};

use docker::host_path;
use policy::SecDocker;
use serde_saphyr::Spanned;

use super::file::ConfigFile;
use super::policies;

/// Reads it. What is wrong with it is told as its own faults.
pub fn read(file: &mut ConfigFile, named: &Spanned<String>) -> Option<SecDocker> {
    let text = match policies::text(&file.beside(Path::new(&named.value))) {
        Ok(text) => text,
        Err(problem) => {
            file.fault(named.referenced, problem);
            return None;
        }
    };
    match SecDocker::read(&text) {
        Ok(mut secdocker) => {
            let led = secdocker.host_paths().filter_map(|path| Some((path.to_owned(), leads_to(path)?)));
            secdocker.leads_to = led.collect();
            Some(secdocker)
        }
        Err(faults) => {
            file.faults.extend(faults.0);
            None
        }
    }
}

/// Where a path leads on this host, if it leads elsewhere. What of it is not there keeps its name.
fn leads_to(path: &str) -> Option<String> {
    let (mut there, mut rest) = (PathBuf::from(path), PathBuf::new());
    let whole = loop {
        match there.canonicalize() {
            Ok(found) => break if rest.as_os_str().is_empty() { found } else { found.join(&rest) },
            Err(_) => {
                let last = there.file_name()?.to_owned();
                rest = if rest.as_os_str().is_empty() { last.into() } else { Path::new(&last).join(rest) };
                there.pop();
            }
        }
    };
    whole.to_str().filter(|whole| host_path::clean(path).as_deref() != Some(*whole)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::leads_to;

    #[test]
    fn links_are_followed_as_far_as_there_is_something() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        std::fs::create_dir(folder.join("real")).unwrap();
        std::os::unix::fs::symlink("real", folder.join("link")).unwrap();
        let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        assert_eq!(leads_to(&at("link")), Some(at("real")));
        assert_eq!(leads_to(&at("link/to/come")), Some(at("real/to/come")));
        assert_eq!(leads_to(&at("real/to/come")), None);
        assert_eq!(leads_to("/"), None);
    }
}
