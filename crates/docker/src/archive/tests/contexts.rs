//! The Dockerfile of a context, found as the daemon finds it.

use super::*;
use crate::archive::context::dockerfile;
use crate::dockerfile::Builder;

const GOOD: &str = "FROM good\n";
const EVIL: &str = "FROM evil\n";

fn find(maker: Maker, name: &str) -> Result<String, Refusal> {
    let source = opener(&maker.end());
    let text = dockerfile(&source, name, Builder::Classic, &Limits::default())?;
    Ok(String::from_utf8(text).unwrap())
}

fn start() -> Maker {
    Maker::default().file("Dockerfile", GOOD)
}

#[test]
fn the_last_entry_of_a_name_wins_however_it_is_spelled() {
    for name in
        ["Dockerfile", "./Dockerfile", "/Dockerfile", "x/../Dockerfile", "//./Dockerfile", "x/y/../../Dockerfile"]
    {
        assert_eq!(find(start().file(name, EVIL), "").as_deref(), Ok(EVIL), "{name}");
        assert_eq!(find(Maker::default().file(name, EVIL).file("Dockerfile", GOOD), "").as_deref(), Ok(GOOD), "{name}");
    }
    assert_eq!(find(start().file("../Dockerfile", EVIL), ""), Err(Refusal::Outside("../Dockerfile".to_owned())));
}

#[test]
fn lower_case_is_taken_only_where_the_default_is_missing() {
    let lower = || Maker::default().file("dockerfile", EVIL);
    assert_eq!(find(lower(), "").as_deref(), Ok(EVIL));
    assert_eq!(find(lower(), "Dockerfile").as_deref(), Ok(EVIL), "the default by name");
    assert_eq!(find(lower().file("Dockerfile", GOOD), "").as_deref(), Ok(GOOD));
    assert_eq!(find(start().file("dockerfile", EVIL), "").as_deref(), Ok(GOOD));
    let missing = |name: &str| Err(Refusal::NoDockerfile(name.to_owned()));
    assert_eq!(find(lower(), "./Dockerfile"), missing("./Dockerfile"));
    assert_eq!(find(Maker::default().file("DOCKERFILE", EVIL), ""), missing("Dockerfile"));
    let dangling = lower().symlink("Dockerfile", "/etc/passwd");
    assert_eq!(find(dangling, "").as_deref(), Ok(EVIL), "a link to nothing is missing, too");
}

#[test]
fn the_parameter_names_another_file() {
    let two = || start().file("sub/Evil", EVIL);
    for name in ["sub/Evil", "/sub/Evil", "./sub//Evil", "sub/x/../Evil", "sub/Evil/"] {
        assert_eq!(find(two(), name).as_deref(), Ok(EVIL), "{name}");
    }
    for name in ["../sub/Evil", "sub/../../sub/Evil", "a/../../etc/passwd"] {
        assert!(matches!(find(two(), name), Err(Refusal::Outside(_))), "{name}");
    }
    assert!(matches!(find(two(), "."), Err(Refusal::NotAFile(_))));
}

