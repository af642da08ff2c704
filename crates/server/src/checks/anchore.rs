//! Anchore Engine, by its API of version 1: an image is submitted by its digest, its analysis waited for, and then its
//! vulnerabilities are counted or the engine's own policy is asked.
//!
//! The engine pulls the image itself, by the digest that was asked about, and every answer must be about that digest: a tag
//! that was given to another image meanwhile changes nothing.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use reqwest::{Method, RequestBuilder, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Answer, Image};
use crate::record::Timestamp;
use crate::web::{self, Web};

/// An engine, and what is asked of it.
#[derive(Debug)]
pub struct Anchore {
    /// The API's address, `https://anchore.test:8228/v1`.
    pub url: Url,
    /// The client.
    pub web: Web,
    /// A user of the engine, and the file that holds the password.
    pub login: Option<(String, PathBuf)>,
    /// How many vulnerabilities are too many. `None`: they are not counted.
    pub threshold: Option<Threshold>,
    /// Whether the engine's policy must pass.
    pub policy: bool,
}

/// So many of these are one too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// From this severity on.
    pub severity: Severity,
    /// The most that there may be.
    pub most: usize,
    /// In what: `os`, `non-os` or `all`.
    pub within: String,
}

/// How bad a vulnerability is. One that the engine calls by another word counts as the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the engine's own words")]
pub enum Severity {
    Unknown,
    Negligible,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// All of them, from the least.
    pub const ALL: [Severity; 6] =
        [Severity::Unknown, Severity::Negligible, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The word in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Unknown => "unknown",
            Severity::Negligible => "negligible",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    fn of(word: &str) -> Severity {
        let known = Severity::ALL.into_iter().find(|severity| severity.name().eq_ignore_ascii_case(word));
        known.unwrap_or(Severity::Critical)
    }
}

/// An image as the engine knows it.
#[derive(Debug, Deserialize)]
struct Known {
    #[serde(rename = "imageDigest")]
    digest: String,
    /// Of an image for several platforms, the digest of the whole.
    #[serde(rename = "parentDigest")]
    parent: Option<String>,
    analysis_status: String,
}

#[derive(Debug, Deserialize)]
struct Vulnerabilities {
    #[serde(rename = "imageDigest")]
    digest: String,
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Debug, Deserialize)]
struct Vulnerability {
    vuln: String,
    severity: String,
}

impl Anchore {
    pub(super) async fn ask(&self, image: &Image) -> Answer {
        let (Some(name), Some(digest), Some(pinned)) = (image.name(), image.digests().first(), image.pinned()) else {
            return Ok(Some("no registry has it, so it cannot be analysed".to_owned()));
        };
        // The engine wants a tag for its books; of one that is named by its digest, that.
        let tag = name.tag.clone().unwrap_or_else(|| digest.replace(':', "-"));
        let tag = format!("{}:{tag}", name.name());
        let known = self.analysed(digest, &pinned, &tag).await?;
        if let Some(threshold) = &self.threshold
            && let Some(reason) = self.count(&known, threshold).await?
        {
            return Ok(Some(reason));
        }
        if self.policy { self.evaluate(&known, &tag).await } else { Ok(None) }
    }

    /// Submits an image and waits until it is analysed. Gives the digest by which the engine knows it.
    async fn analysed(&self, digest: &str, pinned: &str, tag: &str) -> Result<String, String> {
        let now = Timestamp::from(SystemTime::now()).to_string();
        let now = format!("{}Z", now.split('.').next().unwrap_or_default());
        let source = json!({ "pullstring": pinned, "tag": tag, "creation_timestamp_override": now });
        let request =
            self.request(Method::POST, &["images"], None).await?.json(&json!({ "source": { "digest": source } }));
        let mut known = one(self.reply::<Vec<Known>>(request).await?)?;
        if known.digest != digest && known.parent.as_deref() != Some(digest) {
            return Err(format!("it took another image, {}, for {digest}", known.digest));
        }
        if !is_digest(&known.digest) {
            return Err("it knows the image by something that is no digest".to_owned());
        }
        let id = known.digest.clone();
        loop {
            match known.analysis_status.as_str() {
                "analyzed" => return Ok(id),
                "not_analyzed" | "analyzing" => {}
                "analysis_failed" => return Err("it could not analyse the image".to_owned()),
                other => return Err(format!("its analysis is `{other}`, which is not known")),
            }
            tokio::time::sleep(AGAIN).await;
            let request = self.request(Method::GET, &["images", &id], None).await?;
            known = one(self.reply::<Vec<Known>>(request).await?)?;
            if known.digest != id {
                return Err("it tells of another image than it was asked about".to_owned());
            }
        }
    }

