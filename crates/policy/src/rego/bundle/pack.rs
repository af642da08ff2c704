//! From a packed bundle (`bundle.tar.gz`) to its files.

use std::collections::BTreeSet;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use super::BundleFile;

/// Unpacks a bundle. The sentence about "it" says why it cannot be.
pub fn unpack(packed: &[u8]) -> Result<Vec<BundleFile>, String> {
    if !packed.starts_with(GZIP) {
        return Err("it is not packed as bundles are (a tar archive, compressed by gzip)".to_owned());
    }
    // One more than may be, so that too much is told from an archive that is cut off.
    let mut archive = Archive::new(MultiGzDecoder::new(packed).take(MOST_BYTES.saturating_add(1)));
    let read = files(&mut archive);
    // To the very end: the checksum stands there.
    let mut rest = archive.into_inner();
    let drained = io::copy(&mut rest, &mut io::sink());
    if rest.limit() == 0 {
        return Err(format!("it becomes more than {} MiB", MOST_BYTES >> 20));
    }
    let files = read?;
    drained.map_err(|error| broken(&error))?;
    Ok(files)
}

fn files<R: Read>(archive: &mut Archive<R>) -> Result<Vec<BundleFile>, String> {
    let (mut files, mut paths) = (Vec::new(), BTreeSet::new());
    for entry in archive.entries().map_err(|error| broken(&error))? {
        let mut entry = entry.map_err(|error| broken(&error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match entry.header().entry_type() {
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            EntryType::Regular | EntryType::Continuous => {}
            _ => return Err(format!("its entry `{}` is no plain file", printable(&name))),
        }
        let path = path(&name).ok_or_else(|| format!("its entry `{}` is not below it", printable(&name)))?;
        if !paths.insert(path.clone()) {
            return Err(format!("it holds `{}` twice", printable(&path)));
        }
        if files.len() >= MOST_FILES {
            return Err(format!("it holds more than {MOST_FILES} files"));
        }
        files.push(BundleFile { path, bytes: bytes(&mut entry).map_err(|error| broken(&error))? });
    }
    Ok(files)
}

/// What is in an entry. Its length is not believed: room is made for what comes.
fn bytes<R: Read>(entry: &mut Entry<'_, R>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A path from the bundle's root; `/a.rego` and `./a.rego` are `a.rego`.
fn path(name: &str) -> Option<String> {
    let steps: Vec<&str> = name.split('/').filter(|step| !step.is_empty() && *step != ".").collect();
    let outside = steps.is_empty() || steps.contains(&"..") || steps.len() > DEEPEST;
    (!outside).then(|| steps.join("/"))
}

fn broken(error: &io::Error) -> String {
    format!("it cannot be unpacked: {}", printable(&error.to_string()))
}

fn printable(name: &str) -> String {
    crate::message::printable(name)
}

/// What a file compressed by gzip begins with (RFC 1952).
const GZIP: &[u8] = &[0x1f, 0x8b];
/// What all files may be together, in bytes, with what the archive needs for itself.
const MOST_BYTES: u64 = 64 << 20;
const MOST_FILES: usize = 10_000;
/// Folders within folders.
const DEEPEST: usize = 32;
