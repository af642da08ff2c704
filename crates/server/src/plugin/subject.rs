//! Who asks, as far as the daemon knows: whoever showed it a certificate, and nobody on its local socket.

use policy::{Proof, Subject};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::question::Question;
use crate::subject::IdentifyError;
use crate::subject::certificate;

/// Whoever reaches a socket of the daemon's that does not ask who they are. No user of the host has this name.
pub(super) fn nobody() -> Subject {
    Subject {
        user: "socket:daemon".to_owned(),
        groups: Vec::new(),
        uid: None,
        proof: Proof::Nothing,
        container: None,
        address: None,
    }
}

/// The subject of a request.
pub(super) fn of(question: &Question) -> Result<Subject, IdentifyError> {
    let refused = |problem: &str| Err(IdentifyError::Certificate(problem.to_owned()));
    let Some(pem) = question.certificates.first() else {
        return match (&question.user, &question.method_of_proof) {
            (None, None) => Ok(nobody()),
            _ => refused("the daemon names a user and shows no certificate"),
        };
    };
    if question.method_of_proof.as_deref() != Some("TLS") {
        return refused("the daemon shows a certificate and does not say that it has looked at it");
    }
    // The first is the client's own, which the daemon has checked; what is behind it is what the client sent.
    let Ok(leaf) = CertificateDer::from_pem_slice(pem) else { return refused("it is no PEM") };
    let named = certificate::named(&leaf)?;
    if question.user.is_some() && question.user != named.common_name {
        return refused("the daemon reads another name in it");
    }
    let proof = Proof::Certificate { common_name: named.common_name, names: named.names };
    Ok(Subject { user: named.user, proof, ..nobody() })
}
