//! Dockerfiles against the daemons' own verdicts, and against each other.

use super::*;

mod ambiguous;
mod expand;
mod verdicts;

pub(super) fn classic(text: &str) -> Result<Build, Misread> {
    read(text.as_bytes(), &BuildArgs::new(), Builder::Classic)
}

pub(super) fn buildkit(text: &str) -> Result<Build, Misread> {
    read(text.as_bytes(), &BuildArgs::new(), Builder::BuildKit)
}

pub(super) fn names(images: &[ImageName]) -> Vec<&str> {
    images.iter().map(|image| image.name.as_str()).collect()
}

#[test]
fn the_usual_things() {
    let build = classic(
        "# a comment\nARG TAG=3\nFROM --platform=linux/amd64 alpine:$TAG AS build\nENV A=b\nRUN make\n\
         FROM scratch\nCOPY --from=build /a /b\nCOPY --from=0 /a /b\nCOPY --from=tools:1 --chown=1:1 /a /b\n\
         ADD https://host/file.tgz /\nADD file.tgz /\nONBUILD RUN x\nONBUILD COPY --from=later a b\nCMD [\"x\"]\n",
    )
    .unwrap();
    assert_eq!(names(&build.bases), ["alpine:3"]);
    assert_eq!(names(&build.steps.copies_from), ["tools:1"]);
    assert_eq!(build.steps.runs.iter().map(|run| run.line).collect::<Vec<_>>(), [5]);
    assert_eq!(build.steps.fetches, [Fetch { from: "https://host/file.tgz".to_owned(), unsure: false, line: 10 }]);
    assert_eq!(names(&build.onbuild.copies_from), ["later"]);
    assert_eq!(build.onbuild.runs.len(), 1);
    let asks = build.asks();
    assert_eq!(asks[..3], [Ask::UseImage("alpine:3".into()), Ask::UseImage("tools:1".into()), Ask::Run]);
    assert_eq!(asks[5], Ask::LeaveTrigger(Box::new(Ask::Run)));
}

#[test]
fn stages_are_no_images_but_only_earlier_ones() {
    let copies = |text: &str| {
        classic(text).unwrap().steps.copies_from.iter().map(|image| image.name.clone()).collect::<Vec<_>>()
    };
    assert!(copies("FROM a AS One\nFROM b\nCOPY --from=oNE x y\n").is_empty());
    assert_eq!(copies("FROM a\nCOPY --from=two x y\nFROM b AS two\n"), ["two"], "not there yet");
    assert_eq!(copies("FROM a AS one\nCOPY --from=one x y\n"), ["one"], "the stage itself");
    assert_eq!(copies("FROM a\nFROM b\nCOPY --from=1 x y\n"), ["1"]);
    assert!(copies("FROM a\nFROM b\nCOPY --from=+0 x y\n").is_empty());
    let bases = |text: &str| classic(text).unwrap().bases.iter().map(|image| image.name.clone()).collect::<Vec<_>>();
    assert_eq!(bases("FROM a AS x\nFROM X\n"), ["a"]);
    assert_eq!(bases("FROM scratch\nFROM Scratch\n"), ["Scratch"]);
    assert_eq!(bases("FROM x\nFROM a AS x\n"), ["x", "a"]);
    assert_eq!(bases("FROM a\nFROM 0\n"), ["a", "0"], "FROM takes no number");
}

#[test]
fn mounts_networks_and_security_of_run() {
    let build = buildkit(
        "FROM a AS s\nFROM b\nRUN --network=host --security=insecure --mount=type=bind,from=img:1,target=/m \
         --mount=from=s --mount=type=cache,FROM=evil,target=/x --device=gpu x\nRUN --network=default --security=sandbox y\n",
    )
    .unwrap();
    assert_eq!(names(&build.steps.copies_from), ["img:1", "evil"]);
    let run = &build.steps.runs[0];
    assert_eq!((run.network.as_deref(), run.security.as_deref()), (Some("host"), Some("insecure")));
    assert_eq!((run.mounts.len(), run.devices.len()), (3, 1));
    assert_eq!((&build.steps.runs[1].network, &build.steps.runs[1].security), (&None, &None));
    let quoted = buildkit("FROM b\nRUN --mount=type=bind,\\\"from=evil\\\" x\n").unwrap();
    assert_eq!(quoted.steps.unknown.len(), 1);
}

#[test]
fn what_is_fetched() {
    let cases: &[(&str, Option<bool>, Option<bool>)] = &[
        ("http://h/x", Some(false), Some(false)),
        ("HTTP://h/x", Some(false), Some(false)),
        ("\"http://h/x\"", Some(false), Some(false)),
        ("h\\ttp://h/x", Some(false), Some(false)),
        ("'h'ttps://h/x", Some(false), Some(false)),
        ("$URL", Some(true), Some(true)),
        ("ht${X}", Some(true), Some(true)),
        ("${X:-file}", Some(true), Some(true)),
        ("https://h/$X", Some(false), Some(false)),
        ("dir/$X", None, None),
        ("app-$X.jar", None, Some(true)),
        ("git@h:r", None, Some(false)),
        ("git://h/r.git", None, Some(false)),
        ("me@h:r", None, Some(true)),
        ("\"unclosed", Some(true), Some(true)),
        ("file", None, None),
    ];
    for (source, classic_says, buildkit_says) in cases {
        for (build, says) in [(classic as fn(&str) -> _, classic_says), (buildkit, buildkit_says)] {
            let text = format!("FROM a\nADD x {source} /d/\n");
            let build: Build = build(&text).unwrap();
            assert_eq!(build.steps.fetches.first().map(|fetch| fetch.unsure), *says, "{source}");
        }
    }
    let json = classic("FROM a\nADD [\"x\", \"http://h/x\", \"/d/\"]\n").unwrap();
    assert_eq!(json.steps.fetches.len(), 1);
    assert!(classic("FROM a\nADD [\"\\ud800\", \"http://h/x\", \"/d/\"]\n").is_err(), "Go reads it as JSON");
}

#[test]
fn triggers_of_a_base() {
    let on =
        |texts: &[&str]| triggers(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), Builder::Classic);
    let steps = on(&["COPY --from=evil a b", "run x", "ADD http://h/x /"]).unwrap();
    assert_eq!((names(&steps.copies_from), steps.runs.len(), steps.fetches.len()), (vec!["evil"], 1, 1));
    for wrong in ["FROM evil", "ONBUILD RUN x", "MAINTAINER x", "RUN x\nRUN y", "", "RUN <<E\nx\nE\n"] {
        assert!(on(&[wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn messages_are_sentences() {
    let said = [
        (classic("FROM a\nBOGUS\n"), "line 2 of the Dockerfile cannot be read: an unknown instruction"),
        (classic("FROM a\nRUN <<E\nx\nE\n"), "line 2 of the Dockerfile has a here-document, which needs BuildKit"),
        (classic("RUN x\n"), "the Dockerfile has no stage: FROM is missing"),
        (
            classic("FROM a\nONBUILD FROM b\n"),
            "line 2 of the Dockerfile cannot be read: an instruction that is no trigger",
        ),
    ];
    for (read, words) in said {
        assert_eq!(read.unwrap_err().to_string(), words);
    }
}
