//! Ids of calls where Gemini has none, and which call a result answers.
//!
//! Older models and many clients do without ids, or have them on results alone: results then answer the
//! calls of their name in order.

use crate::chat::Text;
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

/// The calls of a request.
#[derive(Default)]
pub(super) struct Calls<'a> {
    /// Whether the call of this id has its answer; of several, the last one.
    answered: HashMap<Text<'a>, bool>,
    /// Ids of the last turn's calls, by the function's name.
    by_name: HashMap<Text<'a>, VecDeque<Text<'a>>>,
    made: usize,
}

impl<'a> Calls<'a> {
    /// A turn of the model begins: what was not answered before it stays unanswered.
    pub(super) fn turn(&mut self) {
        self.by_name.clear();
    }

    /// The id of a call.
    pub(super) fn call(&mut self, id: Option<Text<'a>>, name: &Text<'a>) -> Text<'a> {
        let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| self.make());
        self.answered.insert(id.clone(), false);
        self.by_name.entry(name.clone()).or_default().push_back(id.clone());
        id
    }

    /// The id of the call that a result answers.
    pub(super) fn answer(&mut self, id: Option<Text<'a>>, name: &str) -> Text<'a> {
        let id = id.filter(|id| !id.is_empty());
        if let Some(id) = &id
            && let Some(answered) = self.answered.get_mut(id)
        {
            *answered = true;
            return id.clone();
        }
        while let Some(id) = self.by_name.get_mut(name).and_then(VecDeque::pop_front) {
            if self.answered.insert(id.clone(), true) != Some(true) {
                return id;
            }
        }
        id.unwrap_or_else(|| self.make())
    }

    /// Unique in the conversation, and the same whenever the client sends it again.
    fn make(&mut self) -> Text<'a> {
        self.made += 1;
        Cow::Owned(format!("call_{}", self.made))
    }
}

/// How much of a reply's id goes into the ids of its calls; OpenAI takes 64 characters in all.
const MOST_OF_ID: usize = 40;

/// The id of a call in a reply that has none: from the reply's own, so that it is unique in the
/// conversation, in letters that every dialect takes. `number` counts the calls of the choice from 0.
pub(super) fn made_id(reply_id: &str, choice: u64, number: u64) -> String {
    let mut id = String::from("call_");
    id.extend(reply_id.chars().take(MOST_OF_ID).map(|letter| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => letter,
        _ => '_',
    }));
    if choice > 0 {
        id.push_str(&format!("_{choice}"));
    }
    id.push_str(&format!("_{number}"));
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_without_ids_answer_the_calls_of_their_name_in_order() {
        let mut calls = Calls::default();
        let ids = ["a", "b", "a"].map(|name| calls.call(None, &name.into()));
        assert_eq!(calls.answer(None, "a"), ids[0]);
        assert_eq!(calls.answer(None, "a"), ids[2]);
        assert_eq!(calls.answer(Some("the client's own".into()), "b"), ids[1]);
        assert_eq!(calls.answer(None, "b"), "call_4");
    }

    #[test]
    fn results_with_ids_answer_in_any_order() {
        let mut calls = Calls::default();
        calls.call(Some("x".into()), &"a".into());
        calls.call(Some("y".into()), &"a".into());
        assert_eq!(calls.answer(Some("y".into()), "a"), "y");
        assert_eq!(calls.answer(None, "a"), "x");
    }

    #[test]
    fn calls_of_one_id_are_answered_once() {
        let mut calls = Calls::default();
        calls.call(Some("x".into()), &"a".into());
        calls.call(Some("x".into()), &"b".into());
        assert_eq!(calls.answer(Some("x".into()), "a"), "x");
        assert_eq!(calls.answer(Some("y".into()), "a"), "y");
        calls.turn();
        calls.call(Some("x".into()), &"a".into());
        assert_eq!(calls.answer(None, "a"), "x");
    }

    #[test]
    fn made_ids_keep_to_letters_that_all_dialects_take() {
        assert_eq!(made_id("a/b=é", 0, 1), "call_a_b___1");
        assert_eq!(made_id(&"x".repeat(99), 2, 0).len(), 49);
    }
}
