//! Section `groups:`: groups beside the system's own.

use std::collections::BTreeMap;

use policy::source::Node;

use super::file::{ConfigFile, Field};

/// Reads the section: the members of each group. A member may be a user of the host or any other
/// subject, such as the name in a certificate, so that none can be told to be misspelt.
pub fn read(file: &mut ConfigFile, section: Option<Field<'_>>) -> BTreeMap<String, Vec<String>> {
    let mut groups = BTreeMap::new();
    let Some(section) = section else { return groups };
    let Node::Map(entries) = &section.value.value else {
        let help = "such as `admins: [root, alice]`";
        file.fault_with(section.place, "`groups` must be a mapping from groups to their members", help);
        return groups;
    };
    for (name, members) in entries {
        let field = Field { name: &name.value, place: name.referenced, value: members };
        let what = format!("a member of `{}`", name.value);
        let members = file.items(field).iter().filter_map(|member| file.word(member, &what)).collect();
        groups.insert(name.value.clone(), members);
    }
    groups
}
