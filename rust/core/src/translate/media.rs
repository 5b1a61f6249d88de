//! What of a chat lies at URLs: fetched once for upstreams that take bytes only, and put in its place.

use super::Chat;
use crate::error::{Class, Error};
use crate::fetch::{Fetched, Fetcher, Kind, Refusal, host_of, is_web};
use crate::gate::Shop;
use crate::metrics::Counter;
use crate::plan::Deployment;
use crate::snapshot::Operation;
use llmgw_formats::chat::{Block, Request, Role, Source};
use llmgw_formats::format::{Format, Kind as Dialect, Target};
use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What lies at URLs, and what of it is here.
#[derive(Default)]
pub(super) struct Media {
    listed: OnceCell<Listed>,
    /// Bytes that may still be fetched.
    room: OnceCell<Cell<u64>>,
    waited: Cell<Duration>,
}

#[derive(Default)]
struct Listed {
    things: Vec<Thing>,
    /// Which of them each block at a URL is, in the order of the blocks.
    order: Vec<usize>,
}

/// One thing, however often the request names it.
struct Thing {
    url: String,
    kind: Kind,
    /// Where the client names it first.
    place: String,
    fetched: OnceCell<Fetched>,
}

/// How a deployment is to be asked.
#[derive(Clone, Copy)]
pub struct Asking<'t> {
    /// By which of its operations.
    pub operation: Operation,
    /// Which deployment.
    pub to: &'t Deployment,
    /// For which of its models.
    pub model: &'t str,
    /// The body can go there as it came.
    pub as_it_came: bool,
}

impl Chat<'_> {
    /// Fetches what that deployment has to be given as bytes and is not here yet. Whether there is
    /// anything to put in place for it, so that the body cannot go there as it came.
    ///
    /// # Errors
    /// `InvalidRequest`, naming the place of what cannot be had.
    pub async fn fetch(&self, shop: &Shop, asking: Asking<'_>) -> Result<bool, Error> {
        let Some(fetcher) = &self.call.plan.fetcher else { return Ok(false) };
        let wanted = self.wanted(asking)?;
        let missing: Vec<&Thing> =
            wanted.iter().copied().filter(|thing| thing.fetched.get().is_none()).collect();
        if !missing.is_empty() {
            let started = Instant::now();
            // Few requests need it: the others are to have no room for it.
            let result = Box::pin(self.bring(fetcher, shop, &missing)).await;
            self.media.waited.set(self.media.waited.get() + started.elapsed());
            result?;
        }
        Ok(!wanted.is_empty())
    }

    /// Time spent waiting for what lay at URLs.
    #[must_use]
    pub fn waited_for_media(&self) -> Duration {
        self.media.waited.get()
    }

    /// Lets go of what was fetched: the request has been sent for the last time.
    pub fn release_media(&mut self) {
        self.media = Media::default();
    }

    /// What that deployment has to be given as bytes.
    fn wanted(&self, asking: Asking<'_>) -> Result<Vec<&Thing>, Error> {
        let dialect = asking.operation.format().filter(|_| asking.operation.is_chat());
        let named = || memchr::memmem::find(&self.call.body, b"http").is_some();
        let Some(dialect) = dialect.filter(|_| named()) else { return Ok(Vec::new()) };
        let (format, target) =
            (llmgw_formats::format(dialect), super::target(asking.to, asking.model));
        if asking.as_it_came && format.fetches(&target) {
            return Ok(Vec::new());
        }
        let request = match self.request() {
            Ok(request) => request,
            // Its own upstream may know better what to make of it.
            Err(_) if asking.as_it_came => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let Listed { things, order } =
            self.media.listed.get_or_init(|| Listed::of(request, self.client().kind()));
        let (mut at, mut wanted) = (order.iter(), Vec::new());
        each(request, &mut |_, block| {
            if let Some(&index) = at.next()
                && format.needs_bytes(block, &target)
            {
                wanted.push(index);
            }
        });
        wanted.sort_unstable();
        wanted.dedup();
        Ok(wanted.into_iter().map(|index| &things[index]).collect())
    }

    /// Fetches them, four at a time; the first that fails ends it.
    async fn bring(&self, fetcher: &Fetcher, shop: &Shop, missing: &[&Thing]) -> Result<(), Error> {
        let listed = self.media.listed.get().map_or(&[][..], |listed| &listed.things);
        let here = listed.iter().filter(|thing| thing.fetched.get().is_some()).count();
        if here + missing.len() > fetcher.max_items {
            let message =
                format!("More than {} URLs are not fetched for one request.", fetcher.max_items);
            return Err(Error::new(Class::InvalidRequest, message).with_param("messages"));
        }
        let room = self.media.room.get_or_init(|| Cell::new(fetcher.max_bytes));
        let queue = Cell::new(missing.iter());
        let next = || {
            let mut rest = queue.take();
            let first = rest.next().copied();
            queue.set(rest);
            first
        };
        let lane = || async {
            while let Some(thing) = next() {
                let fetched = fetcher.fetch(&thing.url, thing.kind, room).await;
                let fetched = fetched.map_err(|refusal| (thing, refusal))?;
                shop.metrics.count(Counter::MediaFetched);
                // Nobody else fetches it: things are listed once.
                let _ = thing.fetched.set(fetched);
            }
            Ok(())
        };
        let all = async { tokio::try_join!(lane(), lane(), lane(), lane()) };
        let (thing, refusal) = match tokio::time::timeout(fetcher.timeout, all).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(refused)) => refused,
            Err(_) => {
                let late = missing.iter().find(|thing| thing.fetched.get().is_none());
                (*late.unwrap_or(&missing[0]), Refusal::Late)
            }
        };
        shop.metrics.count(Counter::MediaRefused);
        let host = host_of(&thing.url).unwrap_or_default();
        shop.log.warn("media were not fetched", &[("host", &host), ("reason", &refusal.reason())]);
        Err(thing.refused(&refusal))
    }

    /// The request as that upstream can be given it: what was fetched for it stands in its place.
    pub(super) fn with_media<'s>(
        &'s self,
        request: &'s Request<'s>,
        format: &dyn Format,
        target: &Target<'_>,
    ) -> Cow<'s, Request<'s>> {
        let Some(Listed { things, order }) = self.media.listed.get() else {
            return Cow::Borrowed(request);
        };
        if things.iter().all(|thing| thing.fetched.get().is_none()) {
            return Cow::Borrowed(request);
        }
        let mut request = request.clone();
        let mut at = order.iter();
        each_mut(&mut request, &mut |block| {
            let fetched = at.next().and_then(|&index| things[index].fetched.get());
            if let Some(fetched) = fetched
                && format.needs_bytes(block, target)
                && let Some(source) = block.source_mut()
            {
                *source = Source::Base64 {
                    media_type: Cow::Borrowed(fetched.media_type),
                    data: Cow::Borrowed(&fetched.data),
                };
            }
        });
        Cow::Owned(request)
    }
}

