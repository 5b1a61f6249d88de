//! A process that is killed at any instant loses nothing that it told as durable.

use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Where the child writes.
const FOLDER: &str = "LLMGW_TEST_JOURNAL";
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

/// What the child appends: each payload tells its sequence, at lengths that vary.
fn payload(sequence: u64) -> Vec<u8> {
    let mut payload = sequence.to_le_bytes().to_vec();
    payload.resize(8 + usize::try_from(sequence % 300).unwrap(), sequence as u8);
    payload
}

/// The child's part: appends until it is killed, and says how far it is.
#[test]
#[ignore = "a child of another test"]
fn child_under_load() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let options = Options {
        segment_bytes: 256 << 10,
        gather: Duration::from_millis(1),
        ..Options::default()
    };
    let journal = Journal::open(&folder, options).unwrap();
    let mut told = 0;
    for sequence in 0.. {
        put(&journal, &payload(sequence));
        let durable = journal.durable();
        if durable > told {
            told = durable;
            #[allow(clippy::print_stdout)] // the parent reads it
            {
                println!("durable {} {told}", journal.writer());
            }
        }
    }
}

/// Starts a child, kills it after some time, and returns what it said last.
fn killed(folder: &Path) -> (Writer, u64) {
    let mut child = child("journal::tests::killing::child_under_load", &[])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).split(b'\n');
    // It has said something, and then it lives for as long as chance wants.
    let mut said = lines.by_ref().find_map(|line| told(&line.unwrap())).unwrap();
    let lives = Instant::now() + Duration::from_micros(fastrand::u64(0..50_000));
    while Instant::now() < lives {
        said = lines.next().and_then(|line| told(&line.unwrap())).unwrap_or(said);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What was still in the pipe was said as well; a line that was cut off was not.
    lines.filter_map(|line| told(&line.unwrap())).last().unwrap_or(said)
}

fn told(line: &[u8]) -> Option<(Writer, u64)> {
    let line = std::str::from_utf8(line).ok()?;
    // The name of the test stands before the first.
    let (_, said) = line.split_once("durable ")?;
    let (writer, durable) = said.split_once(' ')?;
    Some((Writer::parse(writer)?, durable.parse().ok()?))
}

#[test]
fn what_was_told_as_durable_survives_a_kill_at_any_instant() {
    let rounds = std::env::var(ROUNDS).ok().map_or(20, |rounds| rounds.parse().unwrap());
    let temp = TempFolder::make();
    let mut durable = Positions::new();
    for _ in 0..rounds {
        durable.extend([killed(temp.path())]);
    }
    let (mut found, mut torn) = (Positions::new(), 0);
    for one in read(temp.path()).unwrap() {
        match one.unwrap() {
            Found::Record { writer, sequence, payload: bytes } => {
                let next = found.entry(writer).or_default();
                assert_eq!((sequence, &bytes), (*next, &payload(*next)));
                *next += 1;
            }
            Found::Finding(Finding::Torn { .. }) => torn += 1,
            Found::Finding(damage) => panic!("{damage:?}"),
        }
    }
    assert_eq!(durable.len(), rounds);
    for (writer, durable) in durable {
        assert!(found[&writer] >= durable, "{writer}: {} of {durable}", found[&writer]);
    }
    assert_eq!(repair(temp.path()).unwrap().len(), torn);
    let mut all = read(temp.path()).unwrap();
    assert!(all.all(|one| matches!(one, Ok(Found::Record { .. }))));
}
