//! Questions to others over HTTP: who is trusted, what is shown of us, and how much of an answer is read.
//!
//! No proxy of the environment, no redirect (a scanner that sends us elsewhere is not the one that was configured), no
//! cookie. An address is never told with what may be secret in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use reqwest::Url;
pub use reqwest::header::HeaderName;
use reqwest::header::HeaderValue;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use rustls::crypto;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;

use crate::tls;

/// Whom to trust over TLS, and who we are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// The authority of the other side, alone; the system's, where none is named.
    pub ca: Option<PathBuf>,
    /// Our certificate.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
}

/// A client that asks one service.
#[derive(Debug, Clone)]
pub struct Web(Client);

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Web {
    /// With its certificates loaded. The sentence says what is wrong with them.
    pub fn new(trust: &Trust) -> Result<Web, String> {
        let Trust { ca, certificate, key } = trust;
        let config = match (ca, certificate.is_some() || key.is_some()) {
            (Some(ca), _) => {
                let loaded = tls::client_config(ca, certificate.as_deref(), key.as_deref());
                ClientConfig::clone(&loaded.map_err(|error| error.to_string())?.config)
            }
            (None, true) => return Err("a client certificate needs `ca`, the authority of who is shown it".to_owned()),
            (None, false) => system_trust()?,
        };
        let client = Client::builder()
            .tls_backend_preconfigured(config)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent("Dockwarden")
            .build();
        client.map(Web).map_err(|error| format!("no client for HTTP: {}", root_cause(&error)))
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.0.request(method, url)
    }
}

/// The authorities that the system trusts.
fn system_trust() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    // A system without any has services on loopback or with an authority of their own: the others will not be trusted.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// Sends a request and reads the whole answer. The sentence names the host alone.
pub(crate) async fn fetch(request: RequestBuilder) -> Result<Reply, String> {
    let sent = request.send().await;
    let mut response =
        sent.map_err(|error| format!("{} cannot be reached: {}", host(error.url()), root_cause(&error)))?;
    let from = host(Some(response.url()));
    let body = read(&mut response).await.map_err(|reason| format!("{from} {reason}"))?;
    Ok(Reply { status: response.status(), headers: response.headers().clone(), body })
}

async fn read(response: &mut Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Ok(None) => return Ok(body),
            Err(error) => return Err(format!("broke off its answer: {}", root_cause(&error))),
        }
        if body.len() > MOST_BYTES {
            return Err(format!("answers with more than {} MiB", MOST_BYTES >> 20));
        }
    }
}

impl Reply {
    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, who: &str) -> Result<T, String> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // The error's own words may repeat the body.
            format!("{who} answered something else than was agreed (line {}, column {})", error.line(), error.column())
        })
    }

    /// The same answer, if it is a good one.
    pub(crate) fn ok(self, who: &str) -> Result<Reply, String> {
        if self.status == StatusCode::OK { Ok(self) } else { Err(format!("{who} answered {}", self.status.as_u16())) }
    }
}

/// The host of an address, without anything that may be secret.
pub(crate) fn host(url: Option<&Url>) -> String {
    let Some((url, host)) = url.and_then(|url| Some((url, url.host_str()?))) else { return "it".to_owned() };
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether an address is this machine's own.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What is at the bottom of an error: the rest repeats the address.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    cause.to_string()
}

/// The same request with a header field, whose value stands in a file.
pub(crate) async fn with_header(
    request: RequestBuilder,
    header: Option<&(HeaderName, PathBuf)>,
) -> Result<RequestBuilder, String> {
    let Some((name, file)) = header else { return Ok(request) };
    let value = HeaderValue::from_str(&secret(file).await?);
    let mut value = value.map_err(|_| format!("what is in `{}` cannot be sent in a header", file.display()))?;
    value.set_sensitive(true);
    Ok(request.header(name, value))
}

/// A secret of one line in a file, such as a token. Read each time: it may be a new one.
pub(crate) async fn secret(file: &Path) -> Result<String, String> {
    let text = tokio::fs::read_to_string(file).await;
    let text = text.map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    Ok(text.trim().to_owned())
}

/// The largest answer that is read, in bytes: a list of an image's vulnerabilities may be long.
const MOST_BYTES: usize = 8 << 20;
