use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::*;
use crate::rego::Syntax;

const RS256: &[u8] = include_bytes!("cases/rs256.tar.gz");
const ES256: &[u8] = include_bytes!("cases/es256.tar.gz");
const HS256: &[u8] = include_bytes!("cases/hs256.tar.gz");
const PLAIN: &[u8] = include_bytes!("cases/plain.tar.gz");
const RS_KEY: &[u8] = include_bytes!("cases/rs.pem");
const ES_KEY: &[u8] = include_bytes!("cases/es.pem");
const HS_KEY: &[u8] = include_bytes!("cases/hs.secret");

fn verifier(algorithm: &str, key: &[u8]) -> Verifier {
    Verifier::new(algorithm, &[key.to_vec()], None).unwrap()
}

/// Why a bundle is not used.
fn fault(files: &[BundleFile], verifier: Option<&Verifier>) -> String {
    match read("b.tar.gz", files, verifier) {
        Ok(bundle) => format!("it was read: {bundle:?}"),
        Err(BundleFault::Whole(sentence)) => sentence,
        Err(BundleFault::File(fault)) => fault.to_string(),
    }
}

fn file(path: &str, bytes: impl AsRef<[u8]>) -> BundleFile {
    BundleFile { path: path.to_owned(), bytes: bytes.as_ref().to_vec() }
}

#[test]
fn what_opa_packs_is_read() {
    let bundle = read("b.tar.gz", &unpack(PLAIN).unwrap(), None).unwrap();
    assert_eq!(bundle.revision.as_deref(), Some("state-7"));
    let [module] = bundle.modules.as_slice() else { panic!("{bundle:?}") };
    assert_eq!(module.text.name, "b.tar.gz/b/docker/authz.rego");
    assert_eq!(module.syntax, Some(Syntax::V1));
    let [data] = bundle.data.as_slice() else { panic!("{bundle:?}") };
    assert!(data.path.is_empty() && data.text.text.contains("alice"), "{data:?}");
}

#[test]
fn what_opa_signs_is_verified() {
    for (packed, algorithm, key) in [(RS256, "RS256", RS_KEY), (ES256, "ES256", ES_KEY), (HS256, "HS256", HS_KEY)] {
        let files = unpack(packed).unwrap();
        let bundle = read("b.tar.gz", &files, Some(&verifier(algorithm, key))).unwrap();
        assert_eq!(bundle.modules.len(), 1, "{algorithm}");
        assert_eq!(
            fault(&files, None),
            "it is signed, and nothing says whose signature counts: add `verify: { key: FILE }`"
        );
        // White space and the order of members mean nothing; anything else does.
        let mut other = files.clone();
        let data = other.iter_mut().find(|file| file.path.ends_with("data.json")).unwrap();
        let text = String::from_utf8(data.bytes.clone()).unwrap();
        data.bytes = text.replace(",\"", " ,\n\"").into_bytes();
        assert!(read("b.tar.gz", &other, Some(&verifier(algorithm, key))).is_ok(), "{algorithm}");
        for (from, to) in [("alice", "carol"), ("1e3", "1000"), ("-0", "0"), ("null", "false"), ("[]", "[[]]")] {
            let mut other = files.clone();
            let data = other.iter_mut().find(|file| file.path.ends_with("data.json")).unwrap();
            data.bytes = text.replacen(from, to, 1).into_bytes();
            let said = fault(&other, Some(&verifier(algorithm, key)));
            assert!(said.ends_with("data.json` is not what was signed"), "{algorithm} {from}: {said}");
        }
    }
}

