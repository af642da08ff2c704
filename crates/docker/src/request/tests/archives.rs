//! Builds, loads and copies: what they ask for once their archive is read.

use super::*;
use crate::archive::{Limits, tests_unpack};
use std::io::Cursor;

/// A plain archive with one file.
fn archive(name: &str, contents: &str) -> Vec<u8> {
    let mut block = vec![0_u8; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{:011o}\0", contents.len()).as_bytes());
    block[148..156].fill(b' ');
    block[156] = b'0';
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.extend_from_slice(contents.as_bytes());
    block.resize(block.len().next_multiple_of(512), 0);
    block.extend_from_slice(&[0; 1024]);
    block
}

/// A request whose head alone was read.
fn unread(head: &str) -> Result<Request, Misread> {
    let text = format!("{head} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/x-tar\r\n\r\n");
    let Parsed::Complete { head, .. } = RequestHead::parse(text.as_bytes(), &HeadLimits::default())? else {
        panic!("partial")
    };
    let reading = Reading::default();
    Request::understand(Call::read(&head, &reading)?, b"", &reading)
}

/// The same, its archive read.
fn read(head: &str, archive: &[u8]) -> Result<Request, Misread> {
    let request = unread(head)?;
    let bytes = archive.to_vec();
    let open = move || Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn std::io::Read>);
    let archive = request.call.inspect(&open, &Limits::default())?;
    Ok(request.with_archive(archive))
}

