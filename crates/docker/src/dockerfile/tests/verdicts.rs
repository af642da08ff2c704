//! The Dockerfiles that Docker 28's BuildKit gave its verdicts on: what it ran, and where from.

use super::*;
use crate::archive::tests_unpack;

const PACKED: &[u8] = include_bytes!("../../../tests-data/builds/dockerfiles.tar.gz");

/// What the recorded daemon made of a file.
#[derive(serde::Deserialize)]
struct Verdict {
    err: Option<String>,
    #[serde(default)]
    run: Vec<String>,
    #[serde(default)]
    src: Vec<String>,
}

/// Files that name another reader of Dockerfiles.
///
/// `44_json_syntax` is none: the whole file would have to be JSON. We do not go into that, and refuse it.
const SYNTAX: &[(&str, &str)] = &[("29_shebang_syntax", "tiny"), ("30_slash_syntax", "evil/x"), ("44_json_syntax", "")];
/// Files that the second reader refuses: the safe side.
const OVER_REFUSED: &[&str] = &["11_two_heredocs"];

type Files = Vec<(String, Vec<u8>)>;

fn files() -> (Files, BTreeMap<String, Verdict>) {
    let mut files = tests_unpack(PACKED);
    let truth = files.iter().position(|(name, _)| name == "truth.json").unwrap();
    let (_, truth) = files.remove(truth);
    assert_eq!(files.len(), 44);
    (files, serde_json::from_slice(&truth).unwrap())
}

#[test]
fn buildkit_misses_no_run_no_image_and_no_syntax() {
    let (files, truth) = files();
    for (name, text) in files {
        let verdict = &truth[&name];
        let read = read(&text, &BuildArgs::new(), Builder::BuildKit);
        let syntax = SYNTAX.iter().find(|(file, _)| *file == name).map(|(_, image)| *image);
        match (&read, &verdict.err) {
            (Ok(build), _) if syntax.is_some() => assert_eq!(build.syntax, [syntax.unwrap()], "{name}"),
            (Ok(build), None) => {
                assert_eq!(build.steps.runs.len(), verdict.run.len(), "{name}");
                let images: Vec<_> =
                    build.bases.iter().chain(&build.steps.copies_from).map(|image| image.name.as_str()).collect();
                assert!(!images.is_empty() && images.iter().all(|image| *image == "tiny"), "{name}: {images:?}");
                assert_eq!(verdict.src.len(), 1, "{name}");
                assert!(build.syntax.is_empty() && build.steps.unknown.is_empty(), "{name}");
            }
            (Err(_), None) => assert!(OVER_REFUSED.contains(&name.as_str()), "{name}: {read:?}"),
            (_, Some(_)) => {}
        }
    }
}

#[test]
fn the_classic_builder_misses_no_run_either() {
    let (files, truth) = files();
    for (name, text) in files {
        let Ok(build) = read(&text, &BuildArgs::new(), Builder::Classic) else { continue };
        if truth[&name].err.is_none() {
            assert_eq!(build.steps.runs.len(), truth[&name].run.len(), "{name}");
        }
        assert!(names(&build.bases).iter().all(|image| matches!(*image, "tiny" | "scratch")), "{name}");
    }
}

#[test]
fn what_the_verdicts_do_not_show() {
    let (files, _) = files();
    let of = |wanted: &str| {
        let (_, text) = files.iter().find(|(name, _)| name == wanted).unwrap();
        read(text, &BuildArgs::new(), Builder::BuildKit).unwrap()
    };
    let run = of("16_flags").steps.runs.remove(0);
    assert_eq!(
        (run.network.as_deref(), run.security.as_deref(), run.mounts.len()),
        (Some("host"), Some("insecure"), 1)
    );
    assert_eq!(of("17_flags_tab").steps.runs[0].network.as_deref(), Some("host"));
    assert_eq!(of("18_flag_cont").steps.runs[0].network.as_deref(), Some("host"));
    assert_eq!((of("21_onbuild").onbuild.runs.len(), of("21_onbuild").steps.runs.len()), (1, 0));
    assert_eq!(names(&of("33_from_scratch_copyfrom").steps.copies_from), ["tiny"]);
    assert_eq!(names(&of("34_mount_from").steps.copies_from), ["tiny"]);
    assert_eq!(of("40_add_url").steps.fetches.len(), 2);
}
