//! Names that mean other models when one key uses them: `claude-*` may mean `local`.
//!
//! A name is looked up once, and what it means is what the key needs the permission for: a map leads
//! to nothing that the key could not ask for by name.

use std::borrow::Cow;
use std::collections::HashMap;

/// A key's own names for models.
#[derive(Debug, Default)]
pub struct ModelMap {
    exact: HashMap<String, String>,
    /// Most specific first.
    patterns: Vec<Mapping>,
}

/// A name with a `*`, and what it means.
#[derive(Debug)]
struct Mapping {
    prefix: String,
    suffix: String,
    meaning: String,
}

impl ModelMap {
    /// The map of these names; a `*` in a meaning stands for what that of the name matched.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut map = ModelMap::default();
        for (name, meaning) in names {
            match name.split_once('*') {
                Some((prefix, suffix)) => {
                    let (prefix, suffix) = (prefix.to_owned(), suffix.to_owned());
                    map.patterns.push(Mapping { prefix, suffix, meaning });
                }
                None => {
                    map.exact.insert(name, meaning);
                }
            }
        }
        // As with the wildcards of the configuration: the most literal text, then the longest prefix.
        map.patterns.sort_by(|a, b| {
            let rank = |one: &Mapping| (one.prefix.len() + one.suffix.len(), one.prefix.len());
            rank(b).cmp(&rank(a)).then_with(|| a.prefix.cmp(&b.prefix))
        });
        map
    }

    /// What a name means; itself, if the map does not say.
    #[must_use]
    pub fn meaning<'a>(&'a self, name: &'a str) -> Cow<'a, str> {
        if let Some(meaning) = self.exact.get(name) {
            return Cow::Borrowed(meaning);
        }
        for one in &self.patterns {
            if let Some(matched) = one.matched(name) {
                return if one.meaning.contains('*') {
                    Cow::Owned(one.meaning.replacen('*', matched, 1))
                } else {
                    Cow::Borrowed(&one.meaning)
                };
            }
        }
        Cow::Borrowed(name)
    }

    /// The names that it maps, patterns with their `*`.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let patterns = self.patterns.iter().map(|one| format!("{}*{}", one.prefix, one.suffix));
        self.exact.keys().cloned().chain(patterns)
    }
}

impl Mapping {
    /// What the `*` stands for in a name that fits.
    fn matched<'a>(&self, name: &'a str) -> Option<&'a str> {
        let matched = name.strip_prefix(&self.prefix)?.strip_suffix(&self.suffix)?;
        (!matched.is_empty()).then_some(matched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(names: &[(&str, &str)]) -> ModelMap {
        ModelMap::new(names.iter().map(|&(name, to)| (name.to_owned(), to.to_owned())))
    }

    #[test]
    fn a_name_means_what_the_map_says_and_else_itself() {
        let map = map(&[("gpt-5", "local"), ("claude-*", "large")]);
        for (name, meaning) in [
            ("gpt-5", "local"),
            ("claude-x", "large"),
            ("gpt-5-mini", "gpt-5-mini"),
            ("claude-", "claude-"),
        ] {
            assert_eq!(map.meaning(name), meaning);
        }
    }

    #[test]
    fn a_star_in_the_meaning_stands_for_what_was_matched() {
        assert_eq!(
            map(&[("claude-*", "bedrock/claude-*-v1")]).meaning("claude-*x"),
            "bedrock/claude-*x-v1"
        );
    }

    #[test]
    fn the_exact_name_counts_first_and_then_the_most_specific_pattern() {
        let map = map(&[
            ("*", "any"),
            ("claude-*", "some"),
            ("claude-*-mini", "small"),
            ("claude-a", "one"),
        ]);
        for (name, meaning) in
            [("x", "any"), ("claude-b", "some"), ("claude-b-mini", "small"), ("claude-a", "one")]
        {
            assert_eq!(map.meaning(name), meaning);
        }
    }

    #[test]
    fn what_a_name_means_is_not_looked_up_again() {
        assert_eq!(map(&[("a", "b"), ("b", "c")]).meaning("a"), "b");
    }
}
