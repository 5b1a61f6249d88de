//! Reads a multipart form the plain way: the whole body at hand, cut at its boundary.

use super::wire::Request;

/// One part of a form.
#[derive(Debug, PartialEq)]
pub(super) struct Part<'a> {
    pub name: &'a str,
    pub filename: Option<&'a str>,
    pub value: &'a [u8],
}

/// The parts of a form; `None` if the body is not one.
pub(super) fn parts(request: &Request) -> Option<Vec<Part<'_>>> {
    let (kind, parameters) = request.content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.trim().strip_prefix("boundary=")?.trim_matches('"');
    let border = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = &request.body[..];
    loop {
        let start = memchr::memmem::find(rest, border.as_bytes())? + border.len();
        rest = &rest[start..];
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        let head_end = memchr::memmem::find(rest, b"\r\n\r\n")? + 4;
        let head = std::str::from_utf8(&rest[..head_end]).ok()?;
        rest = &rest[head_end..];
        let end = memchr::memmem::find(rest, format!("\r\n{border}").as_bytes())?;
        let (name, filename) = (quoted(head, "; name=\"")?, quoted(head, "; filename=\""));
        parts.push(Part { name, filename, value: &rest[..end] });
    }
}

fn quoted<'a>(head: &'a str, start: &str) -> Option<&'a str> {
    let (_, rest) = head.split_once(start)?;
    rest.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_form_are_told_apart() {
        let request = Request {
            content_type: "multipart/form-data; boundary=xx".into(),
            body: "--xx\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n\
                   --xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\
                   Content-Type: audio/wav\r\n\r\n\r\n--x\r\n--xx--\r\n"
                .into(),
            ..Request::default()
        };
        let expected = vec![
            Part { name: "model", filename: None, value: b"m" },
            Part { name: "file", filename: Some("a.wav"), value: b"\r\n--x" },
        ];
        assert_eq!(parts(&request), Some(expected));
        assert_eq!(parts(&Request::default()), None);
    }
}
