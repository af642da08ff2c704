pub mod message;
pub mod wire;
