//! Members of a body by their names, and their values by their types.
//!
//! Google's JSON takes every name as `camelCase` and as `snake_case`, and numbers also as strings
//! (protobuf's JSON mapping); clients of the older SDKs send the latter forms.

use crate::chat::Text;
use crate::format::Fault;
use crate::value::Value;
use std::borrow::Cow;
use std::fmt::Display;

/// Where a value stands in the client's body; only written out for a fault.
pub(crate) type Place<'p> = &'p dyn Display;

/// The member of that `camelCase` name in either spelling, unless it is `null`.
pub(crate) fn get<'v, 'a>(value: &'v Value<'a>, name: &str) -> Option<&'v Value<'a>> {
    let found = value.members().iter().find(|(key, _)| key == name || is_snake(key, name))?;
    (!found.1.is_null()).then_some(&found.1)
}

/// Whether a key is the `snake_case` of a name.
fn is_snake(key: &str, name: &str) -> bool {
    key.len() > name.len() && key.contains('_') && *camel(key) == *name
}

/// The member of that name, if it is a string.
pub(crate) fn get_text<'a>(value: &Value<'a>, name: &str) -> Option<Text<'a>> {
    get(value, name)?.text()
}

/// The items of the list of that name; none if there is no such list.
pub(crate) fn get_items<'v, 'a>(value: &'v Value<'a>, name: &str) -> &'v [Value<'a>] {
    get(value, name).map(Value::items).unwrap_or_default()
}

/// The number of that name, which may be a string.
pub(crate) fn get_count(value: &Value<'_>, name: &str) -> Option<u64> {
    whole(get(value, name)?)
}

/// A name in `camelCase`.
pub(crate) fn camel(key: &str) -> Cow<'_, str> {
    if !key.contains('_') {
        return Cow::Borrowed(key);
    }
    let mut name = String::with_capacity(key.len());
    let mut upper = false;
    for letter in key.chars() {
        if letter == '_' {
            upper = true;
        } else if std::mem::take(&mut upper) {
            name.push(letter.to_ascii_uppercase());
        } else {
            name.push(letter);
        }
    }
    Cow::Owned(name)
}

fn whole(value: &Value<'_>) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

pub(crate) fn text<'a>(at: Place<'_>, value: &Value<'a>) -> Result<Text<'a>, Fault> {
    value
        .text()
        .ok_or_else(|| Fault::of(at.to_string(), format!("The field `{at}` must be a string.")))
}

pub(crate) fn flag(at: Place<'_>, value: &Value<'_>) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| {
        Fault::of(at.to_string(), format!("The field `{at}` must be true or false."))
    })
}

pub(crate) fn count(at: Place<'_>, value: &Value<'_>) -> Result<u64, Fault> {
    whole(value).ok_or_else(|| {
        Fault::of(at.to_string(), format!("The field `{at}` must be a whole number."))
    })
}

pub(crate) fn integer(at: Place<'_>, value: &Value<'_>) -> Result<i64, Fault> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).ok_or_else(|| {
        Fault::of(at.to_string(), format!("The field `{at}` must be a whole number."))
    })
}

pub(crate) fn float(at: Place<'_>, value: &Value<'_>) -> Result<f64, Fault> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.parse().ok().filter(|number: &f64| number.is_finite()))
        .ok_or_else(|| Fault::of(at.to_string(), format!("The field `{at}` must be a number.")))
}

pub(crate) fn list<'v, 'a>(at: Place<'_>, value: &'v Value<'a>) -> Result<&'v [Value<'a>], Fault> {
    if value.is_array() {
        Ok(value.items())
    } else {
        Err(Fault::of(at.to_string(), format!("The field `{at}` must be a list.")))
    }
}

pub(crate) fn object(at: Place<'_>, value: &Value<'_>) -> Result<(), Fault> {
    if value.is_object() {
        Ok(())
    } else {
        Err(Fault::of(at.to_string(), format!("The field `{at}` must be an object.")))
    }
}

pub(crate) fn texts<'a>(at: Place<'_>, value: &Value<'a>) -> Result<Vec<Text<'a>>, Fault> {
    list(at, value)?.iter().map(|one| text(at, one)).collect()
}