#[test]
fn what_is_not_signed_is_not_read() {
    let files = unpack(RS256).unwrap();
    let rs = verifier("RS256", RS_KEY);
    let without = |path: &str| -> Vec<BundleFile> { files.iter().filter(|file| file.path != path).cloned().collect() };
    assert_eq!(
        fault(&without(".signatures.json"), Some(&rs)),
        "it is not signed (no `.signatures.json`), and `verify` wants it to be"
    );
    assert_eq!(fault(&without("data.json"), Some(&rs)), "its file `data.json` was signed and is missing");
    assert_eq!(fault(&without(".manifest"), Some(&rs)), "its file `.manifest` was signed and is missing");
    let more = [files.clone(), vec![file("docker/more.rego", "package docker.authz\nallow := true")]].concat();
    assert_eq!(fault(&more, Some(&rs)), "its file `docker/more.rego` is not signed");
    // A second file of signatures is no file of signatures.
    let more = [files.clone(), vec![file("x/.signatures.json", "{}")]].concat();
    assert_eq!(fault(&more, Some(&rs)), "its file `x/.signatures.json` is not signed");
    let mut other = files.clone();
    other.iter_mut().find(|file| file.path.ends_with("authz.rego")).unwrap().bytes.push(b'\n');
    assert_eq!(fault(&other, Some(&rs)), "its file `b/docker/authz.rego` is not what was signed");
    // Somebody else's key; a public key that is taken for a secret.
    let said = fault(&unpack(HS256).unwrap(), Some(&rs));
    assert!(said.starts_with("its signature is not good by `verify`"), "{said}");
    let said = fault(&forged(RS_KEY, &files), Some(&rs));
    assert!(said.starts_with("its signature is not good by `verify`"), "{said}");
}

/// Signed with the public key as if it were a secret, which is what a verifier falls for that goes by the token.
fn forged(secret: &[u8], files: &[BundleFile]) -> Vec<BundleFile> {
    let claims = json!({ "files": files.iter().map(|file| json!({ "name": file.path, "hash": "", "algorithm": "SHA-256" })).collect::<Vec<_>>() });
    signed(Algorithm::HS256, secret, &claims, files)
}

fn signed(algorithm: Algorithm, secret: &[u8], claims: &serde_json::Value, files: &[BundleFile]) -> Vec<BundleFile> {
    let token = encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap();
    let signatures = file(".signatures.json", json!({ "signatures": [token] }).to_string());
    files.iter().filter(|file| file.path != ".signatures.json").cloned().chain([signatures]).collect()
}

