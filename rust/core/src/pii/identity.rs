//! Numbers that states, health services and makers give to people and their things.

use super::Candidate;
use super::checksum;
use super::numbers::{self, Number};
use super::text::Text;

const CHECKED: f32 = 0.5;

/// Printed in advertisements and manuals; given to nobody since.
const DUMMY_SSNS: [u64; 3] = [78_051_120, 219_099_999, 457_555_462];

/// Nine digits, solid or 3-2-4, divided by hyphens, spaces or dots.
fn tax_number(text: Text<'_>, end: usize) -> Option<(Number, f32)> {
    let is_separator = |byte| matches!(byte, b'-' | b' ' | b'.');
    let start = numbers::digits_back(text, end, 9, is_separator)?;
    if !numbers::stands_alone(text, start, end) {
        return None;
    }
    let number = Number::read(text, start, 9, is_separator);
    let shaped = number.is_solid() || (number.uniform && number.is_grouped(&[3, 2, 4]));
    let bonus = match number.separator {
        b'-' | b' ' => 0.35,
        b'.' => 0.15,
        _ => 0.0,
    };
    shaped.then_some((number, bonus))
}

/// Area not 000, 666 or 900 to 999, group not 00, serial not 0000.
pub(super) fn us_ssn(text: Text<'_>, end: usize) -> Option<Candidate> {
    let (number, bonus) = tax_number(text, end)?;
    let value = number.value();
    let (area, group, serial) = (value / 1_000_000, value / 10_000 % 100, value % 10_000);
    if matches!(area, 0 | 666 | 900..) || group == 0 || serial == 0 {
        return None;
    }
    let digits = number.digits();
    let is_dummy = DUMMY_SSNS.contains(&value) || digits.iter().all(|digit| *digit == digits[0]);
    let bonus = if is_dummy { bonus - 0.3 } else { bonus };
    Some(Candidate { start: number.start, end, bonus })
}

/// Begins with 9; the fourth and fifth digits in the ranges that the IRS gives out.
pub(super) fn us_itin(text: Text<'_>, end: usize) -> Option<Candidate> {
    let (number, bonus) = tax_number(text, end)?;
    let value = number.value();
    let known = matches!(value / 10_000 % 100, 50..=65 | 70..=88 | 90..=92 | 94..=99);
    (value / 100_000_000 == 9 && known).then_some(Candidate { start: number.start, end, bonus })
}

/// Ten digits modulo 11; one number in eleven passes, so solid ones need a word nearby.
pub(super) fn uk_nhs(text: Text<'_>, end: usize) -> Option<Candidate> {
    let number = Number::ending(text, end, 10)?;
    let shaped = number.is_solid() || number.is_grouped(&[3, 3, 4]);
    let plain = !numbers::is_monotonous(number.digits());
    let spaced = if number.separator == b' ' { 0.1 } else { 0.0 };
    let bonus = CHECKED + spaced;
    let valid = shaped && plain && checksum::nhs(number.digits());
    valid.then_some(Candidate { start: number.start, end, bonus })
}

/// Two letters, six digits, a letter from A to D; pairs of letters that are never given out fail.
pub(super) fn uk_nino(text: Text<'_>, end: usize) -> Option<Candidate> {
    let skip_space = |at: usize| text.run_before(at, 1, |byte| byte == b' ');
    let digits = numbers::digits_back(text, skip_space(end - 1), 6, |byte| byte == b' ')?;
    let start = skip_space(digits).checked_sub(2)?;
    let prefix = text.slice(start..start + 2);
    let upper = prefix.to_ascii_uppercase();
    let never = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];
    let valid = !b"DFIQUV".contains(&upper[0])
        && !b"DFIOQUV".contains(&upper[1])
        && !never.iter().any(|other| upper == other.as_slice())
        && text.is_bounded(start, end);
    let lower = if prefix == upper { 0.0 } else { -0.2 };
    valid.then_some(Candidate { start, end, bonus: lower })
}

