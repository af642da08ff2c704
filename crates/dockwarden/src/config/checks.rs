//! `policy: { checks: [...] }`: who is asked about images beside the policy. Certificates, logins and programs are looked at
//! here, so that a check that could never say yes is a fault of the configuration and not of the first client.

use std::path::Path;
use std::time::Duration;

use docker::image::Pattern;
use policy::nearest;
use policy::source::Node;
use serde_saphyr::{Location, Spanned};
use server::checks::anchore::{Anchore, Severity, Threshold};
use server::checks::command::Command;
use server::checks::http::{Form, Hook};
use server::checks::registry::Registry;
use server::checks::{Kind, Settings, Use, credentials};

use super::container_defaults::{flag, value};
use super::file::{ConfigFile, Field, Fields};
use super::units;
use super::web::{address, client, header, insecure, private, secret, url, words};

/// Reads the list.
pub fn read(file: &mut ConfigFile, section: Field<'_>) -> Vec<Settings> {
    let mut checks: Vec<Settings> = Vec::new();
    for item in file.items(section) {
        let fields = file.fields(item, "a check", KEYS);
        let Some(check) = check(file, item, &fields, &checks) else { continue };
        checks.push(check);
    }
    checks
}

fn check(file: &mut ConfigFile, item: &Spanned<Node>, fields: &Fields<'_>, before: &[Settings]) -> Option<Settings> {
    let name = fields.get("name").and_then(|field| Some((file.field_word(field)?, field.value.referenced)));
    let images = words(file, fields, "images").into_iter().filter_map(|word| pattern(file, word)).collect();
    let uses: Vec<Use> = words(file, fields, "on").into_iter().filter_map(|word| wanted(file, word)).collect();
    let timeout = value(file, fields, "timeout", timeout);
    let ttl = value(file, fields, "ttl", units::duration).unwrap_or(TTL);
    let error_allows = fields.get("on_error").is_some_and(|field| on_error(file, field));
    let (word, kind) = kind(file, item)?;
    let usual = if word == "anchore" { ANALYSIS } else { TIMEOUT };
    let taken = |name: &str| before.iter().any(|other| other.name == name);
    if let Some((name, place)) = name.as_ref().filter(|(name, _)| taken(name)) {
        file.fault(*place, format!("two checks are called `{name}`"));
    }
    let numbered = |word: &str| (2_usize..).map(|number| format!("{word}-{number}")).find(|name| !taken(name));
    let name = name
        .map(|(name, _)| name)
        .or_else(|| Some(word.to_owned()).filter(|word| !taken(word)).or_else(|| numbered(word)));
    Some(Settings {
        name: name.unwrap_or_default(),
        kind,
        images,
        uses: if uses.is_empty() { Use::ALL.to_vec() } else { uses },
        timeout: timeout.unwrap_or(usual),
        ttl,
        error_allows,
    })
}

/// Which kind it is, by the key that it stands under; that key may have nothing below it.
fn kind(file: &mut ConfigFile, item: &Spanned<Node>) -> Option<(&'static str, Kind)> {
    let Node::Map(entries) = &item.value else { return None };
    let mut kinds = entries.iter().filter_map(|(key, value)| {
        let word = KINDS.iter().find(|word| **word == key.value)?;
        Some((*word, Field { name: word, place: key.referenced, value }))
    });
    let Some((word, field)) = kinds.next() else {
        // One that is misspelt has been told.
        if entries.iter().any(|(key, _)| !KEYS.contains(&key.value.as_str())) {
            return None;
        }
        file.fault_with(item.referenced, "this check asks nobody", format!("say `{}`", KINDS.join("`, `")));
        return None;
    };
    if let Some((other, field)) = kinds.next() {
        file.fault(field.place, format!("a check is either `{word}` or `{other}`; write two of them"));
        return None;
    }
    let kind = match word {
        "registry" => Kind::Registry(registry(file, field)?),
        "anchore" => Kind::Anchore(anchore(file, field)?),
        "command" => Kind::Command(command(file, field)?),
        _ => Kind::Http(hook(file, field)?),
    };
    Some((word, kind))
}

fn registry(file: &mut ConfigFile, section: Field<'_>) -> Option<Registry> {
    let fields = match section.value.value {
        Node::Null => Fields::default(),
        _ => file.fields(section.value, "`registry`", &["credentials", "insecure", "ca", "certificate", "key"]),
    };
    let logins = fields.get("credentials").and_then(|field| Some((file.field_path(field)?, field.value.referenced)));
    if let Some((path, place)) = &logins {
        if let Err(problem) = credentials::check(path) {
            file.fault(*place, problem);
        }
        private(file, path, *place);
    }
    let web = client(file, section, &fields)?;
    Some(Registry {
        web,
        credentials: logins.map(|(path, _)| path),
        insecure: insecure(file, &fields),
        has_ca: fields.get("ca").is_some(),
    })
}

