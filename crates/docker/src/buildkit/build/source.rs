//! Where files come from.

use crate::buildkit::message::llb::{Platform, SourceOp};
use crate::image::Reference;
use crate::privilege::Privilege;
use crate::privilege::asked::Asked;
use crate::request::Misread;
use crate::resource::Image;

/// Attributes of sources that grant nothing: how it is fetched, named and checked. The sessions are asked for apart.
const HARMLESS: &[&str] = &[
    "image.resolvemode",
    "image.recordtype",
    "image.layerlimit",
    "image.checksum",
    "git.keepgitdir",
    "git.fullurl",
    "git.knownsshhosts",
    "git.checksum",
    "git.skipsubmodules",
    "git.mtime",
    "git.fetchbycommit",
    "git.sig.pubkey",
    "git.sig.rejectexpired",
    "git.sig.requiresignedtag",
    "git.sig.ignoresignedtag",
    "local.session",
    "local.unique",
    "local.includepattern",
    "local.followpaths",
    "local.excludepatterns",
    "local.sharedkeyhint",
    "local.differ",
    "local.metadatatransfer",
    "local.metadatatransferexclude",
    "http.checksum",
    "http.filename",
    "http.perm",
    "http.uid",
    "http.gid",
    "http.sig.pubkey",
    "http.sig.signature",
    // The two header fields that BuildKit lets be set.
    "http.header.accept",
    "http.header.user-agent",
    "oci.session",
    "oci.store",
    "oci.layerlimit",
];

/// Attributes that name secrets of the client's, and the names that BuildKit gives them by itself.
const SECRETS: &[(&str, &str)] = &[
    ("git.authheadersecret", "GIT_AUTH_HEADER"),
    ("git.authtokensecret", "GIT_AUTH_TOKEN"),
    ("http.authheadersecret", "HTTP_AUTH_HEADER"),
];

/// What a client sends through its own session, by an address of BuildKit's invention.
const UPLOAD: &str = "http://buildkit-session/";

/// The sessions that a source takes from.
pub(super) fn sessions(source: &SourceOp) -> impl Iterator<Item = &str> {
    ["local.session", "oci.session"].into_iter().filter_map(|name| source.attrs.get(name)).map(String::as_str)
}

/// Whether it is what the client itself sends. With more in it than a name, it is an address like any other: of a git
/// repository, for one.
pub(super) fn is_upload(url: &str) -> bool {
    url.strip_prefix(UPLOAD).is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// For which platform an image is taken. The daemon takes the one that it has where it is for that one, and otherwise
/// looks in the registry.
#[derive(Debug, Clone, Copy)]
pub(super) enum OnPlatform<'a> {
    /// Whichever it is for: it is judged again, when it is known for which.
    Any,
    /// That one; `None`: the daemon's own, which is not told.
    Of(Option<&'a Platform>),
}

impl OnPlatform<'_> {
    fn is(self, known: &str) -> bool {
        match self {
            OnPlatform::Any => true,
            OnPlatform::Of(None) => false,
            OnPlatform::Of(Some(Platform { os, architecture, variant, .. })) => {
                usual(known) == usual(&format!("{os}/{architecture}/{variant}"))
            }
        }
    }
}

/// A platform without the variant that every machine of its kind has (containerd's `platforms.Normalize`).
fn usual(platform: &str) -> &str {
    let platform = platform.trim_end_matches('/');
    match platform.rsplit_once('/') {
        Some((usual, "v8" | "8")) if usual.ends_with("/arm64") => usual,
        Some((usual, "v1")) if usual.ends_with("/amd64") => usual,
        Some((usual, "v7" | "7")) if usual.ends_with("/arm") => usual,
        _ => platform,
    }
}

impl Asked<'_> {
    /// A source of files.
    pub(super) fn source(&mut self, source: &SourceOp, mode: &str, platform: OnPlatform<'_>) -> Result<(), Misread> {
        let (scheme, place) = source.identifier.split_once("://").ok_or_else(unknown)?;
        match scheme {
            "docker-image" => {
                let own = source.attrs.get("image.resolvemode").map_or("", String::as_str);
                self.base_image(place, if mode.is_empty() { own } else { mode }, platform)?;
            }
            "docker-image+blob" => self.base_image(place, "pull", platform)?,
            // What the client itself sends, within its session.
            "local" | "oci-layout" | "oci-layout+blob" => {}
            "http" | "https" if is_upload(&source.identifier) => {}
            "http" | "https" => self.ask_once(Privilege::BuildFetch { from: source.identifier.clone() }),
            "git" => self.ask_once(Privilege::BuildFetch { from: repository(source) }),
            _ => return Err(unknown()),
        }
        self.source_attributes(source);
        Ok(())
    }

    fn source_attributes(&mut self, source: &SourceOp) {
        for (name, value) in &source.attrs {
            if HARMLESS.contains(&name.as_str()) {
                continue;
            }
            match SECRETS.iter().find(|(secret, _)| secret == name) {
                Some((_, usual)) if value.strip_prefix(usual).is_some_and(is_host_suffix) => {}
                Some(_) => self.build_secret(value, false),
                None if name == "git.mountsshsock" => self.build_secret(value, true),
                None => self.ask_once(Privilege::SetBuildOption { name: name.clone(), value: value.clone() }),
            }
        }
    }

    /// An image that a build takes. `mode`: `pull` where the daemon is to look in the registry anew; otherwise it takes the
    /// one that it has, if that is for this platform.
    pub(super) fn base_image(&mut self, name: &str, mode: &str, platform: OnPlatform<'_>) -> Result<(), Misread> {
        let reference = Reference::parse(name).map(Reference::with_default_tag);
        let reference =
            reference.map_err(|_| Misread::value("an image of the build", "is not the name of an image"))?;
        let name = reference.to_string();
        let missing = self.build_image(&name)?;
        let other = self.world.image(&name).is_some_and(|known| !platform.is(&known.platform));
        self.pulled(&name, "", missing || other || mode == "pull");
        if other {
            // Not the one that is here.
            self.ask_once(Privilege::UseImage { image: Image { reference: Some(reference), ..Image::default() } });
        }
        Ok(())
    }
}

/// Where a repository is fetched from: the whole URL, where it is told beside, else what names it.
fn repository(source: &SourceOp) -> String {
    source.attrs.get("git.fullurl").filter(|url| !url.is_empty()).unwrap_or(&source.identifier).clone()
}

/// `GIT_AUTH_TOKEN.example.org`: the usual name with the host that it is for.
fn is_host_suffix(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '_'])
}

fn unknown() -> Misread {
    Misread::value("a source of the build", "is of a kind that is not known")
}

#[cfg(test)]
mod tests {
    use super::usual;

    #[test]
    fn a_platform_may_leave_its_usual_variant_out() {
        for (one, other) in
            [("linux/arm64", "linux/arm64/v8"), ("linux/amd64/", "linux/amd64/v1"), ("linux/arm", "linux/arm/v7")]
        {
            assert_eq!(usual(one), usual(other));
        }
        for (one, other) in
            [("linux/arm", "linux/arm/v6"), ("linux/arm", "linux/arm64"), ("linux/amd64", "linux/amd64/v3")]
        {
            assert_ne!(usual(one), usual(other));
        }
    }
}
