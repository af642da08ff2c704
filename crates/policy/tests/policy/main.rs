//! The policy crate from outside: what presets and rules grant, and what they say.

mod cases;
mod corpus;
mod load;
mod messages;
mod presets;
mod rules;
mod support;
