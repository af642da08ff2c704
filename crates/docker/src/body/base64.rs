//! Base64, as header fields and recordings hold it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// With the alphabet for URLs, filled up.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let whole = three.iter().chain([&0, &0]).take(3).fold(0_usize, |whole, byte| (whole << 8) | usize::from(*byte));
        for (place, shift) in [18_usize, 12, 6, 0].into_iter().enumerate() {
            let sixth = (whole >> shift) & 63;
            let letter = ALPHABET.get(sixth).copied().unwrap_or(b'=');
            text.push(char::from(if place > three.len() { b'=' } else { letter }));
        }
    }
    text
}

/// With either alphabet, filled up or not. `None`: it holds something else.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    let filled = text.iter().rev().take_while(|byte| **byte == b'=').count();
    for byte in text.get(..text.len().saturating_sub(filled))? {
        bits = (bits << 6) | u32::from(value(*byte)?);
        held = held.saturating_add(6);
        if held >= 8 {
            held = held.saturating_sub(8);
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// What a letter of either alphabet stands for.
fn value(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A'..=b'Z' => letter.wrapping_sub(b'A'),
        b'a'..=b'z' => letter.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => letter.wrapping_sub(b'0').wrapping_add(52),
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("a?>~", "YT8-fg==")] {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded.as_bytes()).unwrap(), plain.as_bytes());
        }
        assert_eq!(decode(b"YT8+fg").unwrap(), b"a?>~");
        assert_eq!(decode(b"a b"), None);
    }
}
