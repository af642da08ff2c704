//! A bundle of policies that a server gives out: fetched, asked for again where it has changed (RFC 9110, `ETag` and
//! `If-None-Match`), and the last good one kept on the disk, for a start without the server.

#[cfg(test)]
mod tests;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ETAG, HeaderName, HeaderValue, IF_NONE_MATCH};
use reqwest::{Method, StatusCode, Url};
use ring::digest;
use tokio::time::{Instant, sleep_until, timeout};

use crate::web::{self, Web};

/// Where a bundle comes from.
#[derive(Debug)]
pub struct Source {
    /// Its address. What follows a `?` in it may be secret.
    pub url: Url,
    /// The client.
    pub web: Web,
    /// A header field, whose value stands in a file.
    pub header: Option<(HeaderName, PathBuf)>,
    /// How long after one question the next is put; not longer than a day.
    pub poll: Duration,
}

/// A bundle as it came.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// From where. What came from one address is not what another one gives out.
    pub from: Url,
    /// Packed.
    pub bytes: Arc<[u8]>,
    /// What the server calls this state of it.
    pub etag: Option<HeaderValue>,
}

impl Source {
    /// What it is called: the last part of its address.
    pub fn name(&self) -> &str {
        let mut parts = self.url.path_segments().into_iter().flatten();
        parts.rfind(|part| !part.is_empty()).unwrap_or("bundle")
    }

    /// Fetches it, and waits for it; not for a thread that serves.
    pub fn fetch(&self) -> Result<Fetched, String> {
        // A thread of its own: whoever calls may be within a runtime.
        let fetching = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| format!("cannot ask for it: {error}"))?;
            let fetched = runtime.block_on(self.ask(None))?;
            fetched.ok_or_else(|| "it is said not to have changed, which was not asked".to_owned())
        };
        let ended = std::thread::scope(|scope| scope.spawn(fetching).join());
        ended.unwrap_or_else(|_| Err("the fetching ended by itself".to_owned()))
    }

    /// The bundle, unless it is still the one of that name.
    async fn ask(&self, etag: Option<&HeaderValue>) -> Result<Option<Fetched>, String> {
        let mut request = self.web.request(Method::GET, self.url.clone());
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let request = web::with_header(request, self.header.as_ref()).await?;
        let who = web::host(Some(&self.url));
        let reply = timeout(PATIENCE, web::fetch(request)).await;
        let reply = reply.map_err(|_| format!("{who} did not answer within {} s", PATIENCE.as_secs()))??;
        if reply.status == StatusCode::NOT_MODIFIED && etag.is_some() {
            return Ok(None);
        }
        let reply = reply.ok(&who)?;
        let etag = reply.headers.get(ETAG).cloned();
        Ok(Some(Fetched { from: self.url.clone(), bytes: reply.body.into(), etag }))
    }

    /// Where its last good state is kept, in a folder. Another address is another file.
    pub fn kept_in(&self, folder: &Path) -> PathBuf {
        let digest = digest::digest(&digest::SHA256, self.url.as_str().as_bytes());
        let name: String = digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        folder.join(format!("bundle-{name}.tar.gz"))
    }
}

/// Keeps a bundle, whole or not at all. Only we read it: an address may have been secret for a reason. Where that is not
/// possible none is kept, for the one before may allow what this one does not any more.
pub fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new);
    let written = written.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
        for older in [path, &new] {
            match fs::remove_file(older) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::error!("`{}` is out of date and cannot be removed: {error}", older.display());
                }
                _ => {}
            }
        }
    })
}

/// Asks again and again whether a bundle has changed.
pub struct Poll {
    source: Arc<Source>,
    etag: Option<HeaderValue>,
    /// What came last, unless it was refused: a server without names for states gives out the same again and again.
    last: Option<digest::Digest>,
    next: Instant,
    /// Why the last question was not answered.
    trouble: Option<String>,
}

impl Poll {
    /// After this was fetched, or was kept for the trouble that there was.
    pub fn new(source: Arc<Source>, fetched: &Fetched, trouble: Option<String>) -> Self {
        let next = after(source.poll);
        Self { etag: fetched.etag.clone(), last: Some(hash(&fetched.bytes)), source, next, trouble }
    }

    /// What came last was not taken: it comes again. What was wrong with it may have been something else: a key, a file
    /// beside it, the clock.
    pub fn refused(&mut self) {
        (self.etag, self.last) = (None, None);
    }

    /// Returns when there is another bundle. May be dropped at any time.
    pub async fn changed(&mut self) -> Fetched {
        loop {
            sleep_until(self.next).await;
            let answer = self.source.ask(self.etag.as_ref()).await;
            self.next = after(self.source.poll);
            match answer {
                Ok(answer) => {
                    if self.trouble.take().is_some() {
                        tracing::info!("bundle `{}` can be fetched again", self.source.name());
                    }
                    let Some(fetched) = answer else { continue };
                    let hash = hash(&fetched.bytes);
                    self.etag.clone_from(&fetched.etag);
                    if self.last.as_ref().is_none_or(|last| last.as_ref() != hash.as_ref()) {
                        self.last = Some(hash);
                        return fetched;
                    }
                }
                Err(reason) => {
                    if self.trouble.as_ref() != Some(&reason) {
                        tracing::warn!("bundle `{}` stays as it is: {reason}", self.source.name());
                    }
                    self.trouble = Some(reason);
                }
            }
        }
    }
}

/// A moment from now. No clock ends before it: the configuration bounds what is waited.
fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}

fn hash(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
