//! Dockerfiles. Comments `#! NAME=VALUE` are the arguments of the build.
//!
//! Comments and arguments that nobody names change nothing, a trigger asks for what its instruction asks for, and both
//! builders start from the same images.
#![no_main]

use docker::dockerfile::{Build, BuildArgs, Builder, read, triggers};
use libfuzzer_sys::fuzz_target;

/// An argument that no Dockerfile has.
const UNUSED: &str = "ZZ_UNUSED";

fuzz_target!(|text: &[u8]| {
    let args = arguments(text);
    for builder in [Builder::Classic, Builder::BuildKit] {
        instructions(text, builder);
        let Ok(build) = read(text, &args, builder) else { continue };
        let commented = [text, b"\n# the end\n"].concat();
        // Within an unfinished instruction the second reader may disagree, which is a refusal; and JSON knows no comments.
        if !text.trim_ascii_start().starts_with(b"{")
            && !text.trim_ascii_end().ends_with(b"\\")
            && !text.trim_ascii_end().ends_with(b"`")
        {
            assert_eq!(read(&commented, &args, builder).as_ref(), Ok(&build), "with a comment behind it");
        }
        if !contains(text, UNUSED) {
            let mut more = args.clone();
            more.insert(UNUSED.to_owned(), Some("x".to_owned()));
            assert_eq!(read(text, &more, builder).as_ref(), Ok(&build), "with an argument that nobody names");
        }
        let mut asks = build.asks();
        let all = asks.len();
        asks.dedup();
        assert_eq!(asks.len(), all, "something is asked twice");
    }
    if let (Ok(classic), Ok(kit)) = (read(text, &args, Builder::Classic), read(text, &args, Builder::BuildKit)) {
        assert!(!kit.syntax.is_empty() || same_work(&classic, &kit), "the builders do not start from the same images");
    }
});

/// BuildKit knows of more: what it cannot tell, it says.
fn same_work(classic: &Build, kit: &Build) -> bool {
    let known = kit.steps.unknown.is_empty() && classic.steps.unknown.is_empty();
    let images = |build: &Build| -> Vec<_> { build.bases.iter().map(|base| (base.line, base.name.clone())).collect() };
    !known || images(classic) == images(kit)
}

/// Each line alone: as a trigger of a base image it asks for what it asks for as an instruction.
fn instructions(text: &[u8], builder: Builder) {
    for line in text.split(|byte| *byte == b'\n').take(20) {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let Ok(steps) = triggers(&[line.to_owned()], builder) else { continue };
        let file = format!("FROM scratch\n{line}");
        if let Ok(build) = read(file.as_bytes(), &BuildArgs::new(), builder) {
            assert_eq!(steps.asks(), build.steps.asks(), "a trigger asks for something else");
        }
    }
}

fn arguments(text: &[u8]) -> BuildArgs {
    let lines =
        text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line.strip_prefix(b"#! ")?).ok());
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).collect()
}

fn contains(text: &[u8], word: &str) -> bool {
    text.windows(word.len()).any(|window| window == word.as_bytes())
}
