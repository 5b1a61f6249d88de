//! Names with a `*` in them, and lists of such names.

/// A name, or one with a `*` that stands for anything.
#[derive(Debug, PartialEq, Eq)]
pub struct Pattern {
    prefix: Box<str>,
    suffix: Option<Box<str>>,
}

impl Pattern {
    /// The pattern that `text` writes.
    #[must_use]
    pub fn new(text: &str) -> Self {
        match text.split_once('*') {
            Some((prefix, suffix)) => {
                Pattern { prefix: prefix.into(), suffix: Some(suffix.into()) }
            }
            None => Pattern { prefix: text.into(), suffix: None },
        }
    }

    /// Whether `name` fits.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match &self.suffix {
            Some(suffix) => star(name, &self.prefix, suffix).is_some(),
            None => name == &*self.prefix,
        }
    }

    /// The name that it is, if there is no `*` in it.
    #[must_use]
    pub fn whole(&self) -> Option<&str> {
        self.suffix.is_none().then_some(&*self.prefix)
    }
}

/// A list that allows what fits one of its patterns.
#[derive(Debug, PartialEq, Eq)]
pub struct Patterns(Box<[Pattern]>);

impl Patterns {
    /// The list of these texts.
    #[must_use]
    pub fn new(texts: &[String]) -> Self {
        Patterns(texts.iter().map(|text| Pattern::new(text)).collect())
    }

    /// Whether one of them fits.
    #[must_use]
    pub fn allow(&self, name: &str) -> bool {
        self.0.iter().any(|one| one.matches(name))
    }

    /// The names in it that have no `*`.
    pub fn whole(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(Pattern::whole)
    }
}

/// What the `*` stands for in `name`.
pub(crate) fn star<'a>(name: &'a str, prefix: &str, suffix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix)?.strip_suffix(suffix)
}