#[test]
fn links_are_followed_within_the_context() {
    let evil = || Maker::default().file("r/evil", EVIL).file("good", GOOD);
    let cases: &[(&str, Maker, &str, &str)] = &[
        ("symbolic", evil().symlink("Dockerfile", "r/evil"), "", EVIL),
        ("absolute: from the root of the context", evil().symlink("Dockerfile", "/r/evil"), "", EVIL),
        ("upwards: no further than the root", evil().symlink("Dockerfile", "../../../r/evil"), "", EVIL),
        (
            "a chain",
            evil().symlink("a", "Dockerfile2").symlink("Dockerfile2", "r/evil").symlink("Dockerfile", "a"),
            "",
            EVIL,
        ),
        ("before its target", Maker::default().symlink("Dockerfile", "x").file("x", EVIL), "", EVIL),
        ("a folder", evil().symlink("d", "r"), "d/evil", EVIL),
        ("a folder, and up from there", evil().symlink("d/e", "../r"), "d/e/../../good", GOOD),
        ("hard", evil().hardlink("Dockerfile", "r/evil"), "", EVIL),
        ("hard, absolute", evil().hardlink("Dockerfile", "/r/evil"), "", EVIL),
        ("hard, of a hard one", evil().hardlink("a", "r/evil").hardlink("Dockerfile", "a"), "", EVIL),
        ("hard, to a symbolic one", evil().symlink("s", "r/evil").hardlink("Dockerfile", "s"), "", EVIL),
        (
            "written through a folder that is a link",
            start().folder("r").symlink("d", ".").file("d/Dockerfile", EVIL),
            "",
            EVIL,
        ),
        ("a link replaced by a file", evil().symlink("Dockerfile", "r/evil").file("Dockerfile", GOOD), "", GOOD),
        ("a file replaced by a link", start().file("x", EVIL).symlink("Dockerfile", "x"), "", EVIL),
        ("the target replaced later", evil().symlink("Dockerfile", "good").file("good", EVIL), "", EVIL),
        ("a hard link keeps what it was", evil().hardlink("Dockerfile", "r/evil").file("r/evil", GOOD), "", EVIL),
        (
            "a folder link replaced by a folder",
            evil().symlink("d", "r").folder("d").file("d/evil", GOOD),
            "d/evil",
            GOOD,
        ),
        (
            "a folder link that moves on",
            Maker::default()
                .folder("a")
                .folder("b")
                .symlink("d", "a")
                .file("d/D", GOOD)
                .symlink("d", "b")
                .file("d/D", EVIL),
            "d/D",
            EVIL,
        ),
        (
            "a folder removed with its link",
            evil().symlink("d/l", "/r/evil").file("d", "x").file("Dockerfile", GOOD),
            "",
            GOOD,
        ),
    ];
    for (title, maker, name, text) in cases {
        assert_eq!(find(maker.clone(), name).as_deref(), Ok(*text), "{title}");
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let not = |maker| {
        assert!(matches!(
            find(maker, ""),
            Err(Refusal::NotAFile(_) | Refusal::Malformed(_) | Refusal::TooMuch { .. } | Refusal::NoDockerfile(_))
        ))
    };
    not(Maker::default().folder("Dockerfile"));
    not(start().folder("Dockerfile"));
    not(Maker::default().entry(b'6', "Dockerfile", "", b""));
    not(Maker::default().entry(b'3', "Dockerfile", "", b""));
    not(Maker::default().file("Dockerfile", ""));
    not(Maker::default().symlink("Dockerfile", "Dockerfile"));
    not(Maker::default().symlink("a", "b").symlink("b", "a").symlink("Dockerfile", "a"));
    not(Maker::default().symlink("a", "b/a").symlink("Dockerfile", "a").symlink("b", "."));
    not(Maker::default().file("x/Dockerfile", EVIL).file("Dockerfile.wh", EVIL));
    let chain =
        (0..9).fold(Maker::default().file("0", EVIL), |maker, n| maker.hardlink(&(n + 1).to_string(), &n.to_string()));
    not(chain.hardlink("Dockerfile", "9"));
}

#[test]
fn a_whiteout_is_a_file_like_any_other() {
    assert_eq!(find(start().file(".wh.Dockerfile", ""), "").as_deref(), Ok(GOOD));
    let ignored = start().file(".dockerignore", "*\n");
    assert_eq!(find(ignored, "").as_deref(), Ok(GOOD), "the daemon reads it before it removes it");
}

#[test]
fn what_looks_compressed_inside_is_refused() {
    for name in ["BZh91", "\u{e9}BZh/x", "./BZh", "P*M\u{18}x"] {
        let maker = Maker::default().file(name, "").file("Dockerfile", GOOD);
        assert!(
            matches!(find(maker, ""), Err(Refusal::Ambiguous(_) | Refusal::Decompress(_) | Refusal::Truncated)),
            "{name}"
        );
    }
    assert_eq!(find(start().file("BZh91", ""), "").as_deref(), Ok(GOOD), "only the first");
    // 20.10 reads this as an archive, newer daemons as zstd.
    let both = Maker::default().file("P*M\u{18}", "").file("Dockerfile", EVIL).end();
    let source = opener(&both);
    let refused = dockerfile(&source, "", Builder::Classic, &Limits::default());
    assert_eq!(refused, Err(Refusal::Ambiguous("as zstd and as a plain archive")));
}

#[test]
fn buildkit_takes_a_text_for_the_dockerfile() {
    let text = |bytes: &[u8]| dockerfile(&opener(bytes), "", Builder::BuildKit, &Limits::default());
    assert_eq!(text(EVIL.as_bytes()).as_deref(), Ok(EVIL.as_bytes()));
    assert_eq!(text(&start().end()).as_deref(), Ok(GOOD.as_bytes()));
    assert_eq!(text(&gzip(&start().end())).as_deref(), Ok(GOOD.as_bytes()));
    let polyglot = Maker::default().entry(b'x', "FROM evil\nRUN <<E", "", record("path", "a").as_bytes());
    assert!(matches!(text(&polyglot.file("Dockerfile", GOOD).end()), Err(Refusal::Ambiguous(_))));
    assert!(matches!(text(&::zstd::encode_all(start().end().as_slice(), 1).unwrap()), Err(Refusal::Ambiguous(_))));
    let classic = dockerfile(&opener(EVIL.as_bytes()), "", Builder::Classic, &Limits::default());
    assert_eq!(classic, Err(Refusal::Truncated));
}
