//! The name in a client certificate. That the certificate is good was checked in the handshake; here
//! it is only read, the way Go reads it, because dockerd's own plugins know clients by that name.

use super::IdentifyError;
use rustls::pki_types::CertificateDer;
use std::net::IpAddr;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// What a certificate says about its holder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) user: String,
    pub(crate) common_name: Option<String>,
    pub(crate) names: Vec<String>,
}

/// The last common name, as in Go; without one the first mail address or DNS name.
pub(crate) fn named(certificate: &CertificateDer<'_>) -> Result<Named, IdentifyError> {
    let (_, certificate) =
        X509Certificate::from_der(certificate).map_err(|problem| refused(&format!("it cannot be read: {problem}")))?;
    let common_name = match certificate.subject().iter_common_name().last() {
        None => None,
        Some(name) => Some(
            name.as_str().map_err(|_| refused("its common name is in an encoding that cannot be read"))?.to_owned(),
        ),
    }
    .filter(|name| !name.is_empty());
    let alternatives = certificate
        .subject_alternative_name()
        .map_err(|_| refused("its alternative names cannot be read"))?
        .map(|extension| extension.value.general_names.as_slice())
        .unwrap_or_default();
    let user = common_name
        .clone()
        .or_else(|| alternatives.iter().find_map(personal))
        .ok_or_else(|| refused("it has neither a common name nor a mail or DNS name"))?;
    check(&user)?;
    Ok(Named { user, common_name, names: alternatives.iter().filter_map(labelled).collect() })
}

fn personal(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::RFC822Name(name) | GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    }
}

fn labelled(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::RFC822Name(name) => Some(format!("email:{name}")),
        GeneralName::DNSName(name) => Some(format!("dns:{name}")),
        GeneralName::URI(name) => Some(format!("uri:{name}")),
        GeneralName::IPAddress(bytes) => Some(format!("ip:{}", address(bytes)?)),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// A name must not read like another kind of subject, nor hide anything from who reads the log.
fn check(user: &str) -> Result<(), IdentifyError> {
    if let Some(prefix) = RESERVED.iter().find(|prefix| user.starts_with(**prefix)) {
        return Err(refused(&format!("names that begin with `{prefix}` are for other subjects")));
    }
    if user.chars().any(char::is_control) {
        return Err(refused("its name has control characters"));
    }
    if user.is_empty() || user.trim() != user {
        return Err(refused("its name is empty or begins or ends with a space"));
    }
    Ok(())
}

fn refused(problem: &str) -> IdentifyError {
    IdentifyError::Certificate(problem.to_owned())
}

/// What [`super`] begins the names of those subjects with that have no name of their own.
const RESERVED: &[&str] = &["uid:", "gid:", "container:", "address:", "socket:"];
