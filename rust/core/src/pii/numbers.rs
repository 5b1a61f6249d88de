//! Numbers written in groups: `4111 1111 1111 1111`, `536-22-1234`.

use super::text::Text;

/// Longest number read, in digits; with separators it stays below 40 bytes.
pub(super) const MOST: usize = 20;

/// A run of digits, each group divided from the next by one separator.
#[derive(Clone, Debug)]
pub(super) struct Number {
    pub(super) start: usize,
    pub(super) end: usize,
    digits: [u8; MOST],
    count: usize,
    /// Digits read up to the end of each group, and bytes from the start to there.
    ends: [(u8, u8); MOST],
    groups: usize,
    /// The separators were all the same (or there was none).
    pub(super) uniform: bool,
    /// The first separator, 0 if there was none.
    pub(super) separator: u8,
}

impl Number {
    /// Reads from `start` up to `most` digits.
    pub(super) fn read(
        text: Text<'_>,
        start: usize,
        most: usize,
        is_separator: impl Fn(u8) -> bool,
    ) -> Number {
        let mut number = Number {
            start,
            end: start,
            digits: [0; MOST],
            count: 0,
            ends: [(0, 0); MOST],
            groups: 0,
            uniform: true,
            separator: 0,
        };
        let mut at = start;
        while number.count < most.min(MOST) {
            let byte = text.at(at);
            if byte.is_ascii_digit() {
                number.digits[number.count] = byte - b'0';
                number.count += 1;
                number.end = at + 1;
            } else if number.count > 0 && is_separator(byte) && text.at(at + 1).is_ascii_digit() {
                number.close_group();
                if number.separator == 0 {
                    number.separator = byte;
                }
                number.uniform &= number.separator == byte;
            } else {
                break;
            }
            at += 1;
        }
        number.close_group();
        number
    }

    fn close_group(&mut self) {
        if self.count > 0 {
            self.ends[self.groups] = (self.count as u8, (self.end - self.start) as u8);
            self.groups += 1;
        }
    }

    /// Reads the number of exactly `count` digits whose last one is before `end`, divided by spaces
    /// or hyphens (all alike), if it stands alone.
    pub(super) fn ending(text: Text<'_>, end: usize, count: usize) -> Option<Number> {
        let start = digits_back(text, end, count, is_plain_separator)?;
        if !stands_alone(text, start, end) {
            return None;
        }
        let number = Number::read(text, start, count, is_plain_separator);
        (number.count == count && number.end == end && number.uniform).then_some(number)
    }

    /// The digits, 0 to 9 each.
    pub(super) fn digits(&self) -> &[u8] {
        &self.digits[..self.count]
    }

    /// The sizes of the groups.
    pub(super) fn sizes(&self) -> impl Iterator<Item = usize> + '_ {
        let mut before = 0;
        self.ends[..self.groups].iter().map(move |(count, _)| {
            let size = count - before;
            before = *count;
            usize::from(size)
        })
    }

    /// Whether the groups have these sizes.
    pub(super) fn is_grouped(&self, sizes: &[usize]) -> bool {
        self.sizes().eq(sizes.iter().copied())
    }

    /// Written without separators.
    pub(super) fn is_solid(&self) -> bool {
        self.groups == 1
    }

    /// The number cut after each of its groups, longest first.
    pub(super) fn cuts(&self) -> impl Iterator<Item = Number> + '_ {
        (1..=self.groups).rev().map(|groups| {
            let (count, bytes) = self.ends[groups - 1];
            let end = self.start + usize::from(bytes);
            Number { count: usize::from(count), end, groups, ..self.clone() }
        })
    }

    /// The number as an integer.
    pub(super) fn value(&self) -> u64 {
        value(self.digits())
    }
}

/// Digits as an integer; at most 19 of them.
pub(super) fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum: u64, digit| sum.wrapping_mul(10) + u64::from(*digit))
}

/// A space or a hyphen.
pub(super) fn is_plain_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-')
}

/// Where the number of `count` digits that ends at `end` starts.
pub(super) fn digits_back(
    text: Text<'_>,
    end: usize,
    count: usize,
    is_separator: impl Fn(u8) -> bool,
) -> Option<usize> {
    let mut left = count;
    for at in (0..end).rev() {
        let byte = text.at(at);
        if byte.is_ascii_digit() {
            left -= 1;
            if left == 0 {
                return Some(at);
            }
        } else if !is_separator(byte) {
            return None;
        }
    }
    None
}

/// Whether a number stands for itself: it is no money, no decimal, and no part of something longer
/// such as a UUID, a version or a part number.
pub(super) fn stands_alone(text: Text<'_>, start: usize, end: usize) -> bool {
    text.is_bounded(start, end)
        && !joins(text.before(start), start.checked_sub(1).map_or(0, |at| text.before(at)))
        && !joins(text.at(end), text.at(end + 1))
        && text.before(start) != b'$'
        && !text.slice(start.saturating_sub(3)..start).ends_with("€".as_bytes())
}

fn joins(next: u8, beyond: u8) -> bool {
    matches!(next, b'-' | b'.') && beyond.is_ascii_alphanumeric()
}

/// All digits the same, or each one more (or one less) than the one before.
pub(super) fn is_monotonous(digits: &[u8]) -> bool {
    let steps = |step: u8| digits.windows(2).all(|pair| (pair[0] + step) % 10 == pair[1]);
    steps(0) || steps(1) || steps(9)
}
