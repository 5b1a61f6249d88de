//! Which window of a budget an instant lies in: pure arithmetic of UTC.
//!
//! A calendar window is numbered by the second at which it starts, so that numbers grow with time, and go on
//! to do so where a budget's kind of window is changed. A rolling one is cut into parts, of which the number
//! also tells the place in the ring.

use crate::snapshot::BudgetWindow;

/// Parts of a rolling window. What was spent counts for up to one part longer than it has to, never shorter.
pub const PARTS: u64 = 16;
/// Places in the ring of a rolling window: one more than the parts that count, for the one that begins.
pub(super) const RING: u64 = PARTS + 1;

/// Set in the numbers of parts of rolling windows.
const ROLLING: u64 = 1 << 48;
/// Bits of such a number that tell the place in the ring.
const PLACE_BITS: u32 = 5;
const MICROSECONDS: u64 = 1_000_000;
const DAY: u64 = 24 * 3600;

/// A window, or a part of a rolling one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its number: grows with time.
    pub number: u64,
    /// Unix second at which it starts.
    pub starts: u64,
    /// Unix second at which it ends; `u64::MAX` if it does not.
    pub ends: u64,
}

/// The window that an instant (Unix microseconds) lies in; of a rolling one, the part.
#[must_use]
pub fn span(window: BudgetWindow, at_us: u64) -> Span {
    let second = at_us / MICROSECONDS;
    let day = second / DAY;
    let of = |starts: u64, ends: u64| Span { number: starts, starts, ends };
    match window {
        BudgetWindow::Day => of(day * DAY, (day + 1) * DAY),
        BudgetWindow::Week => {
            // The epoch was a Thursday.
            let monday = (day + 3) / 7 * 7;
            of(monday.saturating_sub(3) * DAY, (monday + 4) * DAY)
        }
        BudgetWindow::Month => {
            let (year, month) = year_and_month(day);
            let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            of(first_day(year, month) * DAY, first_day(next_year, next) * DAY)
        }
        BudgetWindow::Year => {
            let (year, _) = year_and_month(day);
            of(first_day(year, 1) * DAY, first_day(year + 1, 1) * DAY)
        }
        BudgetWindow::Total => of(0, u64::MAX),
        BudgetWindow::Rolling(seconds) => {
            let length = part_seconds(seconds);
            let index = second / length;
            let starts = index * length;
            let number = ROLLING | (starts << PLACE_BITS) | (index % RING);
            Span { number, starts, ends: starts + length }
        }
    }
}

/// Seconds of a part of a rolling window.
pub(super) fn part_seconds(seconds: u64) -> u64 {
    seconds.div_ceil(PARTS).max(1)
}

/// The place in the ring of the part of this number; `None` for calendar windows.
pub(super) fn place(number: u64) -> Option<u64> {
    (number & ROLLING != 0).then_some(number & ((1 << PLACE_BITS) - 1))
}

/// The Unix second at which the part of this number starts.
pub(super) fn starts_of_part(number: u64) -> u64 {
    (number & !ROLLING) >> PLACE_BITS
}

/// The second from which a part counts at this instant: before it, all that was spent is past.
pub(super) fn counts_from(seconds: u64, at_us: u64) -> u64 {
    // A part counts as long as its last second is within the window.
    (at_us / MICROSECONDS + 1).saturating_sub(seconds + part_seconds(seconds))
}

/// Days from the epoch to the first of a month, by the proleptic Gregorian calendar.
fn first_day(year: u64, month: u64) -> u64 {
    // Years are counted from March on, so that the leap day is the last one.
    let (shifted, year) = if month > 2 { (month - 3, year) } else { (month + 9, year - 1) };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * shifted + 2) / 5;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_era).saturating_sub(719_468)
}

fn year_and_month(day: u64) -> (u64, u64) {
    let (year, month, _) = date(day * DAY);
    (year, month)
}

/// Year, month (1 to 12) and day of a Unix second, in UTC.
#[must_use]
pub fn date(second: u64) -> (u64, u64, u64) {
    let day = second / DAY;
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + u64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-02-29T13:14:15.5Z, a Thursday.
    const LEAP: u64 = 1_709_212_455_500_000;

    fn bounds(window: BudgetWindow, at: u64) -> (u64, u64) {
        let Span { starts, ends, .. } = span(window, at);
        (starts, ends)
    }

    #[test]
    fn calendar_windows_begin_and_end_in_utc() {
        let leap_day = 1_709_164_800;
        assert_eq!(bounds(BudgetWindow::Day, LEAP), (leap_day, leap_day + DAY));
        assert_eq!(bounds(BudgetWindow::Week, LEAP), (leap_day - 3 * DAY, leap_day + 4 * DAY));
        assert_eq!(bounds(BudgetWindow::Month, LEAP), (leap_day - 28 * DAY, leap_day + DAY));
        assert_eq!(bounds(BudgetWindow::Year, LEAP), (1_704_067_200, 1_735_689_600));
        assert_eq!(bounds(BudgetWindow::Total, LEAP), (0, u64::MAX));
    }

    #[test]
    fn every_window_begins_where_the_one_before_it_ends() {
        let kinds =
            [BudgetWindow::Day, BudgetWindow::Week, BudgetWindow::Month, BudgetWindow::Year];
        for kind in kinds {
            let mut at = LEAP;
            for _ in 0..5000 {
                let now = span(kind, at);
                assert!(
                    now.starts <= at / MICROSECONDS && at / MICROSECONDS < now.ends,
                    "{kind:?}"
                );
                assert_eq!(span(kind, now.ends * MICROSECONDS - 1), now);
                assert_eq!(span(kind, now.ends * MICROSECONDS).starts, now.ends);
                at = now.ends * MICROSECONDS;
            }
        }
    }

    #[test]
    fn centuries_are_leap_years_as_the_calendar_has_it() {
        let days = |year| first_day(year + 1, 1) - first_day(year, 1);
        assert_eq!([1999, 2000, 2024, 2100].map(days), [365, 366, 366, 365]);
    }

    #[test]
    fn a_part_counts_for_at_least_the_rolling_window_and_at_most_one_part_more() {
        for seconds in [1, 16, 60, 100, 3600, 86_400] {
            let (mut at, part) = (LEAP, part_seconds(seconds));
            let spent = span(BudgetWindow::Rolling(seconds), at);
            let counts = |at| starts_of_part(spent.number) >= counts_from(seconds, at);
            at += (seconds - 1) * MICROSECONDS;
            assert!(counts(at), "{seconds}");
            at += (part + 1) * MICROSECONDS;
            assert!(!counts(at), "{seconds}");
        }
    }

    #[test]
    fn parts_that_count_together_have_places_of_their_own() {
        for seconds in [1, 16, 60, 100, 3600, 86_400] {
            let part = part_seconds(seconds);
            let from = counts_from(seconds, LEAP).div_ceil(part) * part;
            let starts = (from..=LEAP / MICROSECONDS).step_by(usize::try_from(part).unwrap_or(1));
            let window = BudgetWindow::Rolling(seconds);
            let mut places: Vec<_> =
                starts.map(|at| place(span(window, at * MICROSECONDS).number)).collect();
            let all = places.len();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), all, "{seconds}");
        }
    }
}
