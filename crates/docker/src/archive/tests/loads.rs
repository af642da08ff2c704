//! The names that an archive of images would plant.

use super::*;
use crate::archive::images::{Images, images};

fn load(maker: Maker) -> Result<Images, Refusal> {
    images(&opener(&maker.end()), &Limits::default())
}

fn named(maker: Maker) -> (Vec<String>, bool) {
    let images = load(maker).unwrap();
    (images.names.iter().map(|name| name.familiar()).collect(), images.unnamed)
}

fn manifest(text: &str) -> Maker {
    Maker::default().file("abc.json", "{}").file("manifest.json", text)
}

const TWO: &str = r#"[{"Config":"abc.json","RepoTags":["alpine:3","evil.example/app:1"],"Layers":["l.tar"]}]"#;

#[test]
fn docker_save() {
    assert_eq!(named(manifest(TWO)), (vec!["alpine:3".to_owned(), "evil.example/app:1".to_owned()], false));
    let none = r#"[{"Config":"abc.json","RepoTags":null,"Layers":["l.tar"],"Parent":"sha256:1","LayerSources":{"a":{"size":1}}}]"#;
    assert_eq!(named(manifest(none)), (vec![], true));
    assert_eq!(named(manifest("[]")), (vec![], false));
    let gz = gzip(&manifest(TWO).end());
    assert_eq!(images(&opener(&gz), &Limits::default()).unwrap().names.len(), 2);
}

#[test]
fn oci_layouts() {
    let index = |annotations: &str| {
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"x",
            "digest":"sha256:0","size":7,"annotations":{annotations},"platform":{{"os":"linux"}}}}]}}"#
        );
        Maker::default().file("oci-layout", "{}").file("index.json", &text)
    };
    let full = r#"{"io.containerd.image.name":"docker.io/library/tiny:2","org.opencontainers.image.ref.name":"2"}"#;
    assert_eq!(named(index(full)), (vec!["tiny:2".to_owned()], false));
    assert_eq!(
        named(index(r#"{"org.opencontainers.image.ref.name":"evil.example/a:1"}"#)),
        (vec!["evil.example/a:1".to_owned()], false)
    );
    assert_eq!(named(index("null")), (vec![], true));
    let both = index(full).file("manifest.json", TWO);
    assert_eq!(named(both).0, ["alpine:3", "tiny:2", "evil.example/app:1"]);
}

#[test]
fn the_oldest_form() {
    let old = Maker::default().file("0a1b/json", "{}").file("repositories", r#"{"tiny":{"1":"0a1b","2":"0a1b"}}"#);
    assert_eq!(named(old), (vec!["tiny:1".to_owned(), "tiny:2".to_owned()], true));
    assert_eq!(named(Maker::default().file("0a1b/json", "{}")), (vec![], true), "every folder is an image");
    assert_eq!(named(Maker::default().file("x", "")), (vec![], false));
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let other = TWO.replace("alpine", "other");
    let refused = |maker, why: &str| assert!(load(maker).is_err(), "{why}");
    refused(manifest(TWO).file("./manifest.json", &other), "two lists");
    refused(manifest(TWO).file("x", TWO).symlink("manifest.json", "x"), "a symbolic link");
    refused(manifest(TWO).file("x", TWO).hardlink("manifest.json", "x"), "a hard link");
    refused(manifest(TWO).folder("manifest.json"), "a folder");
    refused(manifest(r#"[{"RepoTags":["a:1"],"repotags":["b:1"]}]"#), "a key twice");
    refused(manifest(r#"[{"RepoTags":["a:1"],"New":1}]"#), "an unknown key");
    refused(manifest(r#"[{"RepoTags":["UPPER:1"]}]"#), "no name of an image");
    refused(manifest("[] []"), "something behind it");
    refused(manifest("{"), "no JSON");
    assert_eq!(named(manifest(TWO).file("manifest.json", TWO)).0.len(), 2, "twice the same");
}
