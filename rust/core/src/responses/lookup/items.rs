//! What a response answers, a page at a time.

use super::Answer;
use crate::access::query_field;
use crate::error::{Class, Error, Result};
use crate::http1::Head;
use crate::store::entry::Content;
use llmgw_formats::openai_responses::stored::{self, Page};

/// How many items a page has, at most.
const MOST_ITEMS: usize = 100;

/// A page of items, as it is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    after: Option<String>,
    ascending: bool,
    limit: usize,
}

impl Wanted {
    /// What the query says.
    ///
    /// # Errors
    /// By the name of what it cannot mean.
    pub(super) fn of(head: &Head) -> Result<Self> {
        let wrong = |name: &'static str, what: &str| {
            let message = format!("The parameter `{name}` must be {what}.");
            Error::new(Class::InvalidRequest, message).with_param(name)
        };
        let Page { ascending, limit, .. } = Page::default();
        let ascending = match query_field(head, "order").as_deref() {
            None => ascending,
            Some("asc") => true,
            Some("desc") => false,
            Some(_) => return Err(wrong("order", "`asc` or `desc`")),
        };
        let limit = match query_field(head, "limit") {
            None => limit,
            Some(text) => {
                let number = text.parse().ok().filter(|number| (1..=MOST_ITEMS).contains(number));
                number.ok_or_else(|| wrong("limit", "a number from 1 to 100"))?
            }
        };
        Ok(Wanted { after: query_field(head, "after"), ascending, limit })
    }
}

/// Lists what a response answers. A long list takes its time: not on the thread that serves.
pub(super) async fn list(content: Content, id: String, wanted: Wanted) -> Result<Answer> {
    let list = move || {
        let request = content.request();
        let request = simdutf8::basic::from_utf8(&request).unwrap_or_default();
        let Wanted { after, ascending, limit } = wanted;
        stored::input_items(request, &id, Page { after: after.as_deref(), ascending, limit })
    };
    let ending = |_| Error::new(Class::Draining, "The gateway is shutting down.");
    let items = tokio::task::spawn_blocking(list).await.map_err(ending)?.map_err(|fault| {
        let error = Error::new(Class::InvalidRequest, fault.message);
        fault.param.into_iter().fold(error, Error::with_param)
    })?;
    Ok(Answer::json(items))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::head;
    use super::*;

    fn wanted(query: &str) -> Result<Wanted> {
        Wanted::of(&head("GET", &format!("/v1/responses/resp_1/input_items{query}")))
    }

    #[test]
    fn a_page_is_as_the_query_says() {
        let page = |after: Option<&str>, ascending, limit| Wanted {
            after: after.map(str::to_owned),
            ascending,
            limit,
        };
        assert_eq!(wanted("").unwrap(), page(None, false, 20));
        assert_eq!(wanted("?order=desc&limit=100").unwrap(), page(None, false, 100));
        let query = "?limit=3&order=asc&after=msg%5F1&include=x";
        assert_eq!(wanted(query).unwrap(), page(Some("msg_1"), true, 3));
    }

    #[test]
    fn a_page_that_cannot_be_is_refused_by_name() {
        for (query, param) in [
            ("?limit=0", "limit"),
            ("?limit=101", "limit"),
            ("?limit=x", "limit"),
            ("?order=up", "order"),
        ] {
            let error = wanted(query).unwrap_err();
            assert_eq!((error.class, error.param.as_deref()), (Class::InvalidRequest, Some(param)));
        }
    }
}
