//! Text in, text out: the canonical form of a body that is taken, the sentence for one that is not.

mod extras;
mod grammar;
mod keys;
mod structs;
mod values;

use std::collections::BTreeMap;

use super::{Error, Ignored, Options, Pair, StrSlice, go_struct, read};

type Strings = BTreeMap<String, String>;

go_struct! {
    pub struct Create {
        image: String = "Image",
        user: String = "User",
        tty: bool = "Tty",
        cmd: Option<StrSlice> = "Cmd",
        on_build: StrSlice = "OnBuild",
        env: Option<Vec<String>> = "Env",
        labels: Option<Strings> = "Labels",
        exposed_ports: BTreeMap<String, Empty> = "ExposedPorts",
        stop_timeout: Option<i64> = "StopTimeout",
        host_config: Option<Box<HostConfig>> = "HostConfig",
        endpoints: BTreeMap<String, Option<Endpoint>> = "EndpointsConfig",
        links: Ignored = "Links",
        options: serde_json::Value = "Options",
    }

    pub struct Empty {}

    /// What the host grants.
    pub struct HostConfig {
        binds: Option<Vec<String>> = "Binds",
        network_mode: String = "NetworkMode",
        log_config: LogConfig = "LogConfig",
        privileged: bool = "Privileged",
        console_size: Pair = "ConsoleSize",
        sysctls: Option<Strings> = "Sysctls",
        memory: i64 = "Memory",
        oom_score_adj: i8 = "OomScoreAdj",
        blkio_weight: u16 = "BlkioWeight",
        mode: u32 = "Mode",
        iops: u64 = "IOMaximumIOps",
        cpus: f64 = "Cpus",
        share: f32 = "Share",
        masked_paths: Option<Vec<String>> = "MaskedPaths",
        capabilities: Vec<Vec<String>> = "Capabilities",
        mounts: Option<Vec<Mount>> = "Mounts",
        ulimits: Vec<Option<Mount>> = "Ulimits",
        init: Option<bool> = "Init",
    }

    pub struct LogConfig {
        kind: String = "Type",
        config: Option<Strings> = "Config",
    }

    pub struct Mount {
        kind: String = "Type",
        source: String = "Source",
        target: String = "Target",
        volume_options: Option<VolumeOptions> = "VolumeOptions",
    }

    pub struct VolumeOptions {
        no_copy: bool = "NoCopy",
        labels: Option<Strings> = "Labels",
    }

    pub struct Endpoint {
        aliases: Option<Vec<String>> = "Aliases",
        priority: i64 = "GwPriority",
    }
}

fn refused(body: &[u8]) -> Error {
    read::<Create>(body, &Options::default()).expect_err(&String::from_utf8_lossy(body))
}

fn canonical(body: &str, options: &Options<'_>) -> Result<String, Error> {
    let read_once = read::<Create>(body.as_bytes(), options)?;
    let canonical = read_once.canonical()?;
    assert_eq!(read::<Create>(&canonical, options)?, read_once, "{body}: the canonical form says the same");
    Ok(String::from_utf8(canonical).expect("canonical bodies are text"))
}

fn assert_all(cases: &[(&str, &str)]) {
    for (body, expected) in cases {
        let answer = canonical(body, &Options::default()).unwrap_or_else(|error| error.to_string());
        assert_same(&answer, expected, body);
    }
}

/// The same text, or the same JSON: other crates of a workspace decide in which order serde_json keeps the
/// keys of what is not looked into.
fn assert_same(answer: &str, expected: &str, body: &str) {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    match (json(answer), json(expected)) {
        (Some(answer), Some(expected)) => assert_eq!(answer, expected, "{body}"),
        _ => assert_eq!(answer, expected, "{body}"),
    }
}

/// The same for a body that holds nothing but a HostConfig.
fn assert_host_configs(cases: &[(&str, &str)]) {
    for (inner, expected) in cases {
        let body = format!(r#"{{"HostConfig":{{{inner}}}}}"#);
        let expected = match expected.strip_prefix('!') {
            Some(sentence) => sentence.to_owned(),
            None => format!(r#"{{"HostConfig":{{{expected}}}}}"#),
        };
        let answer = canonical(&body, &Options::default()).unwrap_or_else(|error| error.to_string());
        assert_eq!(answer, expected, "{body}");
    }
}
