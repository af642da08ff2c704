//! Finds the few policies that can have a say in a question.
//!
//! Cedar looks at every policy for each question. The scope of a policy names an action or a group of
//! actions, perhaps one principal and perhaps one resource; a policy can only match when each is the
//! question's own or one of its ancestors. So policies are kept under these three keys, and a question
//! looks only under the keys that it has: the cost does not grow with the number of policies.

use std::borrow::Cow;
use std::collections::HashMap;

use cedar_policy::{Entities, EntityUid, Policy, PolicySet, PolicySetError, PrincipalConstraint, ResourceConstraint};

use crate::looks::Looks;
use crate::schema::{ActionIndex, World};

/// A principal or resource named in a scope; `None`: any.
type Key = Option<EntityUid>;

/// All policies, by action.
pub(crate) struct Index {
    by_action: Vec<Shelf>,
}

/// The policies that apply to one action.
#[derive(Default)]
struct Shelf {
    /// Those that name neither principal nor resource.
    general: PolicySet,
    /// The others.
    by_scope: HashMap<(Key, Key), Vec<Policy>>,
    looks: Looks,
}

impl Index {
    pub fn new<'a>(policies: impl Iterator<Item = (&'a Policy, Looks)>, world: &World) -> Result<Index, IndexFault> {
        let mut by_action: Vec<Shelf> = Vec::new();
        by_action.resize_with(world.actions.len(), Shelf::default);
        for (policy, looks) in policies {
            let principal = match policy.principal_constraint() {
                PrincipalConstraint::In(uid) | PrincipalConstraint::Eq(uid) | PrincipalConstraint::IsIn(_, uid) => {
                    Some(uid)
                }
                PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
            };
            let resource = match policy.resource_constraint() {
                ResourceConstraint::In(uid) | ResourceConstraint::Eq(uid) | ResourceConstraint::IsIn(_, uid) => {
                    Some(uid)
                }
                ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
            };
            for action in world.actions_of(&policy.action_constraint()) {
                let Some(shelf) = by_action.get_mut(action.0) else { continue };
                shelf.looks = shelf.looks.and(looks);
                match (&principal, &resource) {
                    (None, None) => shelf.general.add(policy.clone()).map_err(Box::new)?,
                    keys => shelf.by_scope.entry((keys.0.clone(), keys.1.clone())).or_default().push(policy.clone()),
                }
            }
        }
        Ok(Index { by_action })
    }

    /// The policies that a question about this action and resource can match. `principals`: the
    /// subject and its groups. Copied only where some name one of them: a set is dear to copy.
    pub fn select(
        &self,
        action: ActionIndex,
        principals: &[EntityUid],
        resource: &EntityUid,
        entities: &Entities,
    ) -> Result<Cow<'_, PolicySet>, IndexFault> {
        let Some(shelf) = self.by_action.get(action.0) else { return Ok(Cow::Owned(PolicySet::new())) };
        let mut selected = Cow::Borrowed(&shelf.general);
        if shelf.by_scope.is_empty() {
            return Ok(selected);
        }
        let any = std::iter::once(None);
        let resources: Vec<Key> = any
            .clone()
            .chain([Some(resource.clone())])
            .chain(entities.ancestors(resource).into_iter().flatten().cloned().map(Some))
            .collect();
        for principal in any.chain(principals.iter().cloned().map(Some)) {
            let mut key = (principal, None);
            for resource in &resources {
                key.1.clone_from(resource);
                for policy in shelf.by_scope.get(&key).into_iter().flatten() {
                    selected.to_mut().add(policy.clone()).map_err(Box::new)?;
                }
            }
        }
        Ok(selected)
    }

    /// What the policies of an action look at.
    pub fn looks(&self, action: ActionIndex) -> Looks {
        self.by_action.get(action.0).map_or(Looks::EVERYWHERE, |shelf| shelf.looks)
    }
}

/// Policies could not be put together: two under one name. Names are checked before.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexFault {
    #[error(transparent)]
    Policies(#[from] Box<PolicySetError>),
}
