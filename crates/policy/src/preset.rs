//! The presets: readable policies that are shipped, for a start and for most people's end.

use crate::source::nearest;

const PRESETS: &[(&str, &str)] = &[
    ("open", include_str!("../presets/open.cedar")),
    ("developer", include_str!("../presets/developer.cedar")),
    ("ci", include_str!("../presets/ci.cedar")),
    ("readonly", include_str!("../presets/readonly.cedar")),
    ("restricted", include_str!("../presets/restricted.cedar")),
    ("none", include_str!("../presets/none.cedar")),
];

/// Every preset with its text.
pub fn presets() -> impl Iterator<Item = (&'static str, &'static str)> {
    PRESETS.iter().copied()
}

/// The text of a preset.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// What to do about an unknown name.
pub(crate) fn advice<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of {}", names.join(", ")),
    }
}
