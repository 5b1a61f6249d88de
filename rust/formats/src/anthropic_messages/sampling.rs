//! The sampling that a model takes: newer ones less and less of it, and a thinking one hardly any.

use super::models::{Model, Sampling};
use crate::chat::Request;
use crate::format::Dropped;
use crate::writer::Writer;

/// Nucleus sampling below this is refused while the model thinks.
const LEAST_TOP_P: f64 = 0.95;

/// Writes `temperature`, `top_p` and `top_k`; a value that changes nothing is left out without a word.
pub(super) fn write(
    w: &mut Writer,
    request: &Request<'_>,
    model: Model,
    thinks: bool,
    dropped: &mut Dropped,
) {
    let sampling = model.sampling();
    let fixed = thinks || sampling == Sampling::Fixed;
    let (mut temperature, mut top_p) = (request.temperature, request.top_p);
    if fixed {
        dropped.add_if(temperature.take().is_some_and(|given| given != 1.0), "temperature");
    }
    let narrow = fixed && top_p.is_some_and(|given| !(LEAST_TOP_P..=1.0).contains(&given));
    let second = sampling == Sampling::OneOf && temperature.is_some();
    if sampling == Sampling::Fixed || narrow || second {
        dropped.add_if(top_p.take().is_some_and(|given| given != 1.0), "top_p");
    }
    let clamped = temperature.map(|given| given.clamp(0.0, 1.0));
    dropped.add_if(clamped != temperature, "temperature (clamped)");
    w.float_if("temperature", clamped).float_if("top_p", top_p);
    dropped.add_if(fixed && request.top_k.is_some(), "top_k");
    w.count_if("top_k", request.top_k.filter(|_| !fixed));
}
