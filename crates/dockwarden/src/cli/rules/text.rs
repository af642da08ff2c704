//! A rule as YAML, out of flags. What is wrong with it is found where rules are read.

/// The rule.
pub fn rule(effect: &str, what: &[String], to: &[String], except: &[String], on: &[String]) -> Result<String, String> {
    let what = what.iter().map(|what| thing(what)).collect::<Result<Vec<_>, _>>()?;
    let mut pairs = vec![format!("{effect}: {}", one_or_list(what))];
    for (key, names) in [("to", to), ("except", except)] {
        if !names.is_empty() {
            pairs.push(format!("{key}: {}", one_or_list(names.iter().map(|name| scalar(name)).collect())));
        }
    }
    if !on.is_empty() {
        pairs.push(format!("on: {}", mapping(on.iter().map(String::as_str))?));
    }
    Ok(format!("{{ {} }}", pairs.join(", ")))
}

/// A word, or a privilege with its value and what stands beside it.
fn thing(text: &str) -> Result<String, String> {
    if text.contains('=') { mapping(text.split(',')) } else { Ok(scalar(text)) }
}

fn mapping<'a>(pairs: impl Iterator<Item = &'a str>) -> Result<String, String> {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((key, value)) => Ok(format!("{}: {}", scalar(key.trim()), scalar(value))),
        None => Err(format!("`{pair}` is no KEY=VALUE; give a value with commas in it with --rule")),
    };
    Ok(format!("{{ {} }}", pairs.map(pair).collect::<Result<Vec<_>, _>>()?.join(", ")))
}

fn one_or_list(mut items: Vec<String>) -> String {
    match items.len() {
        1 => items.remove(0),
        _ => format!("[{}]", items.join(", ")),
    }
}

/// As it is, where YAML takes it for one value (a text, a number, true or false); else quoted.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '=' | ':' | ' ');
    let inside = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    if inside && !text.contains(": ") && text.chars().all(plain) {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}
