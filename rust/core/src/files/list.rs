//! A key's files or batches, page by page, as they were when they were seen last.

use super::remembered::Remembered;
use crate::access::query_field;
use crate::error::{Class, Error, Result};
use crate::http1::Head;
use crate::responses::shown;
use crate::store::shelf::{Kind, Page, Wanted};
use crate::visit::Answer;

/// How many a page has, if nothing is said, and at most.
const FILES: (usize, usize) = (10_000, 10_000);
const BATCHES: (usize, usize) = (20, 100);

/// Answers with a page.
///
/// # Errors
/// `InvalidRequest`, naming what of the query cannot be.
pub(super) async fn answer(own: &Remembered, kind: Kind, head: &Head) -> Result<Answer> {
    let wanted = wanted(kind, head)?;
    let after = wanted.after.clone().unwrap_or_default();
    let shelf = &own.edge.store.shelf;
    let page = shelf.list(&own.plan, own.key.owner(), kind, wanted).await;
    let unknown =
        || wrong("after", &format!("the id of one that there is, not '{}'", shown(&after)));
    let unread = || Error::new(Class::InternalError, "They could not be listed.");
    let page = page.ok_or_else(|| if after.is_empty() { unread() } else { unknown() })?;
    Ok(Answer::json(body(&page)))
}

fn wanted(kind: Kind, head: &Head) -> Result<Wanted> {
    let (usual, most) = match kind {
        Kind::File => FILES,
        Kind::Batch => BATCHES,
    };
    let limit = match query_field(head, "limit") {
        None => usual,
        Some(text) => {
            let number = text.parse().ok().filter(|number| (1..=most).contains(number));
            number.ok_or_else(|| wrong("limit", &format!("a number from 1 to {most}")))?
        }
    };
    let ascending = match query_field(head, "order").as_deref() {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(_) => return Err(wrong("order", "`asc` or `desc`")),
    };
    let purpose = query_field(head, "purpose").filter(|_| kind == Kind::File);
    Ok(Wanted { after: query_field(head, "after"), ascending, limit, purpose })
}

fn wrong(name: &'static str, what: &str) -> Error {
    let message = format!("The parameter `{name}` must be {what}.");
    Error::new(Class::InvalidRequest, message).with_param(name)
}

fn body(page: &Page) -> String {
    let ids = || page.objects.iter().map(|(id, _)| id);
    let objects: Vec<&str> = page.objects.iter().map(|(_, object)| &**object).collect();
    // The objects are JSON already.
    format!(
        r#"{{"object":"list","data":[{}],"first_id":{},"last_id":{},"has_more":{}}}"#,
        objects.join(","),
        serde_json::json!(ids().next()),
        serde_json::json!(ids().next_back()),
        page.has_more
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http1::take_head;
    use bytes::BytesMut;

    fn asked(kind: Kind, query: &str) -> Result<Wanted> {
        let text = format!("GET /v1/files{query} HTTP/1.1\r\nHost: a\r\n\r\n");
        wanted(kind, &take_head(&mut BytesMut::from(&text[..]), 4096).unwrap().unwrap())
    }

    #[test]
    fn a_page_is_as_the_query_says() {
        let usual = Wanted { after: None, ascending: false, limit: 10_000, purpose: None };
        assert_eq!(asked(Kind::File, "").unwrap(), usual);
        assert_eq!(asked(Kind::Batch, "?purpose=x").unwrap(), Wanted { limit: 20, ..usual });
        let query = "?limit=2&order=asc&after=file%2D1&purpose=batch";
        let expected = Wanted {
            after: Some("file-1".into()),
            ascending: true,
            limit: 2,
            purpose: Some("batch".into()),
        };
        assert_eq!(asked(Kind::File, query).unwrap(), expected);
    }

    #[test]
    fn a_page_that_cannot_be_is_refused_by_name() {
        for (kind, query, param) in [
            (Kind::File, "?limit=0", "limit"),
            (Kind::File, "?limit=10001", "limit"),
            (Kind::Batch, "?limit=101", "limit"),
            (Kind::Batch, "?order=up", "order"),
        ] {
            assert_eq!(asked(kind, query).unwrap_err().param.as_deref(), Some(param), "{query}");
        }
    }

    #[test]
    fn a_page_reads_as_openais() {
        let objects = [("a", "{\"id\":\"a\"}"), ("b", "{\"id\":\"b\"}")];
        let objects = objects.map(|(id, object)| (id.to_owned(), object.to_owned())).to_vec();
        assert_eq!(
            body(&Page { objects, has_more: true }),
            r#"{"object":"list","data":[{"id":"a"},{"id":"b"}],"first_id":"a","last_id":"b","has_more":true}"#
        );
        assert_eq!(
            body(&Page { objects: Vec::new(), has_more: false }),
            r#"{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}"#
        );
    }
}
