//! The firewall itself, as a managed plugin of the daemon: who may do anything to plugins could take it out.
//!
//! So it is guarded under every preset and whatever is allowed beside, by its name: the last part of it is `dockwarden`,
//! which `dockwarden plugin install` sees to. Only a rule that says on which plugin (`on: { name: ... }`) lifts that.

use super::NamedText;
use super::cedar::{Statement, statements};
use super::diagnostics::Text;
use super::lower::Rule;
use super::target::Target;
use super::temporary::Temporary;
use crate::schema::World;

/// What is done to a plugin that is there.
const CHANGES: [&str; 5] = ["PluginDisable", "PluginDelete", "PluginSet", "PluginUpgrade", "PluginEnable"];
/// A plugin by that name, put in by a client or by a service of the swarm, which takes over the one that is there.
const INSTALL: &str = "installPlugin";

/// The policies, but for what these rules lift.
pub(super) fn guards<'a>(
    rules: impl Iterator<Item = &'a Rule> + Clone,
    temporary: &[Temporary],
    world: &World,
) -> Vec<Statement> {
    let guard = |name: &str, target: Target, resource: &str| {
        let lasting = rules.clone().filter_map(|rule| rule.lifts(&target, world, Target::is_narrow));
        let ending = temporary.iter().filter_map(|rule| rule.lifts_by_name(&target, world));
        let lifts: Vec<String> = lasting.chain(ending).collect();
        let unless = if lifts.is_empty() { String::new() } else { format!("\nunless {{ {} }}", lifts.join(" || ")) };
        let actions: Vec<String> = target.actions.iter().map(|action| format!("Action::\"{action}\"")).collect();
        format!(
            "@id(\"own/{name}\")\n@message(\"this is the firewall itself: only a rule about this very plugin, with `on: \
             {{ name: ... }}`, allows that\")\nforbid (principal, action in [{}], resource is {resource})\nwhen {{ {} }}{unless};\n",
            actions.join(", "),
            named(),
        )
    };
    let text =
        guard("plugin", Target::actions(CHANGES), "Plugin") + &guard("install", Target::action(INSTALL), "Image");
    statements(&Text::new(&NamedText { name: "built in".to_owned(), text }), true)
}

/// That it is called like us.
fn named() -> String {
    let patterns = ["dockwarden", "dockwarden:*", "dockwarden@*", "*/dockwarden", "*/dockwarden:*", "*/dockwarden@*"];
    patterns.map(|pattern| format!("resource.name like \"{pattern}\"")).join(" || ")
}
