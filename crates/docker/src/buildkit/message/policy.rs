//! Source policies: rules of BuildKit's own on what may be fetched (`sourcepolicy/pb/policy.proto`).

use std::collections::BTreeMap;

use crate::buildkit::wire::message;

message! {
    /// Rules, of which the last one that matches counts.
    Policy = "Policy" { 1 version: i64, 2 rules: Vec<Rule>, }

    /// One rule.
    Rule = "Rule" { 1 action: i32, 2 selector: Option<Selector>, 3 updates: Option<Update>, }

    /// What it is about.
    Selector = "Selector" { 1 identifier: String, 2 match_type: i32, 3 constraints: Vec<AttrConstraint>, }

    /// What attributes it must have.
    AttrConstraint = "AttrConstraint" { 1 key: String, 2 value: String, 3 condition: i32, }

    /// What becomes of it.
    Update = "Update" { 1 identifier: String, 2 attrs: BTreeMap<String, String>, }
}

/// `PolicyAction`: it is taken.
pub const ALLOW: i32 = 0;

/// `PolicyAction`: it is refused.
pub const DENY: i32 = 1;

/// `MatchType`: with `*` for anything.
pub const WILDCARD: i32 = 0;
