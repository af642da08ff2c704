//! TLS from PEM files: for our own listeners (with client certificates where identity counts) and
//! for a daemon that is reached over the network.
//!
//! What must not happen: a client certificate that is asked for but not required, a session resumed
//! on the strength of a certificate that has expired since, an HTTP version other than 1.1.

#[cfg(test)]
pub(crate) mod tests;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A TLS configuration, and what its owner should hear about the files it was made from.
#[derive(Clone, Debug)]
pub struct Loaded<C> {
    /// Ready for use.
    pub config: Arc<C>,
    /// Sentences; empty when all is well.
    pub warnings: Vec<String>,
}

/// Why TLS cannot be set up. Each is a sentence that names the file and what to do.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum TlsError {
    #[error("cannot read {what} `{}`: {problem}", file.display())]
    Unreadable { what: &'static str, file: PathBuf, problem: String },
    #[error("`{}` holds no {what}; it must be a PEM file with a `-----BEGIN {label}-----` line", file.display())]
    Empty { what: &'static str, label: &'static str, file: PathBuf },
    #[error("the certificate authority in `{}` cannot be used: {problem}", file.display())]
    Authority { file: PathBuf, problem: String },
    #[error("certificate `{}` and key `{}` cannot be used together: {problem}", certificate.display(), key.display())]
    Pair { certificate: PathBuf, key: PathBuf, problem: rustls::Error },
    #[error("a client certificate for the daemon needs its key, and the key its certificate")]
    HalfPair,
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// For a listener. With `client_ca`, only clients with a certificate of that authority get in.
pub fn server_config(
    certificate: &Path,
    key: &Path,
    client_ca: Option<&Path>,
) -> Result<Loaded<ServerConfig>, TlsError> {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(VERSIONS)
        .map_err(TlsError::Setup)?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let roots = Arc::new(authorities(file)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|problem| TlsError::Authority { file: file.to_owned(), problem: problem.to_string() })?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(certificates(certificate)?, private_key(key)?)
        .map_err(|problem| not_a_pair(certificate, key, problem))?;
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    // A resumed session would skip the look at the client's certificate, expired or not.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Loaded { config: Arc::new(config), warnings: exposed(key).into_iter().collect() })
}

/// For a daemon over the network: trusts `ca` and nobody else, and shows the certificate
/// when the daemon asks for one.
pub fn client_config(
    ca: &Path,
    certificate: Option<&Path>,
    key: Option<&Path>,
) -> Result<Loaded<ClientConfig>, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_protocol_versions(VERSIONS)
        .map_err(TlsError::Setup)?
        .with_root_certificates(authorities(ca)?);
    let mut config = match (certificate, key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|problem| not_a_pair(certificate, key, problem))?,
        _ => return Err(TlsError::HalfPair),
    };
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(Loaded { config: Arc::new(config), warnings: key.and_then(exposed).into_iter().collect() })
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    const WHAT: &str = "certificate";
    let bytes = read(WHAT, file)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|problem| unreadable(WHAT, file, &problem))?;
    if found.is_empty() {
        return Err(TlsError::Empty { what: WHAT, label: "CERTIFICATE", file: file.to_owned() });
    }
    Ok(found)
}

fn authorities(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots
            .add(certificate)
            .map_err(|problem| TlsError::Authority { file: file.to_owned(), problem: problem.to_string() })?;
    }
    Ok(roots)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    const WHAT: &str = "private key";
    let bytes = read(WHAT, file)?;
    match PrivateKeyDer::from_pem_slice(&bytes) {
        Ok(key) => Ok(key),
        Err(rustls::pki_types::pem::Error::NoItemsFound) => {
            Err(TlsError::Empty { what: WHAT, label: "PRIVATE KEY", file: file.to_owned() })
        }
        Err(problem) => Err(unreadable(WHAT, file, &problem)),
    }
}

fn read(what: &'static str, file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|problem| unreadable(what, file, &problem))
}

fn unreadable(what: &'static str, file: &Path, problem: &dyn std::fmt::Display) -> TlsError {
    TlsError::Unreadable { what, file: file.to_owned(), problem: problem.to_string() }
}

fn not_a_pair(certificate: &Path, key: &Path, problem: rustls::Error) -> TlsError {
    TlsError::Pair { certificate: certificate.to_owned(), key: key.to_owned(), problem }
}

/// A warning when others can read the key.
fn exposed(key: &Path) -> Option<String> {
    let mode = std::fs::metadata(key).ok()?.permissions().mode();
    (mode & 0o004 != 0).then(|| {
        let key = key.display();
        format!("private key `{key}` can be read by every user of this host; chmod it to 0600 or 0640")
    })
}

static VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];
const HTTP_1_1: &[u8] = b"http/1.1";
