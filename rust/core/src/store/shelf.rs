//! What is remembered of the files and batches that lie at providers: whose each is, where it lies, and how
//! it looked when it was seen last.
//!
//! Sealed like stored responses, in a folder of its own. The name of an entry begins with a digest of its
//! owner, so that one owner's can be listed without a look at others'. Written before the client is
//! answered: who has been told of a file finds it, at every worker and after a restart.

use super::folder::Folder;
use super::seal::Place;
use super::{MOST_READS, Terms, unix_seconds};
use crate::gate::Shop;
use crate::json;
use crate::plan::Plan;
use crate::responses::account::Account;
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many letters of an entry's name tell its owner and kind, and as many which one it is. Behind them
/// stands the owner's mark, as in the name of every entry.
const PART: usize = 24;

/// What is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A batch.
    Batch,
}

impl Kind {
    /// What keeps the names of files apart from those of batches.
    fn word(self) -> &'static str {
        match self {
            Kind::File => "file",
            Kind::Batch => "batch",
        }
    }
}

/// What is remembered of one file or batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When it was seen last, in Unix seconds.
    pub seen_at: u64,
    /// The id of the deployment that it was made through.
    pub deployment: String,
    /// The account that it lies at.
    pub account: Account,
    /// What is known of the requests in it; `None` if nobody looked, and then it feeds no batch.
    pub requests: Option<Requests>,
    /// The provider's object, JSON.
    pub object: String,
}

/// What is known of the requests in a file that was checked line by line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// The endpoint that all of them are for, by its name in metrics; empty if there are none.
    pub operation: String,
    /// The public names of the models that they are for.
    pub models: Vec<String>,
    /// Whether one with personal data would have been refused.
    pub guarded: bool,
}

/// Which of an owner's entries are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Those after this one.
    pub after: Option<String>,
    /// The oldest first.
    pub ascending: bool,
    /// How many, at most.
    pub limit: usize,
    /// Those of this purpose.
    pub purpose: Option<String>,
}

/// One page of an owner's entries.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The provider's objects with their ids, in order.
    pub objects: Vec<(String, String)>,
    /// Whether more follow.
    pub has_more: bool,
}

/// A worker's door to what is remembered.
pub struct Shelf {
    folder: Folder,
    shop: Arc<Shop>,
    reads: Semaphore,
}

impl Shelf {
    pub(super) fn new(folder: Folder, shop: Arc<Shop>) -> Self {
        Shelf { folder, shop, reads: Semaphore::new(MOST_READS) }
    }

    /// Remembers one. Whether that is on the disk now.
    pub async fn put(&self, plan: &Arc<Plan>, to: Slot<'_>, record: Record) -> bool {
        let write = move |folder: &Folder, terms: &Terms, spot: &Spot| {
            let content = serde_json::to_vec(&record)?;
            let sealed = terms.sealer.seal(spot.place(), content).ok_or(ErrorKind::InvalidData)?;
            folder.write(&spot.name, &sealed).map(drop)
        };
        self.work(plan, to, "a file was not remembered", write).await.is_some()
    }

    /// What is remembered of this one, if it belongs to this owner.
    pub async fn get(&self, plan: &Arc<Plan>, of: Slot<'_>) -> Option<Record> {
        let read = |folder: &Folder, terms: &Terms, spot: &Spot| read(folder, terms, spot);
        self.work(plan, of, "what was remembered of a file cannot be read", read).await?
    }

    /// Forgets one. Whether it is gone now.
    pub async fn remove(&self, plan: &Arc<Plan>, of: Slot<'_>) -> bool {
        let remove = |folder: &Folder, _: &Terms, spot: &Spot| folder.remove(&spot.name).map(drop);
        self.work(plan, of, "a file was not forgotten", remove).await.is_some()
    }

    /// A page of what belongs to an owner; `None` if it cannot be read, or if nothing is known of the one
    /// that it is to begin after.
    pub async fn list(
        &self,
        plan: &Arc<Plan>,
        owner: &str,
        kind: Kind,
        wanted: Wanted,
    ) -> Option<Page> {
        let after = wanted.after.clone().unwrap_or_default();
        let from = Slot { owner, kind, id: &after };
        let list =
            move |folder: &Folder, terms: &Terms, spot: &Spot| page(folder, terms, spot, &wanted);
        self.work(plan, from, "the remembered files cannot be listed", list).await?
    }

