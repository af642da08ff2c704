//! What daemons read differently, and what hides.

use super::*;

#[test]
fn what_20_10_and_28_read_differently_is_refused() {
    let cases = [
        (
            "a here-document of today is instructions of yesterday",
            "FROM a\nCOPY <<\"LABEL a=b\" /x\nFROM evil\nLABEL a=b\n",
        ),
        ("the same within ONBUILD", "FROM a\nONBUILD COPY <<\"LABEL a=b\" /x\nFROM evil\nLABEL a=b\n"),
        ("check= hides escape= from the old one", "# check=skip=all\n# escape=`\nFROM a\nLABEL x=C:\\\nRUN evil\n"),
        ("two carriage returns", "FROM a\nLABEL a=b \\\r\r\nRUN evil\n"),
        ("escape= does not count for old flags", "# escape=`\nFROM a\nCOPY --chown=a\\ --from=evil x y\n"),
        ("and the other way round", "# escape=`\nFROM a\nCOPY --chown=a` --from=evil x y\n"),
        ("a trigger is read with the usual escape", "# escape=`\nFROM a\nONBUILD COPY --chown=a\\ --from=evil x y\n"),
    ];
    for (title, text) in cases {
        let refused = classic(text);
        assert!(matches!(refused, Err(Misread::Ambiguous { .. } | Misread::Heredoc { .. })), "{title}: {refused:?}");
    }
}

#[test]
fn the_second_byte_of_a_letter_is_a_space_to_go() {
    let build = classic("FROM a\nCOPY --chown=\u{e0}--from=evil x y\n").unwrap();
    assert_eq!(names(&build.steps.copies_from), ["evil"]);
}

#[test]
fn shifts_and_here_strings_are_no_here_documents() {
    for run in [
        "echo $((1<<3))",
        "cat <<< x",
        "echo a << b",
        "sh -c 'cat <<E'",
        "echo \"<<E\"",
        "[\"a\", \"<<E\"]",
        "x <<A${B:-c}",
        "x <<",
    ] {
        let build = classic(&format!("FROM a\nRUN {run}\nFROM b\n"));
        let heredoc = run == "echo a << b";
        assert_eq!(build.is_err(), heredoc, "{run}: {build:?}");
    }
}

#[test]
fn what_no_daemon_takes_is_refused() {
    let long = format!("FROM a\nLABEL a={}\n", "x".repeat(70_000));
    let many = "FROM a\n".to_owned() + &"USER x\n".repeat(20_001);
    let nested = format!("FROM a\n{}RUN x\n", "ONBUILD ".repeat(100_000));
    let cases = [
        "",
        "\n\n",
        "# only\n",
        "ARG A\n",
        "FROM\n",
        "FROM a b\n",
        "FROM a AS\n",
        "FROM a AS 1\n",
        "FROM a AS b c\n",
        "FROM a AS x\nFROM b AS X\n",
        "FROM a\nCOPY x\n",
        "FROM a\nADD x\n",
        "FROM a\nCOPY --bogus=1 x y\n",
        "FROM a\nCOPY --from=x --from=y a b\n",
        "FROM --bogus a\n",
        "FROM a\nRUN --bogus x\n",
        "FROM a\nr\u{16b}n x\n",
        "FROM a\nONBU\u{130}LD RUN x\n",
        "FROM a\nONBUILD --x RUN y\n",
        "# escape=x\nFROM a\n",
        "# escape=\\\n# escape=`\nFROM a\n",
        "FROM a AS scratch\n",
        "FROM a\nRUN <<E\nx\n",
        "FROM a\n\\\n",
        &long,
        &many,
        &nested,
    ];
    for text in cases {
        let shown: String = text.chars().take(60).collect();
        assert!(classic(text).is_err() && buildkit(text).is_err(), "{shown}");
    }
    assert!(read(b"FROM a\nLABEL x=\xFF\n", &BuildArgs::new(), Builder::Classic).is_err());
    assert!(read(b"# \xFF\nFROM a\n", &BuildArgs::new(), Builder::Classic).is_ok(), "in a comment it does not matter");
}

