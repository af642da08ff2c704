//! The presets: readable policies that are shipped, for a start and for most people's end.

use std::sync::LazyLock;

use crate::source::nearest;

const PRESETS: &[(&str, &str)] = &[
    ("open", include_str!("../presets/open.cedar")),
    ("developer", DEVELOPER),
    ("ci", include_str!("../presets/ci.cedar")),
    ("ci-whitelist", include_str!("../presets/ci-whitelist.cedar")),
    ("readonly", include_str!("../presets/readonly.cedar")),
    ("restricted", include_str!("../presets/restricted.cedar")),
    ("none", include_str!("../presets/none.cedar")),
];
const DEVELOPER: &str = include_str!("../presets/developer.cedar");

/// What `developer` grants, under names of its own, and the walls.
static TEAM: LazyLock<String> =
    LazyLock::new(|| DEVELOPER.replace("@id(\"developer/", "@id(\"team/") + include_str!("../presets/team.cedar"));

/// Every preset with its text.
pub fn presets() -> impl Iterator<Item = (&'static str, &'static str)> {
    PRESETS.iter().copied().chain([("team", TEAM.as_str())])
}

/// The text of a preset.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    presets().find(|(known, _)| *known == name).map(|(_, text)| text)
}

/// What to do about an unknown name.
pub(crate) fn advice<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of {}", names.join(", ")),
    }
}
