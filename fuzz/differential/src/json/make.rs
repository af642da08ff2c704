//! Makes bodies from the fields that Go itself tells of its structs.

use serde_json::Value;

use super::document::{Node, quoted};
use crate::random::Random;

/// A Go type as the oracle describes it.
#[derive(Debug, Clone)]
pub enum Shape {
    /// The fields of a struct, embedded ones among them.
    Struct(Vec<(String, Shape)>),
    /// A slice.
    List(Box<Shape>),
    /// An array of two.
    Pair(Box<Shape>),
    /// A map from strings.
    Map(Box<Shape>),
    /// A string or a list of strings.
    StrSlice,
    /// A string.
    Text,
    /// Bytes, which JSON has in base64.
    Bytes,
    /// A bool.
    Bool,
    /// Any number.
    Number,
    /// Anything.
    Any,
}

impl Shape {
    /// From the oracle's description. `None`: that daemon has no such operation.
    pub fn read(value: &Value) -> Option<Shape> {
        let of = || Shape::read(value.get("of")?).map(Box::new);
        Some(match value.get("kind")?.as_str()? {
            "struct" => {
                let fields = value.get("fields").and_then(Value::as_array).cloned().unwrap_or_default();
                let field =
                    |field: &Value| Some((field.get("key")?.as_str()?.to_owned(), Shape::read(field.get("shape")?)?));
                Shape::Struct(fields.iter().filter_map(field).collect())
            }
            "list" => Shape::List(of()?),
            "pair" => Shape::Pair(of()?),
            "map" => Shape::Map(of()?),
            "strslice" => Shape::StrSlice,
            "string" => Shape::Text,
            "bytes" => Shape::Bytes,
            "bool" => Shape::Bool,
            "number" => Shape::Number,
            _ => Shape::Any,
        })
    }

    /// Every field name in it, for mutations that need one.
    pub fn keys<'a>(&'a self, into: &mut Vec<&'a str>) {
        match self {
            Shape::Struct(fields) => {
                for (key, shape) in fields {
                    into.push(key);
                    shape.keys(into);
                }
            }
            Shape::List(of) | Shape::Pair(of) | Shape::Map(of) => of.keys(into),
            _ => {}
        }
    }

    /// Takes the fields out of a value that this daemon does not know, or that Go spells its own way.
    pub fn restrict(&self, value: &mut Value) {
        match (self, value) {
            (Shape::Struct(fields), Value::Object(object)) => {
                object.retain(|key, value| match fields.iter().find(|(known, _)| known == key) {
                    Some((_, shape)) => {
                        shape.restrict(value);
                        true
                    }
                    None => false,
                });
            }
            (Shape::List(of), Value::Array(list)) => list.iter_mut().for_each(|value| of.restrict(value)),
            // Base64 has several spellings of the same bytes; ours is the client's.
            (Shape::Bytes, value) => *value = Value::Null,
            (Shape::Map(of), Value::Object(object)) => object.values_mut().for_each(|value| of.restrict(value)),
            _ => {}
        }
    }
}

/// A body of that shape; `share` of a hundred fields are given.
pub fn body(shape: &Shape, share: usize, random: &mut Random) -> Node {
    match shape {
        Shape::Struct(fields) => {
            let mut given = Vec::new();
            for (key, shape) in fields.iter() {
                if random.chance(share) {
                    given.push((quoted(key), body(shape, share + 20, random)));
                }
            }
            if random.chance(20) && given.len() > 1 {
                let (one, other) = (random.below(given.len()), random.below(given.len()));
                given.swap(one, other);
            }
            Node::Object(given)
        }
        _ if random.chance(4) => Node::Text("null".to_owned()),
        Shape::List(of) => Node::List((0..random.below(4)).map(|_| body(of, share, random)).collect()),
        Shape::Pair(of) => Node::List((0..2).map(|_| body(of, share, random)).collect()),
        Shape::Map(of) => {
            Node::Object((0..random.below(4)).map(|_| (quoted(random.pick(KEYS)), body(of, share, random))).collect())
        }
        Shape::StrSlice if random.chance(30) => Node::string(random.pick(TEXTS)),
        Shape::StrSlice => Node::List((0..random.below(4)).map(|_| Node::string(random.pick(TEXTS))).collect()),
        Shape::Text => Node::string(random.pick(TEXTS)),
        Shape::Bytes => Node::string(random.pick(&["", "c2VjcmV0", "AA==", "/+8=", "_-8=", "AAA", "A A=", "AA==\n"])),
        Shape::Bool => Node::Text((random.pick(&["true", "false"])).to_owned()),
        Shape::Number => Node::Text((random.pick(NUMBERS)).to_owned()),
        Shape::Any => Node::Text((random.pick(&["1", "\"x\"", "{}", "[null]", "{\"a\":{\"A\":1}}"])).to_owned()),
    }
}

/// Texts that mean something somewhere.
pub const TEXTS: &[&str] = &[
    "",
    "0",
    "tiny",
    "tiny:latest",
    "registry.test:5000/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "host",
    "none",
    "container:web",
    "container:",
    "default",
    "bridge",
    "appnet",
    "hostnet",
    "web",
    "web:alias",
    "/web:/x/y",
    "/",
    "/etc:/x",
    "/srv/ci/../../etc:/x:ro",
    "/srv/link:/x:rw,z",
    "data:/data",
    "evil:/x:nocopy",
    "/data",
    "relative",
    "bind",
    "volume",
    "tmpfs",
    "image",
    "cluster",
    "npipe",
    "private",
    "rshared",
    "ALL",
    "SYS_ADMIN",
    "cap_net_raw",
    "seccomp=unconfined",
    "no-new-privileges",
    "apparmor:unconfined",
    "label=disable",
    "/dev/kvm",
    "rwm",
    "c 1:3 rwm",
    "local",
    "sshfs",
    "root",
    "1000:1000",
    "+0",
    "always",
    "on-failure",
    "json-file",
    "syslog",
    "02:42:ac:11:00:02",
    "10.0.0.0/24",
    "127.0.0.1",
    "::1",
    "80",
    "8080-8090",
    "absent",
    "sha256:bbbb",
    "ſecret",
    "K",
    "\u{0}",
    "a\u{7f}b",
    "\u{2028}",
    "<&>",
    "😀",
    "ﬀ",
    "é",
    "\\",
    "\"",
    "\n",
];

/// Keys of maps; some fold to one another, which maps do not mind.
const KEYS: &[&str] = &[
    "a",
    "A",
    "80/tcp",
    "443/UDP",
    "8000-8010/tcp",
    "appnet",
    "host",
    "net.ipv4.ip_forward",
    "type",
    "o",
    "device",
    "",
    "com.docker.network.endpoint.sysctls",
    "k",
    "K",
    "s",
    "ſ",
    "/data",
    "$serde_json::private::RawValue",
    "\u{0}",
    "é",
];

/// Numbers that fit almost everywhere, and those on the edges.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "1",
    "100",
    "512",
    "1000",
    "65535",
    "65536",
    "-0",
    "2147483647",
    "2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "1.5",
    "0.0",
    "1e2",
];
