//! Patterns of images, as rules and checks write them: `alpine`, `alpine:3.*`, `registry.test/team/*`, `registry.test`,
//! `sha256:…`.

use super::Reference;

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// `*`: every image.
    All,
    /// `sha256:…`: the image of that id.
    Id(String),
    /// `registry.test`, `registry.test/*`: everything of a registry.
    Registry(String),
    /// `team/*`: everything below a path. Its full name: `docker.io/team`.
    Below(String),
    /// `alpine`, `alpine:3.*`, `alpine@sha256:…`: one name, with a pattern of its tags or a digest, if any is named.
    Name {
        /// The name. Its tag is not the pattern's.
        reference: Reference,
        /// The pattern of tags, in which `*` is anything.
        tag: Option<String>,
    },
}

impl Pattern {
    /// Reads a pattern. The sentence says why it is none.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        if text == "*" {
            return Ok(Pattern::All);
        }
        if text.starts_with("sha256:") {
            return Ok(Pattern::Id(text.to_owned()));
        }
        if is_registry(text) {
            return Ok(Pattern::Registry(text.to_owned()));
        }
        if let Some(above) = text.strip_suffix("/*") {
            return if is_registry(above) { Ok(Pattern::Registry(above.to_owned())) } else { below(above) };
        }
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') && !text.contains('@') => (name, Some(tag.to_owned())),
            _ => (text, None),
        };
        if name.contains('*') {
            return Err(format!("`*` can only stand for all of a repository or a tag, not within `{name}`"));
        }
        let reference = Reference::parse(name).map_err(|error| error.to_string())?;
        Ok(Pattern::Name { reference, tag })
    }

    /// Whether an image is of the pattern that has this name, or this id.
    pub fn fits(&self, name: Option<&Reference>, id: Option<&str>) -> bool {
        match (self, name) {
            (Pattern::All, _) => true,
            (Pattern::Id(wanted), _) => id == Some(wanted),
            (Pattern::Registry(registry), Some(name)) => name.registry == *registry,
            (Pattern::Below(above), Some(name)) => {
                name.name().strip_prefix(above.as_str()).is_some_and(|rest| rest.starts_with('/'))
            }
            (Pattern::Name { reference, tag }, Some(name)) => {
                let tagged = |wanted: &str| name.tag.as_deref().is_some_and(|tag| is_like(wanted, tag));
                reference.name() == name.name()
                    && tag.as_deref().is_none_or(|wanted| wanted == "*" || tagged(wanted))
                    && (reference.digest.is_none() || reference.digest == name.digest)
            }
            (_, None) => false,
        }
    }
}

/// A host alone: `registry.test`, `registry.test:5000`. `alpine:3` is none, for want of a dot.
pub fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_port = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let is_host = host.contains('.') || host == "localhost";
    is_host && is_port && !text.contains(['/', '*', '@'])
}

/// Everything below a path. A name below it is read in its place: that says which registry, and whether it is a name
/// at all.
fn below(path: &str) -> Result<Pattern, String> {
    let reference = Reference::parse(&format!("{path}/x")).map_err(|_| format!("`{path}` is no repository"))?;
    let name = reference.name();
    Ok(Pattern::Below(name.strip_suffix("/x").unwrap_or(&name).to_owned()))
}

/// Whether a text is like a pattern in which `*` is anything. What lies between two `*` is taken where it first
/// stands, which is enough: what follows can begin anywhere.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_a_pattern() {
        let digest = format!("sha256:{}", "4".repeat(64));
        let by_digest = format!("alpine@{digest}");
        for (pattern, image, fits) in [
            ("*", "alpine:3", true),
            ("alpine", "alpine:3", true),
            ("alpine", "docker.io/library/alpine", true),
            ("alpine", "alpine/x:3", false),
            ("alpine:3", "alpine:3", true),
            ("alpine:3", "alpine:3.20", false),
            ("alpine:3.*", "alpine:3.20", true),
            ("alpine:*-slim", "alpine:3-slim", true),
            ("alpine:a*b*c", "alpine:aXbYc", true),
            ("alpine:a*b*c", "alpine:aXc", false),
            ("alpine:*a", "alpine:b", false),
            ("alpine:3", by_digest.as_str(), false),
            (by_digest.as_str(), by_digest.as_str(), true),
            (by_digest.as_str(), "alpine:3", false),
            ("team/*", "team/app:1", true),
            ("team/*", "team/sub/app:1", true),
            ("team/*", "teams/app:1", false),
            ("registry.test", "registry.test/a/b:1", true),
            ("registry.test/*", "registry.test.evil.example/a:1", false),
            ("registry.test:5000", "registry.test/a:1", false),
            ("registry.test/team/*", "registry.test/team/app:1", true),
        ] {
            let name = Reference::parse(image).unwrap().with_default_tag();
            assert_eq!(Pattern::parse(pattern).unwrap().fits(Some(&name), None), fits, "{pattern} {image}");
        }
        let by_id = Pattern::parse(&digest).unwrap();
        assert!(by_id.fits(None, Some(&digest)) && !by_id.fits(None, None));
        assert!(!Pattern::parse("alpine").unwrap().fits(None, Some(&digest)));
    }

    #[test]
    fn what_is_no_pattern() {
        for text in ["", "al*ine", "Alpine", "a//b", "/*"] {
            assert!(Pattern::parse(text).is_err(), "{text:?}");
        }
    }
}
