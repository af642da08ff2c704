//! The policy crate from outside: what presets and rules grant, and what they say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking; the helpers are no test functions themselves"
)]

mod cases;
mod commands;
mod corpus;
mod docksec;
mod docs;
mod load;
mod messages;
mod presets;
mod rules;
mod secdocker;
mod show;
mod support;
mod temporary;
mod traffic;
