//! `.signatures.json`: a token (JSON Web Token, RFC 7519) that names each file of a bundle with its hash.
//!
//! What is signed is what is read: each file that is there must be named, each that is named must be there, but for the
//! file of signatures itself. The algorithm is the configuration's, never the token's.

use std::collections::BTreeMap;
use std::fmt::Display;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};

use super::{BundleFault, BundleFile, Notation, canonical};
use crate::message::printable;

/// Where it stands.
pub(super) const FILE: &str = ".signatures.json";

/// The plugin that OPA names when there is none.
const OPAS_OWN: &str = "_default";

/// The largest document that is hashed: it is read before it is known to be the one that was signed.
const LARGEST: usize = 4 << 20;

/// Whose signature counts.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: Vec<DecodingKey>,
    algorithm: Algorithm,
    /// What the signature must be meant for.
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signatures {
    signatures: Vec<String>,
    plugin: Option<String>,
}

/// What the token says.
#[derive(Deserialize)]
struct Signed {
    files: Vec<SignedFile>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct SignedFile {
    name: String,
    /// In hexadecimal digits.
    hash: String,
    algorithm: String,
}

impl Verifier {
    /// With the contents of the files of keys: public keys (PEM), or secrets for the algorithms that begin with `HS`. Any of
    /// them will do, so that one can follow another.
    pub fn new(algorithm: &str, keys: &[Vec<u8>], scope: Option<String>) -> Result<Verifier, String> {
        let known = ALGORITHMS.iter().find(|(name, _)| *name == algorithm);
        let (_, algorithm) = known.ok_or_else(|| format!("there is no algorithm `{algorithm}`"))?;
        let keys = keys.iter().map(|bytes| key(*algorithm, bytes)).collect::<Result<_, _>>()?;
        Ok(Verifier { keys, algorithm: *algorithm, scope })
    }

    /// The files as they were hashed, if that is what was signed. Nothing else may be read of them: what two readers take
    /// for two things would be signed as one of them and used as the other.
    pub(super) fn verify(&self, signatures: &BundleFile, files: &[BundleFile]) -> Result<Vec<BundleFile>, BundleFault> {
        let signed = self.signed(&signatures.bytes)?;
        if signed.scope.as_deref().unwrap_or_default() != self.scope.as_deref().unwrap_or_default() {
            return Err("its signature is meant for another `scope`".to_owned().into());
        }
        let mut left: BTreeMap<&str, &SignedFile> =
            signed.files.iter().map(|file| (file.name.trim_start_matches('/'), file)).collect();
        let mut hashed = Vec::new();
        for file in files.iter().filter(|file| file.path != FILE) {
            let path = printable(&file.path);
            let Some(signed) = left.remove(file.path.as_str()) else {
                return Err(format!("its file `{path}` is not signed").into());
            };
            let bytes = content(file).map_err(|error| format!("its file `{path}` {error}"))?;
            let algorithm = &signed.algorithm;
            let hash = hash(algorithm, &bytes)
                .ok_or_else(|| format!("its file `{path}` is hashed by `{}`", printable(algorithm)))?;
            if !hash.eq_ignore_ascii_case(&signed.hash) {
                return Err(format!("its file `{path}` is not what was signed").into());
            }
            hashed.push(BundleFile { path: file.path.clone(), bytes });
        }
        match left.keys().next() {
            Some(missing) => Err(format!("its file `{}` was signed and is missing", printable(missing)).into()),
            None => Ok(hashed),
        }
    }

