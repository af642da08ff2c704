//! What the daemon says when it refuses: such sentences name things that their reader may not see.
//!
//! "The container name "/web" is already in use by container 4f66…", "volume is in use - [4f66…]": the name is the
//! reader's own, the ids are somebody else's.

/// The body of an error without ids and names but those that the request itself held.
pub fn scrubbed(body: &str, request: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(first) = rest.chars().next() {
        if let Some((shown, after)) = named(rest) {
            out.push_str(shown);
            out.push('…');
            rest = after;
            continue;
        }
        let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()).max(first.len_utf8());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        out.push_str(if is_some_id(word) && !request.contains(word) { "…" } else { word });
        rest = after;
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The id of a container, image or network, whole or short, or one of a swarm.
fn is_some_id(word: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let swarm = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    let of_swarm = word.len() == 25 && word.bytes().all(swarm) && word.bytes().any(|byte| byte.is_ascii_digit());
    of_swarm || ((12..=64).contains(&word.len()) && word.bytes().all(hex))
}

/// `name:"web" id:"4f66"`, as networks tell who uses them: what stays of it, and what comes after. Quotes are escaped
/// in JSON.
fn named(text: &str) -> Option<(&str, &str)> {
    ["name:\\\"", "name:\""].iter().find_map(|begin| {
        let name = text.strip_prefix(begin)?;
        let end = name.find(['\\', '"'])?;
        Some((*begin, name.get(end..)?))
    })
}
