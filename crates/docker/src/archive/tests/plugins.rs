//! The configuration of a plugin in its archive.

use super::*;
use crate::archive::plugin::config;

const HOST: &str = r#"{"pidhost":true}"#;

fn read(archive: &[u8]) -> Result<bool, String> {
    config(&opener(archive), &Limits::default()).map(|config| config.pid_host).map_err(|error| error.to_string())
}

#[test]
fn it_is_found_under_every_spelling_of_its_name() {
    for name in ["config.json", "./config.json", "/config.json", "rootfs/../config.json"] {
        assert_eq!(read(&Maker::default().file(name, HOST).end()), Ok(true), "{name}");
    }
    let nested = Maker::default().file("rootfs/config.json", HOST).file("config.json", "{}");
    assert_eq!(read(&nested.end()), Ok(false));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let twice = Maker::default().file("config.json", "{}").file("config.json", HOST);
    let packed = gzip(&Maker::default().file("config.json", HOST).end());
    for (archive, words) in [
        (twice.end(), "two configurations"),
        (packed, "send it uncompressed"),
        (Maker::default().file("other.json", HOST).end(), "without config.json"),
        (Maker::default().file("config.json", "{} {}").end(), "config.json"),
        (Maker::default().file("config.json", r#"{"PidHost":false,"pidhost":true}"#).end(), "twice"),
    ] {
        let error = read(&archive).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}
