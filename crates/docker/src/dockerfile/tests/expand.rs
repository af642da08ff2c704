//! Variables in FROM.

use super::*;

/// The arguments of the query.
type Args<'a> = &'a [(&'a str, Option<&'a str>)];

fn bases(text: &str, args: Args<'_>) -> Result<(Vec<String>, Vec<String>), Misread> {
    let args = args.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
    let build = read(text.as_bytes(), &args, Builder::Classic)?;
    let unknown = build.steps.unknown.into_iter().map(|unknown| unknown.text).collect();
    Ok((build.bases.into_iter().map(|base| base.name).collect(), unknown))
}

#[test]
fn values_come_from_the_query_before_the_default() {
    let cases: &[(&str, Args<'_>, &str)] = &[
        ("ARG B=tiny\nFROM $B", &[], "tiny"),
        ("ARG B=tiny\nFROM $B", &[("B", Some("evil"))], "evil"),
        ("ARG B=tiny\nFROM $B", &[("B", None)], "tiny"),
        ("ARG B\nFROM ${B:-tiny}", &[], "tiny"),
        ("ARG B\nFROM ${B:-tiny}", &[("B", Some(""))], "tiny"),
        ("ARG B\nFROM ${B-tiny}", &[], "tiny"),
        ("ARG B=x\nFROM ${B:+evil}", &[], "evil"),
        ("FROM a${B:+evil}", &[("B", Some("x"))], "a"),
        ("FROM ${B:-tiny}", &[("B", Some("evil"))], "tiny"),
        ("ARG A=evil\nARG B=${A}.example\nFROM $B/app:1", &[], "evil.example/app:1"),
        ("ARG A=\"evil\" \nFROM ${A}", &[], "evil"),
        ("ARG A='ev'il\nFROM ${A}", &[], "evil"),
        ("ARG A=evil B=x\nFROM ${A}$B", &[], "evilx"),
        ("ARG A=a\nARG A\nFROM x$A", &[], "x"),
        ("FROM ev\\il", &[], "evil"),
        ("FROM \"evil\"", &[], "evil"),
        ("FROM ${http_proxy:-x}", &[("http_proxy", Some("evil"))], "evil"),
        ("ARG A=b\nFROM ${X:-${Y:-${A}}}", &[], "b"),
        ("FROM a AS st\nARG B=evil\nFROM ${B:-tiny}", &[], "a tiny"),
        ("# escape=`\nARG A=e`vil\nFROM $A", &[], "evil"),
    ];
    for (text, args, expected) in cases {
        let (bases, unknown) = bases(text, args).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((bases.join(" "), unknown.len()), ((*expected).to_owned(), 0), "{text}");
    }
}

#[test]
fn what_cannot_be_told_is_unknown() {
    for text in [
        "ARG A=x\nFROM ${A#x}",
        "ARG A=x\nFROM ${A/x/y}",
        "FROM ${A?no}",
        "FROM ${A",
        "FROM \u{FEFF}evil",
        "FROM évil",
        "FROM ${A!b}",
    ] {
        let (bases, unknown) = bases(text, &[]).unwrap();
        assert_eq!((bases.len(), unknown.len()), (0, 1), "{text}");
    }
    assert!(bases("FROM $NOTHING", &[]).is_err(), "the daemon wants a name");
    assert!(bases("ARG A=x B=$A\nFROM $B", &[]).is_err());
    let platform = buildkit("FROM a/$TARGETARCH\n").unwrap();
    assert_eq!(platform.steps.unknown[0].text, "a/$TARGETARCH");
    let deep = format!("FROM {}x{}", "${A:-".repeat(5000), "}".repeat(5000));
    assert_eq!(bases(&deep, &[]).unwrap().1.len(), 1);
}
