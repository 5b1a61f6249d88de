//! The form that brings a file, on its way to the provider: without what is meant for the gateway alone,
//! and with the file as it may be sent on.

use crate::error::{Class, Error, Result};
use crate::multipart::{self, Form};
use bytes::{Bytes, BytesMut};

/// The fields that count.
const FIELDS: &[&str] = &["purpose", "model"];
/// The field that is for the gateway alone.
const OURS: &str = "model";
/// The field with the file.
const FILE: &str = "file";

/// What becomes of a file's content while it passes.
pub(super) trait Passage {
    /// What is sent on for what has come, as far as that is clear already.
    ///
    /// # Errors
    /// Why the file may not pass.
    fn push(&mut self, content: &[u8], out: &mut BytesMut) -> Result<()>;

    /// What is sent on for the rest, when all of the content has come.
    ///
    /// # Errors
    /// Why the file may not pass.
    fn finish(&mut self, out: &mut BytesMut) -> Result<()>;

    /// Bytes of a body that has as many before its file passes, if that can be told.
    fn length(&self, before: Option<u64>) -> Option<u64>;
}

/// A file that passes as it is.
pub(super) struct AsItIs;

impl Passage for AsItIs {
    fn push(&mut self, content: &[u8], out: &mut BytesMut) -> Result<()> {
        out.extend_from_slice(content);
        Ok(())
    }

    fn finish(&mut self, _: &mut BytesMut) -> Result<()> {
        Ok(())
    }

    fn length(&self, before: Option<u64>) -> Option<u64> {
        before
    }
}

/// A form with a file, as far as it has come.
pub(super) struct FileForm {
    boundary: String,
    form: Form,
    /// What has come and was not taken.
    held: BytesMut,
    /// Where in the body that begins.
    at: u64,
    /// The part in which that is, or which comes next.
    part: usize,
    /// Bytes were taken before the field for the gateway had come: it may not come any more.
    is_settled_without: bool,
}

/// A stretch of the body.
enum Stretch {
    /// Passes as it is.
    Same,
    /// Is for the gateway alone.
    Ours,
    /// Is of the file's content.
    Content,
    /// Begins behind the file's content.
    BehindContent,
}

impl FileForm {
    /// A form of which nothing has come.
    pub(super) fn new(boundary: String) -> Self {
        FileForm {
            form: Form::new(&boundary, FIELDS),
            boundary,
            held: BytesMut::new(),
            at: 0,
            part: 0,
            is_settled_without: false,
        }
    }

    /// The `content-type` to send it with.
    pub(super) fn content_type(&self) -> String {
        multipart::content_type(&self.boundary)
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// What is wrong with the form.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<()> {
        self.form.push(piece)?;
        self.held.extend_from_slice(piece);
        let parts = self.form.parts();
        if let Some(part) = parts.iter().find(|part| part.is_file != (part.name == FILE)) {
            let message = format!(
                "The field `{}` of the form is not what it should be: its \
                                   file is called `file`, and nothing else.",
                crate::responses::shown(&part.name)
            );
            return Err(invalid(&message, FILE));
        }
        if parts.iter().filter(|part| part.is_file).count() > 1 {
            return Err(invalid("The form holds more than one file.", FILE));
        }
        if self.is_settled_without && self.part_named(OURS).is_some() {
            let message = "The field `model` of a form must come before a large file.";
            return Err(invalid(message, OURS));
        }
        Ok(())
    }

    /// Bytes that have come and were not taken.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Whether all of it has come.
    pub(super) fn is_complete(&self) -> bool {
        self.form.is_complete()
    }

    /// The body has ended.
    ///
    /// # Errors
    /// `InvalidRequest` if the form has not.
    pub(super) fn finish(&self) -> Result<()> {
        self.form.finish()
    }

    /// A field that has come whole, as text.
    ///
    /// # Errors
    /// `InvalidRequest` if it is too long, or not UTF-8.
    pub(super) fn field(&self, name: &'static str) -> Result<Option<String>> {
        let Some((part, _)) = self.part_named(name) else { return Ok(None) };
        let wrong = || invalid(&format!("The field `{name}` of the form is no text."), name);
        let part = &self.form.parts()[part];
        if part.text.is_none() {
            return Err(wrong());
        }
        let text = part.text.clone().filter(|_| part.end.is_some());
        text.map(|text| String::from_utf8(text).map_err(|_| wrong())).transpose()
    }

    /// From now on bytes are taken: what the gateway has to know must have come.
    pub(super) fn settle(&mut self) {
        self.is_settled_without = self.ours() == 0;
    }

    /// Bytes of the field that is for the gateway alone, with all that makes it a part.
    pub(super) fn ours(&self) -> u64 {
        let Some((part, begin)) = self.part_named(OURS) else { return 0 };
        self.form.parts()[part].end.map_or(0, |end| end + 2 - begin)
    }

    /// Takes what can be sent on now; empty if that is nothing.
    ///
    /// # Errors
    /// Why the file may not pass.
    pub(super) fn take(&mut self, passage: &mut impl Passage) -> Result<Bytes> {
        let until = self.form.known_to();
        let mut out = BytesMut::new();
        while self.at < until {
            let (end, stretch) = self.next(until);
            // What is held came as slices of memory: their lengths fit.
            let length = usize::try_from(end - self.at).unwrap_or(usize::MAX);
            let bytes = self.held.split_to(length.min(self.held.len()));
            self.at = end;
            match stretch {
                Stretch::Ours => {}
                Stretch::Same => out.extend_from_slice(&bytes),
                Stretch::Content => passage.push(&bytes, &mut out)?,
                Stretch::BehindContent => {
                    passage.finish(&mut out)?;
                    out.extend_from_slice(&bytes);
                }
            }
        }
        Ok(out.freeze())
    }

