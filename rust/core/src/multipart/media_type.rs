//! The `content-type` of a form: its boundary, read strictly and written plainly.

use super::bad;
use crate::error::{Class, Error, Result};

/// What a boundary may have (RFC 2046 §5.1.1).
const LONGEST: usize = 70;
const MARKS: &[u8] = b"'()+_,-./:=? ";

/// The boundary in a `content-type` header.
///
/// # Errors
/// `UnsupportedMediaType` if it is not that of a form, `InvalidRequest` if its boundary cannot be used.
pub fn boundary(content_type: Option<&[u8]>) -> Result<String> {
    let text = content_type.and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default();
    let (kind, mut rest) = text.split_once(';').unwrap_or((text, ""));
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        let message = "Send the request with `Content-Type: multipart/form-data`.";
        return Err(Error::new(Class::UnsupportedMediaType, message));
    }
    const UNCLEAR: &str = "The Content-Type of the form must give its boundary, once.";
    let mut boundary = None;
    while !rest.trim().is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| bad(UNCLEAR))?;
        let (value, left) = value(after).ok_or_else(|| bad(UNCLEAR))?;
        rest = left;
        let key = key.trim().to_ascii_lowercase();
        if key == "boundary*" || (key == "boundary" && boundary.replace(value).is_some()) {
            return Err(bad(UNCLEAR));
        }
    }
    let boundary = boundary.ok_or_else(|| bad(UNCLEAR))?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || MARKS.contains(&byte);
    let valid = (1..=LONGEST).contains(&boundary.len())
        && boundary.bytes().all(fits)
        && !boundary.ends_with(' ');
    if !valid {
        return Err(bad(
            "The boundary of the form must be 1 to 70 characters that RFC 2046 allows.",
        ));
    }
    Ok(boundary.to_owned())
}

/// A token or a quoted text, and what follows its semicolon.
fn value(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (value, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => {
            let end = text.find(';').unwrap_or(text.len());
            (text[..end].trim_end(), &text[end..])
        }
    };
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Some((value, rest));
    }
    rest.strip_prefix(';').map(|rest| (value, rest))
}

/// The header for a form of that boundary, quoted so that nobody has to guess.
#[must_use]
pub fn content_type(boundary: &str) -> String {
    if boundary.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"'+_-.".contains(&byte)) {
        return format!("multipart/form-data; boundary={boundary}");
    }
    format!("multipart/form-data; boundary=\"{boundary}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String> {
        boundary(Some(text.as_bytes()))
    }

    #[test]
    fn a_boundary_is_found_however_it_is_written() {
        for text in [
            "multipart/form-data; boundary=abc",
            "Multipart/Form-Data;boundary=abc",
            "multipart/form-data; charset=utf-8; Boundary=\"abc\"",
            "multipart/form-data; boundary=abc ; charset=utf-8",
        ] {
            assert_eq!(read(text).as_deref(), Ok("abc"), "{text}");
        }
    }

    #[test]
    fn a_boundary_that_is_missing_doubled_or_too_long_is_refused() {
        let long = format!("multipart/form-data; boundary={}", "a".repeat(71));
        for text in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"a",
            "multipart/form-data; boundary=\"a\"b",
            "multipart/form-data; boundary=a; boundary=b",
            "multipart/form-data; boundary*=utf-8''a",
            "multipart/form-data; boundary=a\u{e9}",
            "multipart/form-data; boundary=\"a \"",
            &long,
        ] {
            assert_eq!(
                read(text).map_err(|error| error.class),
                Err(Class::InvalidRequest),
                "{text}"
            );
        }
        assert!(read(&long[..long.len() - 1]).is_ok());
    }

    #[test]
    fn another_media_type_is_no_form() {
        for text in [
            "",
            "application/json",
            "multipart/mixed; boundary=a",
            "multipart/form-datax; boundary=a",
        ] {
            assert_eq!(read(text).map_err(|e| e.class), Err(Class::UnsupportedMediaType), "{text}");
        }
        assert!(boundary(None).is_err());
    }

    #[test]
    fn what_is_sent_reads_as_what_was_received() {
        for text in ["abc", "----WebKitFormBoundary7MA4", "a:b", "it's"] {
            assert_eq!(read(&content_type(text)).as_deref(), Ok(text));
        }
    }
}