#[test]
fn syntax_in_every_form() {
    let cases: &[(&str, &[&str])] = &[
        ("# syntax=docker/dockerfile:1\nFROM a", &["docker/dockerfile:1"]),
        ("#syntax = x  y \nFROM a", &["x"]),
        ("# SYNTAX=x\r\nFROM a", &["x"]),
        ("\u{FEFF}# syntax=x\nFROM a", &["x"]),
        ("#!/bin/x\n# syntax=x\nFROM a", &["x"]),
        ("// syntax=x\nFROM a", &["x"]),
        ("#!/x\n//check=y\n//syntax=x\n", &["x"]),
        ("# check=skip=all\n# syntax=x\nFROM a", &["x"]),
        ("# escape=`\n# syntax=x\nFROM a", &["x"]),
        ("{\"syntax\":\"x\"}", &["x"]),
        (" { \"a\":1, \"syntax\" : \"x\" }", &["x"]),
        ("{\"syntax\":\"\\ud800\"}", &[""]),
        ("{\"Syntax\":\"x\"}", &[""]),
        ("{\"syntax\":\"x\",\"\u{17F}yntax\":\"y\"}", &[""]),
        ("{\"syntax\":\"x\"} \n# a comment\n", &[""]),
        ("# other=y\n# syntax=x\nFROM a", &["x"]),
        ("# syntax=x\n# syntax=y\nFROM a", &["x", "y"]),
        ("# syntax=\nFROM a", &[]),
        ("# syntax= \nFROM a", &[""]),
        ("\n# syntax=x\nFROM a", &[]),
        (" # syntax=x\nFROM a", &[]),
        ("FROM a\n# syntax=x", &[]),
        ("# comment\n# syntax=x\nFROM a", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(detect_syntax(text.as_bytes()), *expected, "{text:?}");
    }
    let args = [("BUILDKIT_SYNTAX".to_owned(), Some("evil/x".to_owned()))].into();
    let build = read(b"FROM a\n", &args, Builder::BuildKit).unwrap();
    assert_eq!(build.asks()[0], Ask::UseImage("evil/x".to_owned()));
    assert!(classic("# syntax=x\nFROM a\n").unwrap().syntax.is_empty(), "the classic builder does not look");
}

/// Pieces of Dockerfiles, put together at random: nothing panics, and where the classic reading takes
/// a file, both daemons' dialects have agreed on it.
#[test]
fn random_files_never_panic() {
    const PIECES: &[&str] = &[
        "FROM ",
        "RUN ",
        "COPY ",
        "ADD ",
        "ARG ",
        "ONBUILD ",
        "LABEL ",
        "a",
        "b",
        "=",
        "\n",
        "\r\n",
        "\\\n",
        "\\ \n",
        "`\n",
        "# escape=`\n",
        "# syntax=x\n",
        "# check=y\n",
        "#",
        " ",
        "\t",
        "--from=",
        "--mount=from=",
        "<<E",
        "<<-\"E\"",
        "\nE\n",
        "[\"",
        "\", \"",
        "\"]",
        "${",
        "}",
        ":-",
        "$A",
        "'",
        "\"",
        "\\",
        "\u{e0}",
        "\u{2028}",
        "\u{FEFF}",
        "AS ",
        "http://",
        "{",
        "\0",
    ];
    let mut state: u64 = 11;
    let mut roll = |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap().checked_rem(sides).unwrap()
    };
    for _ in 0..20_000 {
        let mut text = if roll(2) == 0 { "FROM a\n".to_owned() } else { String::new() };
        for _ in 0..roll(16) {
            text.push_str(PIECES[roll(PIECES.len())]);
        }
        for builder in [Builder::Classic, Builder::BuildKit] {
            if let Ok(build) = read(text.as_bytes(), &BuildArgs::new(), builder) {
                let _ = build.asks();
            }
        }
    }
}
