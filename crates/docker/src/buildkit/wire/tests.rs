use std::collections::BTreeSet;

use super::*;
use crate::buildkit::message::bridge::{ExecMessage, InitMessage};
use crate::buildkit::message::control::SolveRequest;
use crate::buildkit::message::llb::{Definition, Mount, Op, Source, SourceInfo};

fn strict<M: Message>(bytes: &[u8]) -> Result<M, Malformed> {
    read(bytes, Strictness::Known(&BTreeSet::new()))
}

#[test]
fn a_field_that_is_not_known_is_refused_unless_it_is_allowed_by_name() {
    // Field 18, a number.
    let bytes = [0x90, 0x01, 0x01];
    let refused = strict::<SolveRequest>(&bytes).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Control.SolveRequest has a field 18 that is not known here; an administrator can let it through by the name \
         Control.SolveRequest.18"
    );
    let allowed = BTreeSet::from(["Control.SolveRequest.18".to_owned()]);
    assert!(read::<SolveRequest>(&bytes, Strictness::Known(&allowed)).is_ok());
    assert!(read::<SolveRequest>(&bytes, Strictness::Lenient).is_ok());
    // Within other messages too.
    let op = [0x12, 0x02, 0x78, 0x01];
    assert_eq!(strict::<Op>(&op), Err(Malformed::Unknown { message: "ExecOp", number: 15 }));
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let number = Malformed::Number { message: "Control.SolveRequest" };
    for (bytes, why) in [
        // Field 1 + 2³²: cut down to 32 bits it would be field 1.
        (&[0x8a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x00][..], number.clone()),
        // Field 0.
        (&[0x02, 0x00], number.clone()),
        // A number of eleven bytes, one of more than 64 bits, a bool that is 2.
        (&[0x58, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], number.clone()),
        (&[0x58, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], number.clone()),
        (&[0x58, 0x02], number.clone()),
        // A text as a number, a group, a text that is none.
        (&[0x08, 0x01], Malformed::Kind { message: "Control.SolveRequest", number: 1 }),
        (&[0x0b, 0x0c], Malformed::Kind { message: "Control.SolveRequest", number: 1 }),
        (&[0x0a, 0x01, 0xff], Malformed::Text { message: "Control.SolveRequest", number: 1 }),
        // A message in two pieces; an entry of a map with two keys, and with something else.
        (&[0x42, 0x00, 0x42, 0x00], Malformed::Pieces { message: "Control.SolveRequest", number: 8 }),
        (
            &[0x3a, 0x06, 0x0a, 0x01, 0x61, 0x0a, 0x01, 0x62],
            Malformed::Pieces { message: "Control.SolveRequest", number: 7 },
        ),
        (&[0x3a, 0x02, 0x18, 0x01], Malformed::Pieces { message: "Control.SolveRequest", number: 7 }),
        // Longer than what it is in.
        (&[0x0a, 0x02, 0x61], Malformed::Short),
        (&[0x0a], Malformed::Short),
        (&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Malformed::Short),
    ] {
        assert_eq!(strict::<SolveRequest>(bytes), Err(why), "{bytes:x?}");
    }
    // A number that is too large for its field would be another one once it is cut down.
    assert_eq!(strict::<Mount>(&[0x30, 0x83, 0x80, 0x80, 0x80, 0x10]), Err(Malformed::Number { message: "Mount" }));
}

#[test]
fn of_a_plain_value_that_comes_twice_the_last_counts() {
    let read: SolveRequest = strict(&[0x0a, 0x01, 0x61, 0x58, 0x01, 0x0a, 0x01, 0x62, 0x58, 0x00]).unwrap();
    assert_eq!((read.reference.as_str(), read.internal), ("b", false));
    let read: SolveRequest =
        strict(&[0x3a, 0x06, 0x0a, 0x01, 0x61, 0x12, 0x01, 0x62, 0x3a, 0x06, 0x0a, 0x01, 0x61, 0x12, 0x01, 0x63])
            .unwrap();
    assert_eq!(read.frontend_attrs["a"], "c");
}

#[test]
fn numbers_of_a_list_come_in_both_forms() {
    let both: InitMessage = strict(&[0x18, 0x01, 0x1a, 0x02, 0x02, 0x03]).unwrap();
    assert_eq!(both.fds, [1, 2, 3]);
    let again: ExecMessage = strict(&ExecMessage { init: Some(both.clone()), ..Default::default() }.written()).unwrap();
    assert_eq!(again.init, Some(both));
}

#[test]
fn what_is_written_is_read() {
    let mount = Mount { input: -1, output: i64::MIN, mount_type: -1, readonly: true, ..Mount::default() };
    assert_eq!(strict::<Mount>(&mount.written()), Ok(mount));
}

#[test]
fn nothing_goes_deeper_or_on_longer_than_anybody_needs() {
    let mut inner = Definition::default();
    for _ in 0..50 {
        let info = SourceInfo { definition: Some(Box::new(inner)), ..SourceInfo::default() };
        inner = Definition { source: Some(Source { infos: vec![info], ..Source::default() }), ..Definition::default() };
    }
    assert_eq!(strict::<Definition>(&inner.written()), Err(Malformed::TooMuch));
    // Inputs without contents: two bytes each, and more in memory.
    let many = [0x0a, 0x00].repeat(1 << 19);
    assert_eq!(strict::<Op>(&many), Err(Malformed::TooMuch));
    let packed = [&[0x1a, 0x80, 0x80, 0x20][..], &vec![1; 1 << 19]].concat();
    assert_eq!(strict::<InitMessage>(&packed), Err(Malformed::TooMuch));
}
