//! Section `limits:`: every bound that the server has, by the same name.

use std::time::Duration;

use server::limits::Limits;

use super::file::{ConfigFile, Field};
use super::units;

/// Reads the section; what is absent is as usual.
pub fn read(file: &mut ConfigFile, section: Option<Field<'_>>) -> Limits {
    let mut limits = Limits::default();
    let Some(section) = section else { return limits };
    let known: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
    let fields = file.fields(section.value, "`limits`", &known);
    for (name, bound) in KEYS {
        let Some(field) = fields.get(name) else { continue };
        let Some(text) = file.field_word(field) else { continue };
        if let Err(problem) = bound.set(&mut limits, &text) {
            file.fault_with(field.value.referenced, format!("`{name}` cannot be `{text}`"), problem);
        }
    }
    limits
}

/// A bound and how it is written.
enum Bound {
    Size(fn(&mut Limits) -> &mut usize),
    Count(fn(&mut Limits) -> &mut usize),
    Wait(fn(&mut Limits) -> &mut Duration),
    /// A wait that may be 0: not at all.
    Grace(fn(&mut Limits) -> &mut Duration),
    /// A wait that may be `none`: for ever.
    Open(fn(&mut Limits) -> &mut Option<Duration>),
}

impl Bound {
    fn set(&self, limits: &mut Limits, text: &str) -> Result<(), &'static str> {
        match self {
            Bound::Size(bound) => {
                *bound(limits) = units::size(text)?;
                at_least(*bound(limits) >= SMALLEST, "less than 1KiB would refuse everybody")
            }
            Bound::Count(bound) => {
                *bound(limits) = text.parse().map_err(|_| "a count is a whole number")?;
                at_least(*bound(limits) > 0, "0 would refuse everybody")
            }
            Bound::Wait(bound) => {
                *bound(limits) = units::duration(text)?;
                at_least(!bound(limits).is_zero(), "0 would refuse everybody")
            }
            Bound::Grace(bound) => {
                *bound(limits) = units::duration(text)?;
                Ok(())
            }
            Bound::Open(bound) => {
                *bound(limits) = if text == "none" { None } else { Some(units::duration(text)?) };
                at_least(*bound(limits) != Some(Duration::ZERO), "0 would refuse everybody; for no bound say `none`")
            }
        }
    }
}

