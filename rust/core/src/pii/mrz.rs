//! Machine readable zones of passports and identity cards (ICAO 9303): TD1, TD2 and TD3.

use super::Candidate;
use super::checksum;
use super::text::Text;

/// Lines and characters per line of TD1, TD2, TD3.
const FORMATS: [(usize, usize); 3] = [(3, 30), (2, 36), (2, 44)];

/// A field (or several), as line and range, and the line and column of its check digit.
type Check = (&'static [(usize, usize, usize)], usize, usize);

const TD1_CHECKS: [Check; 4] = [
    (&[(0, 5, 14)], 0, 14),
    (&[(1, 0, 6)], 1, 6),
    (&[(1, 8, 14)], 1, 14),
    (&[(0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)], 1, 29),
];
const TD2_CHECKS: [Check; 4] = [
    (&[(1, 0, 9)], 1, 9),
    (&[(1, 13, 19)], 1, 19),
    (&[(1, 21, 27)], 1, 27),
    (&[(1, 0, 10), (1, 13, 20), (1, 21, 35)], 1, 35),
];
const TD3_CHECKS: [Check; 4] = [
    (&[(1, 0, 9)], 1, 9),
    (&[(1, 13, 19)], 1, 19),
    (&[(1, 21, 27)], 1, 27),
    (&[(1, 0, 10), (1, 13, 20), (1, 21, 43)], 1, 43),
];

fn is_character(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<'
}

/// Trigger: `<<` between letters, as between the surname and the given names.
pub(super) fn zone(text: Text<'_>, end: usize) -> Option<Candidate> {
    let name = line_around(text, end)?;
    let mut lines = [name; 3];
    let mut count = 1;
    while count < 3 {
        let Some(above) = line_above(text, lines[0]) else { break };
        lines.rotate_right(1);
        lines[0] = above;
        count += 1;
    }
    while count < 3 {
        let Some(below) = line_below(text, lines[count - 1]) else { break };
        lines[count] = below;
        count += 1;
    }
    let lines = &lines[..count];
    let (start, end) = (lines[0].0, lines[count - 1].1);
    let length = name.1 - name.0;
    if FORMATS.contains(&(count, length)) && all_checks_pass(text, lines, length) {
        return Some(Candidate { start, end, bonus: 0.4 });
    }
    // A zone cut short or misread: its name line still tells who it is.
    let is_name_line = matches!(text.at(name.0), b'P' | b'I' | b'V') && length != 30;
    is_name_line.then_some(Candidate { start: name.0, end: name.1, bonus: 0.1 })
}

fn all_checks_pass(text: Text<'_>, lines: &[(usize, usize)], length: usize) -> bool {
    let checks = match length {
        30 => TD1_CHECKS,
        36 => TD2_CHECKS,
        _ => TD3_CHECKS,
    };
    checks.iter().all(|(fields, line, column)| {
        let characters = fields
            .iter()
            .flat_map(|(line, from, to)| text.slice(lines[*line].0 + from..lines[*line].0 + to));
        checksum::icao(characters.copied(), text.at(lines[*line].0 + column))
    })
}

fn line_around(text: Text<'_>, at: usize) -> Option<(usize, usize)> {
    let start = text.past_escape(text.run_before(at, 45, is_character));
    let end = text.run_after(at, 45, is_character);
    FORMATS.iter().any(|(_, length)| *length == end - start).then_some((start, end))
}

fn line_above(text: Text<'_>, (start, end): (usize, usize)) -> Option<(usize, usize)> {
    let above = break_before(text, start)?;
    let first = above.checked_sub(end - start)?;
    let whole = text.run_before(above, end - start + 1, is_character) == first;
    whole.then_some((first, above))
}

fn line_below(text: Text<'_>, (start, end): (usize, usize)) -> Option<(usize, usize)> {
    let below = break_after(text, end)?;
    let last = text.run_after(below, end - start + 1, is_character);
    (last - below == end - start).then_some((below, last))
}

/// Line breaks as they are, or as JSON writes them.
const BREAKS: [&[u8]; 4] = [b"\r\n", b"\n", b"\\r\\n", b"\\n"];

fn break_before(text: Text<'_>, start: usize) -> Option<usize> {
    let found = BREAKS.iter().find(|line_break| text.slice(0..start).ends_with(line_break))?;
    Some(start - found.len())
}

fn break_after(text: Text<'_>, end: usize) -> Option<usize> {
    let rest = text.slice(end..text.len());
    BREAKS.iter().find(|line_break| rest.starts_with(line_break)).map(|found| end + found.len())
}
