//! `go_struct!`: a Go struct as a table of field, type and JSON key.
//!
//! Go's embedded structs are written out: list their fields along with the others, for serde's own
//! flattening hides the field names that the adapter goes by.

/// Declares a struct that [`super::read`] reads as Go does and that leaves zero values out in writing.
///
/// ```text
/// go_struct! {
///     /// What a mount is (moby `mount.Mount`).
///     pub struct Mount {
///         kind: String = "Type",
///         /// Only for bind mounts.
///         bind_options: Option<BindOptions> = "BindOptions",
///     }
/// }
/// ```
///
/// Every field is public. Use `Option` where Go has a pointer, and for lists and maps where Docker
/// tells `null` from empty: `Some(vec![])` is written as `[]`, an empty `Vec` is left out.
macro_rules! go_struct {
    ($(
        $(#[$about:meta])*
        $visibility:vis struct $name:ident {
            $( $(#[$field_about:meta])* $field:ident: $type:ty = $key:literal ),* $(,)?
        }
    )*) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(default)]
        $visibility struct $name {
            $(
                #[doc = concat!("`", $key, "`")]
                #[doc = ""]
                $(#[$field_about])*
                #[serde(rename = $key, skip_serializing_if = "crate::json::is_zero")]
                pub $field: $type,
            )*
        }

        const _: () = {
            const KEYS: &[&str] = &[$($key),*];
            assert!(KEYS.len() <= $crate::json::MOST_FIELDS, "a struct has more fields than can be told apart");
        };

        impl $crate::json::Zero for $name {
            fn is_zero(&self) -> bool {
                true $(&& $crate::json::Zero::is_zero(&self.$field))*
            }
        }
    )*};
}

pub(crate) use go_struct;
