//! The headers of one part of a form.

use super::bad;
use crate::error::Result;
use std::ops::Range;

/// Encodings that leave the content as it is.
const PLAIN_ENCODINGS: [&str; 3] = ["7bit", "8bit", "binary"];

/// What a part's headers say.
#[derive(Debug, PartialEq)]
pub(super) struct Disposition {
    /// The field's name.
    pub name: String,
    /// Whether it has a file name.
    pub is_file: bool,
    /// Where in the headers its plain file name lies, between the quotes.
    pub filename: Option<Range<usize>>,
}

/// Reads header lines, each ended by CRLF.
pub(super) fn read(headers: &[u8]) -> Result<Disposition> {
    let text = std::str::from_utf8(headers).map_err(|_| bad("A part's headers are not UTF-8."))?;
    let mut found = None;
    let mut start = 0;
    for line in text.split_inclusive("\r\n") {
        let at = start;
        start += line.len();
        let line = line.trim_end_matches("\r\n");
        let (name, value) = line.split_once(':').ok_or_else(|| bad("A part has a bad header."))?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if name.is_empty()
            || !name.bytes().all(is_token)
            || value.bytes().any(|b| b < b' ' && b != b'\t')
        {
            return Err(bad("A part has a bad header."));
        }
        if name.eq_ignore_ascii_case("content-disposition") {
            if found.is_some() {
                return Err(bad("A part has two Content-Disposition headers."));
            }
            found = Some(disposition(value, at + name.len() + 1)?);
        } else if name.eq_ignore_ascii_case("content-transfer-encoding") {
            let plain = |one: &str| value.trim().eq_ignore_ascii_case(one);
            if !PLAIN_ENCODINGS.iter().any(|one| plain(one)) {
                return Err(bad("A part has a Content-Transfer-Encoding that is not understood."));
            }
        }
    }
    found.ok_or_else(|| bad("A part has no Content-Disposition header."))
}

const UNCLEAR: &str = "A part's Content-Disposition cannot be understood.";

/// `form-data; name="model"; filename="a.wav"`; `at` is the offset of `value` in the headers.
fn disposition(value: &str, at: usize) -> Result<Disposition> {
    let (kind, parameters) = value.split_once(';').ok_or_else(|| bad(UNCLEAR))?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(bad(UNCLEAR));
    }
    let (mut name, mut filename, mut extended) = (None, None, None);
    let mut rest = Some(parameters);
    while let Some(text) = rest {
        let parameter = parameter(text).ok_or_else(|| bad(UNCLEAR))?;
        let start = at + value.len() - parameter.from_value;
        let found = (start..start + parameter.value.len(), parameter.value);
        let slot = match &parameter.key[..] {
            "name" => &mut name,
            "filename" => &mut filename,
            "filename*" => &mut extended,
            _ => return Err(bad(UNCLEAR)),
        };
        if slot.replace(found).is_some() {
            return Err(bad(UNCLEAR));
        }
        rest = parameter.rest;
    }
    let (_, name) = name.ok_or_else(|| bad("A part of the form has no name."))?;
    if name.contains('\\') {
        return Err(bad("The name of a part holds an escape."));
    }
    let is_file = filename.is_some() || extended.is_some();
    Ok(Disposition { name: name.to_owned(), is_file, filename: filename.map(|(range, _)| range) })
}

/// One `key="value"` of a header.
struct Parameter<'a> {
    key: String,
    value: &'a str,
    /// Bytes from the value's first one to the text's end.
    from_value: usize,
    /// What follows its semicolon, if there is one.
    rest: Option<&'a str>,
}

/// The first parameter. A token instead of a quoted text would be right by the letter, and is read in
/// more than one way; only the extended form of file names, which some clients write, is none.
fn parameter(text: &str) -> Option<Parameter<'_>> {
    let (key, after) = text.trim_start_matches([' ', '\t']).split_once('=')?;
    let key = key.to_ascii_lowercase();
    if key == "filename*" {
        let (value, rest) = match after.split_once(';') {
            Some((value, rest)) => (value, Some(rest)),
            None => (after, None),
        };
        let plain = !value.contains('"');
        return plain.then_some(Parameter { key, value, from_value: after.len(), rest });
    }
    let quoted = after.strip_prefix('"')?;
    let (value, behind) = quoted.split_once('"')?;
    let behind = behind.trim_start_matches([' ', '\t']);
    let rest = match behind.strip_prefix(';') {
        Some(rest) => Some(rest),
        None if behind.is_empty() => None,
        None => return None,
    };
    Some(Parameter { key, value, from_value: quoted.len(), rest })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn name_and_file_name_are_found_where_they_stand() {
        let headers = "Content-Type: audio/wav\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a b.wav\"\r\n";
        let found = read(headers.as_bytes()).unwrap();
        assert_eq!(found.name, "file");
        assert_eq!(&headers[found.filename.unwrap()], "a b.wav");
    }

    #[test]
    fn headers_that_can_be_read_in_two_ways_are_refused() {
        for headers in [
            "",
            "Content-Disposition\r\n",
            "Content-Type: text/plain\r\n",
            "Content-Disposition: form-data\r\n",
            "Content-Disposition: form-data; name=model\r\n",
            "Content-Disposition: form-data; name=\"model\r\n",
            "Content-Disposition: form-data; name=\"a\"; name=\"model\"\r\n",
            "Content-Disposition: form-data; name*=utf-8''model\r\n",
            "Content-Disposition: form-data; name=\"a\"; filename*=x; filename*=y\r\n",
            "Content-Disposition: form-data; name=\"a\"; filename*=\"; name=\"model\"\r\n",
            "Content-Disposition: form-data; name=\"mod\\el\"\r\n",
            "Content-Disposition: form-data; name=\"a\" model\r\n",
            "Content-Disposition: attachment; name=\"model\"\r\n",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"model\"\r\n",
            "Content-Disposition: form-data;\r\n name=\"model\"\r\n",
            "Content-Disposition : form-data; name=\"model\"\r\n",
            "Content-Disposition: form-data; name=\"a\"\nContent-Disposition: form-data; name=\"model\"\r\n",
            "Content-Disposition: form-data; name=\"model\"\r\nContent-Transfer-Encoding: base64\r\n",
            "Content-Disposition: form-data; name=\"mo\u{0}del\"\r\n",
        ] {
            assert!(read(headers.as_bytes()).is_err(), "{headers:?}");
        }
        assert!(read(b"Content-Disposition: form-data; name=\"\xff\"\r\n").is_err());
    }

    #[test]
    fn a_name_in_the_extended_way_makes_a_file_too() {
        for more in ["", "; filename=\"x.wav\"", "; size=1"] {
            let headers = format!(
                "Content-Disposition: form-data; name=\"file\"; filename*=utf-8''%e2%82%ac.wav{more}\r\n"
            );
            let found = read(headers.as_bytes());
            assert_eq!(found.is_ok_and(|found| found.is_file), more != "; size=1", "{more}");
        }
    }

    #[test]
    fn an_encoding_that_changes_nothing_is_accepted() {
        let headers =
            "Content-Transfer-Encoding: binary\r\nContent-Disposition: form-data; name=\"a\"\r\n";
        assert_eq!(read(headers.as_bytes()).unwrap().filename, None);
    }
}
