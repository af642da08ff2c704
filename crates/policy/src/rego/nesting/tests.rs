use std::time::{Duration, Instant};

use super::*;
use crate::rego::{RegoModule, RegoSources, tests::load};

fn named(text: &str) -> NamedText {
    NamedText { name: "a.rego".to_owned(), text: text.to_owned() }
}

fn said(text: &str) -> String {
    check(&named(text), &mut 0).map_or_else(|fault| fault.to_string(), |()| "read".to_owned())
}

/// A value within so many of these, which stand for what is before and after it.
fn within(before: &str, value: &str, after: &str, times: usize) -> String {
    format!("{}{value}{}", before.repeat(times), after.repeat(times))
}

/// What is at the bound of some shape, with how many levels it has.
fn at_bound(shape: impl Fn(usize) -> String) -> (String, usize) {
    let deepest = (1..).take_while(|depth| said(&shape(*depth)) == "read").last().unwrap();
    (shape(deepest), deepest)
}

/// How long a policy takes to load, or to be refused for something else, where the stack is no larger than any thread's.
fn loaded(text: &str) -> Duration {
    let module = RegoModule { text: named(text), ..RegoModule::default() };
    let began = Instant::now();
    let sources = RegoSources { modules: vec![module], ..RegoSources::default() };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(move || load(sources).is_ok());
    thread.unwrap().join().unwrap();
    began.elapsed()
}

#[test]
fn what_is_at_the_bound_is_read_soon_and_fits_on_the_stack() {
    for (before, value, after) in [
        ("[", "1", "]"),
        ("{", "1", "}"),
        ("{\"a\": ", "1", "}"),
        ("{", "1", ": 1}"),
        ("[1, ", "1", "]"),
        ("[1 | ", "true", "]"),
        ("[1 | ", "1", ", 1]"),
        ("{1 | ", "1", ", 1}"),
        ("{1 | ", "1", ": 1}"),
        ("{1: 1 | ", "1", ", 1: 1}"),
        ("{1: {1 | ", "1", ", 1}, 1: 1}"),
        ("f(", "1", ")"),
        ("(", "1", ")"),
        ("a[", "1", "]"),
        ("-\n", "1", ""),
        ("1+-\n", "a", ""),
        ("", "a", "[\n0]"),
        ("1+\n", "1", ""),
        ("", "{1", "\n| 1}"),
        ("", "a", " in\nb"),
        ("[x | x := ", "1", "][0]"),
        ("every x in [1] { ", "1 == 1", " }"),
    ] {
        for rule in ["x :=", "x if"] {
            let shape = |depth| {
                let value = within(before, value, after, depth);
                format!("package docker.authz\nallow := true\n{rule} {value}\n")
            };
            let (text, depth) = at_bound(shape);
            let took = loaded(&text);
            // A loaded machine, and what every load does beside.
            assert!(took < Duration::from_secs(5), "{rule} {before:?} {after:?}: {depth} levels in {took:?}");
        }
    }
}

#[test]
fn what_is_too_deep_is_told_with_its_place() {
    for (value, words) in [
        (format!("-\n{}1", "-\n".repeat(900)), "a.rego:50:1: brackets and signs are nested more than 48 deep"),
        (
            within("[", "1", "]", 22),
            "a.rego:2:6: brackets are nested so deeply around so much that it would take too long",
        ),
        // Not closed, it is read as often.
        (within("{", "", "", 22), "a.rego:2:6: brackets are nested so deeply"),
        (within("f(", "1", ")", 900), "a.rego:2:103: brackets and signs are nested"),
        (within("1+-\n", "a", "", 900), "brackets and signs are nested"),
        (format!("a{}", "[\n0]".repeat(501)), "more than 500 operations and references are one expression"),
        (within("1 +\n", "1", "", 501), "a.rego:502:3: more than 500 operations and references"),
        // Neither texts nor remarks hide what is after them.
        (format!("\"]\\\"]`\" == {}", within("[", "1", "]", 22)), "brackets are nested"),
        (format!("`\"` # \"`\n == {}", within("[", "1", "]", 22)), "brackets are nested"),
        (format!("1\nif[{}]", within("[", "1", "]", 22)), "brackets are nested"),
    ] {
        let told = said(&format!("package a\nx := {value}\n"));
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn what_people_write_is_read() {
    let many = |count: usize, entry: &str| vec![entry; count].join(", ");
    for text in [
        format!("x := {{{}}}", many(20_000, "\"alice\"")),
        format!("x := {{{}}}", many(200, "\"a\": {\"b\": [{\"c\": [1, -2, [3]]}]}")),
        format!("x if {{\n{}\n}}", vec!["input.a[_].b == concat(\"/\", [lower(a), upper(b)])"; 2_000].join("\n")),
        "x := `[[[[[[[[[[[[[[[[[[[[[[[[[[[` # [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[".to_owned(),
        "x := \"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"".to_owned(),
        "x := {a: [b | some b in {c | c := [{\"d\": [1]}][_].d[_]}] | some a in input.e}".to_owned(),
        format!("x := {}", within("lower(", "input.a", ")", 40)),
        vec!["x := -a - -b"; 200].join("\n"),
        vec!["x if { some i; a[i].b.c == d.e[f].g }"; 2_000].join("\n"),
    ] {
        assert_eq!(said(&format!("package a\n{text}\n")), "read", "{}", text.chars().take(80).collect::<String>());
    }
    // Each of them is short, and together they are not.
    let text = named(&vec![format!("x := {}", within("[", "1", "]", 10)); 400].join("\n"));
    let mut again = 0;
    let fault = (0..20).find_map(|_| check(&text, &mut again).err()).unwrap().to_string();
    assert!(fault.contains("take too long to read"), "{fault}");
}
