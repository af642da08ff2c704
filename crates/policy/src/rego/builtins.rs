//! Functions that policies may call beside those of the engine, and bounds for those of the engine that could take a
//! client's word for how much they are to do.

use std::collections::BTreeSet;

use anyhow::anyhow;
use ipnet::IpNet;
use regorus::unstable::{BUILTINS, Expr, Ref, Source, Span};
use regorus::{Engine, Value};

use super::fault;

type Function = fn(&[Value]) -> Result<Value, String>;
type Guard = fn(&[Value]) -> Result<(), String>;

/// What OPA knows and the engine does not.
const ADDED: &[(&str, u8, Function)] = &[
    ("re_match", 2, |arguments| engine("regex.match", arguments)),
    ("any", 1, |arguments| Ok(members(arguments)?.contains(&Value::from(true)).into())),
    ("all", 1, |arguments| Ok(members(arguments)?.iter().all(|value| *value == Value::from(true)).into())),
    ("net.cidr_overlap", 2, |arguments| engine("net.cidr_contains", arguments)),
    ("net.cidr_intersects", 2, intersects),
    ("net.cidr_contains_matches", 2, matches),
    ("net.cidr_merge", 1, merge),
];

/// What the engine would do without looking at how much it is.
const BOUNDED: &[(&str, u8, Guard)] = &[
    ("numbers.range", 2, |arguments| short(arguments, 1)),
    ("numbers.range_step", 3, |arguments| short(arguments, 1)),
    ("bits.lsh", 2, |arguments| match arguments.get(1).and_then(|shift| shift.as_u64().ok()) {
        Some(0..=MOST_BITS) => Ok(()),
        _ => Err(format!("shifts by more than {MOST_BITS} bits")),
    }),
    ("net.cidr_expand", 1, few_addresses),
    ("sprintf", 2, narrow),
    ("replace", 3, |arguments| product(&[length(arguments.first()), length(arguments.get(2))])),
    ("regex.replace", 3, |arguments| product(&[length(arguments.first()), length(arguments.get(2))])),
    ("strings.replace_n", 2, |arguments| product(&[length(arguments.get(1)), length(arguments.first())])),
    ("strings.any_prefix_match", 2, |arguments| product(&[length(arguments.first()), length(arguments.get(1))])),
    ("strings.any_suffix_match", 2, |arguments| product(&[length(arguments.first()), length(arguments.get(1))])),
    ("strings.count", 2, |arguments| product(&[length(arguments.first()), length(arguments.get(1))])),
    ("indexof", 2, |arguments| product(&[length(arguments.first()), length(arguments.get(1))])),
    ("indexof_n", 2, |arguments| product(&[length(arguments.first()), length(arguments.get(1))])),
    ("trim", 2, |arguments| product(&[length(arguments.first()), length(arguments.get(1))])),
    ("trim_left", 2, |arguments| product(&[length(arguments.first()), length(arguments.get(1))])),
    ("trim_right", 2, |arguments| product(&[length(arguments.first()), length(arguments.get(1))])),
];

/// What is made anew for each decision: see [`super::evaluate`].
pub(super) const CLOCK: &str = "time.now_ns";
pub(super) const NOTE: &str = "trace";

/// Numbers that a range may have.
const MOST_NUMBERS: u64 = 100_000;
const MOST_BITS: u64 = 1024;
/// Addresses that a network may be expanded to: 2 to this.
const MOST_ADDRESS_BITS: u8 = 16;
/// The widest that a number may be printed.
const WIDEST: usize = 1000;
/// The most that two lengths may make together.
const MOST_WORK: usize = 64 << 20;

/// Why a function must not be called at all.
pub(super) fn refused(name: &str) -> Option<&'static str> {
    match name {
        "http.send" | "net.lookup_ip_addr" => Some("a decision does not wait for the network"),
        "graph.reachable_paths" => Some("the time that it takes has no bound"),
        "rand.intn" => Some("a decision does not rest on chance"),
        _ => None,
    }
}

/// How many arguments a function takes, and whether it may be given one more to compare its value with.
pub(super) fn arity(name: &str) -> Option<(usize, bool)> {
    let added = ADDED.iter().find(|(added, ..)| *added == name).map(|(_, arity, _)| (usize::from(*arity), false));
    added.or_else(|| BUILTINS.get(name).map(|(_, arity)| (usize::from(*arity), true)))
}

/// All that can be called.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.keys().copied().chain(ADDED.iter().map(|(name, ..)| *name)).filter(|name| refused(name).is_none())
}

/// Adds those that are called.
pub(super) fn add(engine: &mut Engine, called: &BTreeSet<String>) -> anyhow::Result<()> {
    for (name, arity, function) in ADDED.iter().filter(|(name, ..)| called.contains(*name)) {
        let call = move |arguments: Vec<Value>| function(&arguments).map_err(|error| anyhow!(error));
        engine.add_extension((*name).to_owned(), *arity, Box::new(call))?;
    }
    for (name, arity, guard) in BOUNDED.iter().filter(|(name, ..)| called.contains(*name)) {
        let call = move |arguments: Vec<Value>| {
            guard(&arguments)
                .and_then(|()| self::engine(name, &arguments))
                .map_err(|error| anyhow!("`{name}`: {error}"))
        };
        engine.add_extension((*name).to_owned(), *arity, Box::new(call))?;
    }
    Ok(())
}

