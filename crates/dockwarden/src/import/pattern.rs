//! Patterns over methods and paths: the operations that they mean, and the names of things within them.
//!
//! A pattern that lets an operation pass whatever its name grants it. One that is about some names grants it on things of
//! these names, where it can be written as names with `*`; else nobody can say in our words what it means, and it is a fault.

use docker::endpoint::{ENDPOINTS, Kind, Operation};
use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::operations::{around_name, passing};
use super::plan::Grant;

/// What a pattern lets pass.
#[derive(Debug, Default)]
pub struct Means {
    /// Whatever their names.
    pub whole: Vec<Operation>,
    /// On things of some names.
    pub named: Vec<(String, Vec<Operation>)>,
}

impl Means {
    /// As grants from one place.
    pub fn grants(self, origin: &str) -> Vec<Grant> {
        let grant = |on, operations| Grant { origin: origin.to_owned(), operations, on, ..Grant::default() };
        let whole = (!self.whole.is_empty()).then(|| grant(None, self.whole));
        let named = self.named.into_iter().map(|(name, operations)| grant(Some(name), operations));
        whole.into_iter().chain(named).collect()
    }
}

/// What a pattern over whole paths means for the methods. An error is a sentence about it.
pub fn read(pattern: &str, method: impl Fn(&str) -> bool) -> Result<Means, String> {
    let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|error| last_line(&error.to_string()))?;
    let found = passing(|of, path| method(of) && whole.is_match(path));
    let mut means = Means { whole: found.whole, named: Vec::new() };
    let tree = regex_syntax::parse(pattern).map_err(|error| last_line(&error.to_string()))?;
    let globs = globs(&tree);
    // Names of the pattern's own are none of those that every operation is asked about.
    let others = ENDPOINTS.iter().filter(|endpoint| method(endpoint.method.as_str()) && one_name(endpoint.path));
    let others: Vec<Operation> =
        others.map(|endpoint| endpoint.operation).filter(|operation| !means.whole.contains(operation)).collect();
    for operation in found.partly.iter().chain(others.iter().filter(|operation| !found.partly.contains(operation))) {
        let partly = found.partly.contains(operation);
        let names = match globs.as_ref().and_then(|globs| names(globs, *operation, partly)) {
            Some(names) if names.is_empty() && !partly => continue,
            // Too many to be written down, and none of them is known.
            None if globs.is_none() && !partly => continue,
            names => names.filter(|names| !names.is_empty() && has_names(*operation)),
        };
        let Some(names) = names else {
            return Err(format!("this lets {operation} pass for some names only, which no rule can say"));
        };
        for name in names {
            match means.named.iter_mut().find(|(known, _)| *known == name) {
                Some((_, operations)) => operations.push(*operation),
                None => means.named.push((name, vec![*operation])),
            }
        }
    }
    Ok(means)
}

fn one_name(path: &str) -> bool {
    around_name(path).is_some_and(|(_, _, after)| !after.contains('{'))
}

/// Things that have one name, by which a rule knows them.
pub fn has_names(operation: Operation) -> bool {
    let endpoint = operation.endpoint();
    one_name(endpoint.path) && matches!(endpoint.kind, Kind::Container | Kind::Volume | Kind::Network | Kind::Service)
        || operation == Operation::ContainerExec
}

/// The names of an operation's things within the paths, of those paths that are its own.
fn names(globs: &[String], operation: Operation, partly: bool) -> Option<Vec<String>> {
    let (before, _, after) = around_name(operation.endpoint().path)?;
    let mut names = Vec::new();
    for glob in globs {
        let Some(at) = glob.find(before) else {
            // One that could be this path all the same says nothing about a name that could be written down.
            let could = partly && glob.contains([ANYTHING, SOMETHING]) && !glob.starts_with("/v");
            if could {
                return None;
            }
            continue;
        };
        let (version, rest) = glob.split_at_checked(at)?;
        let name = rest.strip_prefix(before)?.strip_suffix(after);
        let Some(name) = name.filter(|name| !name.is_empty() && is_version(version)) else { continue };
        if name.contains('/') {
            continue;
        }
        if name.contains(SOMETHING) {
            return None;
        }
        names.push(name.replace(ANYTHING, "*"));
    }
    names.sort();
    names.dedup();
    Some(names)
}

