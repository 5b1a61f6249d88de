//! Members of a client's request that its format has no place for: noted by their paths, so that they are
//! named where nobody can be told of them.

use crate::chat::Extra;
use crate::value::Value;
use std::borrow::Cow;

/// A place in a body, written out only where something is found.
pub(crate) type At<'p> = &'p dyn Fn() -> String;

/// Notes the members of an object that are not among `known`.
pub(crate) fn note<'a>(value: &Value<'a>, known: &[&str], at: At<'_>, out: &mut Vec<Extra<'a>>) {
    note_where(value, |name, _| !known.contains(&name), at, out);
}

/// Notes the members of an object that are strange.
pub(crate) fn note_where<'a>(
    value: &Value<'a>,
    is_strange: impl Fn(&str, &Value<'a>) -> bool,
    at: At<'_>,
    out: &mut Vec<Extra<'a>>,
) {
    for (name, member) in value.members() {
        if !member.is_null() && is_strange(name, member) {
            let name = format!("{}.{name}", at()).into();
            out.push(Extra { name, value: Cow::Borrowed(member.raw()) });
        }
    }
}

/// The same for a member that is an object, if it is there.
pub(crate) fn note_in<'a>(
    value: &Value<'a>,
    name: &str,
    known: &[&str],
    at: At<'_>,
    out: &mut Vec<Extra<'a>>,
) {
    if let Some(member) = value.get(name) {
        note(member, known, &|| format!("{}.{name}", at()), out);
    }
}
