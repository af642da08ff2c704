//! Section `reload:`: when the policy is taken again.

use policy::source::Node;

use super::file::{ConfigFile, Field};

/// When the policy is taken again, beside a SIGHUP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reloading {
    /// Whether a change of the files is noticed.
    pub watch: bool,
}

/// Reads the section; what is absent is as usual.
pub fn read(file: &mut ConfigFile, section: Option<Field<'_>>) -> Reloading {
    let mut reloading = Reloading { watch: true };
    let Some(section) = section else { return reloading };
    let fields = file.fields(section.value, "`reload`", &["watch"]);
    if let Some(field) = fields.get("watch") {
        match field.value.value {
            Node::Bool(watch) => reloading.watch = watch,
            _ => file.fault(field.value.referenced, "`watch` must be true or false"),
        }
    }
    reloading
}