    /// Whether there are too many vulnerabilities.
    async fn count(&self, known: &str, threshold: &Threshold) -> Answer {
        let request = self.request(Method::GET, &["images", known, "vuln", &threshold.within], None).await?;
        let found: Vulnerabilities = self.reply(request).await?;
        if found.digest != known {
            return Err("it tells of another image than it was asked about".to_owned());
        }
        let mut bad: Vec<&str> =
            found.vulnerabilities.iter().filter(|one| threshold.counts(one)).map(|one| one.vuln.as_str()).collect();
        if bad.len() <= threshold.most {
            return Ok(None);
        }
        let count = bad.len();
        bad.sort_unstable();
        bad.dedup();
        let some = bad.into_iter().take(3).collect::<Vec<_>>().join(", ");
        let (severity, most) = (threshold.severity.name(), threshold.most);
        Ok(Some(format!(
            "{count} vulnerabilities of severity {severity} or worse, such as {some}; at most {most} are taken"
        )))
    }

    /// Whether the engine's policy passes.
    async fn evaluate(&self, known: &str, tag: &str) -> Answer {
        let request = self.request(Method::GET, &["images", known, "check"], Some(tag)).await?;
        let evaluations: Vec<Value> = self.reply(request).await?;
        let statuses: Vec<&str> = evaluations
            .iter()
            .filter_map(|one| one.get(known)?.get(tag)?.as_array())
            .flatten()
            .filter_map(|one| one.get("status")?.as_str())
            .collect();
        match statuses.as_slice() {
            [] => Err("it did not say whether its policy passes".to_owned()),
            all if all.iter().all(|status| *status == "pass") => Ok(None),
            all if all.contains(&"fail") => Ok(Some("the engine's policy fails".to_owned())),
            _ => Err("its policy neither passes nor fails".to_owned()),
        }
    }

    async fn request(&self, method: Method, path: &[&str], tag: Option<&str>) -> Result<RequestBuilder, String> {
        let mut url = self.url.clone();
        let fitting = url.path_segments_mut().map(|mut segments| {
            segments.pop_if_empty().extend(path);
        });
        fitting.map_err(|()| "its address has no path".to_owned())?;
        if let Some(tag) = tag {
            url.query_pairs_mut().append_pair("tag", tag).append_pair("detail", "false");
        }
        let request = self.web.request(method, url);
        match &self.login {
            Some((user, file)) => Ok(request.basic_auth(user, Some(web::secret(file).await?))),
            None => Ok(request),
        }
    }

    async fn reply<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, String> {
        let who = web::host(Some(&self.url));
        web::fetch(request).await?.ok(&who)?.json(&who)
    }
}

impl Threshold {
    fn counts(&self, one: &Vulnerability) -> bool {
        Severity::of(&one.severity) >= self.severity
    }
}

/// The one image that a list must hold.
fn one(list: Vec<Known>) -> Result<Known, String> {
    let [known] =
        <[Known; 1]>::try_from(list).map_err(|list| format!("it tells of {} images instead of one", list.len()))?;
    Ok(known)
}

/// What can stand in a path.
fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(docker::answer::is_id)
}

/// When to look again whether the analysis is done.
const AGAIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_that_is_not_known_is_the_worst() {
        assert_eq!(Severity::of("High"), Severity::High);
        assert_eq!(Severity::of("Unknown"), Severity::Unknown);
        assert_eq!(Severity::of("Catastrophic"), Severity::Critical);
        assert!(Severity::Critical > Severity::High && Severity::Low > Severity::Negligible);
    }

    #[test]
    fn one_image_and_no_other() {
        let known =
            |text: &str| serde_json::from_str::<Vec<Known>>(text).map_err(|error| error.to_string()).and_then(one);
        assert!(known(r#"[{"imageDigest":"sha256:1","analysis_status":"analyzed","more":{}}]"#).is_ok());
        for text in ["[]", "{}", r#"[{"analysis_status":"analyzed"}]"#, r#"[{"imageDigest":"1"}]"#] {
            assert!(known(text).is_err(), "{text}");
        }
    }
}
