//! Changes bodies in the ways that readers of JSON disagree about.

use super::document::{Node, quoted};
use super::make::TEXTS;
use crate::random::Random;

/// Changes one thing in the tree. `keys` are the field names of the operation.
pub fn tree(node: &mut Node, keys: &[&str], random: &mut Random) {
    let index = random.below(node.size());
    let target = node.at(index);
    match target {
        Node::Object(entries) if !entries.is_empty() && random.chance(85) => object(entries, keys, random),
        Node::Object(entries) => entries.push((quoted(random.pick(keys)), Node::Text("{}".to_owned()))),
        Node::List(list) if !list.is_empty() && random.chance(80) => self::list(list, random),
        Node::List(list) => list.push(odd(random)),
        Node::Text(text) if text.starts_with('"') && random.chance(60) => *text = respelled(text, random),
        Node::Text(_) => *target = odd(random),
    }
}

fn object(entries: &mut Vec<(String, Node)>, keys: &[&str], random: &mut Random) {
    let index = random.below(entries.len());
    let (key, value) = entries[index].clone();
    match random.below(10) {
        0..4 => entries[index].0 = respelled(&key, random),
        4 => entries.push((key, value)),
        5 => entries.push((respelled(&key, random), if random.chance(50) { odd(random) } else { value })),
        6 => entries[index].1 = odd(random),
        7 => drop(entries.remove(index)),
        8 => entries.push((quoted(random.pick(keys)), value)),
        _ => {
            let other = random.below(entries.len());
            entries.swap(index, other);
        }
    }
}

fn list(list: &mut Vec<Node>, random: &mut Random) {
    let index = random.below(list.len());
    match random.below(5) {
        0 => list[index] = Node::Text("null".to_owned()),
        1 => list[index] = odd(random),
        2 => drop(list.remove(index)),
        3 => list.push(list[index].clone()),
        _ => list.truncate(index),
    }
}

/// A value of any type, more or less valid.
fn odd(random: &mut Random) -> Node {
    match random.below(12) {
        0..2 => Node::Text("null".to_owned()),
        2 => Node::Text((random.pick(&["true", "false", "True", "nul", "NaN", "Infinity", "''", ""])).to_owned()),
        3..5 => Node::Text((random.pick(ODD_NUMBERS)).to_owned()),
        5 => Node::Text((random.pick(ODD_STRINGS)).to_owned()),
        6..8 => Node::string(random.pick(TEXTS)),
        8 => Node::List(Vec::new()),
        9 => Node::Object(Vec::new()),
        10 => Node::List(vec![Node::Text((random.pick(&["null", "{}", "\"a\"", "1", "[]"])).to_owned())]),
        _ => {
            let depth = random.pick(&[2, 50, 120, 127, 128, 129, 200, 9_999, 10_001]);
            let (open, close) = random.pick(&[("[", "]"), ("{\"a\":", "}")]);
            Node::Text(format!("{}{}{}", open.repeat(depth), if open == "[" { "" } else { "1" }, close.repeat(depth)))
        }
    }
}

/// A string, quotes and all, in a spelling that means the same to somebody.
fn respelled(text: &str, random: &mut Random) -> String {
    let mut out = String::new();
    let way = random.below(8);
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    let chosen = random.below(inner.chars().count().max(1));
    for (index, letter) in inner.chars().enumerate() {
        let here = index == chosen && letter != '\\';
        match way {
            0 => out.push(if random.chance(50) { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }),
            1 => out.push(letter.to_ascii_lowercase()),
            2 if letter.is_ascii() && here => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
            3 if matches!(letter, 's' | 'S') => out.push_str(random.pick(&["ſ", "\\u017f", "\\u017F"])),
            3 if matches!(letter, 'k' | 'K') => out.push_str(random.pick(&["\u{212A}", "\\u212a", "k"])),
            4 if here => {
                out.push_str(random.pick(&[
                    "\\u0000",
                    "\\ud800",
                    "\\ud83d\\ude00",
                    "\\ude00",
                    "\\/",
                    "\\x41",
                    "_",
                    " ",
                ]));
                out.push(letter);
            }
            5 if here => {
                out.push_str(random.pick(&["ı", "İ", "ß", "é", "\u{200b}", "Å", "Σ", "\u{fffd}", "\t", "\u{7f}"]))
            }
            6 if here => {}
            _ => out.push(letter),
        }
    }
    format!("\"{out}\"")
}

/// Changes the text around and within, without regard to its meaning.
pub fn text(text: &mut Vec<u8>, random: &mut Random) {
    match random.below(8) {
        0..3 => text.extend_from_slice(random.pick(TRAILING)),
        3 => drop(text.splice(0..0, random.pick(LEADING).iter().copied())),
        4 => {
            // Blanks wherever a token ends.
            let ends: Vec<usize> =
                text.iter().enumerate().filter(|(_, b)| b"{}[],:".contains(b)).map(|(i, _)| i).collect();
            if !ends.is_empty() {
                let at = random.pick(&ends);
                text.splice(at..at, random.pick(BLANKS).iter().copied());
            }
        }
        _ => crate::mutate::bytes(text, random),
    }
}

const ODD_NUMBERS: &[&str] = &[
    "-0",
    "-0.0",
    "0.0",
    "1.0",
    "1e0",
    "1E3",
    "1e400",
    "-1",
    "01",
    "+1",
    "0x10",
    ".5",
    "1.",
    "--1",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "340282346638528859811704183484516925441",
    "1e38",
    "1e39",
    "0.1",
    "0.30000000000000004",
    "123456789012345678901234567890",
    "4294967296",
    "65536",
    "1e-400",
];

const ODD_STRINGS: &[&str] = &[
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"\\u0000\"",
    "\"\\q\"",
    "\"\t\"",
    "\"\\u00\"",
    "\"\u{7f}\"",
    "'a'",
    "\"a",
    "\"\\\"",
    "\"\\uD83D\\u0041\"",
];

const TRAILING: &[&[u8]] = &[
    b" ",
    b"\n",
    b"}",
    b"]",
    b"{}",
    b" xyz",
    b"\0",
    b",",
    b"//",
    b"\x0c",
    b"null",
    b"\xc2\xa0",
    b"\xef\xbb\xbf",
    b"\"",
    b"1",
];

const LEADING: &[&[u8]] = &[b" \r\n\t", b"\xef\xbb\xbf", b"\0", b"null", b"\x0c", b"\xc2\xa0", b"/**/", b"[", b"{"];

const BLANKS: &[&[u8]] = &[b" ", b"\t\r\n ", b"\x0b", b"\x0c", b"\xc2\xa0", b"\xe2\x80\xa8", b"/**/", b"\0"];
