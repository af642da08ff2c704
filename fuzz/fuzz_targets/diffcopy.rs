//! Packets of files that are sent, as a stream of frames; and all other messages of a session.
#![no_main]

use docker::buildkit::message::content::{InfoRequest, ReadContentRequest};
use docker::buildkit::message::control::BuildHistoryEvent;
use docker::buildkit::message::session::{
    BytesMessage, CheckAgentRequest, CredentialsRequest, FetchTokenRequest, GetSecretRequest, Packet,
};
use docker::buildkit::wire::{Frames, Message, Strictness, read};
use libfuzzer_sys::fuzz_target;

fn again<M: Message + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(message) = read::<M>(bytes, Strictness::Lenient) {
        assert_eq!(read::<M>(&message.written(), Strictness::Lenient).as_ref(), Ok(&message));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut frames = Frames::new(1 << 16);
    frames.feed(bytes);
    while let Ok(Some(message)) = frames.next() {
        again::<Packet>(&message);
    }
    again::<BytesMessage>(bytes);
    again::<GetSecretRequest>(bytes);
    again::<CheckAgentRequest>(bytes);
    again::<CredentialsRequest>(bytes);
    again::<FetchTokenRequest>(bytes);
    again::<InfoRequest>(bytes);
    again::<ReadContentRequest>(bytes);
    if let Ok(event) = read::<BuildHistoryEvent>(bytes, Strictness::Lenient)
        && let Some(record) = event.record
    {
        assert!(record.digests().iter().all(|digest| !digest.is_empty()));
    }
});
