//! Who is forbidden to be shown things, as far as policies say so by whom they are about.
//!
//! A policy may hide things from few. Everybody else's answers should pass untouched, without a question for each thing
//! in them; so what a policy says of its principals is read from it: its scope, and who is excepted from it.

use cedar_policy::{Effect, EntityUid, PrincipalConstraint, ResourceConstraint};
use serde_json::Value;

use crate::schema::{Type, World};
use crate::source::check::Checked;

/// The policies that forbid to show things.
#[derive(Debug, Default)]
pub(crate) struct Forbidden(Vec<Forbid>);

/// One of them.
#[derive(Debug)]
struct Forbid {
    /// Whom it is about; `None`: everybody.
    principal: Option<EntityUid>,
    /// Who is excepted.
    except: Vec<EntityUid>,
}

impl Forbidden {
    pub fn new(policies: &[Checked], world: &World) -> Forbidden {
        let daemon = world.types.name(Type::Daemon);
        let of_things = |checked: &&Checked| {
            let policy = &checked.policy;
            let of_daemon = match policy.resource_constraint() {
                ResourceConstraint::Is(kind) | ResourceConstraint::IsIn(kind, _) => kind == *daemon,
                ResourceConstraint::Eq(uid) => uid.type_name() == daemon,
                ResourceConstraint::Any | ResourceConstraint::In(_) => false,
            };
            let shows = world.actions_of(&policy.action_constraint()).contains(&world.show());
            policy.effect() == Effect::Forbid && shows && !of_daemon
        };
        let forbid = |checked: &Checked| Forbid {
            principal: match checked.policy.principal_constraint() {
                PrincipalConstraint::In(uid) | PrincipalConstraint::Eq(uid) | PrincipalConstraint::IsIn(_, uid) => {
                    Some(uid)
                }
                PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
            },
            except: checked.policy.to_json().map(|policy| excepted(&policy, world)).unwrap_or_default(),
        };
        Forbidden(policies.iter().filter(of_things).map(forbid).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any of them may be about that subject.
    pub fn concerns(&self, world: &World, user: &str, groups: &[&str]) -> bool {
        let is = |named: &EntityUid| {
            *named == world.types.uid(Type::User, user)
                || groups.iter().any(|group| *named == world.types.uid(Type::Group, group))
        };
        self.0.iter().any(|forbid| forbid.principal.as_ref().is_none_or(is) && !forbid.except.iter().any(is))
    }
}

/// Whom a policy leaves alone whatever the thing is: `unless { principal in Group::"admins" || … }`, of what stands
/// between `||` as far as it speaks of nothing but principals.
fn excepted(policy: &Value, world: &World) -> Vec<EntityUid> {
    let conditions = policy.get("conditions").and_then(Value::as_array).into_iter().flatten();
    let unless = conditions.filter(|condition| condition.get("kind").is_some_and(|kind| kind == "unless"));
    let mut found = Vec::new();
    for body in unless.filter_map(|condition| condition.get("body")) {
        gather(body, world, &mut found);
    }
    found
}

/// Whether all of it was about principals.
fn gather(body: &Value, world: &World, found: &mut Vec<EntityUid>) -> bool {
    if let Some(either) = body.get("||") {
        let mut side = |name| either.get(name).is_some_and(|side| gather(side, world, found));
        return side("left") && side("right");
    }
    let named = principal(body, "==", Type::User, world).or_else(|| principal(body, "in", Type::Group, world));
    let all = named.is_some();
    found.extend(named);
    all
}

/// `principal == User::"root"`, `principal in Group::"admins"`
fn principal(body: &Value, operator: &str, kind: Type, world: &World) -> Option<EntityUid> {
    let compared = body.get(operator)?;
    let of_principal = compared.get("left")?.get("Var")? == "principal";
    let entity = compared.get("right")?.get("Value")?.get("__entity")?;
    let id = entity.get("id")?.as_str().filter(|_| of_principal)?;
    (entity.get("type")? == kind.name()).then(|| world.types.uid(kind, id))
}