/// Twelve digits, Verhoeff; no palindromes are given out.
pub(super) fn in_aadhaar(text: Text<'_>, end: usize) -> Option<Candidate> {
    let number = Number::ending(text, end, 12)?;
    let digits = number.digits();
    let shaped = number.is_solid() || number.is_grouped(&[4, 4, 4]);
    let is_palindrome = digits.iter().eq(digits.iter().rev());
    let goes_on = matches!(text.at(end), b' ' | b'-') && text.at(end + 1).is_ascii_digit();
    let grouped = if number.is_solid() { 0.0 } else { 0.1 };
    let bonus = CHECKED + grouped;
    let valid = shaped && !is_palindrome && !goes_on && checksum::verhoeff(digits);
    valid.then_some(Candidate { start: number.start, end, bonus })
}

/// Trigger: the last letter of five, four digits, a letter. The fourth letter says what kind of holder.
pub(super) fn in_pan(text: Text<'_>, end: usize) -> Option<Candidate> {
    let start = end.checked_sub(10)?;
    let written = text.slice(start..end);
    let holder = written[3].to_ascii_uppercase();
    let named = written[..4].iter().all(u8::is_ascii_alphabetic);
    let valid = named && b"ABCFGHLJPT".contains(&holder) && text.is_bounded(start, end);
    let lower = written.iter().any(u8::is_ascii_lowercase);
    valid.then_some(Candidate { start, end, bonus: if lower { -0.3 } else { 0.0 } })
}

/// Ten digits that pass Luhn behind 80840; needs a word nearby.
pub(super) fn us_npi(text: Text<'_>, end: usize) -> Option<Candidate> {
    let number = Number::ending(text, end, 10)?;
    let valid = checksum::npi(number.digits());
    valid.then_some(Candidate { start: number.start, end, bonus: CHECKED })
}

/// Eleven characters in the order C A AN N A AN N A A N N; letters without S, L, O, I, B and Z.
pub(super) fn us_mbi(text: Text<'_>, end: usize) -> Option<Candidate> {
    let start = text.run_before(end, 13, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let start = text.past_escape(start);
    let written = text.slice(start..end);
    let is_letter = |byte: &u8| {
        let letter = byte.to_ascii_uppercase();
        letter.is_ascii_uppercase() && !b"SLOIBZ".contains(&letter)
    };
    let mut letters = written.iter().filter(|&&byte| byte != b'-');
    let valid = b"CAXNAXNAANN".iter().all(|kind| {
        letters.next().is_some_and(|byte| match kind {
            b'C' => matches!(byte, b'1'..=b'9'),
            b'N' => byte.is_ascii_digit(),
            b'A' => is_letter(byte),
            _ => byte.is_ascii_digit() || is_letter(byte),
        })
    });
    let bonus = if written.iter().any(u8::is_ascii_lowercase) { -0.3 } else { 0.0 };
    let whole = valid && letters.next().is_none() && numbers::stands_alone(text, start, end);
    whole.then_some(Candidate { start, end, bonus })
}

/// Fifteen digits, Luhn. 35 and 86 are the bodies that number nearly all telephones.
pub(super) fn imei(text: Text<'_>, end: usize) -> Option<Candidate> {
    let number = Number::ending(text, end, 15)?;
    let digits = number.digits();
    let shaped = number.is_solid() || number.is_grouped(&[2, 6, 6, 1]);
    let telling = matches!(digits[..2], [3, 5] | [8, 6]) || !number.is_solid();
    let plain = digits.iter().any(|digit| *digit != digits[0]);
    let bonus = CHECKED + if telling { 0.1 } else { 0.0 };
    let valid = shaped && plain && checksum::luhn(digits);
    valid.then_some(Candidate { start: number.start, end, bonus })
}

/// Seventeen capitals and digits without I, O and Q. Makers outside of North America need not keep
/// the check digit, so that a wrong one only counts against it.
pub(super) fn vin(text: Text<'_>, end: usize) -> Option<Candidate> {
    let start = end - 11;
    let end = start + 17;
    let written = text.slice(start..end);
    let is_character = |&byte: &u8| {
        byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !b"IOQ".contains(&byte))
    };
    let has_letters = written.iter().filter(|byte| byte.is_ascii_uppercase()).count() >= 2;
    let serial_is_numeric = written.get(13..)?.iter().all(u8::is_ascii_digit);
    let shaped = written.iter().all(is_character) && has_letters && serial_is_numeric;
    if !shaped || !text.is_bounded(start, end) {
        return None;
    }
    let bonus = if checksum::vin(written) { CHECKED } else { -0.3 };
    Some(Candidate { start, end, bonus })
}
