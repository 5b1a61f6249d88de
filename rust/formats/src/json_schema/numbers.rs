//! Numbers against their limits.

use crate::value::Value;

/// Whole numbers beyond this are not told apart as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum` (a number, or in older drafts whether the other
/// is exclusive) and `multipleOf`.
pub(super) fn fits(schema: &Value<'_>, value: &Value<'_>) -> bool {
    let Some(number) = value.as_f64() else { return true };
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    let is_open = |name: &str| schema.get(name).and_then(Value::as_bool) == Some(true);
    let above = limit("minimum")
        .is_none_or(|least| number > least || (number == least && !is_open("exclusiveMinimum")));
    let below = limit("maximum")
        .is_none_or(|most| number < most || (number == most && !is_open("exclusiveMaximum")));
    above
        && below
        && limit("exclusiveMinimum").is_none_or(|bound| number > bound)
        && limit("exclusiveMaximum").is_none_or(|bound| number < bound)
        && limit("multipleOf").is_none_or(|step| is_multiple(number, step))
}

/// Fractions are not judged: 0.3 is no multiple of 0.1 to a computer.
fn is_multiple(number: f64, step: f64) -> bool {
    let judged = step >= 1.0 && step.fract() == 0.0 && number.abs() < EXACT;
    !judged || number % step == 0.0
}

/// Whether it is a whole number, however it is written (`1.0`).
pub(super) fn is_whole(value: &Value<'_>) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

pub(super) fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    one.raw() == other.raw() || one.as_f64().is_some_and(|number| other.as_f64() == Some(number))
}
