//! From texts to a judge that can be asked, or to all that is wrong with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use regorus::{Engine, Value};
use serde_saphyr::Spanned;

use super::bundle::Roots;
use super::check::{self, Found};
use super::graph::{Graph, path_of};
use super::input::Form;
use super::{ALLOW, BUILD, Entry, Notation, Rego, RegoData, RegoModule, RegoSources, Syntax};
use super::{builtins, conflict, evaluate, fault, nesting, told};
use crate::NamedText;
use crate::message::one_line;
use crate::source::diagnostics::{Place, Text};
use crate::source::{Diagnostic, Diagnostics, nearest};

/// Reads, checks and compiles. `config`: the file that the settings stand in.
pub(crate) fn load(sources: &RegoSources, config: &Text, faults: &mut Diagnostics) -> Option<Rego> {
    let before = faults.0.len();
    let whole = sources.place.map_or_else(|| Place::whole(config), |place| Place::of(config, place));
    if sources.modules.is_empty() {
        faults.push(whole.error("there is no Rego file").help_with("name files, a folder or a bundle".to_owned()));
        return None;
    }
    let form = form(sources.input.as_ref(), config, faults);
    let mut engine = Engine::new();
    engine.set_gather_prints(true);
    engine.set_execution_timer_config(evaluate::timer());
    let mut documents = Vec::new();
    for data in &sources.data {
        match add_data(&mut engine, data) {
            Ok(document) => documents.push((data, document)),
            Err(fault) => faults.push(fault),
        }
    }
    let mut again = 0;
    for module in &sources.modules {
        let added = nesting::check(&module.text, &mut again).and_then(|()| add(&mut engine, module));
        added.err().into_iter().for_each(|fault| faults.push(fault));
    }
    if faults.0.len() > before {
        return None;
    }
    let files: Vec<&NamedText> = sources.modules.iter().map(|module| &module.text).collect();
    let modules = engine.get_modules().clone();
    let graph = Graph::of(&modules);
    let Found { rules, called } = check::check(&graph, &files, faults);
    conflict::check(&graph, &engine.get_data(), &documents, faults);
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for module in &modules {
        for rule in &module.policy {
            places.entry(path_of(module, rule)).or_default().push(told::place(rule));
        }
    }
    let entry = |setting: Option<&Spanned<String>>, usual: &str| {
        let path = setting.map_or(usual, |setting| setting.value.as_str());
        places.get(path).map(|places| Entry { path: Arc::from(path), places: places.clone() })
    };
    let missing = |setting: Option<&Spanned<String>>, usual: &str| {
        let path = setting.map_or(usual, |setting| setting.value.as_str());
        let place = setting.map_or_else(|| whole.clone(), |setting| Place::of(config, setting.referenced));
        let help = match nearest(path, rules.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? Say which rule with `allow` or `build` of `rego`"),
            None => "say which rule with `allow` or `build` of `rego`".to_owned(),
        };
        place.error(format!("no Rego file has a rule `{path}`")).help_with(one_line(&help))
    };
    let (allow, build) = (entry(sources.allow.as_ref(), ALLOW), entry(sources.build.as_ref(), BUILD));
    if allow.is_none() {
        faults.push(missing(sources.allow.as_ref(), ALLOW));
    }
    if build.is_none() && sources.build.is_some() {
        faults.push(missing(sources.build.as_ref(), BUILD));
    }
    let allow = allow.filter(|_| faults.0.len() == before)?;
    let compiled = builtins::add(&mut engine, &called).and_then(|()| {
        let paths = [Some(&allow), build.as_ref()].into_iter().flatten().map(|entry| &entry.path);
        paths.into_iter().try_for_each(|path| engine.compile_with_entrypoint(path).map(drop))
    });
    if let Err(error) = compiled {
        faults.push(fault::diagnostic(&error.to_string(), &files));
        return None;
    }
    Some(Rego {
        engine,
        form,
        allow,
        build,
        looks_at_time: called.contains(builtins::CLOCK),
        traces: called.contains(builtins::NOTE),
        tell: sources.tell,
        count: sources.modules.len(),
        written: written(sources),
    })
}

