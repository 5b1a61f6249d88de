//! The counters of a cluster, on a real Redis. Left out where there is none.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use llmgw_core::cluster::{Claim, Cluster, Correction, Settings, Verdict};
use llmgw_core::limiter::Limit;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// A server of this test alone, on a socket in a folder of its own.
struct Redis {
    folder: std::path::PathBuf,
    process: Child,
}

impl Redis {
    fn start() -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("llmgw-redis-{:x}", fastrand::u64(..)));
        std::fs::create_dir(&folder).unwrap();
        let process = Self::run(&folder)?;
        Some(Redis { folder, process })
    }

    fn run(folder: &Path) -> Option<Child> {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(folder.join("socket"));
        command.arg("--dir").arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().ok()
    }

    fn settings(&self) -> Settings {
        Settings {
            url: format!("redis+unix://{}", self.folder.join("socket").display()),
            timeout: Duration::from_millis(500),
            namespace: "test".into(),
        }
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = Self::run(&self.folder).unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn joined(redis: &Redis) -> Arc<Cluster> {
    let cluster = Cluster::start(redis.settings()).unwrap();
    until(|| cluster.health().is_connected).await;
    cluster
}

async fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to hold");
}

async fn told(cluster: &Cluster) {
    until(|| cluster.health().waiting == 0).await;
    // What is not waiting may still be on its way.
    sleep(Duration::from_millis(50)).await;
}

fn rate(amount: u64, cost: u64) -> Claim {
    Claim::Rate { name: 1, cost, limit: Limit::per(amount, Duration::from_secs(3600)) }
}

fn budget(hold: u64, amount: u64, known: u64) -> Claim {
    Claim::Budget { name: 2, window: 7, ends_at: 4_000_000_000, hold, amount: Some(amount), known }
}

fn is_taken(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Taken(_))
}

/// As many at once as are asked for, by two gateways in turns; how many were let in.
async fn race(
    gateways: &[Arc<Cluster>; 2],
    claims: impl Fn() -> Vec<Claim>,
    times: usize,
) -> usize {
    let asked: Vec<_> = (0..times)
        .map(|index| {
            let (gateway, claims) = (gateways[index % 2].clone(), claims());
            tokio::spawn(async move { gateway.reserve(&claims).await })
        })
        .collect();
    let mut taken = 0;
    for one in asked {
        taken += usize::from(is_taken(&one.await.unwrap()));
    }
    taken
}

macro_rules! redis_or_return {
    () => {
        match Redis::start() {
            Some(redis) => redis,
            None => return,
        }
    };
}

#[tokio::test]
async fn two_gateways_let_through_exactly_what_the_limit_allows() {
    let redis = redis_or_return!();
    let gateways = [joined(&redis).await, joined(&redis).await];
    assert_eq!(race(&gateways, || vec![rate(50, 1)], 200).await, 50);
}

#[tokio::test]
async fn twenty_at_once_on_a_budget_of_one_get_one_through() {
    let redis = redis_or_return!();
    let gateways = [joined(&redis).await, joined(&redis).await];
    assert_eq!(race(&gateways, || vec![budget(1, 1, 0)], 20).await, 1);
}

#[tokio::test]
async fn what_one_claim_refuses_takes_nothing_of_the_others() {
    let redis = redis_or_return!();
    let cluster = joined(&redis).await;
    let refused = cluster.reserve(&[rate(5, 3), budget(2, 1, 0)]).await;
    assert!(matches!(refused, Verdict::Refused { index: 1, .. }), "{refused:?}");
    assert_eq!(cluster.reserve(&[rate(5, 5), budget(1, 1, 0)]).await, Verdict::Taken(vec![0, 0]));
    let refused = cluster.reserve(&[rate(5, 1)]).await;
    let Verdict::Refused { index: 0, retry_after } = refused else { panic!("{refused:?}") };
    assert!(retry_after > Duration::from_secs(700) && retry_after <= Duration::from_secs(721));
}

