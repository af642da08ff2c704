//! Images that a build starts from, fetched before the build is judged.
//!
//! An image brings triggers along (`ONBUILD`), which run in the build as if they stood in its Dockerfile. Of an image
//! that is not there nobody can tell them; and one that the daemon fetched anew while it builds could have others than
//! those that were judged. So what was granted to be fetched is fetched now, by a request of our own.

use bytes::BytesMut;
use docker::facts::Fetch;
use docker::http::{Framing, Method, write_request_head};
use docker::target::Query;
use tokio::io::AsyncWriteExt;

use crate::firewall::Firewall;
use crate::firewall::answer::Answer;
use crate::firewall::ask::read_answer_head;
use crate::firewall::checked::Naming;
use crate::firewall::connection::Connection;
use crate::seal;
use crate::wire::{BodyError, Rest, Wire};

/// Has the daemon fetch an image. `naming`: by the digest that was checked, which is then given the name. `login`: what
/// the client sent for its registry.
pub(super) async fn image(
    firewall: &Firewall,
    connection: &mut Connection,
    fetch: &Fetch,
    naming: Option<&Naming>,
    login: Option<&str>,
) -> Result<(), Answer> {
    let name = fetch.image.familiar();
    tracing::info!(image = name, user = connection.subject.user, "fetching an image that a build starts from");
    // A connection of its own: the other may have gone stale during an upload, and a request that changes
    // something is not sent twice.
    connection.daemon = None;
    let digest = naming.map(|naming| naming.digest.as_str());
    let (target, wait) = (target(fetch, digest), firewall.settings.limits.fetch_wait);
    let asked = tokio::time::timeout(wait, ask(firewall, connection, &target, login)).await;
    let refused = match asked {
        Ok(Ok(None)) => {
            return match naming {
                Some(naming) => naming.give(firewall, &mut connection.daemon).await,
                None => Ok(()),
            };
        }
        Ok(Ok(Some(reason))) => reason,
        Ok(Err(answer)) => {
            connection.daemon = None;
            return Err(answer);
        }
        Err(_) => {
            connection.daemon = None;
            return Err(Answer::new(
                504,
                format!("dockwarden: image {name} was not fetched in time (limits.fetch_wait)"),
            ));
        }
    };
    let words = format!("dockwarden: the build needs image {name}, which the daemon cannot fetch: {refused}");
    Err(Answer::new(404, words))
}

fn target(fetch: &Fetch, digest: Option<&str>) -> String {
    let mut query = Query::default();
    query.set("fromImage", fetch.image.name());
    let tag = digest.or(fetch.image.digest.as_deref()).or(fetch.image.tag.as_deref());
    query.set("tag", tag.unwrap_or_default().to_owned());
    if !fetch.platform.is_empty() {
        query.set("platform", fetch.platform.clone());
    }
    format!("/images/create?{}", query.canonical())
}

/// The daemon's own words where it does not do it. It tells progress as it goes, and the error at the end.
async fn ask(
    firewall: &Firewall,
    connection: &mut Connection,
    target: &str,
    login: Option<&str>,
) -> Result<Option<String>, Answer> {
    let limits = &firewall.settings.limits;
    let daemon = crate::firewall::ask::daemon(firewall, &mut connection.daemon)
        .await
        .map_err(|error| Answer::unreachable(&error))?;
    let mut fields: Vec<(&str, &[u8])> = vec![("Host", b"docker"), ("User-Agent", b"Dockwarden")];
    fields.extend(login.map(|login| ("X-Registry-Auth", login.as_bytes())));
    let seal = firewall.settings.seal.as_ref().map(|seal| seal.own(&Method::Post, target));
    fields.extend(seal.as_ref().map(|seal| (seal::FIELD, seal.as_bytes())));
    let mut out = Vec::with_capacity(512);
    write_request_head(&mut out, &Method::Post, target, fields, Framing::Length(0))
        .map_err(|error| Answer::garbled(&error))?;
    daemon.stream.write_all(&out).await.map_err(|error| Answer::unreachable(&error))?;
    let Wire { stream, ahead } = daemon;
    let head = read_answer_head(stream, ahead, &Method::Post, limits.head_bytes, limits.answer_wait).await?;
    let (mut rest, mut last) = (Rest::from(head.body()), BytesMut::new());
    let broken = |error: BodyError| Answer::garbled(&error);
    while let Some(piece) = rest.read(stream, ahead, None).await.map_err(broken)? {
        last.extend_from_slice(&piece.data());
        let _ = last.split_to(last.len().saturating_sub(LAST));
    }
    if !head.keep_alive() {
        connection.daemon = None;
    }
    let told = error(&last);
    Ok(if head.status() == 200 { told } else { Some(told.unwrap_or_else(|| format!("it answered {}", head.status()))) })
}

/// The error in the last lines of a progress report, or in an answer that is nothing else.
fn error(report: &[u8]) -> Option<String> {
    let lines = report.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let told = |line: serde_json::Value| {
        let text = line.get("error").or_else(|| line.get("message"))?.as_str()?;
        Some(text.chars().filter(|c| !c.is_control()).take(300).collect())
    };
    lines.filter_map(told).next_back()
}

/// How much of a progress report is kept, from its end.
const LAST: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use docker::image::Reference;

    use super::*;

    #[test]
    fn what_is_asked_of_the_daemon() {
        let target = |image: &str, platform: &str| {
            let image = Reference::parse(image).unwrap().with_default_tag();
            super::target(&Fetch { image, platform: platform.to_owned() }, None)
        };
        assert_eq!(target("alpine", ""), "/images/create?fromImage=docker.io%2Flibrary%2Falpine&tag=latest");
        assert_eq!(
            target("registry.test:5000/a/b:1", "linux/arm64"),
            "/images/create?fromImage=registry.test%3A5000%2Fa%2Fb&tag=1&platform=linux%2Farm64"
        );
    }

    #[test]
    fn the_error_is_at_the_end() {
        assert_eq!(error(b"{\"status\":\"Pulling\"}\r\n{\"status\":\"Done\"}\r\n"), None);
        let failed =
            b"{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"no\"},\"error\":\"no such image\"}\r\n";
        assert_eq!(error(failed).as_deref(), Some("no such image"));
        assert_eq!(error(b"{\"message\":\"manifest unknown\"}\n").as_deref(), Some("manifest unknown"));
    }
}
