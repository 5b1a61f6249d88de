//! The ranges that a client's own dialect has for its sampling: what lies outside is the client's mistake.
//! What is inside, but more than a target takes, is clamped by the target's format.

use crate::chat::Request;
use crate::format;
use crate::format::{Fault, Kind};
use std::ops::RangeInclusive;

/// Checks a request against the dialect that it came in.
///
/// # Errors
/// [`Fault`], naming the field and its range.
pub fn check(request: &Request<'_>, kind: Kind) -> Result<(), Fault> {
    let hottest = if kind == Kind::AnthropicMessages { 1.0 } else { 2.0 };
    let fields: [(&'static str, Option<f64>, RangeInclusive<f64>); 4] = [
        ("temperature", request.temperature, 0.0..=hottest),
        ("top_p", request.top_p, 0.0..=1.0),
        ("frequency_penalty", request.frequency_penalty, -2.0..=2.0),
        ("presence_penalty", request.presence_penalty, -2.0..=2.0),
    ];
    for (field, given, range) in fields {
        if given.is_some_and(|given| !range.contains(&given)) {
            let name = format(kind).spelling(field);
            let (least, most) = (range.start(), range.end());
            return Err(Fault::of(name, format!("`{name}` must be between {least} and {most}.")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_clients_own_range_counts() {
        let warm = Request { temperature: Some(1.5), ..Request::default() };
        assert!(check(&warm, Kind::OpenaiChat).is_ok());
        let fault = check(&warm, Kind::AnthropicMessages).unwrap_err();
        assert_eq!(fault.param.as_deref(), Some("temperature"));
        let hot = Request { temperature: Some(2.5), ..Request::default() };
        let fault = check(&hot, Kind::GeminiGenerate).unwrap_err();
        assert_eq!(fault.param.as_deref(), Some("generationConfig.temperature"));
    }
}
