//! A JSON text as a tree that can say what no parser would keep: keys twice, odd numbers, odd escapes.

use serde_json::Value;

/// A value, written as it stands.
#[derive(Debug, Clone)]
pub enum Node {
    /// Anything that is written as its text: numbers, `null`, strings with their quotes.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object; keys with their quotes.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// A string, escaped as little as possible.
    pub fn string(text: &str) -> Node {
        Node::Text(quoted(text))
    }

    /// The tree of a value that was read.
    pub fn of(value: &Value) -> Node {
        match value {
            Value::Array(list) => Node::List(list.iter().map(Node::of).collect()),
            Value::Object(object) => {
                Node::Object(object.iter().map(|(key, value)| (quoted(key), Node::of(value))).collect())
            }
            other => Node::Text(other.to_string()),
        }
    }

    /// Writes it.
    pub fn write(&self, out: &mut String) {
        match self {
            Node::Text(text) => out.push_str(text),
            Node::List(list) => {
                out.push('[');
                for (index, node) in list.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    node.write(out);
                }
                out.push(']');
            }
            Node::Object(entries) => {
                out.push('{');
                for (index, (key, node)) in entries.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    out.push_str(key);
                    out.push(':');
                    node.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The number of values in it, itself included.
    pub fn size(&self) -> usize {
        match self {
            Node::Text(_) => 1,
            Node::List(list) => 1 + list.iter().map(Node::size).sum::<usize>(),
            Node::Object(entries) => 1 + entries.iter().map(|(_, node)| node.size()).sum::<usize>(),
        }
    }

    /// The value of that number, counted as `size` counts.
    pub fn at(&mut self, mut index: usize) -> &mut Node {
        if index == 0 {
            return self;
        }
        index -= 1;
        let children: Vec<&mut Node> = match self {
            Node::Text(_) => Vec::new(),
            Node::List(list) => list.iter_mut().collect(),
            Node::Object(entries) => entries.iter_mut().map(|(_, node)| node).collect(),
        };
        for child in children {
            let size = child.size();
            if index < size {
                return child.at(index);
            }
            index -= size;
        }
        unreachable!("the index is below the size")
    }
}

/// A text as a JSON string.
pub fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Where the tokens of a text end: what shrinking takes out, whether it is JSON or not.
pub fn tokens(text: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let length = token(&text[at..]);
        lengths.push(length);
        at += length;
    }
    lengths
}

fn token(text: &[u8]) -> usize {
    match text[0] {
        b'"' => {
            let mut escaped = false;
            for (index, byte) in text.iter().enumerate().skip(1) {
                match byte {
                    b'"' if !escaped => return index + 1,
                    b'\\' => escaped = !escaped,
                    _ => escaped = false,
                }
            }
            text.len()
        }
        byte if byte.is_ascii_alphanumeric() || byte == b'-' => {
            let word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-+.".contains(byte);
            text.iter().take_while(word).count()
        }
        _ => 1,
    }
}
