//! Embeddings that depend on the text alone: the same text always gets the same vector of length one.

use serde::Deserialize;
use serde_json::Value;

/// The vector's size when the request names none; small, since nobody looks at it for meaning.
const DIMENSIONS: usize = 16;
const MOST_DIMENSIONS: usize = 4096;
/// OpenAI's own limit.
const MOST_INPUTS: usize = 2048;

#[derive(Debug, Deserialize)]
struct Ask {
    #[serde(default)]
    model: String,
    #[serde(default)]
    input: Value,
    dimensions: Option<usize>,
    encoding_format: Option<String>,
}

/// The reply's body, or what is wrong with the request.
pub(super) fn reply(body: &[u8]) -> Result<Vec<u8>, String> {
    let ask: Ask = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let size = ask.dimensions.unwrap_or(DIMENSIONS).clamp(1, MOST_DIMENSIONS);
    let packed = ask.encoding_format.as_deref() == Some("base64");
    let texts = texts(&ask.input)?;
    let tokens: usize = texts.iter().map(|text| text.len().div_ceil(4)).sum();
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let embedding = encode(&vector(text, size), packed);
            serde_json::json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let model = ask.model.split('?').next();
    let usage = serde_json::json!({"prompt_tokens": tokens, "total_tokens": tokens});
    let reply = serde_json::json!({"object": "list", "data": data, "model": model, "usage": usage});
    Ok(reply.to_string().into_bytes())
}

/// The texts to embed; lists of token ids are taken as the text that spells them.
fn texts(input: &Value) -> Result<Vec<String>, String> {
    match input {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) if items.first().is_some_and(Value::is_number) => {
            Ok(vec![input.to_string()])
        }
        Value::Array(items) if items.len() > MOST_INPUTS => {
            Err(format!("Embeddings take at most {MOST_INPUTS} inputs."))
        }
        Value::Array(items) => Ok(items.iter().map(spelled).collect()),
        _ => Err("Embeddings need `input`: a text or a list.".to_owned()),
    }
}

fn spelled(item: &Value) -> String {
    item.as_str().map_or_else(|| item.to_string(), str::to_owned)
}

fn vector(text: &str, size: usize) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(seed(text));
    let raw: Vec<f32> = (0..size).map(|_| random.f32() - 0.5).collect();
    let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    raw.into_iter().map(|x| x / length).collect()
}

/// FNV-1a: stable across builds and machines, unlike the standard library's hasher.
fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn encode(vector: &[f32], packed: bool) -> Value {
    if packed {
        let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
        Value::String(base64(&bytes))
    } else {
        Value::from(vector)
    }
}

/// Base64, padded.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() { digit as char } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn base64_is_padded() {
        assert_eq!(base64(b"Man"), "TWFu");
        assert_eq!(base64(b"Ma"), "TWE=");
        assert_eq!(base64(b"M"), "TQ==");
    }

    #[test]
    fn the_same_text_has_the_same_vector_of_length_one() {
        let vector = vector("hello", 32);
        assert_eq!(vector, super::vector("hello", 32));
        assert_ne!(vector, super::vector("world", 32));
        let length: f32 = vector.iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-5);
    }

    #[test]
    fn token_ids_count_as_one_input_and_lists_of_them_as_many() {
        let count = |input: &str| texts(&serde_json::from_str(input).unwrap()).unwrap().len();
        assert_eq!(count("[1,2,3]"), 1);
        assert_eq!(count("[[1],[2]]"), 2);
        assert_eq!(count(r#"["a","b"]"#), 2);
    }
}
