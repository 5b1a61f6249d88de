#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("llmgw-shm-{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn refusal(path: &Path) -> String {
    Shared::open(path).err().expect("refused").message
}

#[test]
fn what_one_mapping_writes_the_other_reads() {
    let scratch = Scratch::new("two");
    let (one, two) = (Shared::open(&scratch.0).unwrap(), Shared::open(&scratch.0).unwrap());
    one.word(Word::ConfigGeneration).store(7, Relaxed);
    assert_eq!(two.word(Word::ConfigGeneration).load(Relaxed), 7);
}

#[test]
fn racing_openers_share_one_file() {
    let scratch = Scratch::new("race");
    let path = &scratch.0;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(move || {
                Shared::open(path).unwrap().word(Word::ConfigGeneration).fetch_add(1, Relaxed)
            });
        }
    });
    assert_eq!(Shared::open(path).unwrap().word(Word::ConfigGeneration).load(Relaxed), 8);
}

#[test]
fn the_file_is_for_its_owner_only() {
    let scratch = Scratch::new("mode");
    let _shared = Shared::open(&scratch.0).unwrap();
    assert_eq!(std::fs::metadata(&scratch.0).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&scratch.0, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refusal(&scratch.0).contains("mode must be 0600"));
}

#[test]
fn another_layout_is_refused() {
    let scratch = Scratch::new("layout");
    drop(Shared::open(&scratch.0).unwrap());
    let file = File::options().write(true).open(&scratch.0).unwrap();
    file.write_all_at(&99u64.to_ne_bytes(), 8).unwrap();
    assert!(refusal(&scratch.0).contains("has layout 99"));
}

#[test]
fn a_strangers_file_is_refused() {
    let scratch = Scratch::new("stranger");
    std::fs::write(&scratch.0, [b'x'; 4096]).unwrap();
    std::fs::set_permissions(&scratch.0, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(refusal(&scratch.0).contains("not a shared memory file"));
    assert_eq!(std::fs::read(&scratch.0).unwrap(), [b'x'; 4096]);
}

#[test]
fn a_file_left_half_written_is_laid_out_anew() {
    let scratch = Scratch::new("half");
    let shared = Shared::open(&scratch.0).unwrap();
    shared.word(Word::ConfigGeneration).store(7, Relaxed);
    drop(shared);
    let file = File::options().write(true).open(&scratch.0).unwrap();
    file.write_all_at(&[0; 8], 0).unwrap();
    assert_eq!(Shared::open(&scratch.0).unwrap().word(Word::ConfigGeneration).load(Relaxed), 0);
}

#[test]
fn a_file_from_before_a_reboot_is_laid_out_anew() {
    let scratch = Scratch::new("reboot");
    let shared = Shared::open(&scratch.0).unwrap();
    shared.word(Word::ConfigGeneration).store(7, Relaxed);
    drop(shared);
    let file = File::options().write(true).open(&scratch.0).unwrap();
    file.write_all_at(&1u64.to_ne_bytes(), 24).unwrap();
    assert_eq!(Shared::open(&scratch.0).unwrap().word(Word::ConfigGeneration).load(Relaxed), 0);
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let (target, link) = (Scratch::new("target"), Scratch::new("link"));
    drop(Shared::open(&target.0).unwrap());
    std::os::unix::fs::symlink(&target.0, &link.0).unwrap();
    assert!(Shared::open(&link.0).is_err());
}

#[test]
fn the_clock_never_goes_back() {
    let mut last = monotonic_ns();
    for _ in 0..10_000 {
        let now = monotonic_ns();
        assert!(now >= last);
        last = now;
    }
}
