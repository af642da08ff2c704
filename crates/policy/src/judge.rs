//! Puts questions to the policies.
//!
//! Every operation on a resource and every privilege is one question: may this subject do this action
//! on this resource, in this context? An error while a policy is evaluated is the answer no, with its
//! own reason: Cedar itself would leave out the policy, and a broken `forbid` would vanish.

use std::sync::Arc;

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicyId, Request, Response};
use docker::facts::Facts;
use docker::privilege::Privilege;
use docker::resource::Resource;

use crate::Subject;
use crate::circumstances;
use crate::decision::{Answered, Circumstances, PolicyRef};
use crate::entities::{Asked, Cast};
use crate::index::{Index, IndexFault};
use crate::looks::Looks;
use crate::message;
use crate::schema::{ActionIndex, Type, World};

/// The judge by Cedar policies.
pub(crate) struct Judge<'a> {
    pub world: &'a World,
    pub index: &'a Index,
    /// What a policy is called and where it comes from.
    pub describe: &'a dyn Fn(&PolicyId) -> PolicyRef,
}

/// One request as it is judged.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub subject: &'a Subject,
    /// The subject's groups, with those of the configuration.
    pub groups: &'a [&'a str],
    pub facts: &'a Facts,
    pub circumstances: &'a Circumstances,
}

