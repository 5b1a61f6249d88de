//! Connects, and connects again; tells Redis the corrections that wait.

use super::{Cluster, Correction, Name, wire};
use redis::aio::MultiplexedConnection;
use redis::{Client, RedisResult};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// The longest that a connection may take to be made, and to answer its first question.
const CONNECT: Duration = Duration::from_secs(2);
/// Between two tries, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often a connection that nobody uses is asked whether it lives.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Corrections in one message.
const BATCH: usize = 512;
/// How long corrections wait for others to go with them.
const GATHER: Duration = Duration::from_millis(5);
/// How often leases are renewed: three times in their life.
const RENEW_EVERY: Duration = Duration::from_secs(wire::LEASE_SECONDS / 3);
/// The longest that a message of corrections may take.
const SEND: Duration = Duration::from_secs(1);

/// Keeps the cluster connected for as long as it exists.
pub(super) async fn connect(cluster: Weak<Cluster>, client: Client) {
    let mut pause = FIRST_PAUSE;
    loop {
        let connected = timeout(CONNECT, open(&client)).await;
        let Some(cluster) = cluster.upgrade() else { return };
        if let Ok(Ok(connection)) = connected {
            pause = FIRST_PAUSE;
            cluster.connection.store(Some(Arc::new(connection)));
            cluster.outbox.put.notify_one();
            watch(cluster).await;
        } else {
            drop(cluster);
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

async fn open(client: &Client) -> RedisResult<MultiplexedConnection> {
    let mut connection = client.get_multiplexed_async_connection().await?;
    redis::cmd("PING").query_async::<()>(&mut connection).await?;
    Ok(connection)
}

/// Returns when the connection is lost.
async fn watch(cluster: Arc<Cluster>) {
    let waiting = Arc::downgrade(&cluster);
    drop(cluster);
    loop {
        let Some(cluster) = waiting.upgrade() else { return };
        let Some(connection) = cluster.connection.load_full() else { return };
        if timeout(ASK_EVERY, cluster.lost.notified()).await.is_ok() {
            return;
        }
        let mut asked = MultiplexedConnection::clone(&connection);
        let ping = redis::cmd("PING");
        if !matches!(timeout(SEND, ping.query_async::<()>(&mut asked)).await, Ok(Ok(()))) {
            cluster.connection.store(None);
            return;
        }
    }
}

/// Corrections that are told together, under a number by which Redis knows them should they come twice.
struct Batch {
    number: u128,
    corrections: Vec<Correction>,
}

/// Tells corrections as they come, and renews leases, for as long as the cluster exists.
pub(super) async fn send(cluster: Weak<Cluster>) {
    let mut renewed = Instant::now();
    let mut batch = None;
    loop {
        let Some(cluster) = cluster.upgrade() else { return };
        let _ = timeout(ASK_EVERY, cluster.outbox.put.notified()).await;
        sleep(GATHER).await;
        let Some(connection) = cluster.connection.load_full() else { continue };
        if renewed.elapsed() >= RENEW_EVERY {
            let places = cluster.outbox.places();
            if !places.is_empty() && !tell(&cluster, &connection, None, &places).await {
                continue;
            }
            renewed = Instant::now();
        }
        loop {
            batch = batch.or_else(|| next(&cluster));
            if batch.is_none() || !tell(&cluster, &connection, batch.as_ref(), &[]).await {
                break;
            }
            batch = None;
        }
    }
}

fn next(cluster: &Cluster) -> Option<Batch> {
    let corrections = cluster.outbox.next(BATCH);
    (!corrections.is_empty()).then(|| Batch { number: fastrand::u128(..), corrections })
}

/// Whether Redis took it.
async fn tell(
    cluster: &Cluster,
    connection: &Arc<MultiplexedConnection>,
    batch: Option<&Batch>,
    places: &[(u128, Name)],
) -> bool {
    let (number, corrections) =
        batch.map_or((fastrand::u128(..), &[][..]), |batch| (batch.number, &batch.corrections[..]));
    let mut call = cluster.settle.prepare_invoke();
    wire::corrections(&mut call, &cluster.settings.namespace, number, corrections, places);
    let mut to = MultiplexedConnection::clone(connection);
    let is_told = matches!(timeout(SEND, call.invoke_async::<()>(&mut to)).await, Ok(Ok(())));
    if !is_told {
        cluster.give_up(connection);
    }
    is_told
}
