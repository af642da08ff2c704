//! Certificates made on the spot; other tests borrow them from here.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory of its own, removed at the end.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("dw-server-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An authority, a server's pair and a client's pair.
pub(crate) struct Files {
    pub(crate) scratch: Scratch,
    pub(crate) ca: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Files {
    pub(crate) fn make() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let scratch = Scratch::new();
        let ca = scratch.0.join("ca.pem");
        std::fs::write(&ca, issuer.pem()).unwrap();
        let empty = PathBuf::new();
        let mut files = Self { scratch, ca, certificate: empty.clone(), key: empty, issuer };
        let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (files.certificate, files.key) = files.sign("server", server);
        files
    }

    pub(crate) fn sign(&self, name: &str, params: CertificateParams) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let paths = (self.scratch.0.join(format!("{name}.pem")), self.scratch.0.join(format!("{name}.key")));
        std::fs::write(&paths.0, certificate.pem()).unwrap();
        std::fs::write(&paths.1, key.serialize_pem()).unwrap();
        std::fs::set_permissions(&paths.1, std::fs::Permissions::from_mode(0o600)).unwrap();
        paths
    }

    pub(crate) fn client(&self, common_names: &[&str], mails: &[&str]) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for name in common_names {
            params.distinguished_name.push(DnType::CommonName, *name);
        }
        params.subject_alt_names = mails.iter().map(|mail| SanType::Rfc822Name((*mail).try_into().unwrap())).collect();
        self.sign("client", params)
    }
}

#[test]
fn errors_name_the_file_and_what_to_do() {
    let files = Files::make();
    let missing = files.scratch.0.join("missing.pem");
    let error = server_config(&missing, &files.key, None).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("cannot read certificate `{}`: No such file or directory (os error 2)", missing.display())
    );
    let error = server_config(&files.certificate, &files.certificate, None).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "`{}` holds no private key; it must be a PEM file with a `-----BEGIN PRIVATE KEY-----` line",
            files.certificate.display()
        )
    );
    let error = server_config(&files.key, &files.key, None).unwrap_err().to_string();
    assert!(error.contains("holds no certificate"), "{error}");
    let error = client_config(&files.ca, Some(&files.certificate), None).unwrap_err().to_string();
    assert!(error.contains("needs its key"), "{error}");
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let files = Files::make();
    let (_, other) = files.client(&["alice"], &[]);
    let error = server_config(&files.certificate, &other, None).unwrap_err().to_string();
    assert!(error.contains("cannot be used together"), "{error}");
}

#[test]
fn a_key_that_everybody_can_read_is_warned_of() {
    let files = Files::make();
    assert!(server_config(&files.certificate, &files.key, None).unwrap().warnings.is_empty());
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = server_config(&files.certificate, &files.key, None).unwrap().warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("chmod"), "{warnings:?}");
}

#[test]
fn only_http_1_1_and_no_resumption() {
    let files = Files::make();
    let config = server_config(&files.certificate, &files.key, Some(&files.ca)).unwrap().config;
    assert_eq!(config.alpn_protocols, [b"http/1.1".to_vec()]);
    assert_eq!(config.send_tls13_tickets, 0);
    assert!(!config.session_storage.can_cache());
}
