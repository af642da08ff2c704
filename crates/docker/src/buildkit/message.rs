//! The messages that are read, in the numbers of BuildKit as of August 2026; older ones, such as 0.25 in Docker 28.5, have fewer.
//!
//! Only messages that are judged, or from which something is learnt: all others pass, or do not, unread. One that is judged
//! stands here with all its fields, for one that is not listed is refused; of what the daemon tells of itself there is
//! only what is read. What holds a secret (tokens, passwords, data of secrets) is not here.

pub mod bridge;
pub mod content;
pub mod control;
pub mod llb;
pub mod policy;
pub mod session;
