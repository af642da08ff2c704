//! Services that are asked over HTTP, wherever in the configuration they are named: addresses, certificates, and secrets in
//! files of their own.

use std::path::{Path, PathBuf};

use policy::source::Node;
use serde_saphyr::Location;
use server::web::{HeaderName, Trust, Url, Web, is_loopback};

use super::container_defaults::flag;
use super::file::{ConfigFile, Field, Fields};

/// A header field by its name, and the file of its value.
pub fn header(file: &mut ConfigFile, field: Field<'_>) -> Option<(HeaderName, PathBuf)> {
    const HELP: &str = "`header: { Authorization: /etc/dockwarden/token }`: the value stands in the file";
    let Node::Map(entries) = &field.value.value else {
        file.fault_with(field.place, "`header` must be a mapping of a name to a file", HELP);
        return None;
    };
    let [(name, value)] = entries.as_slice() else {
        file.fault_with(field.place, "`header` is one field", HELP);
        return None;
    };
    let Ok(known) = name.value.parse::<HeaderName>() else {
        file.fault(name.referenced, format!("`{}` is no name of a header field", name.value));
        return None;
    };
    Some((known, secret(file, Field { name: "header", place: name.referenced, value })?))
}

/// A client with the certificates of a section.
pub fn client(file: &mut ConfigFile, section: Field<'_>, fields: &Fields<'_>) -> Option<Web> {
    let mut path = |name| fields.get(name).and_then(|field| file.field_path(field));
    let trust = Trust { ca: path("ca"), certificate: path("certificate"), key: path("key") };
    Web::new(&trust).map_err(|problem| file.fault(section.place, problem)).ok()
}

/// The address of a section that needs one.
pub fn url(file: &mut ConfigFile, section: Field<'_>, fields: &Fields<'_>, missing: &str) -> Option<Url> {
    let insecure = insecure(file, fields);
    match fields.get("url") {
        Some(field) => address(file, field, insecure),
        None => {
            file.fault(section.place, missing);
            None
        }
    }
}

/// An address. Whoever is between us and a service that is asked without TLS says what passes.
pub fn address(file: &mut ConfigFile, field: Field<'_>, insecure: bool) -> Option<Url> {
    let text = file.field_word(field)?;
    let place = field.value.referenced;
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        file.fault_with(place, "this is no address of a service", "`https://HOST/PATH`");
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        file.fault_with(place, "an address must not hold a login", "logins and tokens stand in files of their own");
        return None;
    }
    if url.scheme() == "http" && !insecure && !url.host_str().is_some_and(is_loopback) {
        let help = "use `https`, or say `insecure: true` if nobody can be in between";
        file.fault_with(place, "without TLS anybody in between could answer", help);
        return None;
    }
    Some(url)
}

/// Whether TLS can be done without.
pub fn insecure(file: &mut ConfigFile, fields: &Fields<'_>) -> bool {
    fields.get("insecure").is_some_and(|field| flag(file, field))
}

/// A file with a secret, which must be there.
pub fn secret(file: &mut ConfigFile, field: Field<'_>) -> Option<PathBuf> {
    let path = file.field_path(field)?;
    if let Err(error) = std::fs::read(&path) {
        file.fault(field.value.referenced, format!("cannot read `{}`: {error}", path.display()));
        return None;
    }
    private(file, &path, field.value.referenced);
    Some(path)
}

/// Warns of a secret that everybody here can read.
pub fn private(file: &mut ConfigFile, path: &Path, place: Location) {
    use std::os::unix::fs::MetadataExt;
    if path.metadata().is_ok_and(|about| about.mode() & 0o004 != 0) {
        file.warn(
            place,
            format!("`{}` can be read by every user of this host; chmod it to 0600 or 0640", path.display()),
        );
    }
}

/// A list of words, or one.
pub fn words(file: &mut ConfigFile, fields: &Fields<'_>, name: &str) -> Vec<(String, Location)> {
    let Some(field) = fields.get(name) else { return Vec::new() };
    let items = match &field.value.value {
        Node::List(items) => items.as_slice(),
        _ => std::slice::from_ref(field.value),
    };
    if items.is_empty() {
        file.fault_with(field.place, format!("`{name}` names nothing"), "leave it out for all");
    }
    let what = format!("an entry of `{name}`");
    items.iter().filter_map(|item| Some((file.word(item, &what)?, item.referenced))).collect()
}
