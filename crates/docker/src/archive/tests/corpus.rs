//! The public attacks on builds and loads (issue 3), each with the verdict of what is found in it.

use super::*;
use crate::archive::context::dockerfile;
use crate::archive::files::summary;
use crate::archive::images::images;
use crate::dockerfile::{Ask, BuildArgs, Builder, read};

/// Files of an archive of ours, by name.
pub(crate) fn unpack(packed: &[u8]) -> Vec<(String, Vec<u8>)> {
    let source = opener(packed);
    let (_, mut tar) = look::Look::new(&source, &Limits::default()).open().unwrap();
    let mut files = Vec::new();
    while let Some(entry) = tar.next().unwrap() {
        let contents = tar.contents(1 << 20).unwrap();
        files.push((shown(&entry.name), contents));
    }
    files
}

const CONTEXTS: &[u8] = include_bytes!("../../../tests-data/builds/contexts.tar.gz");

/// What is seen in a body: what a build asks for, the names that a load plants, or a refusal.
fn seen(path: &str, body: &[u8]) -> String {
    let source = opener(body);
    let limits = Limits::default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parameter = |name: &str| {
        let values = query.split('&').filter_map(|pair| pair.split_once('='));
        values.filter(|(key, _)| *key == name).map(|(_, value)| value.replace("%2F", "/")).next().unwrap_or_default()
    };
    if path.contains("load") {
        return images(&source, &limits)
            .map_or_else(|e| e.to_string(), |i| i.names.iter().map(|n| n.familiar()).collect());
    }
    if path.contains("archive") {
        return summary(&source, &limits).map_or_else(
            |refusal| refusal.to_string(),
            |found| {
                format!(
                    "{} entries, {} up, {} absolute links",
                    found.entries, found.upwards.count, found.absolute_links.count
                )
            },
        );
    }
    if !parameter("remote").is_empty() {
        return "remote".to_owned();
    }
    let builder = if parameter("version") == "2" { Builder::BuildKit } else { Builder::Classic };
    let text = match dockerfile(&source, &parameter("dockerfile"), builder, &limits) {
        Ok(text) => text,
        Err(refusal) => return refusal.to_string(),
    };
    let build = match read(&text, &BuildArgs::new(), builder) {
        Ok(build) => build,
        Err(misread) => return misread.to_string(),
    };
    let words: Vec<String> = build.asks().iter().map(word).collect();
    words.join(", ")
}

fn word(ask: &Ask) -> String {
    match ask {
        Ask::UseImage(name) => name.clone(),
        Ask::Run => "RUN".to_owned(),
        Ask::RunInNetwork(mode) => format!("network {mode}"),
        Ask::RunWithSecurity(mode) => format!("security {mode}"),
        Ask::RunWithDevice(device) => format!("device {device}"),
        Ask::Fetch { from, .. } => format!("fetch {from}"),
        Ask::LeaveTrigger(ask) => format!("later {}", word(ask)),
        Ask::Unclear(text) => format!("unclear {text}"),
    }
}

#[test]
fn every_public_case() {
    let files = unpack(CONTEXTS);
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&files[0].1).unwrap();
    let mut all = String::new();
    for (case, (name, body)) in cases.iter().zip(&files[1..]) {
        assert_eq!(case["id"], name.as_str());
        let seen = seen(case["path"].as_str().unwrap(), body);
        all.push_str(&format!("{name}: {seen}\n"));
    }
    assert_eq!(all, include_str!("../../../tests-data/builds/contexts.txt"));
}
