//! `tls:` of a listener and of the daemon: files of certificates and keys, loaded at once so that a
//! missing or broken one is a fault of the configuration and not of the first client.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_saphyr::Location;
use server::tls::{Loaded, TlsError};

use super::file::{ConfigFile, Field, Fields};

/// TLS, ready for use. Two are equal when they come from the same files.
#[derive(Debug, Clone)]
pub struct Tls<C> {
    files: Vec<Option<PathBuf>>,
    /// For rustls.
    pub config: Arc<C>,
}

impl<C> PartialEq for Tls<C> {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

/// TLS of a listener.
pub fn server(file: &mut ConfigFile, section: Field<'_>) -> Option<Tls<rustls::ServerConfig>> {
    let fields = file.fields(section.value, "`tls`", &["certificate", "key", "client_ca"]);
    let [certificate, key, client_ca] = ["certificate", "key", "client_ca"].map(|name| path(file, &fields, name));
    let certificate = needed(file, section, "certificate", &certificate)?;
    let key = needed(file, section, "key", &key)?;
    let loaded =
        server::tls::server_config(&certificate.path, &key.path, client_ca.as_ref().map(|ca| ca.path.as_path()));
    take(file, section, loaded, [Some(certificate), Some(key), client_ca])
}

/// TLS towards the daemon.
pub fn client(file: &mut ConfigFile, section: Field<'_>) -> Option<Tls<rustls::ClientConfig>> {
    let fields = file.fields(section.value, "`tls`", &["ca", "certificate", "key"]);
    let [ca, certificate, key] = ["ca", "certificate", "key"].map(|name| path(file, &fields, name));
    let ca = needed(file, section, "ca", &ca)?;
    let place = |named: &Option<Named>| named.as_ref().map(|named| named.path.clone());
    let loaded = server::tls::client_config(&ca.path, place(&certificate).as_deref(), place(&key).as_deref());
    take(file, section, loaded, [Some(ca), certificate, key])
}

/// A file and where it is named.
#[derive(Debug, Clone)]
struct Named {
    path: PathBuf,
    place: Location,
}

fn path(file: &mut ConfigFile, fields: &Fields<'_>, name: &str) -> Option<Named> {
    let field = fields.get(name)?;
    Some(Named { path: file.field_path(field)?, place: field.value.referenced })
}

fn needed(file: &mut ConfigFile, section: Field<'_>, name: &str, found: &Option<Named>) -> Option<Named> {
    if found.is_none() {
        file.fault(section.place, format!("`tls` needs `{name}`, the path of a PEM file"));
    }
    found.clone()
}

fn take<C>(
    file: &mut ConfigFile,
    section: Field<'_>,
    loaded: Result<Loaded<C>, TlsError>,
    names: [Option<Named>; 3],
) -> Option<Tls<C>> {
    match loaded {
        Ok(Loaded { config, warnings }) => {
            warnings.into_iter().for_each(|warning| file.warn(section.place, warning));
            let files = names.into_iter().map(|named| Some(named?.path)).collect();
            Some(Tls { files, config })
        }
        Err(error) => {
            let place = culprit(&error)
                .and_then(|path| names.iter().flatten().find(|named| named.path == path).map(|named| named.place));
            file.fault(place.unwrap_or(section.place), error.to_string());
            None
        }
    }
}

/// The file that is at fault.
fn culprit(error: &TlsError) -> Option<&Path> {
    match error {
        TlsError::Unreadable { file, .. } | TlsError::Empty { file, .. } | TlsError::Authority { file, .. } => {
            Some(file)
        }
        TlsError::Pair { certificate, .. } => Some(certificate),
        TlsError::HalfPair | TlsError::Setup(_) => None,
    }
}
