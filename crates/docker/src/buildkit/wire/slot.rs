//! What a field can hold.

use std::collections::BTreeMap;

use super::field::{self, Raw};
use super::reader::Field;
use super::{Malformed, Message, Reader};

/// A place for a field's value.
pub trait Slot {
    /// Takes a value that came.
    #[doc(hidden)]
    fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<(), Malformed>;

    /// Writes what is not the default.
    #[doc(hidden)]
    fn write(&self, number: u32, out: &mut Vec<u8>);
}

impl<'a> Field<'a> {
    fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self.raw {
            Raw::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed::Kind { message: self.message, number: self.number }),
        }
    }

    fn value(self) -> Result<u64, Malformed> {
        match self.raw {
            Raw::Number(value) => Ok(value),
            _ => Err(Malformed::Kind { message: self.message, number: self.number }),
        }
    }

    /// Its bytes, to be kept.
    fn kept(self, reader: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
        let bytes = self.bytes()?;
        reader.hold(bytes.len().saturating_add(size_of::<Vec<u8>>()))?;
        Ok(bytes.to_vec())
    }

    fn text(self, reader: &mut Reader<'_>) -> Result<String, Malformed> {
        String::from_utf8(self.kept(reader)?)
            .map_err(|_| Malformed::Text { message: self.message, number: self.number })
    }

    fn odd(self) -> Malformed {
        Malformed::Number { message: self.message }
    }

    fn pieces(self) -> Malformed {
        Malformed::Pieces { message: self.message, number: self.number }
    }

    /// Numbers in a list come one by one or all in one.
    fn numbers(self, reader: &mut Reader<'_>) -> Result<Vec<u64>, Malformed> {
        let Raw::Bytes(mut rest) = self.raw else { return Ok(vec![self.value()?]) };
        let mut numbers = Vec::new();
        while !rest.is_empty() {
            reader.count()?;
            reader.hold(size_of::<u64>())?;
            let (number, after) = field::number(self.message, rest)?;
            numbers.push(number);
            rest = after;
        }
        Ok(numbers)
    }
}

impl Slot for String {
    fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        *self = field.text(reader)?;
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        self.as_bytes().to_vec().write(number, out);
    }
}

impl Slot for Vec<u8> {
    fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        *self = field.kept(reader)?;
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if !self.is_empty() {
            field::bytes(number, self, out);
        }
    }
}

impl Slot for Vec<String> {
    fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        self.push(field.text(reader)?);
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        self.iter().for_each(|text| field::bytes(number, text.as_bytes(), out));
    }
}

impl Slot for Vec<Vec<u8>> {
    fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        self.push(field.kept(reader)?);
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        self.iter().for_each(|bytes| field::bytes(number, bytes, out));
    }
}

/// What a number means in Rust. `None`: it does not fit, and the daemon would cut it down to another one.
trait Number: Copy {
    fn from_wire(value: u64) -> Option<Self>;
    fn to_wire(self) -> u64;
}

macro_rules! numbers {
    ($($kind:ty: $from:expr, $to:expr;)*) => { $(
        impl Number for $kind {
            fn from_wire(value: u64) -> Option<Self> {
                ($from)(value)
            }

            fn to_wire(self) -> u64 {
                ($to)(self)
            }
        }

        impl Slot for $kind {
            fn take(&mut self, field: Field<'_>, _: &mut Reader<'_>) -> Result<(), Malformed> {
                *self = <$kind>::from_wire(field.value()?).ok_or_else(|| field.odd())?;
                Ok(())
            }

            fn write(&self, number: u32, out: &mut Vec<u8>) {
                match self.to_wire() {
                    0 => {}
                    value => field::plain(number, value, out),
                }
            }
        }

        impl Slot for Vec<$kind> {
            fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<(), Malformed> {
                for value in field.numbers(reader)? {
                    self.push(<$kind>::from_wire(value).ok_or_else(|| field.odd())?);
                }
                Ok(())
            }

            fn write(&self, number: u32, out: &mut Vec<u8>) {
                let mut packed = Vec::new();
                self.iter().for_each(|value| field::varint(value.to_wire(), &mut packed));
                packed.write(number, out);
            }
        }
    )* };
}

// Negative numbers take ten bytes, whatever their kind.
numbers! {
    u32: |value| u32::try_from(value).ok(), u64::from;
    u64: Some, |value| value;
    i64: |value: u64| Some(value.cast_signed()), |value: i64| value.cast_unsigned();
    i32: |value: u64| i32::try_from(value.cast_signed()).ok(), |value: i32| i64::from(value).cast_unsigned();
}

impl Slot for bool {
    fn take(&mut self, field: Field<'_>, _: &mut Reader<'_>) -> Result<(), Malformed> {
        *self = match field.value()? {
            0 => false,
            1 => true,
            _ => return Err(field.odd()),
        };
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if *self {
            field::plain(number, 1, out);
        }
    }
}

impl<M: Message> Slot for Option<M> {
    fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        if self.is_some() {
            return Err(field.pieces());
        }
        *self = Some(reader.read(field.bytes()?)?);
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        if let Some(message) = self {
            field::bytes(number, &message.written(), out);
        }
    }
}

impl<M: Message> Slot for Vec<M> {
    fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        self.push(reader.read(field.bytes()?)?);
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        self.iter().for_each(|message| field::bytes(number, &message.written(), out));
    }
}

/// A message as the value of a map.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Whole<M>(pub M);

impl<M: Message> Slot for Whole<M> {
    fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        self.0 = reader.read(field.bytes()?)?;
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        field::bytes(number, &self.0.written(), out);
    }
}

/// A map is a list of entries, of which the last one of a key counts.
impl<K: Slot + Ord + Default, V: Slot + Default> Slot for BTreeMap<K, V> {
    fn take(&mut self, field: Field<'_>, reader: &mut Reader<'_>) -> Result<(), Malformed> {
        let (mut key, mut value) = (K::default(), V::default());
        let mut seen = [false; 2];
        reader.hold(size_of::<(K, V)>())?;
        reader.each(field.message, field.bytes()?, |part, reader| {
            let [has_key, has_value] = &mut seen;
            let had = match part.number {
                1 => std::mem::replace(has_key, true),
                2 => std::mem::replace(has_value, true),
                _ => true,
            };
            if had {
                return Err(field.pieces());
            }
            if part.number == 1 {
                key.take(part, reader)?
            } else {
                value.take(part, reader)?
            }
            Ok(true)
        })?;
        self.insert(key, value);
        Ok(())
    }

    fn write(&self, number: u32, out: &mut Vec<u8>) {
        for (key, value) in self {
            let mut entry = Vec::new();
            key.write(1, &mut entry);
            value.write(2, &mut entry);
            field::bytes(number, &entry, out);
        }
    }
}
