//! CetusGuard's rules: `GET,HEAD %API_PREFIX_PING%`, one a line; `!` begins a comment.
//!
//! A thing that has names and ids can be asked for by either, so variables for one stand for the other too. A volume has names
//! alone.

use policy::{Diagnostics, NamedText};

use super::pattern;
use super::plan::Plan;
use super::{Faults, advice};

/// Reads a file of rules.
pub fn read(file: &NamedText) -> Result<Plan, Diagnostics> {
    let mut faults = Faults::new(file);
    let mut plan = Plan::of("cetusguard", file);
    plan.set(
        "Where it listened and where the daemon is were flags; without these lines it is the usual. Its TCP port had no TLS \
         unless it was given some.",
        "listen: [{ address: \"127.0.0.1:2375\" }]",
    );
    plan.leave("its flags: where it ran with -no-builtin-rules, take out the first three rules");
    for (methods, path) in BUILT_IN {
        let origin = format!("built in, unless it ran with -no-builtin-rules: {methods} {path}");
        rule(&mut plan, &origin, methods, path, (1, 1), &mut faults);
    }
    for (number, line) in (1..).zip(file.text.lines()) {
        let text = line.trim_matches([' ', '\t']);
        if text.is_empty() || text.starts_with('!') {
            continue;
        }
        let column = line.chars().take_while(|c| c.is_whitespace()).count().saturating_add(1);
        let Some((methods, path)) = text.split_once([' ', '\t']) else {
            faults.helped(number, column, "this is no rule", "write methods and a pattern: GET,HEAD /_ping");
            continue;
        };
        let origin = plan.origin(number, text);
        let at = column.saturating_add(methods.chars().count()).saturating_add(1);
        if !methods.split(',').all(|method| !method.is_empty() && method.chars().all(|c| c.is_ascii_uppercase())) {
            faults.helped(number, column, format!("`{methods}` are no methods"), "write them like GET,HEAD");
            continue;
        }
        rule(&mut plan, &origin, methods, path.trim_start(), (number, at), &mut faults);
    }
    faults.unless_any(plan)
}

fn rule(plan: &mut Plan, origin: &str, methods: &str, path: &str, at: (usize, usize), faults: &mut Faults<'_>) {
    let means = with_variables(path).and_then(|pattern| {
        pattern::read(&pattern, |method| methods.split(',').any(|of| of == method))
            .map_err(|problem| (problem, SAY.into()))
    });
    match means {
        Ok(means) => {
            let grants = means.grants(origin);
            if grants.is_empty() {
                plan.leave(format!("{origin}: it lets no operation of the Docker API pass"));
            }
            grants.into_iter().for_each(|grant| plan.add(grant));
        }
        Err((problem, help)) => faults.helped(at.0, at.1, problem, help),
    }
}

/// The pattern, with what its variables stand for.
fn with_variables(pattern: &str) -> Result<String, (String, String)> {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let Some((name, after)) = after.split_once('%') else {
            return Err(("a variable is not ended by `%`".to_owned(), SAY.to_owned()));
        };
        text.push_str(&variable(name).ok_or_else(|| unknown(name))?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn unknown(name: &str) -> (String, String) {
    let prefixes: Vec<String> = SECTIONS.iter().map(|section| format!("API_PREFIX_{section}")).collect();
    let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).chain(prefixes.iter().map(String::as_str)).collect();
    (format!("there is no variable `%{name}%`"), advice(name, &known))
}

fn variable(name: &str) -> Option<String> {
    if name == "API_PREFIX" {
        return Some(PREFIX.to_owned());
    }
    if let Some(section) = name.strip_prefix("API_PREFIX_") {
        let path = if section == "PING" { "_ping".to_owned() } else { section.to_lowercase() };
        return SECTIONS.contains(&section).then(|| format!("{PREFIX}/{path}"));
    }
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, stands_for)| (*stands_for).to_owned())
}

const PREFIX: &str = r"(?:/v[0-9]+(?:\.[0-9]+)*)?";

/// What it lets pass by itself.
const BUILT_IN: &[(&str, &str)] =
    &[("GET,HEAD", "%API_PREFIX_PING%"), ("GET", "%API_PREFIX_VERSION%"), ("GET", "%API_PREFIX_INFO%")];

/// Variables that stand for things. Names of images and plugins have slashes; what a volume's id is only some names are.
const NAMES: &[(&str, &str)] = &[
    ("IMAGE_ID", ONE_PART),
    ("IMAGE_NAME", PARTS),
    ("IMAGE_ID_OR_NAME", PARTS),
    ("CONTAINER_ID", ONE_PART),
    ("CONTAINER_NAME", ONE_PART),
    ("CONTAINER_ID_OR_NAME", ONE_PART),
    ("VOLUME_ID", "(?:[a-fA-F0-9]+)"),
    ("VOLUME_NAME", ONE_PART),
    ("VOLUME_ID_OR_NAME", ONE_PART),
    ("NETWORK_ID", ONE_PART),
    ("NETWORK_NAME", ONE_PART),
    ("NETWORK_ID_OR_NAME", ONE_PART),
    ("PLUGIN_ID", ONE_PART),
    ("PLUGIN_NAME", PARTS),
    ("PLUGIN_ID_OR_NAME", PARTS),
];
const ONE_PART: &str = "(?:[^/]+)";
const PARTS: &str = "(?:.+)";

/// The ends of variables that stand for the beginning of a path.
const SECTIONS: &[&str] = &[
    "AUTH",
    "BUILD",
    "COMMIT",
    "CONFIGS",
    "CONTAINERS",
    "DISTRIBUTION",
    "EVENTS",
    "EXEC",
    "GRPC",
    "IMAGES",
    "INFO",
    "NETWORKS",
    "NODES",
    "PING",
    "PLUGINS",
    "SECRETS",
    "SERVICES",
    "SESSION",
    "SWARM",
    "SYSTEM",
    "TASKS",
    "VERSION",
    "VOLUMES",
];

const SAY: &str = "write rules such as `GET %API_PREFIX_CONTAINERS%/%CONTAINER_ID_OR_NAME%/json`";
