//! What the plugin end points carry (moby `types.PluginPrivilege`).

use crate::json::go_struct;

go_struct! {
    /// One privilege that a plugin is granted: the body of a pull and an upgrade is a list of these.
    pub struct PluginPrivilege {
        name: String = "Name",
        description: String = "Description",
        value: Option<Vec<String>> = "Value",
    }
}
