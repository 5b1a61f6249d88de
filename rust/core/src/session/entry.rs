//! Who is let in, by what the head of a request tells.

use super::{Asked, Session};
use crate::access;
use crate::caller::Caller;
use crate::certificate::Sender;
use crate::error::Error;
use crate::gate::check_endpoint;
use crate::http1::Head;
use crate::plan::{Key, Plan};
use crate::snapshot::Operation;
use std::net::IpAddr;
use std::sync::Arc;

impl<S> Session<S> {
    /// Checks what the head alone tells: the key, what it is for, the tags and the media type.
    pub(super) fn let_in(
        &self,
        plan: &Plan,
        head: &Head,
        operation: Operation,
        asked: &Asked,
    ) -> Result<(Arc<Key>, Caller), Error> {
        let (key, caller) = self.identify(plan, access::credential(head)?, head, asked)?;
        check_endpoint(&key, operation.name())?;
        access::check_media_type(head)?;
        Ok((key, caller))
    }

    /// Who is at the other end of the connection, or behind it at this address.
    pub(super) fn sender(&self, address: Option<IpAddr>) -> Sender {
        Sender { address, certificate: self.certificate.clone() }
    }

    /// Who shows a key, and what the request tells of its sender.
    pub(super) fn identify(
        &self,
        plan: &Plan,
        shown: Option<&[u8]>,
        head: &Head,
        asked: &Asked,
    ) -> Result<(Arc<Key>, Caller), Error> {
        let key = self.edge.shop.authenticate(plan, shown, asked.sender())?;
        Ok((key, Caller::new(asked.address, head)?))
    }
}
