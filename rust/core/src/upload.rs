//! A form on its way through the gateway: what has come of it, what is held, and what is changed in it.

use crate::error::{Class, Error, Result};
use crate::json;
use crate::multipart::{self, Form, Part};
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// Changes to a body: what stands in a range becomes something else.
pub type Edits = Vec<(Range<usize>, Vec<u8>)>;

/// A form that passes. As long as all of it is held, it can be sent again.
pub struct Passing {
    boundary: String,
    form: Form,
    held: BytesMut,
    /// All that has come is in `held`.
    whole: bool,
    max_held: usize,
    /// The model goes into a part of its own, since the form has none; none may follow.
    adds_model: bool,
    /// No part of it may name a file by its id.
    brings_its_files: bool,
}

/// Parts that name files which lie at the provider.
const NAMED: [&str; 3] = ["file_id", "file_ids", "file_ids[]"];

impl Passing {
    /// A form of which nothing has come. `kept`: see [`Form::new`].
    #[must_use]
    pub fn new(boundary: String, kept: &'static [&'static str], max_held: u64) -> Self {
        Passing {
            form: Form::new(&boundary, kept),
            boundary,
            held: BytesMut::new(),
            whole: true,
            max_held: usize::try_from(max_held).unwrap_or(usize::MAX),
            adds_model: false,
            brings_its_files: false,
        }
    }

    /// What is known of the form.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The `content-type` to send it with.
    #[must_use]
    pub fn content_type(&self) -> String {
        multipart::content_type(&self.boundary)
    }

    /// Takes the next bytes, to hold them if there is room.
    ///
    /// # Errors
    /// What is wrong with the form.
    pub fn push(&mut self, piece: &Bytes) -> Result<()> {
        self.form.push(piece)?;
        if self.adds_model && self.form.parts().iter().any(|part| part.name == "model") {
            let message = "The field `model` of a form must come before its large files.";
            return Err(Error::new(Class::InvalidRequest, message).with_param("model"));
        }
        let names = |part: &Part| NAMED.contains(&&*part.name);
        if self.brings_its_files && self.form.parts().iter().any(names) {
            let message =
                "Files that a form names by their ids are not served: send the file itself.";
            return Err(Error::new(Class::NotSupported, message).with_param("file_id"));
        }
        if self.whole && !self.is_full() {
            self.held.extend_from_slice(piece);
        } else {
            self.whole = false;
            self.held = BytesMut::new();
        }
        Ok(())
    }

    /// Whether no more will be held. What is held may be larger by one piece.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.held.len() >= self.max_held
    }

    /// Whether all that has come is held.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.whole
    }

    /// The form will have the model in a part that it did not bring.
    pub fn add_model(&mut self) {
        self.adds_model = true;
    }

    /// The form may not name files that lie at the provider: nobody knows whose they are.
    pub fn bring_its_files(&mut self) {
        self.brings_its_files = true;
    }

    /// What has come, with the routed model in it and `more` changes. Empty if it is no longer held.
    #[must_use]
    pub fn edited(&self, model: &str, more: &Edits) -> Bytes {
        let mut edits = self.model_edit(model);
        edits.extend(more.iter().cloned());
        edits.sort_by_key(|(range, _)| range.start);
        json::splice(&self.held, &edits).into()
    }

    /// By how much the changes lengthen the body.
    #[must_use]
    pub fn growth(&self, model: &str, more: &Edits) -> i64 {
        let edits = self.model_edit(model);
        let all = edits.iter().chain(more);
        all.map(|(range, text)| text.len() as i64 - range.len() as i64).sum()
    }

    fn model_edit(&self, model: &str) -> Edits {
        if self.adds_model {
            let part = format!(
                "--{}\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n",
                self.boundary
            );
            return vec![(0..0, part.into_bytes())];
        }
        let part = self.form.parts().iter().find(|part| part.name == "model");
        let range = part.and_then(|part| {
            let start = usize::try_from(part.start).ok()?;
            Some(start..usize::try_from(part.end?).ok()?)
        });
        range.map(|range| vec![(range, model.as_bytes().to_vec())]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nxyz\r\n\
                        --b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nclient\r\n--b--\r\n";

    fn passing(max_held: u64) -> Passing {
        Passing::new("b".into(), &["model"], max_held)
    }

    #[test]
    fn the_model_is_replaced_and_nothing_else() {
        let mut passing = passing(1000);
        passing.push(&Bytes::from(FORM)).unwrap();
        let sent = passing.edited("routed-model", &Edits::new());
        assert_eq!(sent, FORM.replace("client", "routed-model"));
        assert_eq!(passing.growth("routed-model", &Edits::new()), 6);
    }

    #[test]
    fn a_model_that_the_path_named_is_added_in_front() {
        let mut passing = passing(1000);
        let form = FORM.replace("model", "other");
        passing.push(&Bytes::from(form.clone())).unwrap();
        passing.add_model();
        let sent = passing.edited("routed", &Edits::new());
        let part = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nrouted\r\n";
        assert_eq!(sent, format!("{part}{form}"));
        assert_eq!(passing.growth("routed", &Edits::new()), part.len() as i64);
    }

    #[test]
    fn a_model_that_comes_after_one_was_added_is_refused() {
        let mut passing = passing(1000);
        passing.push(&Bytes::from(&FORM[..40])).unwrap();
        passing.add_model();
        let error = passing.push(&Bytes::from(&FORM[40..])).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("model"));
    }

    #[test]
    fn what_does_not_fit_is_let_go_of_altogether() {
        let mut passing = passing(50);
        passing.push(&Bytes::from(&FORM[..40])).unwrap();
        passing.push(&Bytes::from(&FORM[40..60])).unwrap();
        assert!(passing.is_held() && passing.is_full());
        passing.push(&Bytes::from(&FORM[60..])).unwrap();
        assert!(!passing.is_held() && passing.held.is_empty() && passing.form().is_complete());
    }
}