/// The form of the input document.
fn form(setting: Option<&Spanned<String>>, config: &Text, faults: &mut Diagnostics) -> Form {
    let Some(setting) = setting else { return Form::All };
    let found = Form::ALL.into_iter().find(|form| form.name() == setting.value);
    found.unwrap_or_else(|| {
        let names = Form::ALL.map(Form::name);
        let help = match nearest(&setting.value, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", names.join(", ")),
        };
        let place = Place::of(config, setting.referenced);
        faults.push(place.error(format!("there is no input document `{}`", setting.value)).help_with(help));
        Form::All
    })
}

/// Adds a policy: in today's syntax, or else in that of before OPA 1.0. Where it is neither, what counts is the reader
/// that got further.
fn add(engine: &mut Engine, module: &RegoModule) -> Result<(), Diagnostic> {
    let NamedText { name, text } = &module.text;
    let mut read = |syntax: Syntax| {
        engine.set_rego_v0(syntax == Syntax::V0);
        engine.add_policy(name.clone(), text.clone()).map_err(|error| fault::read(&error.to_string()))
    };
    let added = match module.syntax {
        Some(syntax) => read(syntax),
        None => read(Syntax::V1).or_else(|today| {
            let got_to = (today.line, today.column);
            read(Syntax::V0).map_err(|old| if (old.line, old.column) > got_to { old } else { today })
        }),
    };
    let package = added.map_err(|said| Diagnostic::at(&module.text, said.line, said.column, said.sentence))?;
    let path: Vec<&str> = package.split('.').skip(1).collect();
    if module.roots.permit(&path) { Ok(()) } else { Err(outside(&module.text, &module.roots, &path.join("/"))) }
}

/// What a bundle defines beside its roots.
fn outside(text: &NamedText, roots: &Roots, path: &str) -> Diagnostic {
    let message = format!("it defines `{path}`, outside of the `roots` of its bundle's manifest");
    Diagnostic::at(text, 1, 1, one_line(&message)).help_with(one_line(&format!("these are {}", roots.told())))
}

/// Adds a document below the path at which it stands, and returns it so.
fn add_data(engine: &mut Engine, data: &RegoData) -> Result<Value, Diagnostic> {
    let value = match data.notation {
        Notation::Json => Value::from_json_str(&data.text.text),
        Notation::Yaml => Value::from_yaml_str(&data.text.text),
    };
    let value = value.map_err(|error| unread(&data.text, &error.to_string()))?;
    let nested = data
        .path
        .iter()
        .rev()
        .fold(value, |value, step| Value::from(BTreeMap::from([(Value::from(step.as_str()), value)])));
    if nested.as_object().is_err() {
        return Err(Diagnostic::at(&data.text, 1, 1, "data must be an object".to_owned()));
    }
    if let Some(path) = data.roots.stray(&nested) {
        return Err(outside(&data.text, &data.roots, &path));
    }
    let added = engine.add_data(nested.clone());
    added.map_err(|error| Diagnostic::at(&data.text, 1, 1, fault::sentence(&error.to_string())))?;
    Ok(nested)
}

/// What a reader of JSON or YAML says, `… at line 3 column 5`.
fn unread(text: &NamedText, error: &str) -> Diagnostic {
    let (sentence, place) = error.split_once(" at line ").unwrap_or((error, ""));
    let mut numbers = place.split(" column ").map(|number| number.parse().unwrap_or(1));
    let (line, column) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1));
    Diagnostic::at(text, line, column, format!("it cannot be read: {sentence}"))
}

fn written(sources: &RegoSources) -> Vec<String> {
    let word = |setting: &Option<Spanned<String>>| setting.as_ref().map(|setting| setting.value.clone());
    let settings = [&sources.input, &sources.allow, &sources.build].map(|setting| word(setting).unwrap_or_default());
    let modules = sources.modules.iter().flat_map(|module| [&module.text.name, &module.text.text]).cloned();
    let data = sources.data.iter().flat_map(|data| [data.path.join("/"), data.text.text.clone()]);
    settings.into_iter().chain(modules).chain(data).collect()
}