fn at_least(enough: bool, otherwise: &'static str) -> Result<(), &'static str> {
    if enough { Ok(()) } else { Err(otherwise) }
}

const SMALLEST: usize = 1 << 10;

const KEYS: &[(&str, Bound)] = &[
    ("head_bytes", Bound::Size(|limits| &mut limits.head_bytes)),
    ("head_wait", Bound::Wait(|limits| &mut limits.head_wait)),
    ("body_silence", Bound::Wait(|limits| &mut limits.body_silence)),
    ("judged_body_wait", Bound::Wait(|limits| &mut limits.judged_body_wait)),
    ("judged_body_bytes", Bound::Size(|limits| &mut limits.judged_body_bytes)),
    ("judged_bodies_bytes", Bound::Size(|limits| &mut limits.judged_bodies_bytes)),
    ("judged_bodies_bytes_per_subject", Bound::Size(|limits| &mut limits.judged_bodies_bytes_per_subject)),
    ("archive_bytes", Bound::Size(|limits| &mut limits.archive_bytes)),
    ("archives_bytes", Bound::Size(|limits| &mut limits.archives_bytes)),
    ("archives_bytes_per_subject", Bound::Size(|limits| &mut limits.archives_bytes_per_subject)),
    ("archive_free_bytes", Bound::Size(|limits| &mut limits.archive_free_bytes)),
    ("archive_wait", Bound::Wait(|limits| &mut limits.archive_wait)),
    ("archive_rate", Bound::Size(|limits| &mut limits.archive_rate)),
    ("archive_unpacked_bytes", Bound::Size(|limits| &mut limits.archive_unpacked_bytes)),
    ("archive_ratio", Bound::Count(|limits| &mut limits.archive_ratio)),
    ("archive_look_wait", Bound::Wait(|limits| &mut limits.archive_look_wait)),
    ("archive_looks", Bound::Count(|limits| &mut limits.archive_looks)),
    ("archive_looks_per_subject", Bound::Count(|limits| &mut limits.archive_looks_per_subject)),
    ("fetch_wait", Bound::Wait(|limits| &mut limits.fetch_wait)),
    ("checks", Bound::Count(|limits| &mut limits.checks)),
    ("checks_per_subject", Bound::Count(|limits| &mut limits.checks_per_subject)),
    ("keep_alive", Bound::Wait(|limits| &mut limits.keep_alive)),
    ("handshake_wait", Bound::Wait(|limits| &mut limits.handshake_wait)),
    ("identify_wait", Bound::Wait(|limits| &mut limits.identify_wait)),
    ("connect_wait", Bound::Wait(|limits| &mut limits.connect_wait)),
    ("lookup_wait", Bound::Wait(|limits| &mut limits.lookup_wait)),
    ("lookup_bytes", Bound::Size(|limits| &mut limits.lookup_bytes)),
    ("answer_wait", Bound::Open(|limits| &mut limits.answer_wait)),
    ("stream_silence", Bound::Open(|limits| &mut limits.stream_silence)),
    ("connections", Bound::Count(|limits| &mut limits.connections)),
    ("connections_per_subject", Bound::Count(|limits| &mut limits.connections_per_subject)),
    ("tunnels", Bound::Count(|limits| &mut limits.tunnels)),
    ("tunnels_per_subject", Bound::Count(|limits| &mut limits.tunnels_per_subject)),
    ("admin_connections", Bound::Count(|limits| &mut limits.admin_connections)),
    ("temporary_rules", Bound::Count(|limits| &mut limits.temporary_rules)),
    ("temporary_time", Bound::Wait(|limits| &mut limits.temporary_time)),
    ("drain", Bound::Grace(|limits| &mut limits.drain)),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A new bound does not compile here until it has a key.
    #[test]
    fn every_bound_has_a_key() {
        let Limits {
            head_bytes: _,
            head_wait: _,
            body_silence: _,
            judged_body_wait: _,
            judged_body_bytes: _,
            judged_bodies_bytes: _,
            judged_bodies_bytes_per_subject: _,
            archive_bytes: _,
            archives_bytes: _,
            archives_bytes_per_subject: _,
            archive_free_bytes: _,
            archive_wait: _,
            archive_rate: _,
            archive_unpacked_bytes: _,
            archive_ratio: _,
            archive_look_wait: _,
            archive_looks: _,
            checks: _,
            checks_per_subject: _,
            archive_looks_per_subject: _,
            fetch_wait: _,
            keep_alive: _,
            handshake_wait: _,
            identify_wait: _,
            connect_wait: _,
            lookup_wait: _,
            lookup_bytes: _,
            answer_wait: _,
            stream_silence: _,
            connections: _,
            connections_per_subject: _,
            tunnels: _,
            tunnels_per_subject: _,
            admin_connections: _,
            temporary_rules: _,
            temporary_time: _,
            drain: _,
        } = Limits::default();
        assert_eq!(KEYS.len(), 37);
    }

    #[test]
    fn a_key_sets_its_own_bound() {
        let usual = format!("{:?}", Limits::default());
        for (name, bound) in KEYS {
            let mut limits = Limits::default();
            let text = match bound {
                Bound::Count(_) => "7",
                Bound::Size(_) => "7777",
                _ => "7777s",
            };
            bound.set(&mut limits, text).unwrap();
            let now = format!("{limits:?}");
            assert!(now.contains(&format!("{name}: 7")) || now.contains(&format!("{name}: Some(7")), "{name}: {now}");
            assert_ne!(now, usual);
        }
    }
}
