//! A process that is killed at any instant loses nothing that `append` took.

use super::*;
use memmap2::MmapRaw;
use std::fs::OpenOptions;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Where the child writes.
const FOLDER: &str = "LLMGW_TEST_JOURNAL";
/// Where it tells what was taken.
const TALLY: &str = "LLMGW_TEST_TALLY";
/// How often it is killed; 20 times unless this says otherwise.
const ROUNDS: &str = "LLMGW_TEST_KILLS";

/// This program at one ignored test, started by a command that gets it as its arguments.
pub(super) fn child(test: &str, by: &[&str]) -> Command {
    let this = std::env::current_exe().unwrap();
    let mut command = match by {
        [] => Command::new(&this),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(&this);
            command
        }
    };
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command
}

/// Threads of the child that append.
const THREADS: usize = 3;

/// What a child has appended: how many records each of its threads was told to be taken. It stands in a file
/// that parent and child have mapped, so that nothing is in between when the child is killed.
struct Tally(MmapRaw);

impl Tally {
    fn map(path: &Path) -> Self {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.unwrap();
        file.set_len(8 * THREADS as u64).unwrap();
        Tally(MmapRaw::map_raw(&file).unwrap())
    }

    fn of(&self, thread: usize) -> &AtomicU64 {
        assert!(thread < THREADS);
        // SAFETY: it is within the mapping, which is aligned to pages and lives as long as `self`; everybody
        // takes it for an atomic.
        unsafe { AtomicU64::from_ptr(self.0.as_mut_ptr().cast::<u64>().add(thread)) }
    }
}

/// What a thread appends: each payload tells whose it is and its number there, at lengths that vary.
fn payload(thread: usize, number: u64) -> Vec<u8> {
    let mut payload = vec![u8::try_from(thread).unwrap()];
    payload.extend(number.to_le_bytes());
    payload.resize(9 + usize::try_from(number % 300).unwrap(), number as u8);
    payload
}

/// The child's part: appends until it is killed, and tells each record that was taken.
#[test]
#[ignore = "a child of another test"]
fn child_under_load() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let tally = Tally::map(Path::new(&std::env::var_os(TALLY).unwrap()));
    let options = Options {
        segment_bytes: 256 << 10,
        gather: Duration::from_millis(1),
        ..Options::default()
    };
    let journal = Journal::open(&folder, options).unwrap();
    let (journal, tally) = (&journal, &tally);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for number in 0.. {
                    put(journal, &payload(thread, number));
                    tally.of(thread).store(number + 1, SeqCst);
                }
            });
        }
    });
}

/// Starts a child, kills it after some time, and returns how many records each thread had appended.
fn killed(folder: &Path, tally: &Path) -> Vec<u64> {
    let mut child = child("journal::tests::killing::child_under_load", &[])
        .env(FOLDER, folder)
        .env(TALLY, tally)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let tally = Tally::map(tally);
    // It has begun, and then it lives for as long as chance wants.
    let start = Instant::now();
    while tally.of(0).load(SeqCst) == 0 {
        assert!(start.elapsed() < LONG);
        pause(Duration::from_micros(100));
    }
    pause(Duration::from_micros(fastrand::u64(0..50_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    (0..THREADS).map(|thread| tally.of(thread).load(SeqCst)).collect()
}

/// The records of a folder that was killed in once: how many of each thread there are, and how many torn ends.
fn found(folder: &Path) -> (Vec<u64>, usize) {
    let (mut found, mut torn, mut next) = (vec![0; THREADS], 0, 0);
    for one in read(folder).unwrap() {
        match one.unwrap() {
            Found::Record { sequence, payload: bytes, .. } => {
                let thread = usize::from(bytes[0]);
                assert_eq!((sequence, &bytes), (next, &payload(thread, found[thread])));
                (next, found[thread]) = (next + 1, found[thread] + 1);
            }
            Found::Finding(Finding::Torn { .. }) => torn += 1,
            Found::Finding(damage) => panic!("{damage:?}"),
        }
    }
    (found, torn)
}

#[test]
fn what_was_appended_survives_a_kill_at_any_instant() {
    let rounds = std::env::var(ROUNDS).ok().map_or(20, |rounds| rounds.parse().unwrap());
    for _ in 0..rounds {
        let temp = TempFolder::make();
        let folder = temp.path().join("journal");
        let appended = killed(&folder, &temp.path().join("tally"));
        let (found, torn) = found(&folder);
        for (found, appended) in found.iter().zip(&appended) {
            // One more may have been taken when the child was killed before it could tell.
            assert!((*appended..=appended + 1).contains(found), "{found} of {appended}");
        }
        assert_eq!(repair(&folder).unwrap().len(), torn);
        assert_eq!(self::found(&folder), (found.clone(), 0));
        // What was allocated and not used was given back.
        let bytes: u64 = segments(&folder).iter().map(|path| path.metadata().unwrap().len()).sum();
        assert!(bytes <= found.iter().sum::<u64>() * 400 + (128 << 10), "{bytes}");
    }
}
