//! Section `understand:`: what is let through although we do not know it, and which versions are taken.

use docker::request::Reading;
use docker::target::ApiVersion;

use super::file::{ConfigFile, Field, Fields};

/// How requests are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understand {
    /// Fields of bodies that are let through unknown.
    pub allow_fields: Vec<String>,
    /// The oldest API version that is taken.
    pub oldest: ApiVersion,
    /// The newest API version that is taken.
    pub newest: ApiVersion,
}

/// Reads the section; what is absent is as usual.
pub fn read(file: &mut ConfigFile, section: Option<Field<'_>>) -> Understand {
    let Reading { oldest, newest, .. } = Reading::default();
    let mut understand = Understand { allow_fields: Vec::new(), oldest, newest };
    let Some(section) = section else { return understand };
    let fields = file.fields(section.value, "`understand`", &["allow_fields", "oldest_api", "newest_api"]);
    if let Some(field) = fields.get("allow_fields") {
        let names = file.items(field).iter().filter_map(|item| file.word(item, "the name of a field"));
        understand.allow_fields = names.collect();
    }
    if let Some(oldest) = version(file, &fields, "oldest_api") {
        understand.oldest = oldest;
    }
    if let Some(newest) = version(file, &fields, "newest_api") {
        understand.newest = newest;
    }
    if understand.oldest > understand.newest {
        let Understand { oldest, newest, .. } = &understand;
        file.fault(
            section.place,
            format!("`oldest_api` {oldest} is newer than `newest_api` {newest}: nothing would be taken"),
        );
    }
    understand
}

fn version(file: &mut ConfigFile, fields: &Fields<'_>, name: &str) -> Option<ApiVersion> {
    let field = fields.get(name)?;
    let text = file.field_word(field)?;
    let number = |digits: &str| digits.parse::<u16>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let parts = text.split_once('.').and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
    if parts.is_none() {
        file.fault_with(field.value.referenced, format!("`{text}` is no API version"), "such as \"1.41\"");
    }
    parts.map(|(major, minor)| ApiVersion { major, minor })
}

impl Understand {
    /// For who reads requests.
    pub fn reading(&self) -> Reading {
        Reading { allow_fields: self.allow_fields.iter().cloned().collect(), oldest: self.oldest, newest: self.newest }
    }
}