/// What may stand before a path.
fn is_version(text: &str) -> bool {
    text.is_empty() || text.strip_prefix("/v").is_some_and(|rest| !rest.contains('/'))
}

/// The pattern as texts, where [`ANYTHING`] and [`SOMETHING`] stand for what is no text. None where there are too many.
fn globs(tree: &Hir) -> Option<Vec<String>> {
    let some = |text: &str| Some(vec![text.to_owned()]);
    match tree.kind() {
        HirKind::Empty | HirKind::Look(Look::Start | Look::End) => some(""),
        HirKind::Look(_) => None,
        HirKind::Literal(literal) => some(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => Some(letters(class).unwrap_or_else(|| vec![SOMETHING.to_string()])),
        HirKind::Capture(capture) => globs(&capture.sub),
        HirKind::Repetition(repetition) => match (repetition.min, repetition.max, repetition.sub.kind()) {
            (0, Some(1), _) => globs(&repetition.sub).map(|globs| [vec![String::new()], globs].concat()),
            (0, None, HirKind::Class(class)) if is_any(class) => some(&ANYTHING.to_string()),
            _ => some(&SOMETHING.to_string()),
        },
        HirKind::Concat(parts) => parts.iter().try_fold(vec![String::new()], |before, part| {
            let after = globs(part)?;
            let joined = before.iter().flat_map(|before| after.iter().map(move |after| format!("{before}{after}")));
            let joined: Vec<String> = joined.take(MOST.saturating_add(1)).collect();
            (joined.len() <= MOST).then_some(joined)
        }),
        HirKind::Alternation(parts) => {
            let all: Vec<String> = parts.iter().map(globs).collect::<Option<Vec<_>>>()?.concat();
            (all.len() <= MOST).then_some(all)
        }
    }
}

/// The letters of a small class.
fn letters(class: &Class) -> Option<Vec<String>> {
    let Class::Unicode(class) = class else { return None };
    let letters: Vec<String> =
        class.iter().flat_map(|range| range.start()..=range.end()).take(5).map(String::from).collect();
    (letters.len() < 5).then_some(letters)
}

/// Whether all that names are made of is in it.
fn is_any(class: &Class) -> bool {
    let Class::Unicode(class) = class else { return false };
    let has = |c: char| class.iter().any(|range| range.start() <= c && c <= range.end());
    ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(['_', '.', '-']).all(has)
}

/// The sentence of an error that draws what it means.
fn last_line(error: &str) -> String {
    let line = error.lines().last().unwrap_or_default();
    format!("this is no regular expression: {}", line.trim_start_matches("error: "))
}

const ANYTHING: char = '\u{1}';
const SOMETHING: char = '\u{2}';
const MOST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn means(pattern: &str) -> Result<String, String> {
        let means = read(pattern, |method| method == "POST")?;
        let whole: Vec<&str> = means.whole.iter().map(|operation| operation.name()).collect();
        let named = means.named.iter().map(|(name, operations)| format!("{name}:{}", operations.len()));
        Ok(whole.into_iter().map(str::to_owned).chain(named).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn patterns_are_operations_and_names() {
        for (pattern, expected) in [
            (r"/v1\..{1,2}/containers/create", Ok("ContainerCreate")),
            (r"(/v1\.\d+)?/containers/.*/(start|stop)", Ok("ContainerStart ContainerStop")),
            (r"/v[0-9.]+/containers/[a-zA-Z0-9][a-zA-Z0-9_.-]+/kill", Ok("ContainerKill")),
            (r"/v1\.\d+/containers/traefik/restart", Ok("traefik:1")),
            (r"(/v1\.\d+)?/containers/(web|ci-.*)/(start|stop)", Ok("ci-*:2 web:2")),
            ("/nothing/of/ours", Ok("")),
            (r"/containers/web[0-9]+/start", Err("lets ContainerStart pass for some names only")),
            (r".*/[a-z-]+/restart", Err("lets ContainerRestart pass for some names only")),
            ("/containers/(.*", Err("unclosed group")),
            ("(?=x)", Err("look-around")),
        ] {
            match (means(pattern), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{pattern}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{pattern}: {found}"),
                (found, _) => panic!("{pattern}: {found:?}"),
            }
        }
    }
}
