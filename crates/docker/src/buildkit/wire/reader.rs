//! Messages, field by field.

use super::field::{Fields, Raw};
use super::{Malformed, Strictness};

/// A message.
pub trait Message: Default {
    /// Its name, with that of its service where two have one name: `Control.SolveRequest`.
    const NAME: &'static str;

    /// Takes a field; `false` where it has none of that number.
    #[doc(hidden)]
    fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<bool, Malformed>;

    /// Writes it.
    fn write(&self, out: &mut Vec<u8>);

    /// Writes it anew.
    fn written(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

/// A message that may hold one of its own kind.
impl<M: Message> Message for Box<M> {
    const NAME: &'static str = M::NAME;

    fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<bool, Malformed> {
        M::take(self, field, reader)
    }

    fn write(&self, out: &mut Vec<u8>) {
        M::write(self, out);
    }
}

/// One field: of which message, its number, its value.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    pub(super) message: &'static str,
    pub(crate) number: u32,
    pub(super) raw: Raw<'a>,
}

/// What reading may still cost. One for all the messages that are judged at once.
#[derive(Debug)]
pub struct Reader<'a> {
    strictness: Strictness<'a>,
    fields: usize,
    depth: usize,
    room: usize,
    held: usize,
}

/// The most fields. A build of a thousand steps has some fifty thousand.
const MOST_FIELDS: usize = 1 << 18;

/// The deepest that messages may hold one another.
const DEEPEST: usize = 24;

/// Reads one message.
pub fn read<M: Message>(bytes: &[u8], strictness: Strictness<'_>) -> Result<M, Malformed> {
    Reader::new(strictness, bytes.len()).read(bytes)
}

/// The most bytes that reading so many may come to hold. What people build takes a quarter of it; two bytes of an empty
/// operation would become five hundred without a bound.
pub const fn most_held(length: usize) -> usize {
    length.saturating_mul(12).saturating_add(64 << 10)
}

impl<'a> Reader<'a> {
    /// A reader for what belongs together, of so many bytes in all.
    pub fn new(strictness: Strictness<'a>, length: usize) -> Reader<'a> {
        Reader { strictness, fields: MOST_FIELDS, depth: DEEPEST, room: most_held(length), held: 0 }
    }

    /// Reads a message.
    pub fn read<M: Message>(&mut self, bytes: &[u8]) -> Result<M, Malformed> {
        self.hold(size_of::<M>())?;
        let mut message = M::default();
        self.each(M::NAME, bytes, |field, reader| message.take(field, reader))?;
        Ok(message)
    }

    /// Hands over each field; what nobody takes must be allowed.
    pub(super) fn each(
        &mut self,
        message: &'static str,
        bytes: &[u8],
        mut take: impl FnMut(Field<'_>, &mut Reader<'a>) -> Result<bool, Malformed>,
    ) -> Result<(), Malformed> {
        self.depth = self.depth.checked_sub(1).ok_or(Malformed::TooMuch)?;
        let mut fields = Fields::of(message, bytes);
        while let Some((number, raw)) = fields.next()? {
            self.count()?;
            if !take(Field { message, number, raw }, self)? {
                self.let_through(message, number)?;
            }
        }
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    pub(super) fn count(&mut self) -> Result<(), Malformed> {
        self.fields = self.fields.checked_sub(1).ok_or(Malformed::TooMuch)?;
        Ok(())
    }

    /// Something that was read is kept, of so many bytes.
    pub(in crate::buildkit) fn hold(&mut self, bytes: usize) -> Result<(), Malformed> {
        self.held = self.held.saturating_add(bytes);
        if self.held > self.room { Err(Malformed::TooMuch) } else { Ok(()) }
    }

    /// How much is kept of what was read, in bytes.
    pub fn held(&self) -> usize {
        self.held
    }

    fn let_through(&self, message: &'static str, number: u32) -> Result<(), Malformed> {
        match self.strictness {
            Strictness::Known(allowed) if !allowed.contains(&format!("{message}.{number}")) => {
                Err(Malformed::Unknown { message, number })
            }
            _ => Ok(()),
        }
    }
}

/// A message as a list of its fields: number, name, kind.
macro_rules! message {
    ($(
        $(#[$about:meta])*
        $name:ident = $full:literal { $($number:literal $field:ident: $kind:ty,)* }
    )*) => { $(
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq)]
        #[allow(missing_docs, reason = "fields are named as in the protocol")]
        pub struct $name { $(pub $field: $kind,)* }

        impl $crate::buildkit::wire::Message for $name {
            const NAME: &'static str = $full;

            #[allow(unused_variables, reason = "some messages have no fields")]
            fn take(
                &mut self,
                field: $crate::buildkit::wire::reader::Field<'_>,
                reader: &mut $crate::buildkit::wire::Reader<'_>,
            ) -> Result<bool, $crate::buildkit::wire::Malformed> {
                match field.number {
                    $($number => $crate::buildkit::wire::Slot::take(&mut self.$field, field, reader)?,)*
                    _ => return Ok(false),
                }
                #[allow(unreachable_code, reason = "some messages have no fields")]
                Ok(true)
            }

            #[allow(unused_variables, reason = "some messages have no fields")]
            fn write(&self, out: &mut Vec<u8>) {
                $($crate::buildkit::wire::Slot::write(&self.$field, $number, out);)*
            }
        }
    )* };
}

pub(crate) use message;
