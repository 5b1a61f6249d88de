//! Check digits and check codes, from their public definitions.

use sha2::{Digest, Sha256};
use sha3::Keccak256;

/// Luhn (ISO/IEC 7812-1): cards, IMEI.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, &digit)| match (index % 2, u32::from(digit)) {
            (0, digit) => digit,
            (_, digit) => digit * 2 - if digit > 4 { 9 } else { 0 },
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Sum of digit times weight.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(&digit, weight)| u32::from(digit) * weight).sum()
}

/// ISO 7064 mod 97-10 over letters and digits: IBAN with its first four characters moved to the end.
pub(super) fn iban(characters: impl Iterator<Item = u8> + Clone) -> bool {
    let rotated = characters.clone().skip(4).chain(characters.take(4));
    let rest = rotated.fold(0u32, |rest, character| match character {
        b'0'..=b'9' => (rest * 10 + u32::from(character - b'0')) % 97,
        _ => (rest * 100 + u32::from(character.to_ascii_uppercase() - b'A') + 10) % 97,
    });
    rest == 1
}

/// Verhoeff: Aadhaar.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTE: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let multiply = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let check = digits.iter().rev().enumerate().fold(0, |check, (index, &digit)| {
        let permuted = (0..index % 8).fold(digit, |digit, _| PERMUTE[usize::from(digit)]);
        multiply(check, permuted)
    });
    check == 0
}

/// UK NHS number: weights 10 to 2, check digit modulo 11, where 10 is never given out.
pub(super) fn nhs(digits: &[u8]) -> bool {
    let [body @ .., check] = digits else { return false };
    let rest = 11 - weighted(body, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    rest % 11 == u32::from(*check)
}

/// US routing number: weights 3-7-1 modulo 10.
pub(super) fn aba(digits: &[u8]) -> bool {
    weighted(digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// US NPI: Luhn over `80840` and the number.
pub(super) fn npi(digits: &[u8]) -> bool {
    let prefixed: Vec<u8> = [8, 0, 8, 4, 0].iter().chain(digits).copied().collect();
    luhn(&prefixed)
}

/// VIN (ISO 3779, North America): transliterated, weighted, modulo 11, in the ninth place.
pub(super) fn vin(characters: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |character: u8| match character {
        b'0'..=b'9' => u32::from(character - b'0'),
        b'A'..=b'H' => u32::from(character - b'A') + 1,
        b'J'..=b'R' => u32::from(character - b'J') + 1,
        _ => u32::from(character - b'S') + 2,
    };
    let sum: u32 = characters.iter().zip(WEIGHTS).map(|(&c, weight)| value(c) * weight).sum();
    let check = match sum % 11 {
        10 => b'X',
        rest => b'0' + rest as u8,
    };
    characters.get(8) == Some(&check)
}

/// ICAO 9303: weights 7-3-1 over digits, letters and fillers, modulo 10.
pub(super) fn icao(characters: impl Iterator<Item = u8>, check: u8) -> bool {
    let sum: u32 = characters
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(character, weight)| {
            weight
                * match character {
                    b'0'..=b'9' => u32::from(character - b'0'),
                    b'A'..=b'Z' => u32::from(character - b'A') + 10,
                    _ => 0,
                }
        })
        .sum();
    check == b'0' + (sum % 10) as u8
}

/// Base58Check of a Bitcoin address: 21 bytes and the first four of their double SHA-256.
pub(super) fn base58check(address: &[u8]) -> bool {
    const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0u8; 25];
    for character in address {
        let Some(digit) = ALPHABET.iter().position(|other| other == character) else {
            return false;
        };
        let mut carry = digit;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = (carry % 256) as u8;
            carry /= 256;
        }
        if carry > 0 {
            return false;
        }
    }
    let hash = Sha256::digest(Sha256::digest(&bytes[..21]));
    bytes[21..] == hash[..4]
}

/// Bech32 or Bech32m (BIP 173, BIP 350) of an address in lower case with the human-readable part `bc`.
pub(super) fn bech32(address: &[u8]) -> bool {
    const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    const BECH32: u32 = 1;
    const BECH32M: u32 = 0x2bc8_30a3;
    let step = |sum: u32, value: u32| {
        let top = sum >> 25;
        let shifted = (sum & 0x01ff_ffff) << 5 ^ value;
        (0..5).filter(|bit| top >> bit & 1 == 1).fold(shifted, |sum, bit| sum ^ GENERATOR[bit])
    };
    // The human-readable part, expanded: high bits, zero, low bits.
    let mut sum = [3, 3, 0, 2, 3].into_iter().fold(1, step);
    for character in address.get(3..).unwrap_or_default() {
        let Some(value) = ALPHABET.iter().position(|other| other == character) else {
            return false;
        };
        sum = step(sum, value as u32);
    }
    sum == BECH32 || sum == BECH32M
}

/// EIP-55: the case of each letter of an Ethereum address (without `0x`) says a bit of its hash.
pub(super) fn eip55(address: &[u8]) -> bool {
    let hash = Keccak256::digest(address.to_ascii_lowercase());
    address.iter().enumerate().all(|(index, character)| {
        let nibble = hash[index / 2] >> (4 * (1 - index % 2)) & 15;
        !character.is_ascii_alphabetic() || character.is_ascii_uppercase() == (nibble >= 8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|byte| byte - b'0').collect()
    }

    /// The good value passes; every change of one digit is noticed by these codes.
    fn assert_notices_every_change(check: fn(&[u8]) -> bool, good: &str) {
        let good = digits(good);
        assert!(check(&good));
        for index in 0..good.len() {
            for change in 1..10 {
                let mut bad = good.clone();
                bad[index] = (bad[index] + change) % 10;
                assert!(!check(&bad), "{bad:?}");
            }
        }
    }

    #[test]
    fn test_check_digits_notice_every_changed_digit() {
        assert_notices_every_change(luhn, "4111111111111111");
        assert_notices_every_change(luhn, "490154203237518");
        assert_notices_every_change(verhoeff, "234123412346");
        assert_notices_every_change(nhs, "9434765919");
        assert_notices_every_change(npi, "1234567893");
        assert_notices_every_change(aba, "111000025");
    }

    #[test]
    fn test_iban_and_vin_examples_of_their_standards() {
        assert!(iban(b"GB82WEST12345698765432".iter().copied()));
        assert!(iban(b"de89370400440532013000".iter().copied()));
        assert!(!iban(b"GB82WEST12345698765431".iter().copied()));
        assert!(vin(b"1M8GDM9AXKP042788"));
        assert!(!vin(b"1M8GDM9A1KP042788"));
    }

    #[test]
    fn test_wallet_addresses_of_their_standards() {
        assert!(base58check(b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"));
        assert!(!base58check(b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3"));
        assert!(bech32(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"));
        assert!(bech32(b"bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"));
        assert!(!bech32(b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"));
        assert!(eip55(b"5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"));
        assert!(!eip55(b"5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"));
    }

    #[test]
    fn test_icao_example() {
        assert!(icao(b"L898902C3".iter().copied(), b'6'));
        assert!(!icao(b"L898902C4".iter().copied(), b'6'));
    }
}
