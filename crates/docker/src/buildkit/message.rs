//! The messages that are read, in the numbers of BuildKit 0.31 and before (Docker 29 and before).
//!
//! Only messages that are judged, or from which something is learnt: all others pass, or do not, unread. A message stands
//! here with all its fields, for one that is not listed is refused. What holds a secret (tokens, passwords, data of
//! secrets) is not here.

pub mod bridge;
pub mod content;
pub mod control;
pub mod llb;
pub mod policy;
pub mod session;
