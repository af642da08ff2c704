//! Names of images. Whenever one is taken, distribution/reference reads the same registry, path, tag and digest.

use docker::image::Reference;
use serde_json::Value;

use crate::check::{Case, Check, Question, Reading};
use crate::mutate;
use crate::random::Random;

/// Names of images.
pub struct References;

impl Check for References {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn make(&self, random: &mut Random) -> Case {
        let mut name = String::new();
        let (parts, separators): (_, &[&str]) =
            if random.chance(60) { (PLAIN, &["/"]) } else { (PARTS, &["/", "/", "/", "", "//", ":"]) };
        for _ in 0..random.below(4) {
            name.push_str(random.pick(parts));
            name.push_str(random.pick(separators));
        }
        name.push_str(random.pick(parts));
        if random.chance(50) {
            name.push_str(random.pick(TAGS));
        }
        if random.chance(25) {
            let digits = random.pick(&[64, 64, 64, 63, 128, 32]);
            let algorithm = random.pick(&["sha256", "sha512", "SHA256", "md5", "sha384", "sha256+b64", "x"]);
            name.push_str(&format!("@{algorithm}:{}", random.pick(&["a", "0", "F", "g"]).repeat(digits)));
        }
        let mut bytes = name.into_bytes();
        for _ in 0..random.pick(&[0, 0, 1, 2]) {
            mutate::bytes(&mut bytes, random);
        }
        Case { about: String::new(), bytes }
    }

    fn read(&self, case: &Case) -> Reading {
        let Some(read) = std::str::from_utf8(&case.bytes).ok().and_then(|text| Reference::parse(text).ok()) else {
            return Reading::Refused;
        };
        if Reference::parse(&read.to_string()).as_ref() != Ok(&read) {
            return Reading::Broken(format!("`{read}` is read as another name"));
        }
        let frame = [b"R", case.bytes.as_slice()].concat();
        let judge = move |oracle: &str, answer: &[u8]| judge(&read, oracle, answer);
        Reading::Taken(Question { frame, judge: Box::new(judge) })
    }
}

fn judge(ours: &Reference, oracle: &str, answer: &[u8]) -> Result<(), String> {
    let go: Value = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let text = |name: &str| go.get(name).and_then(Value::as_str).map(str::to_owned);
    // 20.10 knows neither registries with an IPv6 address nor those in upper case: it refuses them.
    if text("error").is_some() && oracle.starts_with("20.") {
        return Ok(());
    }
    let same = text("registry").as_ref() == Some(&ours.registry)
        && text("path").as_ref() == Some(&ours.path)
        && text("tag") == ours.tag
        && text("digest") == ours.digest;
    if same { Ok(()) } else { Err(format!("Go reads {go}, we {ours:?}")) }
}

/// Parts that may stand almost anywhere.
const PLAIN: &[&str] = &[
    "alpine",
    "library",
    "docker.io",
    "registry.test",
    "localhost",
    "a",
    "a.b",
    "a_b",
    "a__b",
    "a--b",
    "0",
    "index.docker.io",
];

const PARTS: &[&str] = &[
    "alpine",
    "library",
    "docker.io",
    "index.docker.io",
    "registry.test",
    "registry.test:5000",
    "localhost",
    "LOCALHOST",
    "localhost:5",
    "a",
    "a.b",
    "A",
    "a_b",
    "a__b",
    "a___b",
    "a-b",
    "a--b",
    "a-",
    "-a",
    ".a",
    "a..b",
    "[::1]:5000",
    "[fe80::1]",
    "[::1%25a]",
    "[::g]",
    "[::ffff:1.2.3.4]",
    "127.0.0.1:80",
    "x:",
    "x:y",
    "é",
    "sha256",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "a.b:080",
    "a..b:1",
    "b_c:1",
    "-.b",
    "www.docker.io",
    "docker.io:443",
    "Docker.io",
    "xn--a",
];

const TAGS: &[&str] = &[":latest", ":1.0", ":", ":_", ":.a", ":-a", ":A.b-c_d", ":a/b", ":5000/x", ":\u{e9}", "::a"];
