//! A record for people: what was asked, what was set by default, each question with its answer and the
//! policy that gave it, and what came of it. Signs help the eye; the words say it all.

use std::collections::HashMap;

use policy::NamedText;
use serde::Deserialize;
use server::record::Record;

use crate::cli::Exit;
use crate::config::Config;

/// A record as it was told, or as it was kept by a version that may have kept less.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    /// The id.
    pub id: String,
    time: String,
    subject: Option<Asker>,
    request: Asked,
    obligations: Vec<Edit>,
    questions: Vec<Question>,
    checks: Vec<Check>,
    outcome: String,
    mode: String,
    status: Option<u16>,
    message: Option<String>,
    policy_version: Option<String>,
    /// What a command at the admin socket added, removed or ended.
    changed: Option<serde_json::Value>,
    /// The whole of it, for programs.
    #[serde(skip)]
    line: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asker {
    user: String,
    groups: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    method: String,
    path: String,
    operation: Option<String>,
    build: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Edit {
    set: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Check {
    check: String,
    image: String,
    answer: String,
    reason: Option<String>,
    passes: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Question {
    action: String,
    resource: String,
    allowed: bool,
    policies: Vec<String>,
    #[serde(default)]
    reason: Option<String>,
    /// How a Rego policy came to it.
    #[serde(default)]
    rego: Option<Rego>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rego {
    input: serde_json::Value,
    prints: Vec<String>,
    decision: String,
    held: Vec<String>,
    failed: Vec<String>,
}

/// Where each policy was read from, and under which version of them all.
#[derive(Debug, Default)]
pub struct Places {
    of: HashMap<String, String>,
    version: String,
}

impl Places {
    /// Of all policies in force. Records name policies by their `@id`, or by their place where they have
    /// none; so only the former need to be looked for.
    pub fn of(config: &Config) -> Self {
        let mut of = HashMap::new();
        for NamedText { name, text } in &config.texts {
            for (line, text) in (1_usize..).zip(text.lines()) {
                let id = text.trim_start().strip_prefix("@id(\"").and_then(|rest| rest.split('"').next());
                if let Some(id) = id {
                    of.insert(id.to_owned(), format!("{name}:{line}"));
                }
            }
        }
        for rule in config.policy.rules() {
            of.insert(format!("rules/{}", rule.id), format!("temporary, until {}", rule.end()));
        }
        Self { of, version: config.policy.version().to_owned() }
    }
}

impl Told {
    /// What the gateway told.
    pub fn of(record: &Record) -> serde_json::Result<Self> {
        Self::read(&serde_json::to_string(record)?)
    }

    /// What was kept in a file.
    pub fn read(line: &str) -> serde_json::Result<Self> {
        let told: Told = serde_json::from_str(line)?;
        Ok(Told { line: line.to_owned(), ..told })
    }

    /// The build that it is a call of.
    pub fn build(&self) -> Option<&str> {
        self.request.build.as_deref()
    }

    fn refused(&self) -> bool {
        matches!(self.outcome.as_str(), "refused" | "malformed")
            || self.questions.iter().any(|question| !question.allowed)
    }

    /// It came to no question: what it names is not there, or the daemon is not.
    fn unjudged(&self) -> bool {
        self.questions.is_empty() && !self.refused() && !self.is_command()
    }

    /// It is a command at the admin socket.
    fn is_command(&self) -> bool {
        self.request.method.is_empty() && self.request.operation.is_some()
    }
}

/// Records, one after the other.
pub fn records(told: &[Told], places: &Places, as_json: bool) -> String {
    let each: Vec<String> = told.iter().map(|told| record(told, places, as_json)).collect();
    each.join(if as_json { "\n" } else { "\n\n" })
}

/// One record.
pub fn record(told: &Told, places: &Places, as_json: bool) -> String {
    if as_json {
        return told.line.clone();
    }
    let mut lines = vec![head(told)];
    lines.push(format!("  {}", circumstances(told)));
    lines.extend(told.obligations.iter().map(|Edit { set, value }| format!("  + default  {set} {value}")));
    lines.extend(told.changed.iter().map(|changed| format!("  + changed  {changed}")));
    for question in &told.questions {
        let (sign, answer) = if question.allowed { ('✓', "granted") } else { ('✗', "refused") };
        lines.push(format!("  {sign} {answer}  {} on {}", question.action, question.resource));
        lines.extend(reasons(question, places).into_iter().map(|reason| format!("             {reason}")));
        lines.extend(untold(question, told).into_iter().map(|reason| format!("             {reason}")));
    }
    lines.extend(told.checks.iter().map(check));
    lines.push(format!("  = {}", outcome(told)));
    let elsewhere =
        told.policy_version.as_deref().filter(|version| !places.version.is_empty() && *version != places.version);
    if let Some(version) = elsewhere {
        lines.push(format!("  decided by policy version {version}, which is not the one that is loaded now"));
    }
    lines.join("\n")
}

/// What was asked of others, or would be.
fn check(Check { check, image, answer, reason, passes }: &Check) -> String {
    let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    match answer.as_str() {
        "not asked" => format!("  ? checked  image {image} would be asked about, check {check}"),
        answer => format!("  {} checked  image {image}, check {check}: {answer}{why}", if *passes { '✓' } else { '✗' }),
    }
}

fn head(told: &Told) -> String {
    let Asked { method, path, operation, .. } = &told.request;
    match operation {
        Some(operation) if told.is_command() => operation.clone(),
        Some(operation) => format!("{method} {path} → {operation}"),
        None if method.is_empty() => "a request that could not be read".to_owned(),
        None => format!("{method} {path} → no operation"),
    }
}

fn circumstances(told: &Told) -> String {
    let by = match &told.subject {
        Some(Asker { user, groups }) if groups.is_empty() => format!("by {user}"),
        Some(Asker { user, groups }) => format!("by {user} ({})", groups.join(", ")),
        None => "by nobody knows whom".to_owned(),
    };
    let build = told.build().map(|build| format!(", build {build}")).unwrap_or_default();
    format!("{by}, {}, record {}{build}", told.time, told.id)
}

fn reasons(question: &Question, places: &Places) -> Vec<String> {
    if let Some(rego) = &question.rego {
        return of_rego(rego);
    }
    if question.policies.is_empty() || question.action == "rego" {
        let nobody = if question.allowed { "by nothing" } else { "no policy grants it" };
        return vec![question.reason.clone().unwrap_or_else(|| nobody.to_owned())];
    }
    question.policies.iter().map(|id| by(id, places)).collect()
}

/// The whole way of a Rego policy to its decision: for those who learn to write one.
fn of_rego(rego: &Rego) -> Vec<String> {
    let input = format!("input: {:#}", rego.input);
    let listed = |what: &str, places: &[String]| (!places.is_empty()).then(|| format!("{what}: {}", places.join(", ")));
    let mut lines: Vec<String> = input.lines().map(str::to_owned).collect();
    lines.extend(rego.prints.iter().map(|print| format!("printed: {print}")));
    lines.push(format!("decision: {}", rego.decision));
    lines.extend(listed("held", &rego.held));
    lines.extend(listed("did not hold", &rego.failed));
    lines
}

/// The words of a policy that were kept from who was refused.
fn untold<'a>(question: &'a Question, told: &Told) -> Option<&'a str> {
    let reason = question.reason.as_deref().filter(|_| !question.allowed && !question.policies.is_empty())?;
    let message = told.message.as_deref().unwrap_or_default();
    (!message.contains(reason)).then_some(reason)
}

/// A record keeps the names of policies; where they stand is known of those that are loaded.
fn by(id: &str, places: &Places) -> String {
    // Of a temporary rule that is several policies, the later ones are counted.
    let whole = id.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
    match places.of.get(id).or_else(|| places.of.get(&whole).filter(|_| whole.starts_with("rules/"))) {
        Some(place) => format!("by policy {id} ({place})"),
        None => format!("by policy {id}"),
    }
}

fn outcome(told: &Told) -> String {
    let status = told.status.map(|status| format!(" ({status})")).unwrap_or_default();
    let message = told.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
    // In modes that only warn, what is carried out would have been refused.
    let but = match (told.outcome.as_str(), told.refused()) {
        ("refused" | "malformed", _) | (_, false) => String::new(),
        _ => format!(", as mode {} refuses nothing", told.mode),
    };
    format!("{}{status}{but}{message}", told.outcome)
}

/// All of them in one line.
pub fn verdict(told: &[Told]) -> String {
    let refused = told.iter().filter(|told| told.refused()).count();
    let not_judged = told.iter().filter(|told| told.unjudged()).count();
    let all = match told.len() {
        1 => "1 request".to_owned(),
        count => format!("{count} requests"),
    };
    let rest = if not_judged == 0 { String::new() } else { format!("; {not_judged} could not be judged") };
    match (refused, told.len().saturating_sub(not_judged)) {
        (0, 0) => format!("not judged: {all}"),
        (0, allowed) => format!("allowed: {allowed} of {all}{rest}"),
        (refused, _) => format!("refused: {refused} of {all}{rest}"),
    }
}

/// How the command ends: what was refused counts most; where nothing was judged, nothing was explained.
pub fn exit(told: &[Told]) -> Exit {
    if told.iter().any(Told::refused) {
        return Exit::Denied;
    }
    if told.iter().all(Told::unjudged) { Exit::Failed } else { Exit::Done }
}
