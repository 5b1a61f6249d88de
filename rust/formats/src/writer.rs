//! Writes JSON text member by member; commas and escapes take care of themselves.

use std::io::Write;

/// A JSON text in the making. Values go where the text stands: after a key, or into an array.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    /// Where the text begins.
    begin: usize,
    comma: bool,
}

impl Writer {
    /// An empty text, with room for some.
    #[must_use]
    pub fn new() -> Self {
        Writer { out: Vec::with_capacity(1024), begin: 0, comma: false }
    }

    /// Goes on after `out`, which is left as it is: `finish` gives both.
    #[must_use]
    pub fn onto(out: Vec<u8>) -> Self {
        Writer { begin: out.len(), out, comma: false }
    }

    /// The finished text.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// The finished text in one line, to be an event's data. A line's end in JSON is white space between
    /// values: it came with a text that was passed on as it was.
    #[must_use]
    pub fn finish_line(mut self) -> Vec<u8> {
        let mut at = self.begin;
        while let Some(end) = memchr::memchr2(b'\n', b'\r', &self.out[at..]) {
            at += end;
            self.out[at] = b' ';
        }
        self.out
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = true;
    }

    /// An object, whose members `fill` writes.
    pub fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.nested(b'{', b'}', fill);
    }

    /// An array, whose items `fill` writes.
    pub fn array(&mut self, fill: impl FnOnce(&mut Self)) {
        self.nested(b'[', b']', fill);
    }

    fn nested(&mut self, open: u8, close: u8, fill: impl FnOnce(&mut Self)) {
        self.separate();
        self.out.push(open);
        self.comma = false;
        fill(self);
        self.out.push(close);
        self.comma = true;
    }

    /// A key; its value is written next.
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.separate();
        push_string(&mut self.out, name);
        self.out.push(b':');
        self.comma = false;
        self
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        self.separate();
        push_string(&mut self.out, text);
    }

    /// JSON text as it is.
    pub fn raw(&mut self, json: &str) {
        self.separate();
        self.out.extend_from_slice(json.as_bytes());
    }

    /// How many bytes have been written.
    #[must_use]
    pub fn length(&self) -> usize {
        self.out.len() - self.begin
    }

    /// A whole number.
    pub fn number(&mut self, value: u64) {
        self.separate();
        let _ = write!(self.out, "{value}");
    }

    /// A whole number with a sign.
    pub fn integer(&mut self, value: i64) {
        self.separate();
        let _ = write!(self.out, "{value}");
    }

    /// A number; what is not finite is `null`.
    pub fn float(&mut self, value: f64) {
        self.separate();
        if value.is_finite() {
            let _ = write!(self.out, "{value}");
        } else {
            self.out.extend_from_slice(b"null");
        }
    }

    /// A truth value.
    pub fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// `null`.
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// A member that is a string.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.key(name).string(value);
        self
    }

    /// A member that is a string, if there is one.
    pub fn text_if(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// A member that is a string or `null`.
    pub fn text_or_null(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self.member(name, "null"),
        }
    }

    /// A member that is JSON text as it is.
    pub fn member(&mut self, name: &str, json: &str) -> &mut Self {
        self.key(name).raw(json);
        self
    }

    /// A member that is JSON text as it is, if there is one.
    pub fn member_if(&mut self, name: &str, json: Option<&str>) -> &mut Self {
        if let Some(json) = json {
            self.member(name, json);
        }
        self
    }

    /// A member that is a whole number.
    pub fn count(&mut self, name: &str, value: u64) -> &mut Self {
        self.key(name).number(value);
        self
    }

    /// A member that is a whole number, if there is one.
    pub fn count_if(&mut self, name: &str, value: Option<u64>) -> &mut Self {
        if let Some(value) = value {
            self.count(name, value);
        }
        self
    }

    /// A member that is a number, if there is one.
    pub fn float_if(&mut self, name: &str, value: Option<f64>) -> &mut Self {
        if let Some(value) = value {
            self.key(name).float(value);
        }
        self
    }

    /// A member that is a truth value.
    pub fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.key(name).bool(value);
        self
    }

    /// A member that is a truth value, if there is one.
    pub fn flag_if(&mut self, name: &str, value: Option<bool>) -> &mut Self {
        if let Some(value) = value {
            self.flag(name, value);
        }
        self
    }
}

/// A text as a JSON string.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

fn push_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(stop) =
        rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        out.extend_from_slice(&rest[..stop]);
        let byte = rest[stop];
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
        rest = &rest[stop + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn members_and_items_are_separated_by_commas() {
        let mut writer = Writer::new();
        writer.object(|w| {
            w.text("a", "1").count("b", 2).member("c", "[3]");
            w.key("d").array(|w| {
                w.object(|_| {});
                w.string("x");
                w.float(0.5);
                w.null();
            });
            w.flag_if("e", None).flag("f", true);
        });
        let text = String::from_utf8(writer.finish()).unwrap();
        assert_eq!(text, r#"{"a":"1","b":2,"c":[3],"d":[{},"x",0.5,null],"f":true}"#);
    }

    #[test]
    fn text_in_several_lines_becomes_one_line() {
        let mut writer = Writer::onto(b"event: x\ndata: ".to_vec());
        writer.object(|w| {
            w.member("a", "{\r\n  \"b\": \"\\n\"\n}");
        });
        let text = String::from_utf8(writer.finish_line()).unwrap();
        assert_eq!(text, "event: x\ndata: {\"a\":{    \"b\": \"\\n\" }}");
    }

    #[test]
    fn strings_are_escaped() {
        assert_eq!(quote("a\"b\\c\n\u{1}é"), r#""a\"b\\c\n\u0001é""#);
    }
}