#[test]
fn a_plugin_made_of_an_archive_asks_for_what_its_configuration_does() {
    let make = |config: &str| read("POST /v1.41/plugins/create?name=p:1", &archive("config.json", config));
    let request = make(r#"{"PidHost":true,"network":{"type":"host"},"linux":{"capabilities":["CAP_SYS_ADMIN"]}}"#);
    assert_eq!(
        asked(&settled(&request.unwrap()).unwrap()),
        "install plugin p:1, share the host's network namespace, share the host's pid namespace, add capability SYS_ADMIN"
    );
    assert_eq!(asked(&settled(&make("{}").unwrap()).unwrap()), "install plugin p:1");
    assert!(make(r#"{"NewPower":1}"#).unwrap_err().to_string().contains("NewPower"));
}

/// What a build of a Dockerfile asks for, beyond its network.
fn build(query: &str, dockerfile: &str) -> String {
    let request = read(&format!("POST /v1.41/build?{query}"), &archive("Dockerfile", dockerfile));
    match request.map_err(|error| error.to_string()).and_then(|request| settled(&request)) {
        Ok(facts) => asked(&facts),
        Err(error) => format!("refused: {error}"),
    }
}

fn asked(facts: &Facts) -> String {
    // Those of the daemon without a network of the query's, and of container `web`.
    let usual = ["join network bridge", "run as uid 1000"];
    let words = facts.privileges.iter().map(ToString::to_string).filter(|words| !usual.contains(&words.as_str()));
    words.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_build_asks_for_what_its_dockerfile_does() {
    for (dockerfile, expected) in [
        ("FROM tiny\nCOPY a /a\n", "use image tiny:latest"),
        ("FROM tiny\nRUN a\nRUN b\n", "use image tiny:latest, run commands in a build"),
        ("FROM scratch\nADD https://u:p@example.org/x?t=1 /\n", "fetch https://example.org/x in a build"),
        ("ARG B=tiny\nFROM $B\n", "use image tiny:latest"),
        ("FROM tiny AS a\nFROM scratch\nCOPY --from=a / /\n", "use image tiny:latest"),
        ("FROM scratch\nCOPY --from=tiny / /\n", "use image tiny:latest"),
        ("FROM scratch\nONBUILD RUN a\n", "run commands in a build"),
        // Read with the escape character of whoever builds from it, this is a URL.
        (
            "FROM tiny\nONBUILD ADD h`ttp://127.0.0.1:9/x /x\n",
            "refused: the Dockerfile can be read in two ways at line 2",
        ),
        (
            "FROM ${ALL_PROXY:-tiny}\n",
            "refused: it cannot be told what `${ALL_PROXY:-tiny}` in the Dockerfile will be; write it without variables",
        ),
        // The name can be taken away while the daemon builds; then this is the beginning of an id.
        ("FROM fade\n", "refused: `fade` in the build could be taken for an id; write it with a tag"),
        ("FROM app:2\n", "pull image app:2, use image app:2"),
        (
            "FROM tiny\nCOPY --from=$X / /\n",
            "refused: it cannot be told what `$X` in the Dockerfile will be; write it without variables",
        ),
    ] {
        assert_eq!(build("", dockerfile), expected, "{dockerfile}");
    }
    assert_eq!(
        build("buildargs=%7B%22B%22%3A%22app%22%7D", "ARG B=tiny\nFROM $B\n"),
        "pull image app:latest, use image app:latest"
    );
    assert!(build("buildargs=%7B%22B%22%3A1,%22B%22%3A2%7D", "FROM tiny\n").starts_with("refused"));
    // A cache can become the result as it is, so it is an image like any other, also where it is named by its id.
    let cached = |name: &str| build(&format!("cachefrom=%5B%22{name}%22%5D"), "FROM scratch\nCOPY a /a\n");
    assert_eq!(cached("bbbbbbbbbbbb"), format!("use image {TINY}"));
    assert_eq!(cached("evil.example/app:1"), "use image evil.example/app:1");
    assert!(build("dockerfile=Other", "FROM tiny\n").contains("holds no file `Other`"));
    assert_eq!(build("", ""), "refused: the archive cannot be read: an empty Dockerfile");
}

#[test]
fn commands_run_in_the_network_of_the_query() {
    let run = "FROM scratch\nRUN a\n";
    assert_eq!(build("networkmode=none", run), "run commands in a build on network none");
    assert_eq!(
        build("networkmode=host", run),
        "share the host's network namespace, run commands in a build on network host"
    );
    let joined = |query: &str| {
        let request = read(&format!("POST /v1.41/build?{query}"), &archive("Dockerfile", run)).unwrap();
        let facts = settled(&request).unwrap();
        facts
            .privileges
            .iter()
            .filter(|privilege| matches!(privilege, crate::privilege::Privilege::JoinNetwork { .. }))
            .count()
    };
    assert_eq!((joined(""), joined("networkmode=default"), joined("networkmode=none")), (1, 1, 0));
}

#[test]
fn triggers_of_a_base_are_part_of_the_build() {
    assert_eq!(
        build("", "FROM tiny:fetches\n"),
        format!(
            "use image {TINY}, pull image evil.example/app:1, use image evil.example/app:1, run commands in a build, \
             fetch http://169.254.169.254/ in a build"
        )
    );
    let refused = build("", "FROM tiny:unreadable\n");
    assert!(
        refused.starts_with("refused: image tiny:unreadable has a trigger (ONBUILD) that cannot be read"),
        "{refused}"
    );
}

/// With `pull` the daemon fetches anew what triggers copy from, also where nothing else is to be fetched; so it does for
/// another platform.
#[test]
fn what_triggers_copy_from_is_pulled_by_who_may_pull() {
    let within = "FROM scratch AS a\nONBUILD COPY --from=tiny / /\nFROM a\n";
    assert_eq!(build("", within), "use image tiny:latest");
    for query in ["pull=1", "platform=linux/arm64"] {
        assert_eq!(build(query, within), "pull image tiny:latest, use image tiny:latest");
    }
    let asked = build("pull=1", "FROM tiny:copies\n");
    assert!(asked.contains("pull image tiny:latest, "), "{asked}");
    assert!(!build("", "FROM tiny:copies\n").contains("pull image"));
}

#[test]
fn what_nobody_has_seen_is_fetched_before_it_is_judged() {
    let fetches = |query: &str, dockerfile: &str, fetched: bool| {
        let request = read(&format!("POST /v1.41/build?{query}"), &archive("Dockerfile", dockerfile)).unwrap();
        let request = if fetched { request.fetched() } else { request };
        let facts = settled(&request).unwrap();
        let images = facts.fetches.iter().map(|fetch| format!("{} {}", fetch.image.familiar(), fetch.platform));
        (images.collect::<Vec<_>>().join(","), facts.canonical.target)
    };
    let none = String::new();
    assert_eq!(fetches("pull=1", "FROM scratch\n", false).0, none);
    assert_eq!(fetches("", "FROM tiny\n", false).0, none);
    assert_eq!(fetches("", "FROM app\nFROM app\n", false).0, "app:latest ");
    assert_eq!(fetches("", "FROM app\n", true).0, "app:latest ", "it is still not there");
    assert_eq!(fetches("", "FROM --platform=linux/arm64 tiny\n", false).0, "tiny:latest linux/arm64");
    assert_eq!(fetches("platform=linux/amd64", "FROM tiny\n", false).0, none, "it is there for that platform");
    assert_eq!(fetches("platform=linux/arm64", "FROM tiny\n", true).0, none);
    assert_eq!(fetches("pull=1", "FROM tiny\n", false), ("tiny:latest ".to_owned(), "/v1.41/build?pull=1".to_owned()));
    assert_eq!(fetches("pull=1", "FROM tiny\n", true), (none, "/v1.41/build?pull=0".to_owned()), "not fetched twice");
}

#[test]
fn the_head_alone_asks_for_no_more_than_the_whole() {
    let head = "POST /v1.41/build?t=app:1&networkmode=host&extrahosts=a:1.2.3.4";
    let part = settled(&unread(head).unwrap()).unwrap();
    assert_eq!(part.canonical.body, CanonicalBody::Unread);
    let whole = settled(&read(head, &archive("Dockerfile", "FROM tiny\nRUN a\n")).unwrap()).unwrap();
    assert_eq!(whole.canonical.body, CanonicalBody::Archive);
    assert!(part.privileges.iter().all(|privilege| whole.privileges.contains(privilege)));
    assert!(part.privileges.len() < whole.privileges.len());
}

#[test]
fn a_remote_context_is_seen_by_nobody() {
    let request = unread("POST /v1.41/build?remote=https://example.org/x.git").unwrap();
    assert!(!request.is_unread());
    let facts = settled(&request).unwrap();
    assert_eq!(
        asked(&facts),
        "build from remote context https://example.org/x.git, use a remote build context, which this version does not look into"
    );
    assert_eq!(facts.canonical.body, CanonicalBody::None);
}

#[test]
fn loads_ask_for_each_name() {
    let manifest = r#"[{"Config":"c","RepoTags":["alpine:3","evil.example/app:1"],"Layers":[]},{"Config":"d","RepoTags":null,"Layers":[]}]"#;
    let request = read("POST /v1.41/images/load", &archive("manifest.json", manifest)).unwrap();
    assert_eq!(
        asked(&settled(&request).unwrap()),
        "load images without a name from an archive, name an image alpine:3, name an image evil.example/app:1"
    );
    assert!(settled(&unread("POST /v1.41/images/load").unwrap()).unwrap().privileges.is_empty());
}

#[test]
fn files_for_a_container_ask_where_they_are_more_than_contents() {
    let put = |name: &str, change: &dyn Fn(&mut [u8])| {
        let mut bytes = archive(name, "");
        change(&mut bytes);
        bytes[148..156].fill(b' ');
        let sum: u32 = bytes[..512].iter().map(|byte| u32::from(*byte)).sum();
        bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let request = read("PUT /v1.41/containers/web/archive?path=/", &bytes).unwrap();
        asked(&settled(&request).unwrap())
    };
    let plain = put("a", &|_| {});
    assert_eq!(plain, "");
    assert_eq!(put("../up", &|_| {}), "copy a file whose name leads upwards into a container: ../up");
    assert_eq!(put("null", &|block| block[156] = b'3'), "copy a device node into a container: null");
    let suid = "copy a file that runs as its owner (setuid or setgid) into a container: su";
    assert_eq!(put("su", &|block| block[100..108].copy_from_slice(b"0004755\0")), suid);
    let link = |block: &mut [u8]| {
        block[156] = b'2';
        block[157..161].copy_from_slice(b"/etc");
    };
    assert_eq!(put("l", &link), "copy a symbolic link that leads out of its folder into a container: l");
}

/// No `RUN` and no image of the recorded Dockerfiles is missed on the way to facts.
#[test]
fn no_recorded_dockerfile_gets_around() {
    let packed = include_bytes!("../../../tests-data/builds/dockerfiles.tar.gz");
    let mut files = tests_unpack(packed);
    let truth = files.iter().position(|(name, _)| name == "truth.json").unwrap();
    let (_, truth) = files.remove(truth);
    let truth: serde_json::Value = serde_json::from_slice(&truth).unwrap();
    let mut built = 0;
    for (name, text) in files {
        let Ok(text) = String::from_utf8(text) else { continue };
        let asked = build("", &text);
        let runs = truth[&name]["run"].as_array().map_or(0, Vec::len);
        if asked.starts_with("refused") || !truth[&name]["err"].is_null() {
            continue;
        }
        built += 1;
        assert!(asked.contains("run commands") || runs == 0, "{name}: {asked}");
        assert!(!asked.contains("evil") && (asked.contains("tiny") || asked.is_empty() || runs > 0), "{name}: {asked}");
    }
    assert!(built > 20, "{built}");
}
