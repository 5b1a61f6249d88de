//! Money: cards, bank accounts, routing numbers, wallets.

use super::Candidate;
use super::checksum;
use super::numbers::{self, Number, is_plain_separator};
use super::text::Text;

/// What a checksum adds when a wrong number passes it one time in ten or less.
const CHECKED: f32 = 0.5;

/// Card issuers: first and last prefix (of as many digits as written), lengths, and whether the
/// prefix says much (Maestro's says little).
const ISSUERS: [(u32, u32, &[usize], bool); 19] = [
    (4, 4, &[13, 16, 19], true),                        // Visa
    (51, 55, &[16], true),                              // Mastercard
    (2221, 2720, &[16], true),                          // Mastercard
    (34, 34, &[15], true),                              // American Express
    (37, 37, &[15], true),                              // American Express
    (6011, 6011, &[16, 17, 18, 19], true),              // Discover
    (644, 649, &[16, 17, 18, 19], true),                // Discover
    (65, 65, &[16, 17, 18, 19], true),                  // Discover, RuPay
    (3528, 3589, &[16, 17, 18, 19], true),              // JCB
    (300, 305, &[14, 16, 19], true),                    // Diners
    (36, 36, &[14, 16, 19], true),                      // Diners
    (38, 39, &[14, 16, 19], true),                      // Diners
    (62, 62, &[16, 17, 18, 19], true),                  // UnionPay
    (2200, 2204, &[16, 17, 18, 19], true),              // Mir
    (60, 60, &[16], true),                              // RuPay
    (81, 82, &[16], true),                              // RuPay
    (508, 508, &[16], true),                            // RuPay
    (50, 50, &[12, 13, 14, 15, 16, 17, 18, 19], false), // Maestro
    (56, 69, &[12, 13, 14, 15, 16, 17, 18, 19], false), // Maestro
];

/// How cards are printed, besides in one piece.
const CARD_GROUPS: [&[usize]; 5] =
    [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3], &[4, 4, 5]];

/// Trigger: ten digits at the start of a word.
pub(super) fn card(text: Text<'_>, end: usize) -> Option<Candidate> {
    let start = numbers::digits_back(text, end, 10, is_plain_separator)?;
    let number = Number::read(text, start, 19, is_plain_separator);
    let (card, bonus) = number.cuts().find_map(|cut| Some((cut.end, card_bonus(&cut)?)))?;
    numbers::stands_alone(text, start, card).then_some(Candidate { start, end: card, bonus })
}

fn card_bonus(number: &Number) -> Option<f32> {
    let digits = number.digits();
    let groups = if number.is_solid() {
        0.0
    } else if number.uniform && CARD_GROUPS.iter().any(|sizes| number.is_grouped(sizes)) {
        0.1
    } else {
        return None;
    };
    let telling = issuer(digits)?;
    let is_card = checksum::luhn(digits) && digits.iter().any(|digit| *digit != digits[0]);
    is_card.then_some(CHECKED + groups - if telling { 0.0 } else { 0.15 })
}

/// Whether the issuer's prefix is a telling one; none if no issuer has such cards.
fn issuer(digits: &[u8]) -> Option<bool> {
    ISSUERS
        .iter()
        .find(|(first, last, lengths, _)| {
            let size = first.ilog10() as usize + 1;
            let prefix = digits.get(..size).map(numbers::value).unwrap_or_default() as u32;
            (*first..=*last).contains(&prefix) && lengths.contains(&digits.len())
        })
        .map(|(.., telling)| *telling)
}

/// Length of an IBAN by country, from the ISO 13616 registry.
#[rustfmt::skip]
const IBAN_LENGTHS: [(&[u8; 2], usize); 86] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
];

/// Trigger: country code, check digits and four more characters.
pub(super) fn iban(text: Text<'_>, end: usize) -> Option<Candidate> {
    let head = end - 4;
    let start = if is_plain_separator(text.before(head)) { head - 5 } else { head - 4 };
    let country = text.slice(start..start + 2).to_ascii_uppercase();
    let (_, length) = IBAN_LENGTHS.iter().find(|(code, _)| code.as_slice() == country)?;
    let (mut characters, mut at) = (Vec::with_capacity(*length), start);
    while characters.len() < *length {
        let byte = text.at(at);
        if byte.is_ascii_alphanumeric() {
            characters.push(byte);
        } else if !is_plain_separator(byte) || !text.at(at + 1).is_ascii_alphanumeric() {
            return None;
        }
        at += 1;
    }
    let valid = text.is_bounded(start, at) && checksum::iban(characters.into_iter());
    valid.then_some(Candidate { start, end: at, bonus: CHECKED })
}

/// Trigger: nine digits. Without a word nearby there is nothing in them that says routing number.
pub(super) fn aba_routing(text: Text<'_>, end: usize) -> Option<Candidate> {
    let number = Number::ending(text, end, 9)?;
    let digits = number.digits();
    let district = digits[0] * 10 + digits[1];
    let known = matches!(district, 1..=12 | 21..=32 | 61..=72 | 80);
    let valid = known && checksum::aba(digits);
    valid.then_some(Candidate { start: number.start, end, bonus: CHECKED })
}

/// Trigger: the first characters of a Bitcoin or Ethereum address.
pub(super) fn wallet(text: Text<'_>, end: usize) -> Option<Candidate> {
    let start = text.past_escape(text.run_before(end, 16, |byte| byte.is_ascii_alphanumeric()));
    let end = text.run_after(end, 96, |byte| byte.is_ascii_alphanumeric());
    if !text.is_bounded(start, end) {
        return None;
    }
    let bonus = match text.slice(start..end) {
        [b'0', b'x', address @ ..] if address.len() == 40 => ethereum(address)?,
        address @ ([b'b', b'c', b'1', ..] | [b'B', b'C', b'1', ..]) => {
            let known = matches!(address.len(), 42 | 62);
            (known && checksum::bech32(&address.to_ascii_lowercase())).then_some(CHECKED)?
        }
        address @ [b'1' | b'3', ..] if (26..=35).contains(&address.len()) => {
            checksum::base58check(address).then_some(CHECKED)?
        }
        _ => return None,
    };
    Some(Candidate { start, end, bonus })
}

/// An address in one case has no checksum.
fn ethereum(address: &[u8]) -> Option<f32> {
    let lower = address.iter().any(u8::is_ascii_lowercase);
    let upper = address.iter().any(u8::is_ascii_uppercase);
    let hexadecimal = address.iter().all(u8::is_ascii_hexdigit);
    let bonus = match (lower && upper, checksum::eip55(address)) {
        (true, true) => CHECKED,
        (true, false) => -0.2,
        (false, _) => 0.2,
    };
    (hexadecimal && (lower || upper)).then_some(bonus)
}
