//! Reads the statements as Cedar and checks all that can be checked before a request comes: syntax,
//! types, names of actions, groups and users, and that each policy can apply at all.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{
    Effect, Policy, PolicyId, PolicySet, Template, ValidationError, ValidationMode, ValidationWarning, Validator,
};
use serde_json::{Value, json};

use super::Known;
use super::cedar::Statement;
use super::diagnostics::{Diagnostic, Diagnostics, Place, Severity};
use crate::decision::PolicyRef;
use crate::entities::capability;
use crate::looks::{Looks, mentions};
use crate::schema::World;

/// A policy that may be used.
pub(crate) struct Checked {
    pub policy: Policy,
    pub reference: PolicyRef,
    pub looks: Looks,
    /// It grants nothing: it only says why nothing is granted.
    pub explains_only: bool,
    /// Whether it is the preset's.
    pub preset: bool,
    /// Whether it ends by itself.
    pub temporary: bool,
}

/// A policy that was read.
struct Read {
    policy: Policy,
    json: Value,
    statement: Statement,
}

/// Reads and checks all statements; the names in them too, unless they were settled before.
pub(crate) fn check(
    statements: Vec<Statement>,
    world: &World,
    known: Option<&Known<'_>>,
    faults: &mut Diagnostics,
) -> Vec<Checked> {
    let mut read: Vec<Read> = Vec::new();
    let mut places: HashMap<PolicyId, usize> = HashMap::new();
    for statement in statements {
        match parse(statement) {
            Ok(policy) => match places.get(policy.policy.id()).and_then(|at| read.get(*at)) {
                Some(first) => faults.push(
                    policy
                        .statement
                        .place
                        .error(format!("there are two policies `{}`", policy.policy.id()))
                        .help_with(format!("the other one is at {}", first.statement.origin)),
                ),
                None => {
                    places.insert(policy.policy.id().clone(), read.len());
                    read.push(policy);
                }
            },
            Err(found) => found.into_iter().for_each(|fault| faults.push(fault)),
        }
    }
    validate(&read, &places, world, faults);
    if let Some(known) = known {
        read.iter().for_each(|policy| check_names(policy, known, faults));
    }
    read.into_iter().map(Checked::new).collect()
}

impl Checked {
    fn new(read: Read) -> Checked {
        let annotation = |name| read.policy.annotation(name).filter(|text| !text.is_empty()).map(Arc::from);
        Checked {
            reference: PolicyRef {
                id: read.policy.id().to_string().into(),
                origin: read.statement.origin.clone(),
                message: annotation("message"),
                note: annotation("note"),
                quiet: read.policy.annotation("quiet").is_some_and(|quiet| quiet != "false"),
            },
            looks: Looks::of(&read.json),
            explains_only: is_explanation(&read),
            preset: read.statement.preset,
            temporary: read.statement.temporary,
            policy: read.policy,
        }
    }
}

fn parse(statement: Statement) -> Result<Read, Vec<Diagnostic>> {
    let parsed = match Policy::parse(Some(PolicyId::new(&statement.name)), &statement.text) {
        Ok(policy) => policy,
        Err(_) if Template::parse(None, &statement.text).is_ok_and(|template| template.slots().next().is_some()) => {
            let fault = statement.place.error("a policy template has nothing to be linked with here");
            return Err(vec![fault.help_with("write the name in place of `?principal` or `?resource`".to_owned())]);
        }
        Err(errors) => return Err(errors.iter().map(|error| describe(&statement, error, Severity::Error)).collect()),
    };
    let policy = match parsed.annotation("id").filter(|id| !id.is_empty()) {
        Some(id) => parsed.new_id(PolicyId::new(id)),
        None => parsed,
    };
    let json = policy.to_json().map_err(|error| vec![statement.place.error(error.to_string())])?;
    Ok(Read { policy, json, statement })
}

