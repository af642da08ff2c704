//! `images:`: images by name, with or without a tag, and by id.

use docker::image::Reference;

use super::super::cedar::quote;
use super::super::target::Target;
use super::restrictions::Misread;

/// Ways to an image.
const USES: [&str; 2] = ["useImage", "mountImage"];

/// An image under every name that it has, however it is asked for. Without a tag it is each of its tags.
pub(super) fn targets(image: &str) -> Result<Vec<Target>, Misread> {
    let id = image.strip_prefix("sha256:").unwrap_or(image);
    if id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let id = format!("sha256:{}", id.to_ascii_lowercase());
        return Ok(vec![Target::actions(USES).when(format!("resource has id && resource.id == {}", quote(&id)))]);
    }
    let reference = Reference::parse(image).map_err(|error| {
        let help = "such as `nginx`, `ubuntu:16.04` or `registry.test/team/app`; a name without a tag is all tags";
        Misread::new(format!("`{image}`: {error}"), help)
    })?;
    let name = reference.name();
    if reference.tag.is_none() && reference.digest.is_none() {
        let known = format!("resource.knownAs.contains({})", quote(&name));
        return Ok(vec![Target::actions(["useImage", "mountImage", "pullImage"]).when(known)]);
    }
    let tagged = reference.tag.iter().map(|tag| format!("{name}:{tag}"));
    let pinned = reference.digest.iter().map(|digest| format!("{name}@{digest}"));
    // A name with both is the digest's.
    let whole = pinned.chain(tagged).next().unwrap_or_default();
    let known = format!("resource.knownAs.contains({})", quote(&whole));
    // All tags at once are this one too.
    let all = format!("resource.knownAs.contains({}) && !(resource has tag) && !(resource has digest)", quote(&name));
    Ok(vec![
        Target::actions(USES).when(known.clone()),
        Target::action("pullImage").when(format!("({known}) || ({all})")),
    ])
}
