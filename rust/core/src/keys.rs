//! Virtual keys: how they are made, how a typo is told from a stranger, and what is stored of them.
//!
//! A key reads `sk-gw-` + 22 random base62 characters + 6 of checksum (CRC-32 of the 22, base62).
//! Only its HMAC-SHA256 under the installation's pepper is ever stored.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What every key of ours begins with.
pub const PREFIX: &str = "sk-gw-";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM: usize = 22;
const CHECK: usize = 6;

/// A keyed digest of a key.
pub type Digest = [u8; 32];

/// What a text that should be a key turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Ours, and the checksum fits.
    Valid,
    /// Begins like ours, but the checksum or the length does not fit: mistyped or cut.
    Mistyped,
    /// Not our format (keys may be chosen freely in the configuration).
    Foreign,
}

/// A new random key: 131 bits.
///
/// # Errors
/// When the operating system gives no randomness.
pub fn generate() -> Result<String, getrandom::Error> {
    let mut key = String::with_capacity(PREFIX.len() + RANDOM + CHECK);
    key.push_str(PREFIX);
    while key.len() < PREFIX.len() + RANDOM {
        let mut byte = [0_u8];
        getrandom::fill(&mut byte)?;
        // 248 is the largest multiple of 62 in a byte: above it the choice would be uneven.
        if byte[0] < 248 {
            key.push(ALPHABET[usize::from(byte[0] % 62)] as char);
        }
    }
    let check = checksum(&key.as_bytes()[PREFIX.len()..]);
    key.extend(check.iter().map(|&byte| byte as char));
    Ok(key)
}

/// Tells our keys from mistyped ones and from others.
#[must_use]
pub fn shape(key: &[u8]) -> Shape {
    let Some(rest) = key.strip_prefix(PREFIX.as_bytes()) else { return Shape::Foreign };
    if rest.len() != RANDOM + CHECK {
        return Shape::Mistyped;
    }
    let (random, check) = rest.split_at(RANDOM);
    if checksum(random) == check { Shape::Valid } else { Shape::Mistyped }
}

fn checksum(random: &[u8]) -> [u8; CHECK] {
    let mut rest = crc32(random);
    let mut out = [b'0'; CHECK];
    for place in out.iter_mut().rev() {
        *place = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    out
}

/// CRC-32 as of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| (crc >> 8) ^ CRC_TABLE[usize::from(crc as u8 ^ byte)])
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

/// Makes digests under one pepper; the key schedule is done once.
#[derive(Clone)]
pub struct Digester(Hmac<Sha256>);

impl Digester {
    /// `pepper`: the installation's secret, 32 bytes.
    #[must_use]
    pub fn new(pepper: &[u8; 32]) -> Self {
        // An HMAC key may have any length, so this cannot fail; the fallback is never taken.
        Digester(Hmac::new_from_slice(pepper).unwrap_or_else(|_| Hmac::new(&Default::default())))
    }

    /// HMAC-SHA256(pepper, key).
    #[must_use]
    pub fn digest(&self, key: &[u8]) -> Digest {
        let mut mac = self.0.clone();
        mac.update(key);
        mac.finalize().into_bytes().into()
    }
}

/// Lower-case hex of `bytes`.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes from 64 hex digits.
#[must_use]
pub fn from_hex(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    let mut out = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        let high = (pair[0] as char).to_digit(16)?;
        let low = (pair[1] as char).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn crc32_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn every_single_typo_is_noticed() {
        let key = generate().unwrap();
        assert_eq!(shape(key.as_bytes()), Shape::Valid);
        for at in PREFIX.len()..key.len() {
            let mut typo = key.clone().into_bytes();
            typo[at] = if typo[at] == b'a' { b'b' } else { b'a' };
            assert_eq!(shape(&typo), Shape::Mistyped);
        }
        assert_eq!(shape(&key.as_bytes()[..20]), Shape::Mistyped);
        assert_eq!(shape(b"sk-1234"), Shape::Foreign);
    }

    #[test]
    fn keys_differ_and_digests_depend_on_the_pepper() {
        let (one, two) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one, two);
        let digest = Digester::new(&[1; 32]).digest(one.as_bytes());
        assert_eq!(digest, Digester::new(&[1; 32]).digest(one.as_bytes()));
        assert_ne!(digest, Digester::new(&[2; 32]).digest(one.as_bytes()));
        assert_eq!(from_hex(&to_hex(&digest)), Some(digest));
        assert_eq!(from_hex("zz"), None);
    }
}
