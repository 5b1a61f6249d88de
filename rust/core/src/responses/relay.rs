//! Asks the upstream that keeps a response.

use super::lookup::Verb;
use crate::dispatch::Extra;
use crate::error::{Class, Result};
use crate::plan::{Deployment, encode_segment};
use crate::relay::{Asking, Question, Said};
use crate::snapshot::Operation;

/// What of a client's query an upstream gets to see.
const PASSED_ON: [&str; 6] = ["include", "include[]", "include%5B%5D", "after", "limit", "order"];

/// A response that an upstream keeps.
pub(super) struct Kept<'a> {
    /// The deployment that made it.
    pub(super) deployment: &'a Deployment,
    /// The model's name there.
    pub(super) model: &'a str,
    /// The response's id.
    pub(super) id: &'a str,
}

impl Kept<'_> {
    /// Asks for it. What the upstream says of the response itself, also that it is gone, is for the client.
    ///
    /// # Errors
    /// Any class of an upstream that failed.
    pub(super) async fn ask(
        &self,
        verb: Verb,
        query: Option<&str>,
        extra: &Extra<'_>,
    ) -> Result<Said> {
        let asking = Asking(self.deployment);
        let path = self.deployment.path(Operation::Responses, false, self.model);
        let path = path.ok_or_else(|| asking.fail(Class::NotSupported, "serves no responses"))?;
        let path = target(&path, self.id, verb, query);
        asking.ask(Question { method: verb.method(), path: &path, body: None, extra }).await
    }
}

/// Path and query of a response, below those of all responses.
fn target(all: &str, id: &str, verb: Verb, query: Option<&str>) -> String {
    let (path, own) = all.split_once('?').unwrap_or((all, ""));
    let mut target = [path, "/", &encode_segment(id), verb.suffix()].concat();
    let passed = |field: &&str| {
        let name = field.split_once('=').map_or(*field, |(name, _)| name);
        PASSED_ON.iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    let fields = own.split('&').filter(|field| !field.is_empty());
    let fields = fields.chain(query.unwrap_or_default().split('&').filter(passed));
    for (index, field) in fields.enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        target.push_str(field);
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_lies_below_the_others() {
        let all = "/v1/responses";
        assert_eq!(target(all, "resp_1", Verb::Retrieve, None), "/v1/responses/resp_1");
        assert_eq!(target(all, "resp_1", Verb::Cancel, None), "/v1/responses/resp_1/cancel");
    }

    #[test]
    fn an_id_is_one_segment() {
        assert_eq!(target("/r", "a=b:c", Verb::Delete, None), "/r/a%3Db%3Ac");
    }

    #[test]
    fn the_hosts_own_query_stays_and_the_clients_is_added() {
        let query = "limit=2&include[]=a&include%5b%5D=b&api-version=9&key=x";
        assert_eq!(
            target("/r?api-version=1", "i", Verb::InputItems, Some(query)),
            "/r/i/input_items?api-version=1&limit=2&include[]=a&include%5b%5D=b"
        );
    }
}
