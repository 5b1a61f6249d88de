//! What a client is told that a limit or a budget refuses: whose it is, in plain words, and when to come back.
//! Never what others have used of it.

use super::bill::{Rate, Share};
use crate::budget::{Span, span};
use crate::error::{Class, Error};
use crate::limiter::Decision;
use crate::reply::push_dollars;
use crate::snapshot::{BudgetWindow, LimitOf, Period};

/// Seconds after which a place may have become free: nobody knows, but soon.
const A_MOMENT: f64 = 1.0;
const MICROSECONDS: f64 = 1e6;

/// A rate that is used up, or does not allow as much as is asked for.
pub(super) fn limited(rate: &Rate, decision: &Decision) -> Error {
    let what = format!("The {}'s limit of {}", rate.whose.word(), amount(rate));
    let message = match rate.of {
        LimitOf::Requests => format!("{what} is used up."),
        // What a request may cost is not for its client to count.
        LimitOf::Cost => format!("{what} does not allow this request now."),
        _ => format!("{what} does not allow {} more now.", rate.cost),
    };
    let seconds = decision.retry_after.as_secs_f64();
    Error::new(Class::RateLimited, message).with_retry_after(seconds)
}

/// A rate that is in debt for what was used before.
pub(super) fn in_debt(rate: &Rate, decision: &Decision) -> Error {
    let message = format!("The {}'s limit of {} is used up.", rate.whose.word(), amount(rate));
    let seconds = decision.retry_after.as_secs_f64();
    Error::new(Class::RateLimited, message).with_retry_after(seconds)
}

/// No place is free.
pub(super) fn crowded(place: &Rate) -> Error {
    let (whose, most) = (place.whose.word(), place.limit.amount);
    let message = format!("The {whose}'s limit of {most} requests at the same time is reached.");
    Error::new(Class::RateLimited, message).with_retry_after(A_MOMENT)
}

/// A budget that cannot pay.
pub(super) fn exceeded(share: &Share, now_us: u64) -> Error {
    let budget = &share.budget;
    let (whose, window) = (share.whose.word(), time_of(budget.window));
    let message = format!(
        "The {whose}'s budget of {} dollars{window} does not cover this request.",
        dollars(budget.amount)
    );
    let error = Error::new(Class::BudgetExceeded, message);
    match span(budget.window, now_us) {
        Span { ends: u64::MAX, .. } => error,
        Span { ends, .. } => error.with_retry_after(ends as f64 - now_us as f64 / MICROSECONDS),
    }
}

fn amount(rate: &Rate) -> String {
    let amount = match rate.of {
        LimitOf::Cost => dollars(rate.limit.amount),
        _ => rate.limit.amount.to_string(),
    };
    let unit = match rate.of {
        LimitOf::Requests | LimitOf::Concurrent => "requests",
        LimitOf::Tokens => "tokens",
        LimitOf::InputTokens => "input tokens",
        LimitOf::OutputTokens => "output tokens",
        LimitOf::Bytes => "bytes",
        LimitOf::Cost => "dollars",
    };
    let per = match rate.per {
        Some(Period::Second) => " per second",
        Some(Period::Minute) => " per minute",
        Some(Period::Hour) => " per hour",
        Some(Period::Day) => " per day",
        None => "",
    };
    format!("{amount} {unit}{per}")
}

fn time_of(window: BudgetWindow) -> String {
    match window {
        BudgetWindow::Day => " a day".into(),
        BudgetWindow::Week => " a week".into(),
        BudgetWindow::Month => " a month".into(),
        BudgetWindow::Year => " a year".into(),
        BudgetWindow::Total => String::new(),
        BudgetWindow::Rolling(seconds) => format!(" in {seconds} seconds"),
    }
}

/// Nano-dollars as dollars, with no more digits than it takes.
#[must_use]
pub fn dollars(nano: u64) -> String {
    let mut text = Vec::new();
    push_dollars(&mut text, nano);
    String::from_utf8_lossy(&text).into_owned()
}
