//! Dates of birth: a word that announces one, and a date near it.

use super::Candidate;
use super::numbers::Number;
use super::text::Text;

/// Years that people alive may be born in. There is no clock here: a scan answers the same every day.
const YEARS: std::ops::RangeInclusive<u64> = 1900..=2099;
const MONTHS: [&[u8]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];
/// Bytes searched after the word, and before it.
const AFTER: usize = 48;
const BEFORE: usize = 24;

/// Trigger: a word for birth.
pub(super) fn date_of_birth(text: Text<'_>, end: usize) -> Option<Candidate> {
    let ahead = end..(end + AFTER).min(text.len());
    let behind = end.saturating_sub(BEFORE + 13)..end;
    let (start, end) = ahead.chain(behind).find_map(|at| Some((at, date(text, at)?)))?;
    Some(Candidate { start, end, bonus: 0.0 })
}

/// The end of the date that starts at `start`.
fn date(text: Text<'_>, start: usize) -> Option<usize> {
    let first = text.at(start);
    if !first.is_ascii_alphanumeric() || !text.begins_at(start) {
        return None;
    }
    let end = if first.is_ascii_digit() {
        numeric(text, start).or_else(|| day_first(text, start))
    } else {
        month_first(text, start)
    }?;
    text.ends_at(end).then_some(end)
}

/// 1985-03-12, 12/03/1985, 12.3.85.
fn numeric(text: Text<'_>, start: usize) -> Option<usize> {
    let number = Number::read(text, start, 8, |byte| matches!(byte, b'-' | b'/' | b'.'));
    let sizes: Vec<usize> = number.sizes().collect();
    if !number.uniform || sizes.len() != 3 {
        return None;
    }
    let mut digits = number.digits();
    let parts: Vec<u64> = sizes
        .iter()
        .map(|&size| {
            let (part, rest) = digits.split_at(size);
            digits = rest;
            super::numbers::value(part)
        })
        .collect();
    let valid = match sizes[..] {
        [4, 1..=2, 1..=2] => is_date(parts[0], parts[1], parts[2]),
        [1..=2, 1..=2, 2 | 4] => {
            let year = if sizes[2] == 2 { 1900 + parts[2] } else { parts[2] };
            is_date(year, parts[1], parts[0]) || is_date(year, parts[0], parts[1])
        }
        _ => false,
    };
    valid.then_some(number.end)
}

/// 12 March 1985, 12th of March 1985, 12-Mar-85.
fn day_first(text: Text<'_>, start: usize) -> Option<usize> {
    let (day, at) = read_day(text, start)?;
    let at = skip_of(text, skip(text, at));
    let (month, at) = read_month(text, at)?;
    let (year, end) = read_year(text, skip(text, at))?;
    is_date(year, month, day).then_some(end)
}

/// March 12, 1985.
fn month_first(text: Text<'_>, start: usize) -> Option<usize> {
    let (month, at) = read_month(text, start)?;
    let (day, at) = read_day(text, skip(text, at))?;
    let (year, end) = read_year(text, skip(text, at))?;
    is_date(year, month, day).then_some(end)
}

fn skip(text: Text<'_>, at: usize) -> usize {
    text.run_after(at, 2, |byte| matches!(byte, b' ' | b',' | b'-' | b'.' | b'/'))
}

fn skip_of(text: Text<'_>, at: usize) -> usize {
    if text.slice(at..at + 3) == b"of " { at + 3 } else { at }
}

fn read_day(text: Text<'_>, at: usize) -> Option<(u64, usize)> {
    let number = Number::read(text, at, 3, |_| false);
    let suffixed = [b"st", b"nd", b"rd", b"th"]
        .iter()
        .any(|suffix| text.slice(number.end..number.end + 2) == suffix.as_slice());
    let end = if suffixed { number.end + 2 } else { number.end };
    matches!(number.digits().len(), 1 | 2).then(|| (number.value(), end))
}

fn read_month(text: Text<'_>, at: usize) -> Option<(u64, usize)> {
    let end = text.run_after(at, 10, |byte| byte.is_ascii_alphabetic());
    let name = text.slice(at..end).to_ascii_lowercase();
    (1..).zip(MONTHS).find(|(_, month)| name.starts_with(month)).map(|(number, _)| (number, end))
}

fn read_year(text: Text<'_>, at: usize) -> Option<(u64, usize)> {
    let number = Number::read(text, at, 5, |_| false);
    match number.digits().len() {
        2 => Some((1900 + number.value(), number.end)),
        4 => Some((number.value(), number.end)),
        _ => None,
    }
}

fn is_date(year: u64, month: u64, day: u64) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    YEARS.contains(&year) && (1..=days).contains(&day)
}