    /// The next stretch and where it ends.
    fn next(&mut self, until: u64) -> (u64, Stretch) {
        let parts = self.form.parts();
        // A part ends with the line end behind its content.
        while parts
            .get(self.part)
            .is_some_and(|part| part.end.is_some_and(|end| self.at >= end + 2))
        {
            self.part += 1;
        }
        let Some(part) = parts.get(self.part) else { return (until, Stretch::Same) };
        let content_end = part.end.unwrap_or(until);
        let in_content = (part.start..content_end).contains(&self.at);
        let end = match self.at {
            at if at < part.start => part.start,
            _ if in_content => content_end,
            _ => content_end + 2,
        };
        let stretch = match (&*part.name, self.at < part.start, in_content) {
            (OURS, _, _) => Stretch::Ours,
            (FILE, false, true) => Stretch::Content,
            (FILE, false, false) => Stretch::BehindContent,
            _ => Stretch::Same,
        };
        (end.min(until), stretch)
    }

    /// The index of a part, and where it begins: behind the line end of the part before it.
    fn part_named(&self, name: &str) -> Option<(usize, u64)> {
        let parts = self.form.parts();
        let index = parts.iter().position(|part| part.name == name)?;
        let before = index.checked_sub(1).and_then(|before| parts[before].end);
        Some((index, before.map_or(0, |end| end + 2)))
    }
}

fn invalid(message: &str, param: &'static str) -> Error {
    Error::new(Class::InvalidRequest, message).with_param(param)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Writes content in capitals, once all of it has come.
    #[derive(Default)]
    struct Loud(Vec<u8>);

    impl Passage for Loud {
        fn push(&mut self, content: &[u8], _: &mut BytesMut) -> Result<()> {
            self.0.extend_from_slice(content);
            Ok(())
        }

        fn finish(&mut self, out: &mut BytesMut) -> Result<()> {
            out.extend_from_slice(&self.0.to_ascii_uppercase());
            Ok(())
        }

        fn length(&self, _: Option<u64>) -> Option<u64> {
            None
        }
    }

    fn part(name: &str, filename: Option<&str>, content: &str) -> String {
        let file = filename.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n")
    }

    /// Every order of a form's parts, with the end behind them.
    fn form(parts: &[String]) -> String {
        parts.concat() + "--b--\r\n"
    }

    fn passed(body: &str, size: usize) -> Result<String> {
        let mut form = FileForm::new("b".into());
        let mut loud = Loud::default();
        let mut out = Vec::new();
        for piece in body.as_bytes().chunks(size) {
            form.push(piece)?;
            out.extend_from_slice(&form.take(&mut loud)?);
        }
        form.finish()?;
        assert_eq!(form.held(), 0);
        assert_eq!(out.len() as u64, body.len() as u64 - form.ours());
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn the_file_is_changed_and_our_own_field_left_out_however_it_comes() {
        let model = part("model", None, "gpt");
        let purpose = part("purpose", None, "batch");
        for content in ["ab", "", "\r\n--", "\r\n--c\r\n"] {
            let file = part("file", Some("a.jsonl"), content);
            let loud = part("file", Some("a.jsonl"), &content.to_ascii_uppercase());
            for (given, expected) in [
                ([&model, &purpose, &file], [&purpose, &loud]),
                ([&purpose, &model, &file], [&purpose, &loud]),
                ([&file, &purpose, &model], [&loud, &purpose]),
            ] {
                let given = form(&given.map(String::clone));
                let expected = form(&expected.map(String::clone));
                for size in [1, 2, 7, 1000] {
                    assert_eq!(passed(&given, size).unwrap(), expected, "{size}");
                }
            }
        }
    }

    #[test]
    fn two_files_or_a_file_by_another_name_are_refused() {
        let file = part("file", Some("a"), "x");
        for parts in [
            [file.clone(), file.clone()],
            [file.clone(), part("other", Some("a"), "x")],
            [part("file", None, "x"), part("purpose", None, "batch")],
        ] {
            let error = passed(&form(&parts), 5).unwrap_err();
            assert_eq!(error.param.as_deref(), Some("file"));
        }
    }

    #[test]
    fn a_model_that_comes_when_bytes_were_taken_is_refused() {
        let body = form(&[part("file", Some("a"), "x"), part("model", None, "m")]);
        let mut form = FileForm::new("b".into());
        form.push(&body.as_bytes()[..70]).unwrap();
        form.settle();
        form.take(&mut AsItIs).unwrap();
        assert_eq!(form.push(&body.as_bytes()[70..]).unwrap_err().param.as_deref(), Some("model"));
    }

    #[test]
    fn a_field_is_known_when_all_of_it_has_come() {
        let body = form(&[part("purpose", None, "batch"), part("model", None, "m")]);
        let mut form = FileForm::new("b".into());
        let middle = body.find("batch").unwrap() + 3;
        form.push(&body.as_bytes()[..middle]).unwrap();
        assert_eq!(form.field("purpose").unwrap(), None);
        form.push(&body.as_bytes()[middle..]).unwrap();
        assert_eq!(form.field("purpose").unwrap().as_deref(), Some("batch"));
        assert_eq!(form.field("model").unwrap().as_deref(), Some("m"));
    }
}
