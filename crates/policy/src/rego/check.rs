//! What cannot work, or could end badly, is a fault before anything is evaluated: functions that are not there, those that
//! would wait for somebody else, rules that are built on themselves, and rules that are built on one another so deeply
//! that the stack would not do.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::Span;

use super::builtins;
use super::graph::{Called, Graph};
use crate::NamedText;
use crate::message::one_line;
use crate::source::{Diagnostic, Diagnostics, nearest};

/// How deeply expressions and rules may be nested, counted over all rules on a way. A request is judged on a stack of
/// 2 MiB, and a level takes some kilobytes.
const DEEPEST: usize = 250;

/// What was found out about policies without a fault.
pub(super) struct Found {
    /// The rules, with the place where each is first defined.
    pub rules: BTreeMap<String, Span>,
    /// The functions that are called and no rules.
    pub called: BTreeSet<String>,
}

/// Checks. Every fault is told.
pub(super) fn check(graph: &Graph, files: &[&NamedText], faults: &mut Diagnostics) -> Found {
    let mut called = BTreeSet::new();
    for call in &graph.called {
        if let Some(fault) = of_call(call, graph, files) {
            faults.push(fault);
        }
        called.insert(call.name.clone());
    }
    depths(graph, files, faults);
    let rules = graph.rules.iter().filter_map(|(path, node)| Some((path.join("."), node.span.clone()?)));
    Found { rules: rules.collect(), called }
}

fn of_call(call: &Called, graph: &Graph, files: &[&NamedText]) -> Option<Diagnostic> {
    let name = call.name.as_str();
    let fault = |message: String, help: String| Some(at(&call.span, files, message).help_with(one_line(&help)));
    if let Some(reason) = builtins::refused(name) {
        return fault(
            format!("`{name}` cannot be used: {reason}"),
            "leave it out, or give what it needs as data".into(),
        );
    }
    match (builtins::arity(name), call.arguments) {
        (None, _) if name == "print" => None,
        (None, None) => None,
        (None, Some(_)) => {
            let rules = graph.rules.keys().filter_map(|path| path.last().map(String::as_str));
            let mut known: Vec<&str> = builtins::names().collect();
            known.extend(rules);
            let help = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "it is no rule of these files, and no builtin that is known here; see docs/rego.md".to_owned(),
            };
            fault(format!("there is no function `{name}`"), help)
        }
        (Some((wanted, more)), Some(given)) if given != wanted && !(more && given == wanted.saturating_add(1)) => {
            fault(format!("`{name}` takes {wanted} arguments, not {given}"), "see docs/rego.md".to_owned())
        }
        _ => None,
    }
}

/// Looks for rules that are built on themselves, and for ways that are too deep.
fn depths(graph: &Graph, files: &[&NamedText], faults: &mut Diagnostics) {
    let mut walk = Walk { graph, height: BTreeMap::new(), on_way: Vec::new(), circles: Vec::new() };
    for path in graph.rules.keys() {
        walk.height(path);
    }
    for circle in &walk.circles {
        let Some(span) = circle.first().and_then(|path| graph.rules.get(path)?.span.as_ref()) else { continue };
        let names: Vec<String> = circle.iter().chain(circle.first()).map(|path| path.join(".")).collect();
        let fault = at(span, files, format!("a rule is built on itself: {}", names.join(" → ")));
        faults.push(fault.help_with("Rego knows no recursion; `walk` goes through nested values".to_owned()));
    }
    let deepest = walk.height.iter().max_by_key(|(_, height)| **height);
    if let Some((path, height)) = deepest.filter(|(_, height)| **height > DEEPEST && walk.circles.is_empty())
        && let Some(span) = graph.rules.get(*path).and_then(|node| node.span.as_ref())
    {
        let message = format!("rules are built on one another {height} levels deep, more than {DEEPEST}");
        faults.push(at(span, files, message).help_with("take the rule apart into flatter ones".to_owned()));
    }
}

struct Walk<'g> {
    graph: &'g Graph,
    height: BTreeMap<&'g Vec<String>, usize>,
    on_way: Vec<&'g Vec<String>>,
    circles: Vec<Vec<Vec<String>>>,
}

impl<'g> Walk<'g> {
    /// How deep a rule is, with all that it is built on. Rules are few, and so the way is short: but a way longer than
    /// may be is not followed to its end.
    fn height(&mut self, path: &'g Vec<String>) -> usize {
        if let Some(start) = self.on_way.iter().position(|other| *other == path) {
            let circle = self.on_way.iter().skip(start).map(|path| (*path).clone()).collect();
            self.circles.push(circle);
            return 0;
        }
        if let Some(height) = self.height.get(path) {
            return *height;
        }
        let Some(node) = self.graph.rules.get(path) else { return 0 };
        if self.on_way.len() > DEEPEST {
            return DEEPEST.saturating_add(1);
        }
        self.on_way.push(path);
        let mut height = node.depth;
        for (used, depth) in &node.uses {
            height = height.max(self.height(used).saturating_add(*depth));
        }
        self.on_way.pop();
        self.height.insert(path, height);
        height
    }
}

/// A fault at a place of one of the files.
pub(super) fn at(span: &Span, files: &[&NamedText], message: String) -> Diagnostic {
    let nameless = NamedText::default();
    let text = files.iter().find(|text| text.name == *span.source.file()).copied().unwrap_or(&nameless);
    let number = |value: u32| usize::try_from(value).unwrap_or_default();
    Diagnostic::at(text, number(span.line), number(span.col), one_line(&message))
}