#[test]
fn a_signature_counts_for_what_it_says() {
    let secret = [7_u8; 32];
    let files = [file("a.rego", "package a")];
    let of = |more: serde_json::Value, algorithm: &str| {
        let right =
            json!({ "name": "a.rego", "hash": signature::hash("SHA-256", b"package a"), "algorithm": algorithm });
        let mut claims = json!({ "files": [right] });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        signed(Algorithm::HS256, &secret, &claims, &files)
    };
    let plain = verifier("HS256", &secret);
    let scoped = Verifier::new("HS256", &[vec![8; 32], secret.to_vec()], Some("docker".to_owned())).unwrap();
    assert!(read("b", &of(json!({}), "SHA-256"), Some(&plain)).is_ok());
    assert!(read("b", &of(json!({ "scope": "docker" }), "SHA-256"), Some(&scoped)).is_ok());
    for (files, verifier, words) in [
        (of(json!({ "scope": "docker" }), "SHA-256"), &plain, "another `scope`"),
        (of(json!({}), "SHA-256"), &scoped, "another `scope`"),
        (of(json!({}), "SHA-1"), &plain, "is hashed by `SHA-1`"),
        (of(json!({}), "SHA-512"), &plain, "is not what was signed"),
        (of(json!({ "exp": 1 }), "SHA-256"), &plain, "not good by `verify`"),
        (of(json!({ "nbf": 99_999_999_999_u64 }), "SHA-256"), &plain, "not good by `verify`"),
        (of(json!({ "files": [] }), "SHA-256"), &plain, "is not signed"),
    ] {
        let said = fault(&files, Some(verifier));
        assert!(said.contains(words), "{words}: {said}");
    }
    for (signatures, words) in [
        ("{}", "missing field"),
        (r#"{"signatures": []}"#, "has 0"),
        (r#"{"signatures": ["a.b.c", "d.e.f"]}"#, "has 2"),
        (r#"{"signatures": ["a.b.c"]}"#, "not good by `verify`"),
        (r#"{"signatures": ["a.b.c"], "plugin": "mine"}"#, "for a plugin, `mine`"),
        (r#"{"signatures": ["a.b.c"], "else": 1}"#, "unknown field `else`"),
    ] {
        let said = fault(&[files[0].clone(), file(".signatures.json", signatures)], Some(&plain));
        assert!(said.contains(words), "{words}: {said}");
    }
    for (algorithm, key, words) in [
        ("HS256", &b"short"[..], "could be guessed"),
        ("RS256", b"no key", "no public key (PEM)"),
        ("ES256", RS_KEY, "no public key (PEM)"),
        ("none", RS_KEY, "no algorithm `none`"),
    ] {
        let said = Verifier::new(algorithm, &[key.to_vec()], None).unwrap_err();
        assert!(said.contains(words), "{algorithm}: {said}");
    }
}

/// Signed as OPA signs, each file with what is hashed of it.
fn signed_as(files: &[(&str, &str, &str)]) -> Vec<BundleFile> {
    let secret = [7_u8; 32];
    let hashed = |(name, _, hashed): &(&str, &str, &str)| json!({ "name": name, "hash": signature::hash("SHA-256", hashed.as_bytes()), "algorithm": "SHA-256" });
    let claims = json!({ "files": files.iter().map(hashed).collect::<Vec<_>>() });
    let files: Vec<_> = files.iter().map(|(name, text, _)| file(name, text)).collect();
    signed(Algorithm::HS256, &secret, &claims, &files)
}

#[test]
fn what_was_hashed_is_what_is_read() {
    let plain = verifier("HS256", &[7; 32]);
    // Readers of YAML differ about `no`, `1_0` and `<<`: whatever ours takes them for is what the policy sees.
    for (yaml, hashed) in [
        ("users: [alice]\n", r#"{"users":["alice"]}"#),
        ("a: &a {x: no}\nb:\n  <<: *a\n  y: 1_0\n", r#"{"a":{"x":"no"},"b":{"x":"no","y":10}}"#),
        ("a: &a {x: no}\nb:\n  <<: *a\n  y: 1_0\n", r#"{"a":{"x":false},"b":{"x":false,"y":10}}"#),
    ] {
        let files = signed_as(&[("x/data.yaml", yaml, hashed)]);
        let Ok(bundle) = read("b", &files, Some(&plain)) else { continue };
        let [data] = bundle.data.as_slice() else { panic!("{bundle:?}") };
        assert_eq!((data.text.text.as_str(), data.notation), (hashed, Notation::Json));
        assert_eq!((data.text.name.as_str(), data.path.as_slice()), ("b/x/data.yaml", &["x".to_owned()][..]));
    }
    let json = "{\"b\": [1e3, -0 ,{}], \"a\" : \"\\u2028\\\\\\\"é\", \"b\": [ ], \"c\":[[] ,{ }]}\n";
    let hashed = "{\"a\":\"\\u2028\\\\\\\"é\",\"b\":[],\"c\":[[],{}]}";
    let bundle = read("b", &signed_as(&[("data.json", json, hashed)]), Some(&plain)).unwrap();
    assert_eq!(bundle.data[0].text.text, hashed);
    // Without a signature a file is what it is called.
    let bundle = read("b", &[file("data.yaml", "a: 1"), file("x/data.json", "{}")], None).unwrap();
    assert_eq!(bundle.data.iter().map(|data| data.notation).collect::<Vec<_>>(), [Notation::Yaml, Notation::Json]);
}

#[test]
fn what_is_hashed_is_bounded_and_read_once() {
    let plain = verifier("HS256", &[7; 32]);
    let large = format!("[{}0]", "0,".repeat(2 << 20));
    for name in ["data.json", "x/data.yaml", ".manifest"] {
        let said = fault(&signed_as(&[(name, &large, "")]), Some(&plain));
        let words =
            format!("its file `{name}` is larger than 4 MiB, and that is the most that is hashed of a document");
        assert_eq!(said, words);
    }
    let said = fault(&[file(".signatures.json", &large)], Some(&plain));
    assert_eq!(said, "its file `.signatures.json` is larger than 4 MiB");
    let deep = format!("{}{}0{}", "{\"a\":[".repeat(60), "0,".repeat(2_000_000), "]}".repeat(60));
    let began = std::time::Instant::now();
    assert!(read("b", &signed_as(&[("data.json", &deep, &deep)]), Some(&plain)).is_ok());
    assert!(began.elapsed() < std::time::Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn names_of_files_cannot_look_like_lines_of_their_own() {
    let plain = verifier("HS256", &[7; 32]);
    let name = "a\nb.rego";
    for said in [
        fault(&[file(name, [0xff])], None),
        fault(&signed_as(&[("x", "", "")]).into_iter().chain([file(name, "")]).collect::<Vec<_>>(), Some(&plain)),
        fault(&signed_as(&[(name, "package a", "package b")]), Some(&plain)),
        fault(&signed_as(&[(name, "", "")])[1..], Some(&plain)),
        fault(&[file(".signatures.json", json!({ "signatures": [], "a\nb": 1 }).to_string())], Some(&plain)),
        fault(&[file(".signatures.json", r#"{"signatures": [], "plugin": "a\nb"}"#)], Some(&plain)),
        fault(&[file(".manifest", r#"{"a\nb": 1}"#)], None),
    ] {
        assert!(said.contains("a\u{fffd}b"), "{said}");
        assert!(!said.trim_end().contains("a\nb"), "{said}");
    }
    let mut broken = packed(&[(name, tar::EntryType::Regular, b"")]);
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(&broken[..]).read_to_end(&mut tar).unwrap();
    tar[148] = b'x';
    broken.clear();
    let mut again = GzEncoder::new(&mut broken, Compression::fast());
    again.write_all(&tar).unwrap();
    again.finish().unwrap();
    assert!(!unpack(&broken).unwrap_err().contains('\n'));
    let bundle = read("b", &[file(name, "package a")], None).unwrap();
    assert_eq!(bundle.modules[0].text.name, "b/a\u{fffd}b.rego");
}

#[test]
fn manifests_say_what_is_known_or_nothing_is_read() {
    for (manifest, words) in [
        ("{", "b.tar.gz/.manifest:1:1"),
        ("{\n  \"root\": []\n}", "b.tar.gz/.manifest:2:8: unknown field `root`"),
        (r#"{"wasm": [{"entrypoint": "docker/authz/allow", "module": "/policy.wasm"}]}"#, "compiled policies"),
        (r#"{"rego_version": 3}"#, "`rego_version` of its manifest is 3"),
        ("{}", "it was read"),
        (r#"{"metadata": {"x": 1}, "revision": "", "rego_version": 0}"#, "syntax: Some(V0)"),
        (r#"{"rego_version": 0, "file_rego_versions": {"/a*.rego": 1}}"#, "syntax: None"),
    ] {
        let said = fault(&[file("a.rego", "package a"), file(".manifest", manifest)], None);
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = fault(&[file("patch.json", "{}")], None);
    assert!(said.contains("changes to another bundle"), "{said}");
    assert_eq!(fault(&[file("a.rego", [0xff])], None), "its file `a.rego` is no text");
}

/// An archive of these entries.
fn packed(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut out = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, kind, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        // Not by `set_path`, which has a mind of its own about dots.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        out.append(&header, *bytes).unwrap();
    }
    out.into_inner().unwrap().finish().unwrap()
}

#[test]
fn archives_are_plain_files_within_bounds() {
    use tar::EntryType::{Block, Directory, Regular, Symlink};
    let good = packed(&[("./x", Directory, b""), ("/x//a.rego", Regular, b"package a")]);
    assert_eq!(unpack(&good).unwrap(), [file("x/a.rego", "package a")]);
    for (packed, words) in [
        (packed(&[("../a.rego", Regular, b"")]), "`../a.rego` is not below it"),
        (packed(&[("x/../../a", Regular, b"")]), "is not below it"),
        (packed(&[(".", Regular, b"")]), "is not below it"),
        (packed(&[("a", Symlink, b"")]), "`a` is no plain file"),
        (packed(&[("a", Block, b"")]), "is no plain file"),
        (packed(&[("a", Regular, b"1"), ("./a", Regular, b"2")]), "it holds `a` twice"),
        (b"package a".to_vec(), "not packed as bundles are"),
        (good[..good.len() - 9].to_vec(), "cannot be unpacked"),
        (
            {
                let mut bad = good.clone();
                let at = bad.len() - 6;
                bad[at] ^= 1;
                bad
            },
            "cannot be unpacked",
        ),
    ] {
        let said = unpack(&packed).unwrap_err();
        assert!(said.contains(words), "{words}: {said}");
    }
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let mut header = tar::Header::new_gnu();
    header.set_size(80 << 20);
    header.set_path("zeros").unwrap();
    header.set_cksum();
    bomb.write_all(header.as_bytes()).unwrap();
    for _ in 0..80 {
        bomb.write_all(&[0; 1 << 20]).unwrap();
    }
    assert_eq!(unpack(&bomb.finish().unwrap()).unwrap_err(), "it becomes more than 64 MiB");
}