    /// What the token says, if the signature is good.
    fn signed(&self, written: &[u8]) -> Result<Signed, String> {
        if written.len() > LARGEST {
            return Err(format!("its file `{FILE}` is larger than {} MiB", LARGEST >> 20));
        }
        let read: Signatures =
            serde_json::from_slice(written).map_err(|error| format!("its file `{FILE}` {}", unread(error)))?;
        if let Some(plugin) = read.plugin.filter(|plugin| !["", OPAS_OWN].contains(&plugin.as_str())) {
            return Err(format!(
                "its signature is for a plugin, `{}`; only OPA's own form is read",
                printable(&plugin)
            ));
        }
        let [token] = read.signatures.as_slice() else {
            return Err(format!("it must have one signature, and has {}", read.signatures.len()));
        };
        let mut rules = Validation::new(self.algorithm);
        // Where a time is said it counts; OPA says none.
        rules.required_spec_claims.clear();
        rules.validate_nbf = true;
        rules.validate_aud = false;
        let mut said = String::new();
        for key in &self.keys {
            match decode::<Signed>(token, key, &rules) {
                Ok(token) => return Ok(token.claims),
                Err(error) => said = error.to_string(),
            }
        }
        Err(format!("its signature is not good by `verify` ({})", printable(&said)))
    }
}

fn key(algorithm: Algorithm, bytes: &[u8]) -> Result<DecodingKey, String> {
    use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512};
    let read = match algorithm {
        HS256 | HS384 | HS512 => {
            let secret = bytes.trim_ascii();
            // RFC 7518, section 3.2: no shorter than the hash.
            let least = match algorithm {
                HS256 => 32,
                HS384 => 48,
                _ => 64,
            };
            if secret.len() < least {
                return Err(format!("a secret of {} bytes could be guessed; it needs {least}", secret.len()));
            }
            return Ok(DecodingKey::from_secret(secret));
        }
        ES256 | ES384 => DecodingKey::from_ec_pem(bytes),
        EdDSA => DecodingKey::from_ed_pem(bytes),
        _ => DecodingKey::from_rsa_pem(bytes),
    };
    read.map_err(|error| format!("this is no public key (PEM) for this algorithm: {error}"))
}

/// What is hashed: documents without their white space and with their members in order, all else as it is. The error says
/// what is wrong with the file.
fn content(file: &BundleFile) -> Result<Vec<u8>, String> {
    let called = file.path.rsplit('/').next().unwrap_or_default();
    if !["data.json", ".manifest", "data.yaml", "data.yml"].contains(&called) {
        return Ok(file.bytes.clone());
    }
    if file.bytes.len() > LARGEST {
        return Err(format!("is larger than {} MiB, and that is the most that is hashed of a document", LARGEST >> 20));
    }
    let text = std::str::from_utf8(&file.bytes).map_err(unread)?;
    match Notation::of(called) {
        Notation::Json => {
            // First by the reader that knows a depth: nothing nests deeper than this lets pass.
            serde_json::from_str::<Value>(text).map_err(unread)?;
            canonical::json(text).map_err(unread)
        }
        Notation::Yaml => {
            let value: Value = serde_saphyr::from_str(text).map_err(unread)?;
            canonical::json(&value.to_string()).map_err(unread)
        }
    }
}

fn unread(error: impl Display) -> String {
    format!("cannot be read: {}", printable(&error.to_string()))
}

/// The hash of bytes in hexadecimal digits. What is broken, as MD5 and SHA-1 are, is not there.
pub(super) fn hash(algorithm: &str, bytes: &[u8]) -> Option<String> {
    let hex = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(match algorithm {
        "SHA-224" => hex(&Sha224::digest(bytes)),
        "SHA-256" => hex(&Sha256::digest(bytes)),
        "SHA-384" => hex(&Sha384::digest(bytes)),
        "SHA-512" => hex(&Sha512::digest(bytes)),
        "SHA-512-224" => hex(&Sha512_224::digest(bytes)),
        "SHA-512-256" => hex(&Sha512_256::digest(bytes)),
        _ => return None,
    })
}

/// The names of the algorithms of signatures.
pub fn algorithms() -> impl Iterator<Item = &'static str> {
    ALGORITHMS.iter().map(|(name, _)| *name)
}

const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
    ("HS256", Algorithm::HS256),
    ("HS384", Algorithm::HS384),
    ("HS512", Algorithm::HS512),
];
