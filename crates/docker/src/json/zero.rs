//! Go's zero values: what a field holds when its key is absent, and what we leave out in writing.
//!
//! Go cannot tell an absent scalar from a zero one, so leaving it out changes nothing. It can tell a
//! nil list, map or pointer from an empty one; a field where that matters is declared `Option`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::types::{Hidden, Ignored, Pair, StrSlice};

/// A type that has a Go zero value.
pub trait Zero {
    /// Whether this is what Go has when nothing was said.
    fn is_zero(&self) -> bool;
}

/// For `skip_serializing_if`, which wants a path.
pub fn is_zero<T: Zero>(value: &T) -> bool {
    value.is_zero()
}

macro_rules! zero {
    ($($type:ty: $this:ident => $is_zero:expr),* $(,)?) => {$(
        impl Zero for $type {
            fn is_zero(&self) -> bool {
                let $this = self;
                $is_zero
            }
        }
    )*};
}

zero! {
    bool: it => !*it,
    i8: it => *it == 0, i16: it => *it == 0, i32: it => *it == 0, i64: it => *it == 0,
    u8: it => *it == 0, u16: it => *it == 0, u32: it => *it == 0, u64: it => *it == 0,
    f32: it => *it == 0.0, f64: it => *it == 0.0,
    String: it => it.is_empty(),
    Hidden: it => it.0.is_empty(),
    StrSlice: it => it.is_empty(),
    Pair: it => *it == Pair(0, 0),
    Value: it => it.is_null(),
    Ignored: _it => true,
}

impl<T> Zero for Option<T> {
    fn is_zero(&self) -> bool {
        self.is_none()
    }
}

impl<T> Zero for Vec<T> {
    fn is_zero(&self) -> bool {
        self.is_empty()
    }
}

impl<K, V> Zero for BTreeMap<K, V> {
    fn is_zero(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Zero + ?Sized> Zero for Box<T> {
    fn is_zero(&self) -> bool {
        (**self).is_zero()
    }
}
