//! BuildKit's conversation, as far as it is judged.
//!
//! A build through BuildKit is no request but a conversation in two tunnels, `/grpc` and `/session`. This module knows what
//! is said in them and has no part in it: no connection, no clock, no memory of what was said before. Who carries the
//! conversation asks it, call by call:
//!
//! 1. [`Method::of`](method::Method::of) what a call needs. `None`: refuse it. `Names` says where the call names its build,
//!    which must be one that the same subject began ([`Need::OwnBuild`](method::Need::OwnBuild) and all that follow).
//! 2. For [`Judged`](method::Need::Judged) and [`JudgedWithAnswer`](method::Need::JudgedWithAnswer): take the one message out of
//!    its frame ([`wire::single`]), and read it with [`Build::of_request`](build::Build::of_request). Whoever speaks must own
//!    every session that it names ([`Build::sessions`](build::Build::sessions)); the build that it begins
//!    ([`Build::begins`](build::Build::begins)) is the subject's from now on.
//! 3. [`Build::facts`](build::Build::facts), as with every request: while it is `Open`, look up what it asks for and ask
//!    again. The facts are of the operation `ImageBuild`: what policies say of builds counts for both builders. The permit
//!    owns the message, with what was appended to it ([`append`]), as `CanonicalBody::Message`: frame it
//!    ([`wire::framed`]) and send it.
//! 4. The answer of a `JudgedWithAnswer` is held whole and read with
//!    [`Build::of_answer`](build::Build::of_answer): it is the build as BuildKit has worked it out, of which nothing has
//!    run. Its facts are judged in the same way, and the answer is passed on or replaced by a refusal. Only results of answers
//!    that were passed on may be named by calls ([`OwnResults`](method::Need::OwnResults), [`named`](build::named)): BuildKit has
//!    the others as well, and tells their ids.
//! 5. A refusal is worded with [`Judged::place`](build::Judged::place): the step of the Dockerfile.
//!
//! What is asked for becomes the privileges that the classic builder's `/build` asks for too, in most cases by the same
//! function; `docs/builds.md` has the list.

pub mod append;
pub mod build;
pub mod message;
pub mod method;
pub mod wire;