    /// Does something with the disk, not on the thread that serves. What goes wrong is logged.
    async fn work<T: Send + 'static>(
        &self,
        plan: &Arc<Plan>,
        slot: Slot<'_>,
        failed: &str,
        what: impl FnOnce(&Folder, &Terms, &Spot) -> io::Result<T> + Send + 'static,
    ) -> Option<T> {
        let spot = Spot::of(plan.files.as_ref()?, slot);
        let _turn = self.reads.acquire().await.ok()?;
        let (folder, plan) = (self.folder.clone(), plan.clone());
        let work = move || what(&folder, plan.files.as_ref().ok_or(ErrorKind::Unsupported)?, &spot);
        // The outer error: the process is ending.
        match tokio::task::spawn_blocking(work).await.ok()? {
            Ok(done) => Some(done),
            Err(error) => {
                self.shop.log.warn(failed, &[("reason", &error.to_string())]);
                None
            }
        }
    }
}

/// Whose, of which kind, and which.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'a> {
    /// The key that it belongs to: see [`crate::plan::Key::owner`].
    pub owner: &'a str,
    /// A file or a batch.
    pub kind: Kind,
    /// The provider's id.
    pub id: &'a str,
}

/// Where an entry lies, as it is named on the disk.
struct Spot {
    owner: String,
    name: String,
}

impl Spot {
    fn of(terms: &Terms, slot: Slot<'_>) -> Self {
        let Slot { owner, kind, id } = slot;
        let all = terms.sealer.name(Place { owner, id: &["all:", kind.word()].concat() });
        let one = terms.sealer.name(Place { owner, id: &[kind.word(), ":", id].concat() });
        let name = [&all[..PART], &one[..PART], &one[2 * PART..]].concat();
        Spot { owner: owner.to_owned(), name }
    }

    /// What is sealed in: the name stands for kind and id.
    fn place(&self) -> Place<'_> {
        Place { owner: &self.owner, id: &self.name }
    }

    fn another(&self, name: String) -> Self {
        Spot { owner: self.owner.clone(), name }
    }
}

fn read(folder: &Folder, terms: &Terms, spot: &Spot) -> io::Result<Option<Record>> {
    let Some(file) = folder.read(&spot.name)? else { return Ok(None) };
    let content = terms.sealer.open(spot.place(), file).ok_or(ErrorKind::InvalidData)?;
    let record: Record = serde_json::from_slice(&content)?;
    Ok(Some(record).filter(|record| !terms.are_over(record.seen_at)))
}

/// What entries are ordered by: when the provider made them, and their ids.
type Rank = (u64, String);

fn page(folder: &Folder, terms: &Terms, from: &Spot, wanted: &Wanted) -> io::Result<Option<Page>> {
    let begin = match &wanted.after {
        None => None,
        Some(_) => match read(folder, terms, from)?.and_then(|record| rank(&record.object)) {
            None => return Ok(None),
            found => found,
        },
    };
    let follows = |rank: &Rank| match &begin {
        None => true,
        Some(begin) if wanted.ascending => rank > begin,
        Some(begin) => rank < begin,
    };
    let most = wanted.limit.saturating_add(1);
    let mut found: Vec<(Rank, String)> = Vec::new();
    for name in folder.names(&from.name[..PART])? {
        // One that is damaged, or gone by now, keeps nobody from the others.
        let Ok(Some(Record { object, .. })) = read(folder, terms, &from.another(name)) else {
            continue;
        };
        let Some(rank) = rank(&object).filter(|rank| follows(rank)) else { continue };
        if wanted.purpose.as_ref().is_none_or(|one| text(&object, "purpose").as_ref() == Some(one))
        {
            found.push((rank, object));
        }
        if found.len() >= most.saturating_mul(2) {
            cut(&mut found, wanted.ascending, most);
        }
    }
    cut(&mut found, wanted.ascending, most);
    let has_more = found.len() > wanted.limit;
    found.truncate(wanted.limit);
    let objects = found.into_iter().map(|((_, id), object)| (id, object)).collect();
    Ok(Some(Page { objects, has_more }))
}

/// The first ones, in order: a page needs no more, however many there are.
fn cut(found: &mut Vec<(Rank, String)>, ascending: bool, most: usize) {
    found.sort_unstable_by(
        |(one, _), (other, _)| {
            if ascending { one.cmp(other) } else { other.cmp(one) }
        },
    );
    found.truncate(most);
}

fn rank(object: &str) -> Option<Rank> {
    let created = json::find_member(object.as_bytes(), "created_at");
    let created = created.and_then(|field| object.get(field.value)?.parse().ok()).unwrap_or(0);
    Some((created, text(object, "id")?))
}

/// A text in an object.
fn text(object: &str, name: &str) -> Option<String> {
    let field = json::find_member(object.as_bytes(), name)?;
    serde_json::from_str(object.get(field.value)?).ok()
}

impl Record {
    /// One that is seen now.
    #[must_use]
    pub fn new(
        deployment: &str,
        account: Account,
        requests: Option<Requests>,
        object: String,
    ) -> Self {
        let deployment = deployment.to_owned();
        Record { seen_at: unix_seconds(), deployment, account, requests, object }
    }
}

#[cfg(test)]
mod tests;