/// What one question is about.
#[derive(Clone, Copy)]
enum Topic<'a> {
    Resource(&'a Resource),
    Privilege(&'a Privilege),
    /// Whether it is shown, in the answer to the operation.
    Shown(&'a Resource),
}

/// Questions that share their entities.
struct Stage<'a> {
    principals: Vec<EntityUid>,
    context: Context,
    entities: Entities,
    questions: Vec<(Topic<'a>, ActionIndex, Option<Asked>)>,
}

/// Why a question could not be put. Always a refusal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the request's things cannot be described: {0}")]
    Attribute(#[from] Box<cedar_policy::EntityAttrEvaluationError>),
    #[error("the request's things cannot be described: {0}")]
    Entities(#[from] Box<cedar_policy::entities_errors::EntitiesError>),
    #[error("the request's circumstances cannot be described: {0}")]
    Expression(#[from] Box<cedar_policy::ExpressionConstructionError>),
    #[error("the request's circumstances cannot be described: {0}")]
    Context(#[from] Box<cedar_policy::ContextCreationError>),
    #[error("the question cannot be put: {0}")]
    Request(#[from] Box<cedar_policy::RequestValidationError>),
    #[error("the request describes one thing in two ways")]
    Contradiction,
    #[error("no policy can speak about such a thing")]
    Unknown,
    #[error(transparent)]
    Index(#[from] IndexFault),
}

impl Judge<'_> {
    /// Answers every question of a request.
    pub fn judge(&self, case: &Case<'_>) -> Vec<Answered> {
        if case.facts.resources.is_empty() {
            // Then nobody would be asked about the operation itself.
            let words = format!("do {}", case.facts.operation);
            return vec![self.unanswerable(case.facts, words, "the request touches nothing".to_owned())];
        }
        let resources = case.facts.resources.iter().map(Topic::Resource);
        let topics: Vec<Topic<'_>> = resources.chain(case.facts.privileges.iter().map(Topic::Privilege)).collect();
        match self.stage(case, &topics) {
            Ok(Some(stage)) => self.answer_all(case, &stage),
            // Things that contradict one another: each question gets a stage of its own.
            Ok(None) => topics.iter().flat_map(|topic| self.judge_alone(case, *topic)).collect(),
            Err(fault) => topics.iter().map(|topic| self.failed(case, *topic, &fault)).collect(),
        }
    }

    /// Whether something is shown in an answer.
    pub fn show(&self, case: &Case<'_>, resource: &Resource) -> Answered {
        let topic = Topic::Shown(resource);
        self.judge_alone(case, topic).pop().unwrap_or_else(|| self.failed(case, topic, &Fault::Unknown))
    }

    fn judge_alone(&self, case: &Case<'_>, topic: Topic<'_>) -> Vec<Answered> {
        match self.stage(case, &[topic]) {
            Ok(Some(stage)) => self.answer_all(case, &stage),
            Ok(None) => vec![self.failed(case, topic, &Fault::Contradiction)],
            Err(fault) => vec![self.failed(case, topic, &fault)],
        }
    }

    fn stage<'t>(&self, case: &Case<'_>, topics: &[Topic<'t>]) -> Result<Option<Stage<'t>>, Fault> {
        let mut cast = Cast::new(&self.world.types);
        let principal = cast.subject(case.subject, case.groups)?;
        let mut principals = vec![principal];
        principals.extend(case.groups.iter().map(|group| self.world.types.uid(Type::Group, group)));
        let container = case.facts.resources.iter().find_map(|resource| match resource {
            Resource::Container(container) => Some(container),
            _ => None,
        });
        let container = container.map(|container| cast.container(container)).transpose()?;
        let mut questions = Vec::with_capacity(topics.len());
        let mut actions = Vec::new();
        let mut looks = Looks::default();
        for topic in topics {
            let (action, asked) = match topic {
                Topic::Resource(resource) => (World::operation(case.facts.operation), cast.resource(resource)?),
                Topic::Privilege(privilege) => (self.world.privilege(privilege), Some(cast.privilege(privilege)?)),
                Topic::Shown(resource) => (self.world.show(), cast.shown(resource)?),
            };
            looks = looks.and(self.index.looks(action));
            if !actions.contains(&action) {
                actions.push(action);
                self.world.action(action).into_iter().for_each(|action| cast.action(action));
            }
            questions.push((*topic, action, asked));
        }
        let context = circumstances::context(case.subject, case.facts, case.circumstances, container, looks)?;
        Ok(cast.finish()?.map(|entities| Stage { principals, context, entities, questions }))
    }

    fn answer_all(&self, case: &Case<'_>, stage: &Stage<'_>) -> Vec<Answered> {
        let answer = |(topic, action, asked): &(Topic<'_>, ActionIndex, Option<Asked>)| {
            let words = words(case, *topic);
            match asked {
                Some(asked) => self.answer(stage, *action, asked, words),
                None => self.unanswerable(case.facts, words, "no policy can speak about such a thing".to_owned()),
            }
        };
        stage.questions.iter().map(answer).collect()
    }

    fn answer(&self, stage: &Stage<'_>, index: ActionIndex, asked: &Asked, words: String) -> Answered {
        let Some(action) = self.world.action(index) else {
            return Answered::without_policy(
                "unknown".into(),
                asked.uid.to_string(),
                words,
                "no policy can speak about this action".to_owned(),
            );
        };
        let name = action.name.clone();
        let resource = asked.uid.to_string();
        if !action.resources.contains(&asked.kind) {
            let error = format!("no policy can speak about {name} on a {}", asked.kind.name());
            return Answered::without_policy(name, resource, words, error);
        }
        match self.ask(stage, index, action.uid.clone(), asked) {
            Ok(None) => Answered {
                action: name,
                resource,
                words,
                allowed: false,
                policies: Vec::new(),
                reason: None,
                error: None,
                rego: None,
            },
            Ok(Some(response)) => self.read(&response, name, resource, words),
            Err(fault) => Answered::without_policy(name, resource, words, fault.to_string()),
        }
    }

    /// Cedar's answer; `None` when no policy has a say.
    fn ask(
        &self,
        stage: &Stage<'_>,
        index: ActionIndex,
        action: EntityUid,
        asked: &Asked,
    ) -> Result<Option<Response>, Fault> {
        let policies = self.index.select(index, &stage.principals, &asked.uid, &stage.entities)?;
        if policies.is_empty() {
            return Ok(None);
        }
        let context = if asked.extra.is_empty() {
            stage.context.clone()
        } else {
            let extra = Context::from_pairs(asked.extra.iter().cloned()).map_err(Box::new)?;
            stage.context.clone().merge(extra).map_err(Box::new)?
        };
        let Some(principal) = stage.principals.first() else { return Ok(None) };
        let request = Request::new(principal.clone(), action, asked.uid.clone(), context, None).map_err(Box::new)?;
        Ok(Some(Authorizer::new().is_authorized(&request, &policies, &stage.entities)))
    }

    fn read(&self, response: &Response, action: Arc<str>, resource: String, words: String) -> Answered {
        let mut errors = response.diagnostics().errors().peekable();
        let error = errors
            .peek()
            .is_some()
            .then(|| errors.map(|error| describe_error(error, self.describe)).collect::<Vec<_>>().join("; "));
        let allowed = response.decision() == Decision::Allow && error.is_none();
        let mut policies: Vec<PolicyRef> = response.diagnostics().reason().map(|id| (self.describe)(id)).collect();
        policies.sort_by(|one, other| one.id.cmp(&other.id));
        Answered { action, resource, words, allowed, policies, reason: None, error, rego: None }
    }

    fn failed(&self, case: &Case<'_>, topic: Topic<'_>, fault: &Fault) -> Answered {
        self.unanswerable(case.facts, words(case, topic), fault.to_string())
    }

    fn unanswerable(&self, facts: &Facts, words: String, error: String) -> Answered {
        Answered::without_policy(facts.operation.name().into(), String::new(), words, error)
    }
}

impl Answered {
    /// The answer no, because the question could not be put.
    fn without_policy(action: Arc<str>, resource: String, words: String, error: String) -> Answered {
        Answered {
            action,
            resource,
            words,
            allowed: false,
            policies: Vec::new(),
            reason: None,
            error: Some(error),
            rego: None,
        }
    }
}

fn words(case: &Case<'_>, topic: Topic<'_>) -> String {
    match topic {
        Topic::Resource(resource) => message::operation_words(case.facts.operation, resource),
        Topic::Privilege(privilege) => message::printable(&privilege.to_string()),
        // Asked of each thing in a list and told to nobody.
        Topic::Shown(_) => String::new(),
    }
}

/// The error in the author's words: which policy, where, what.
fn describe_error(error: &cedar_policy::AuthorizationError, describe: &dyn Fn(&PolicyId) -> PolicyRef) -> String {
    let cedar_policy::AuthorizationError::PolicyEvaluationError(inner) = error;
    let policy = describe(inner.policy_id());
    format!("policy {} ({}) cannot be evaluated: {}", policy.id, policy.origin, inner.inner())
}
