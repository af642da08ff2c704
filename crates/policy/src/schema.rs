//! The world that policies speak about, as a Cedar schema.
//!
//! Entities, types and action groups are written by hand in `schema.cedarschema`. The actions are
//! generated from two tables, so that none can be forgotten: the end points of the Docker API (crate
//! `docker`) and the privileges (`actions`). Everything here is made once when a policy is loaded.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use cedar_policy::{ActionConstraint, Entity, EntityId, EntityTypeName, EntityUid, Schema};
use docker::endpoint::{ENDPOINTS, Effect, Operation};
use docker::privilege::Privilege;

mod actions;
mod types;

pub(crate) use actions::PRIVILEGES;
pub(crate) use types::{Type, Types};

pub(crate) use actions::privilege_name;
use actions::{SHOWN, is_sensitive, operation_resources, privilege_resources};

/// The part of the schema that is written by hand.
const WORLD: &str = include_str!("schema.cedarschema");

/// What every question's context holds.
const CONTEXT: &str = "door: String, proof: String, operation: String, marks: Set<String>, time: datetime, \
                       apiVersion?: decimal, address?: ipaddr, spec?: Spec, container?: Container";

/// An action: where it stands in the tables. Operations come first, then privileges, then `show`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ActionIndex(pub usize);

/// The schema in every form that is needed.
pub(crate) struct World {
    pub schema: Schema,
    pub types: Types,
    /// Every action in the order of `ActionIndex`.
    pub actions: Vec<Action>,
    by_name: HashMap<Arc<str>, ActionIndex>,
    /// The actions of each group; an action is in itself.
    members: HashMap<EntityUid, Vec<ActionIndex>>,
    /// `Action`
    kind: EntityTypeName,
}

/// One action.
pub(crate) struct Action {
    pub name: Arc<str>,
    pub uid: EntityUid,
    /// The action with all its groups.
    pub entity: Entity,
    /// What it can be done to.
    pub resources: Vec<Type>,
}

/// Why the built-in schema cannot be used. Cannot happen in a tested build.
#[derive(Debug, thiserror::Error)]
#[error("the built-in schema is broken: {0}")]
pub(crate) struct SchemaFault(String);

impl World {
    pub fn new() -> Result<World, SchemaFault> {
        let fault = |error: &dyn std::fmt::Display| SchemaFault(error.to_string());
        let (schema, _) = Schema::from_cedarschema_str(&text()).map_err(|error| fault(&error))?;
        let types = Types::new().map_err(|error| fault(&error))?;
        let all = schema.action_entities().map_err(|error| fault(&error))?;
        let kind: EntityTypeName = "Action".parse().map_err(|error| fault(&error))?;
        let mut actions = Vec::new();
        for (name, resources) in names_and_resources() {
            let uid = EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(name));
            let entity = all.get(&uid).ok_or_else(|| fault(&uid))?.clone();
            actions.push(Action { name: name.into(), uid, entity, resources });
        }
        let mut members: HashMap<EntityUid, Vec<ActionIndex>> = HashMap::new();
        for (at, action) in actions.iter().enumerate() {
            for group in all.ancestors(&action.uid).into_iter().flatten().chain([&action.uid]) {
                members.entry(group.clone()).or_default().push(ActionIndex(at));
            }
        }
        let by_name = actions.iter().enumerate().map(|(at, action)| (action.name.clone(), ActionIndex(at))).collect();
        Ok(World { schema, types, actions, by_name, members, kind })
    }

    pub fn action(&self, index: ActionIndex) -> Option<&Action> {
        self.actions.get(index.0)
    }

    pub fn by_name(&self, name: &str) -> Option<ActionIndex> {
        self.by_name.get(name).copied()
    }

    /// The actions that a scope means, each once.
    pub fn actions_of(&self, constraint: &ActionConstraint) -> BTreeSet<ActionIndex> {
        match constraint {
            ActionConstraint::Any => (0..self.actions.len()).map(ActionIndex).collect(),
            ActionConstraint::Eq(uid) => self.under(uid).collect(),
            ActionConstraint::In(uids) => uids.iter().flat_map(|uid| self.under(uid)).collect(),
        }
    }

    /// The actions that these names of actions and groups mean. No name: all.
    pub fn actions_named(&self, names: &[String]) -> BTreeSet<ActionIndex> {
        if names.is_empty() {
            return self.actions_of(&ActionConstraint::Any);
        }
        let uid = |name: &String| EntityUid::from_type_name_and_id(self.kind.clone(), EntityId::new(name));
        names.iter().map(uid).flat_map(|uid| self.under(&uid).collect::<Vec<_>>()).collect()
    }

    fn under(&self, uid: &EntityUid) -> impl Iterator<Item = ActionIndex> {
        self.members.get(uid).into_iter().flatten().copied()
    }

    /// The action of a privilege. One that the world does not have is refused when it is asked about.
    pub fn privilege(&self, privilege: &Privilege) -> ActionIndex {
        self.by_name(privilege_name(privilege)).unwrap_or(ActionIndex(usize::MAX))
    }

    /// The action of being shown something in an answer.
    pub fn show(&self) -> ActionIndex {
        ActionIndex(self.actions.len().saturating_sub(1))
    }

    /// The action of an operation. Operations stand first, in the order of the end points.
    pub fn operation(operation: Operation) -> ActionIndex {
        ActionIndex(operation as usize)
    }
}

/// The whole schema as text.
pub fn text() -> String {
    let mut text = WORLD.to_owned();
    for endpoint in ENDPOINTS {
        let operation = endpoint.operation;
        let effect = match endpoint.effect {
            Effect::Read => "read",
            Effect::Change => "change",
        };
        let sensitive = if is_sensitive(operation) { ", \"inspect-sensitive\"" } else { "" };
        let resources = names(&operation_resources(operation));
        let kind = endpoint.kind.noun();
        let _ = writeln!(
            text,
            "action {operation} in [{kind}, {effect}{sensitive}]\n  appliesTo {{ principal: User, resource: [{resources}], context: {{ {CONTEXT} }} }};"
        );
    }
    for privilege in PRIVILEGES {
        let extra: String = privilege.context.iter().map(|attribute| format!(", {attribute}")).collect();
        let resources = names(privilege_resources(privilege));
        let name = privilege.name;
        let _ = writeln!(
            text,
            "action {name} in [privilege]\n  appliesTo {{ principal: User, resource: [{resources}], context: {{ {CONTEXT}{extra} }} }};"
        );
    }
    let shown = names(SHOWN);
    let _ = writeln!(
        text,
        "action {SHOW}\n  appliesTo {{ principal: User, resource: [{shown}], context: {{ {CONTEXT} }} }};"
    );
    text
}

fn names_and_resources() -> impl Iterator<Item = (&'static str, Vec<Type>)> {
    let operations =
        ENDPOINTS.iter().map(|endpoint| (endpoint.operation.name(), operation_resources(endpoint.operation)));
    let privileges = PRIVILEGES.iter().map(|privilege| (privilege.name, privilege_resources(privilege).to_vec()));
    operations.chain(privileges).chain([(SHOW, SHOWN.to_vec())])
}

/// Whether something is shown: in lists, events and the disk usage.
const SHOW: &str = "show";

fn names(types: &[Type]) -> String {
    types.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}