fn validate(read: &[Read], places: &HashMap<PolicyId, usize>, world: &World, faults: &mut Diagnostics) {
    let set = match PolicySet::from_policies(read.iter().map(|read| read.policy.clone())) {
        Ok(set) => set,
        Err(error) => {
            // Names are told apart before: nothing else can go wrong here.
            let place = read.first().map(|first| &first.statement.place);
            return faults.0.extend(place.map(|place| place.error(error.to_string())));
        }
    };
    let result = Validator::new(world.schema.clone()).validate(&set, ValidationMode::Strict);
    let statement = |id: &PolicyId| places.get(id).and_then(|at| read.get(*at));
    let mut found: Vec<(&PolicyId, Diagnostic)> = Vec::new();
    let mut impossible: Vec<&Read> = Vec::new();
    for error in result.validation_errors() {
        let Some(read) = statement(error.policy_id()) else { continue };
        match error {
            ValidationError::UnrecognizedActionId(_) => {
                let fault = describe(&read.statement, error, Severity::Error);
                found.push((read.policy.id(), fault.help_with(nearest_action(read, world))));
            }
            other => found.push((read.policy.id(), describe(&read.statement, other, Severity::Error))),
        }
    }
    for warning in result.validation_warnings() {
        let Some(read) = statement(warning.policy_id()) else { continue };
        match warning {
            ValidationWarning::ImpossiblePolicy(_) if is_explanation(read) => {}
            ValidationWarning::ImpossiblePolicy(_) | ValidationWarning::InvalidActionApplication(_) => {
                impossible.push(read)
            }
            other => found.push((read.policy.id(), describe(&read.statement, other, Severity::Warning))),
        }
    }
    for read in impossible {
        // Where an error was found, or an unknown name, this only follows from it.
        let told = |(id, fault): &(&PolicyId, Diagnostic)| *id == read.policy.id() && fault.severity == Severity::Error;
        if !found.iter().any(told) {
            let fault = read.statement.place.error("this policy can never apply");
            let help = "no action that it names is done to such a resource, or its conditions contradict one another"
                .to_owned();
            found.push((read.policy.id(), fault.help_with(help)));
        }
    }
    faults.0.extend(found.into_iter().map(|(_, fault)| fault));
}

/// `permit … when { false }` with a message: written to say why nothing is granted.
fn is_explanation(read: &Read) -> bool {
    let never = json!([{ "kind": "when", "body": { "Value": false } }]);
    read.policy.effect() == Effect::Permit
        && read.policy.annotation("message").is_some()
        && read.json.get("conditions") == Some(&never)
}

/// The action that a misspelt one may have been meant to be.
fn nearest_action(read: &Read, world: &World) -> Option<String> {
    let names = || world.actions.iter().map(|action| action.name.as_ref());
    let unknown = mentions(&read.json, "Action").into_iter().find(|name| !names().any(|known| known == name))?;
    super::nearest(&unknown, names()).map(|near| format!("did you mean `{near}`?"))
}

/// Groups must be known. A user may be known only to whoever signs certificates.
fn check_names(read: &Read, known: &Known<'_>, faults: &mut Diagnostics) {
    let place = |name: &str| {
        let statement = &read.statement;
        let at = statement.text.find(name).filter(|_| statement.verbatim);
        at.map_or_else(|| statement.place.clone(), |at| statement.place.within(at, name.len()))
    };
    if read.statement.preset {
        return;
    }
    for name in
        mentions(&read.json, "Capability").iter().filter(|name| !capability::known().any(|known| known == *name))
    {
        let help = super::nearest(name, capability::known()).map(|near| format!("did you mean `{near}`?"));
        faults.push(place(name).warning(format!("there is no capability `{name}`")).help_with(help));
    }
    for name in mentions(&read.json, "CapabilitySet").iter().filter(|name| !capability::SETS.contains(&name.as_str())) {
        let help = format!("one of {}", capability::SETS.join(", "));
        faults.push(place(name).error(format!("there is no set of capabilities `{name}`")).help_with(help));
    }
    let advice = |name: &str| known.nearest(name).map(|near| format!("did you mean `{near}`?"));
    for group in mentions(&read.json, "Group").iter().filter(|name| !known.is_group(name)) {
        let help = advice(group)
            .unwrap_or_else(|| "groups are the system's own and those of the section `groups:`".to_owned());
        faults.push(place(group).error(format!("nobody knows a group `{group}`")).help_with(help));
    }
    // Rules say `user:` for those.
    let users = mentions(&read.json, "User");
    for user in users.iter().filter(|name| read.statement.verbatim && !known.is_user(name) && !name.contains(':')) {
        faults.push(place(user).warning(format!("this host has no user `{user}`")).help_with(advice(user)));
    }
}

/// Cedar's fault at its place in the file.
fn describe(statement: &Statement, fault: &dyn miette::Diagnostic, severity: Severity) -> Diagnostic {
    let label = fault.labels().and_then(|mut labels| labels.next());
    let place: Place = match label {
        Some(label) if statement.verbatim => statement.place.within(label.offset(), label.len()),
        _ => statement.place.clone(),
    };
    let message = without_policy_name(&fault.to_string());
    let diagnostic = match severity {
        Severity::Error => place.error(message),
        Severity::Warning => place.warning(message),
    };
    diagnostic.help_with(fault.help().map(|help| help.to_string()))
}

/// Cedar begins with "for policy `…`, "; the place says that better.
fn without_policy_name(message: &str) -> String {
    let rest = message.strip_prefix("for policy `").and_then(|rest| rest.split_once("`, "));
    rest.map_or(message, |(_, rest)| rest).to_owned()
}