fn anchore(file: &mut ConfigFile, section: Field<'_>) -> Option<Anchore> {
    let fields = file.fields(section.value, "`anchore`", ANCHORE);
    let url = url(file, section, &fields, "`anchore` needs `url`, such as `https://anchore.example.org:8228/v1`");
    let web = client(file, section, &fields);
    let user = fields.get("user").and_then(|field| file.field_word(field));
    let password = fields.get("password_file").and_then(|field| secret(file, field));
    if user.is_some() != password.is_some() {
        file.fault(section.place, "`anchore` needs `user` and `password_file` together, or neither");
    }
    let policy = fields.get("policy").is_some_and(|field| flag(file, field));
    let severity = value(file, &fields, "severity", severity);
    let most = value(file, &fields, "most", number);
    let within = value(file, &fields, "within", within);
    if severity.is_none() && !policy {
        let help = "say from which `severity` on vulnerabilities count, or `policy: true`";
        file.fault_with(section.place, "this check would let everything pass", help);
    }
    if let (Some(field), None) = (fields.get("most").or(fields.get("within")), severity) {
        file.fault(field.place, format!("`{}` needs `severity`: from which on vulnerabilities count", field.name));
    }
    let threshold = severity.map(|severity| Threshold {
        severity,
        most: most.unwrap_or_default(),
        within: within.unwrap_or_else(|| "all".to_owned()),
    });
    let (url, web) = (url?, web?);
    Some(Anchore { url, web, login: user.zip(password), threshold, policy })
}

fn command(file: &mut ConfigFile, section: Field<'_>) -> Option<Command> {
    let words: Vec<String> = match &section.value.value {
        Node::List(items) => items.iter().filter_map(|item| file.word(item, "an argument")).collect(),
        _ => vec![file.field_word(section)?],
    };
    let place = section.value.referenced;
    let (program, arguments) = words.split_first()?;
    if !Path::new(program).is_absolute() {
        let help = "there is no shell and no search: `[/usr/local/bin/check, argument]`";
        file.fault_with(place, format!("`{program}` is no full path of a program"), help);
        return None;
    }
    Command::new(Path::new(program), arguments.to_vec()).map_err(|problem| file.fault(place, problem)).ok()
}

fn hook(file: &mut ConfigFile, section: Field<'_>) -> Option<Hook> {
    if !matches!(section.value.value, Node::Map(_)) {
        let url = address(file, section, false)?;
        let web = client(file, section, &Fields::default())?;
        return Some(Hook { url, form: Form::Plain, web, header: None });
    }
    let fields =
        file.fields(section.value, "`http`", &["url", "form", "header", "insecure", "ca", "certificate", "key"]);
    let url = url(file, section, &fields, "`http` needs `url`, such as `https://checks.example.org/image`");
    let form = value(file, &fields, "form", form).unwrap_or(Form::Plain);
    let header = fields.get("header").and_then(|field| header(file, field));
    let web = client(file, section, &fields);
    Some(Hook { url: url?, form, web: web?, header })
}

fn pattern(file: &mut ConfigFile, (word, place): (String, Location)) -> Option<Pattern> {
    Pattern::parse(&word)
        .map_err(|problem| file.fault(place, format!("`{word}` is no pattern of images: {problem}")))
        .ok()
}

fn wanted(file: &mut ConfigFile, (word, place): (String, Location)) -> Option<Use> {
    let found = Use::ALL.into_iter().find(|wanted| wanted.name() == word);
    if found.is_none() {
        let names = Use::ALL.map(Use::name);
        let help = match nearest(&word, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of `{}`", names.join("`, `")),
        };
        file.fault_with(place, format!("images are not checked on `{word}`"), help);
    }
    found
}

/// Whether an image passes that a check could not be asked about.
fn on_error(file: &mut ConfigFile, field: Field<'_>) -> bool {
    match file.field_word(field).as_deref() {
        Some("allow") => true,
        Some("deny") | None => false,
        Some(other) => {
            let message = format!("`on_error` cannot be `{other}`");
            file.fault_with(field.value.referenced, message, "it is `deny` or `allow`");
            false
        }
    }
}

fn timeout(text: &str) -> Result<Duration, &'static str> {
    let time = units::duration(text)?;
    if time.is_zero() { Err("0 would refuse everybody") } else { Ok(time) }
}

fn severity(text: &str) -> Result<Severity, &'static str> {
    let known = Severity::ALL.into_iter().find(|severity| severity.name() == text);
    known.ok_or("it is `unknown`, `negligible`, `low`, `medium`, `high` or `critical`")
}

fn number(text: &str) -> Result<usize, &'static str> {
    text.parse().map_err(|_| "that is a whole number, 0 for none at all")
}

fn within(text: &str) -> Result<String, &'static str> {
    if ["os", "non-os", "all"].contains(&text) { Ok(text.to_owned()) } else { Err("it is `os`, `non-os` or `all`") }
}

fn form(text: &str) -> Result<Form, &'static str> {
    match text {
        "plain" => Ok(Form::Plain),
        "opa" => Ok(Form::Opa),
        _ => Err("it is `plain` or `opa`"),
    }
}

const KINDS: &[&str] = &["registry", "anchore", "command", "http"];
const KEYS: &[&str] = &["registry", "anchore", "command", "http", "name", "images", "on", "timeout", "ttl", "on_error"];
const ANCHORE: &[&str] =
    &["url", "user", "password_file", "severity", "most", "within", "policy", "insecure", "ca", "certificate", "key"];
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The same where an image may have to be analysed first.
const ANALYSIS: Duration = Duration::from_secs(600);
/// How long an answer is kept.
const TTL: Duration = Duration::from_secs(3600);
