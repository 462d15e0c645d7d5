//! Failure: an error that becomes a completion's status, with a message that travels as its payload.

use crate::abi::Status;

#[derive(Debug)]
pub(crate) struct Failure {
    pub status: Status,
    pub message: String,
}

impl Failure {
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// What the number stands for, if anything, is of another kind or another context.
    pub fn bad_resource(number: u32, kinds: &str) -> Self {
        let message = match number {
            0 => format!("what was not granted is no {kinds} of this context"),
            number => format!("resource {number} is no {kinds} of this context"),
        };
        Self::new(Status::BadResource, message)
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Status::Invalid, message)
    }
}
