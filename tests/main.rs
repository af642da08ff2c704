//! End to end: the real binary between real clients and a real daemon. Needs root (or sudo) and what
//! `scripts/setup.sh test` installs; `make test` sees to both. `E2E_ENGINE=modern` runs all of it on Docker 28.5.
//!
//! - `outcomes`: ordinary work comes out as without the firewall (lines in `scenarios`, table in `docs/clients.md`)
//! - `refusals`: attacks by the real CLI are refused, by a message that names the thing, and leave nothing
//! - `rego`: policies in Rego decide at both doors, with the predecessor's flags, too
//! - `bundles`: such policies packed, signed and fetched; the last good one stays
//! - `streams`: both directions of taken-over connections, to the last byte and the last half-close
//! - `archives`: builds, loads and copies are judged by what their archive holds
//! - `builds`: BuildKit: nobody uses what another began, and nothing is asked for unseen; each known danger, while another's
//!   build runs on
//! - `bad_input`: broken, ambiguous, slow and oversized bytes get an answer or a close, and go nowhere
//! - `hostile`: the same by the thousand, and daemons that misbehave; figures in `docs/robustness.md`
//! - `daemon_down`: 502 while the daemon is away, well at once when it is back
//! - `subjects`: users, containers and certificates are told apart, in the policy and in the record
//! - `operation`: full disks, graceful ends, reloads
//! - `ownership`: whose things are, through crashes and tricks, and that nobody reaches those of others
//! - `answers`: what is shown of lists, events and errors, and what is hidden within
//! - `restricted`: preset `restricted` knows root in every spelling
//! - `rules`: temporary rules, who may add them, and a policy that follows its files
//! - `defaults`: what containers get where their clients say nothing, and that updates cannot take it away
//! - `checks`: images are checked by others before they are used, and what is used is what was checked
//! - `versions`: API versions that are taken, and old ones without their old powers
//! - `transparent`: connections that the kernel sends here on their way to a daemon, and SecDocker's own command line
//! - `plugins`: managed plugins are granted nothing that a container is not
//! - `swarm`: services, secrets and configs: harmless ones run, dangerous ones are refused
//! - `commands`: `run`, `explain` and `check` as a user types them
//! - `authorization`: the plugin alone: what the daemon asks, and what it withholds
//! - `docksec`, `authobot`: what these predecessors did, with their own files, at both doors
//! - `import`: what other proxies' configurations become decides as they said; `compat docker-socket-proxy` by its variables
//! - `mediation`: gateway and plugin together: nobody walks around
//! - `plugin_install`: put into a daemon, looked after and taken out, with the daemon alive
//! - `doctor`: what is found on a host changes with what is applied, and root in containers becomes somebody else
//! - `docs`: `docs/clients.md` says what the tests do, `docs/attacks.md` names proofs that are there
//! - `harness`: what they stand on

// Tests may fail by panicking, and do plain arithmetic on their own numbers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

mod answers;
mod archives;
mod authobot;
mod authorization;
mod bad_input;
mod builds;
mod bundles;
mod checks;
mod commands;
mod daemon_down;
mod defaults;
mod docksec;
mod docs;
mod doctor;
mod harness;
mod hostile;
mod import;
mod layout;
mod mediation;
mod operation;
mod outcomes;
mod ownership;
mod plugin_install;
mod plugins;
mod refusals;
mod rego;
mod restricted;
mod rules;
mod scenarios;
mod streams;
mod subjects;
mod swarm;
mod transparent;
mod versions;