impl Listed {
    fn of(request: &Request<'_>, client: Dialect) -> Self {
        let mut listed = Listed::default();
        let mut known: HashMap<(&str, Kind), usize> = HashMap::new();
        each(request, &mut |place, block| {
            let (Some(url), Some(kind)) = (url_of(block), kind_of(block)) else { return };
            let index = *known.entry((url, kind)).or_insert_with(|| {
                let place = [&place()[..], member(client, kind)].concat();
                let fetched = OnceCell::new();
                listed.things.push(Thing { url: url.to_owned(), kind, place, fetched });
                listed.things.len() - 1
            });
            listed.order.push(index);
        });
        listed
    }
}

impl Thing {
    fn refused(&self, refusal: &Refusal) -> Error {
        let message =
            format!("What `{}` leads to was not fetched: {}.", self.place, refusal.told());
        Error::new(Class::InvalidRequest, message).with_param(self.place.clone())
    }
}

/// Shows every block of the user's that lies at a URL, results of tools included, and its place.
fn each<'r>(request: &'r Request<'_>, show: &mut dyn FnMut(&dyn Fn() -> String, &'r Block<'r>)) {
    for (message, turn) in request.messages.iter().enumerate() {
        if turn.role != Role::User {
            continue;
        }
        for (at, block) in turn.blocks.iter().enumerate() {
            if is_at_url(block) {
                show(&|| format!("messages[{message}].content[{at}]"), block);
            }
            let Block::ToolResult { blocks, .. } = block else { continue };
            for (inner, block) in blocks.iter().enumerate().filter(|(_, block)| is_at_url(block)) {
                show(&|| format!("messages[{message}].content[{at}].content[{inner}]"), block);
            }
        }
    }
}

/// The same blocks in the same order, to be changed.
fn each_mut<'r>(request: &mut Request<'r>, show: &mut dyn FnMut(&mut Block<'r>)) {
    for turn in request.messages.iter_mut().filter(|turn| turn.role == Role::User) {
        for block in &mut turn.blocks {
            match block {
                Block::ToolResult { blocks, .. } => {
                    blocks.iter_mut().filter(|block| is_at_url(block)).for_each(&mut *show);
                }
                _ if is_at_url(block) => show(block),
                _ => {}
            }
        }
    }
}

fn is_at_url(block: &Block<'_>) -> bool {
    kind_of(block).is_some() && url_of(block).is_some()
}

fn url_of<'b>(block: &'b Block<'_>) -> Option<&'b str> {
    match block.source()? {
        Source::Url { url, .. } if is_web(url) => Some(url),
        _ => None,
    }
}

/// What is fetched; films are too large for that.
fn kind_of(block: &Block<'_>) -> Option<Kind> {
    match block {
        Block::Image { .. } => Some(Kind::Image),
        Block::Document { .. } => Some(Kind::Document),
        Block::Audio { .. } => Some(Kind::Audio),
        _ => None,
    }
}

/// Where in a part its client has written the URL.
fn member(client: Dialect, kind: Kind) -> &'static str {
    match (client, kind) {
        (Dialect::AnthropicMessages, _) => ".source",
        (Dialect::GeminiGenerate, _) => ".fileData",
        (Dialect::BedrockConverse, _) => "",
        (_, Kind::Image) => ".image_url",
        (Dialect::OpenaiResponses, _) => ".file_url",
        _ => ".file",
    }
}
