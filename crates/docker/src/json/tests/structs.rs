//! Structs as `go_struct!` makes them: very wide ones, boxes, and plain serde.

use super::super::{Options, StrSlice, Zero, go_struct, read};
use super::{Create, Empty, HostConfig, LogConfig};

#[test]
fn zero_is_what_go_has_when_nothing_was_said() {
    assert!(Create::default().is_zero() && Empty {}.is_zero());
    assert!(Box::new(LogConfig::default()).is_zero());
    assert!(!LogConfig { config: Some(Default::default()), ..Default::default() }.is_zero());
    assert!(!HostConfig { masked_paths: Some(Vec::new()), ..Default::default() }.is_zero());
}

#[test]
fn str_slice_is_read_by_plain_serde_too() {
    let from_text: StrSlice = serde_json::from_str(r#""a b""#).unwrap();
    assert_eq!(from_text, StrSlice::from(vec!["a b".to_owned()]));
    assert_eq!(serde_json::to_string(&from_text).unwrap(), r#"["a b"]"#);
}

#[test]
fn the_last_of_many_fields_is_counted_like_the_first() {
    let strict = Options::default();
    let body: String = (0..128).rev().map(|index| format!("\"f{index}\":{index},")).collect();
    let wide = read::<Wide>(format!("{{{}}}", body.trim_end_matches(',')).as_bytes(), &strict).unwrap();
    assert_eq!((wide.f0, wide.f1, wide.f127), (0, 1, 127));
    for name in ["F0", "F63", "F64", "F127"] {
        let twice = format!(r#"{{"{name}":0,"{}":0}}"#, name.to_lowercase());
        assert_eq!(read::<Wide>(twice.as_bytes(), &strict).unwrap_err().path, name);
    }
}

go_struct! {
    pub struct Wide {
        f0: i64 = "F0", f1: i64 = "F1", f2: i64 = "F2", f3: i64 = "F3", f4: i64 = "F4", f5: i64 = "F5", f6: i64 = "F6", f7: i64 = "F7",
        f8: i64 = "F8", f9: i64 = "F9", f10: i64 = "F10", f11: i64 = "F11", f12: i64 = "F12", f13: i64 = "F13", f14: i64 = "F14", f15: i64 = "F15",
        f16: i64 = "F16", f17: i64 = "F17", f18: i64 = "F18", f19: i64 = "F19", f20: i64 = "F20", f21: i64 = "F21", f22: i64 = "F22", f23: i64 = "F23",
        f24: i64 = "F24", f25: i64 = "F25", f26: i64 = "F26", f27: i64 = "F27", f28: i64 = "F28", f29: i64 = "F29", f30: i64 = "F30", f31: i64 = "F31",
        f32: i64 = "F32", f33: i64 = "F33", f34: i64 = "F34", f35: i64 = "F35", f36: i64 = "F36", f37: i64 = "F37", f38: i64 = "F38", f39: i64 = "F39",
        f40: i64 = "F40", f41: i64 = "F41", f42: i64 = "F42", f43: i64 = "F43", f44: i64 = "F44", f45: i64 = "F45", f46: i64 = "F46", f47: i64 = "F47",
        f48: i64 = "F48", f49: i64 = "F49", f50: i64 = "F50", f51: i64 = "F51", f52: i64 = "F52", f53: i64 = "F53", f54: i64 = "F54", f55: i64 = "F55",
        f56: i64 = "F56", f57: i64 = "F57", f58: i64 = "F58", f59: i64 = "F59", f60: i64 = "F60", f61: i64 = "F61", f62: i64 = "F62", f63: i64 = "F63",
        f64: i64 = "F64", f65: i64 = "F65", f66: i64 = "F66", f67: i64 = "F67", f68: i64 = "F68", f69: i64 = "F69", f70: i64 = "F70", f71: i64 = "F71",
        f72: i64 = "F72", f73: i64 = "F73", f74: i64 = "F74", f75: i64 = "F75", f76: i64 = "F76", f77: i64 = "F77", f78: i64 = "F78", f79: i64 = "F79",
        f80: i64 = "F80", f81: i64 = "F81", f82: i64 = "F82", f83: i64 = "F83", f84: i64 = "F84", f85: i64 = "F85", f86: i64 = "F86", f87: i64 = "F87",
        f88: i64 = "F88", f89: i64 = "F89", f90: i64 = "F90", f91: i64 = "F91", f92: i64 = "F92", f93: i64 = "F93", f94: i64 = "F94", f95: i64 = "F95",
        f96: i64 = "F96", f97: i64 = "F97", f98: i64 = "F98", f99: i64 = "F99", f100: i64 = "F100", f101: i64 = "F101", f102: i64 = "F102", f103: i64 = "F103",
        f104: i64 = "F104", f105: i64 = "F105", f106: i64 = "F106", f107: i64 = "F107", f108: i64 = "F108", f109: i64 = "F109", f110: i64 = "F110", f111: i64 = "F111",
        f112: i64 = "F112", f113: i64 = "F113", f114: i64 = "F114", f115: i64 = "F115", f116: i64 = "F116", f117: i64 = "F117", f118: i64 = "F118", f119: i64 = "F119",
        f120: i64 = "F120", f121: i64 = "F121", f122: i64 = "F122", f123: i64 = "F123", f124: i64 = "F124", f125: i64 = "F125", f126: i64 = "F126", f127: i64 = "F127",
    }
}