/// Calls a function of the engine's own.
fn engine(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let (function, _) = BUILTINS.get(name).ok_or("it is not there")?;
    let source = Source::from_contents(String::new(), String::new()).map_err(|error| error.to_string())?;
    let span = Span { source, line: 1, col: 1, start: 0, end: 0 };
    let nothing = || Ref::new(Expr::Null { span: span.clone(), value: Value::Null, eidx: 0 });
    let parameters: Vec<Ref<Expr>> = arguments.iter().map(|_| nothing()).collect();
    function(&span, &parameters, arguments, true).map_err(|error| fault::read(&error.to_string()).sentence)
}

fn members(arguments: &[Value]) -> Result<Vec<Value>, String> {
    match arguments.first() {
        Some(Value::Array(array)) => Ok(array.iter().cloned().collect()),
        Some(Value::Set(set)) => Ok(set.iter().cloned().collect()),
        _ => Err("an array or a set is expected".to_owned()),
    }
}

fn network(value: Option<&Value>) -> Result<IpNet, String> {
    let text = value.and_then(|value| value.as_string().ok()).ok_or("a network is expected")?;
    let parsed = text.parse().or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)));
    parsed.map_err(|_| format!("`{text}` is no network"))
}

fn intersects(arguments: &[Value]) -> Result<Value, String> {
    let (one, other) = (network(arguments.first())?, network(arguments.get(1))?);
    Ok((one.contains(&other) || other.contains(&one)).into())
}

/// A network or a collection of them, each with the key by which OPA tells of it.
fn networks(value: Option<&Value>) -> Result<Vec<(Value, IpNet)>, String> {
    // A network may come with a name behind it.
    let of = |value: &Value| match value {
        Value::Array(tuple) => network(tuple.first()),
        value => network(Some(value)),
    };
    match value {
        Some(Value::Array(array)) => {
            array.iter().enumerate().map(|(at, value)| Ok((Value::from(at), of(value)?))).collect()
        }
        Some(Value::Set(set)) => set.iter().map(|value| Ok((value.clone(), of(value)?))).collect(),
        Some(Value::Object(object)) => object.iter().map(|(key, value)| Ok((key.clone(), of(value)?))).collect(),
        Some(value) => Ok(vec![(value.clone(), network(Some(value))?)]),
        None => Err("a network is expected".to_owned()),
    }
}

fn matches(arguments: &[Value]) -> Result<Value, String> {
    let (around, within) = (networks(arguments.first())?, networks(arguments.get(1))?);
    product(&[around.len(), within.len()])?;
    let pairs = around.iter().flat_map(|(key, network)| {
        let inner = within.iter().filter(|(_, other)| network.contains(other));
        inner.map(|(other, _)| Value::from(vec![key.clone(), other.clone()]))
    });
    Ok(Value::from(pairs.collect::<BTreeSet<_>>()))
}

fn merge(arguments: &[Value]) -> Result<Value, String> {
    let networks: Vec<IpNet> = networks(arguments.first())?.into_iter().map(|(_, network)| network).collect();
    let merged = IpNet::aggregate(&networks).into_iter().map(|network| Value::from(network.to_string()));
    Ok(Value::from(merged.collect::<BTreeSet<_>>()))
}

fn few_addresses(arguments: &[Value]) -> Result<(), String> {
    let network = network(arguments.first())?;
    let bits = network.max_prefix_len().saturating_sub(network.prefix_len());
    if bits > MOST_ADDRESS_BITS { Err(format!("{network} has too many addresses")) } else { Ok(()) }
}

fn short(arguments: &[Value], last: usize) -> Result<(), String> {
    let number = |at: usize| arguments.get(at).and_then(|number| number.as_i64().ok());
    let (Some(first), Some(last)) = (number(0), number(last)) else {
        return Err("two whole numbers are expected".to_owned());
    };
    if first.abs_diff(last) < MOST_NUMBERS { Ok(()) } else { Err(format!("more than {MOST_NUMBERS} numbers")) }
}

/// No number in a format may be wide.
fn narrow(arguments: &[Value]) -> Result<(), String> {
    let Some(format) = arguments.first().and_then(|format| format.as_string().ok()) else { return Ok(()) };
    let widths = format.split('%').skip(1).map(|rest| {
        let digits: String = rest.trim_start_matches('.').chars().take_while(char::is_ascii_digit).collect();
        if digits.is_empty() { 0 } else { digits.parse().unwrap_or(usize::MAX) }
    });
    if widths.max().unwrap_or_default() > WIDEST { Err(format!("wider than {WIDEST}")) } else { Ok(()) }
}

/// How long a text is, or all texts in a collection.
fn length(value: Option<&Value>) -> usize {
    match value {
        Some(Value::String(text)) => text.len(),
        Some(Value::Array(array)) => array.iter().map(|value| length(Some(value)).saturating_add(1)).sum(),
        Some(Value::Set(set)) => set.iter().map(|value| length(Some(value)).saturating_add(1)).sum(),
        Some(Value::Object(object)) => object.iter().map(|(_, value)| length(Some(value)).saturating_add(1)).sum(),
        _ => 1,
    }
}

fn product(lengths: &[usize]) -> Result<(), String> {
    let work = lengths.iter().fold(1_usize, |work, length| work.saturating_mul(length.saturating_add(1)));
    if work > MOST_WORK { Err("that is too much to do at once".to_owned()) } else { Ok(()) }
}