#[tokio::test]
async fn what_is_settled_is_what_counts() {
    let redis = redis_or_return!();
    let cluster = joined(&redis).await;
    assert!(is_taken(&cluster.reserve(&[rate(10, 10), budget(100, 100, 0)]).await));
    let limit = Limit::per(10, Duration::from_secs(3600));
    cluster.settle([
        Correction::Rate { name: 1, delta: -4, limit },
        Correction::Budget { name: 2, window: 7, delta: -70 },
    ]);
    told(&cluster).await;
    assert_eq!(
        cluster.reserve(&[rate(10, 4), budget(70, 100, 0)]).await,
        Verdict::Taken(vec![0, 30])
    );
    assert!(!is_taken(&cluster.reserve(&[budget(1, 100, 0)]).await));
}

#[tokio::test]
async fn nano_dollars_are_exact_where_doubles_are_not() {
    let redis = redis_or_return!();
    let cluster = joined(&redis).await;
    let large = (1_u64 << 53) + 1;
    assert!(is_taken(&cluster.reserve(&[budget(large, 1 << 60, 0)]).await));
    cluster.settle([Correction::Budget { name: 2, window: 7, delta: -(1 << 53) }]);
    told(&cluster).await;
    assert_eq!(cluster.reserve(&[budget(0, 10, 0)]).await, Verdict::Taken(vec![1]));
}

#[tokio::test]
async fn a_redis_that_forgot_takes_the_machines_word() {
    let redis = redis_or_return!();
    let cluster = joined(&redis).await;
    assert!(!is_taken(&cluster.reserve(&[budget(10, 100, 95)]).await));
    assert!(is_taken(&cluster.reserve(&[budget(5, 100, 95)]).await));
}

#[tokio::test]
async fn places_are_given_back_and_run_out() {
    let redis = redis_or_return!();
    let cluster = joined(&redis).await;
    let place = |who| Claim::Place { name: 3, amount: 2, who };
    assert!(is_taken(&cluster.reserve(&[place(1)]).await));
    assert!(is_taken(&cluster.reserve(&[place(2)]).await));
    assert!(!is_taken(&cluster.reserve(&[place(3)]).await));
    cluster.settle([Correction::Place { name: 3, who: 1 }]);
    told(&cluster).await;
    assert!(is_taken(&cluster.reserve(&[place(3)]).await));
}

#[tokio::test]
async fn nobody_waits_for_a_redis_that_hangs_and_nothing_is_taken_for_those_who_left() {
    let redis = redis_or_return!();
    let cluster = joined(&redis).await;
    assert!(is_taken(&cluster.reserve(&[budget(1, 10, 0)]).await));
    redis.signal("-STOP");
    assert_eq!(cluster.reserve(&[budget(9, 10, 0)]).await, Verdict::Unreachable);
    assert!(!cluster.health().is_connected);
    // From now on nobody waits at all.
    assert_eq!(cluster.reserve(&[budget(9, 10, 0)]).await, Verdict::Unreachable);
    assert_eq!(cluster.health().alone, 2);
    redis.signal("-CONT");
    until(|| cluster.health().is_connected).await;
    told(&cluster).await;
    assert_eq!(cluster.reserve(&[budget(9, 10, 0)]).await, Verdict::Taken(vec![1]));
}

#[tokio::test]
async fn what_was_used_while_redis_was_gone_is_charged_when_it_is_back() {
    let mut redis = redis_or_return!();
    let cluster = joined(&redis).await;
    redis.process.kill().unwrap();
    until(|| !cluster.health().is_connected).await;
    assert_eq!(cluster.reserve(&[rate(10, 2)]).await, Verdict::Unreachable);
    let limit = Limit::per(10, Duration::from_secs(3600));
    cluster.settle([Correction::Rate { name: 1, delta: 8, limit }]);
    redis.restart();
    until(|| cluster.health().is_connected).await;
    told(&cluster).await;
    assert_eq!(cluster.reserve(&[rate(10, 2)]).await, Verdict::Taken(vec![0]));
    assert!(!is_taken(&cluster.reserve(&[rate(10, 1)]).await));
}
