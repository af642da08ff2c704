//! DECIDE: facts in, decision out.
//!
//! Each operation and each privilege of a request is one question, *may this subject do this action on
//! this resource, in this context?*, put to Cedar policies. A request is allowed when every answer is
//! yes; no policy, an unknown thing, an error: no. Pure: no I/O, no async, no clock; presets are
//! embedded, files come in as texts. The only crate that names `cedar-policy` and `regorus`.
//!
//! Before: crate `docker` makes `Facts` of a request. After: crate `server` sends what a `Permit` holds.

pub mod decision;
pub mod source;
pub mod subject;

mod cache;
mod circumstances;
mod entities;
mod explain;
mod index;
mod judge;
mod looks;
mod message;
mod policy;
mod preset;
mod quota;
mod rego;
mod schema;
mod show;
mod version;

pub use decision::{Answered, Circumstances, Decision, Door, Judgement, Mode, Permit, PolicyRef, Refusal};
pub use entities::capability::known as capabilities;
pub use policy::Policy;
pub use preset::presets;
pub use quota::{Quota, QuotaEntry};
pub use rego::bundle::{self, Roots};
pub use rego::{Notation, RegoData, RegoModule, RegoSources, RegoTold, Syntax};
pub use show::{Filter, Viewer};
pub use source::docksec::{self, Docksec};
pub use source::{
    Diagnostic, Diagnostics, Directory, NamedText, PolicySection, SecDocker, Severity, Sources, TemporaryRule,
    command_table, nearest,
};
pub use subject::*;
