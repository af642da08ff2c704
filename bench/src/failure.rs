//! What ends a trial: wrong usage, or a sentence that says what could not be done.
//! A trial never goes on after a failure, because its figures would look right and be wrong.

use std::fmt;

/// Why a subcommand gave no result.
#[derive(Debug)]
pub enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// The trial could not be carried out as asked.
    Trial(String),
}

impl Failure {
    /// A failed trial, in the words of `message`.
    pub fn trial(message: impl Into<String>) -> Self {
        Self::Trial(message.into())
    }

    /// For `map_err`: puts what was being done before the cause.
    pub fn during<C: fmt::Display>(doing: impl fmt::Display) -> impl FnOnce(C) -> Self {
        move |cause| Self::Trial(format!("{doing}: {cause}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Trial(message) => out.write_str(message),
        }
    }
}
