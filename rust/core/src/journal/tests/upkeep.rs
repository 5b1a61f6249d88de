//! Torn ends are cut off, and what was read is removed.

use super::*;
use std::fs;

#[test]
fn a_torn_end_is_cut_off_and_set_aside() {
    let temp = TempFolder::make();
    let file = written(temp.path(), &[&[b"one", b"two"]]);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, [&whole[..], b"half a frame"].concat()).unwrap();
    let aside = PathBuf::from(format!("{}.torn-{}", file.display(), whole.len()));
    let cut =
        Cut { file: file.clone(), offset: whole.len() as u64, bytes: 12, aside: aside.clone() };
    assert_eq!(repair(temp.path()).unwrap(), [cut]);
    assert_eq!(fs::read(&file).unwrap(), whole);
    assert_eq!(fs::read(aside).unwrap(), b"half a frame");
    assert_eq!(repair(temp.path()).unwrap(), []);
    assert_eq!(payloads(temp.path()), [b"one", b"two"]);
}

#[test]
fn a_repair_that_was_cut_short_is_done_again() {
    let temp = TempFolder::make();
    let file = written(temp.path(), &[&[b"one"]]);
    let whole = fs::read(&file).unwrap();
    let aside = PathBuf::from(format!("{}.torn-{}", file.display(), whole.len()));
    fs::write(&file, [&whole[..], b"half a frame"].concat()).unwrap();
    fs::write(&aside, b"half").unwrap();
    assert_eq!(repair(temp.path()).unwrap().len(), 1);
    assert_eq!(fs::read(aside).unwrap(), b"half a frame");
}

#[test]
fn damage_is_left_as_it_is() {
    let temp = TempFolder::make();
    let file = written(temp.path(), &[&[b"one"], &[b"two"]]);
    let mut bytes = fs::read(&file).unwrap();
    bytes[64] ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert_eq!(repair(temp.path()).unwrap(), []);
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

/// A closed journal of segments with three records each: its writer.
fn rotated(folder: &Path) -> Writer {
    let journal = open_small(folder);
    for number in 0..9_u8 {
        put(&journal, &[number; 1000]);
    }
    journal.close().unwrap();
    journal.writer()
}

fn sequences(folder: &Path) -> Vec<u64> {
    let (records, findings) = content(folder);
    assert_eq!(findings, []);
    records.into_iter().map(|(_, sequence, _)| sequence).collect()
}

#[test]
fn segments_that_were_read_are_removed_and_others_stay() {
    let temp = TempFolder::make();
    let writer = rotated(temp.path());
    for (before, removed, left) in [(2, 0, 0..9), (3, 1, 3..9), (8, 1, 6..9)] {
        assert_eq!(remove(temp.path(), writer, before).unwrap(), removed);
        assert_eq!(sequences(temp.path()), left.collect::<Vec<_>>());
    }
    assert_eq!(remove(temp.path(), writer, 9).unwrap(), 1);
    assert_eq!(segments(temp.path()), [] as [PathBuf; 0]);
}

#[test]
fn a_broken_last_segment_is_not_removed() {
    let temp = TempFolder::make();
    let file = written(temp.path(), &[&[b"one"]]);
    let writer = content(temp.path()).0[0].0;
    fs::write(&file, [&fs::read(&file).unwrap()[..], b"half a frame"].concat()).unwrap();
    assert_eq!(remove(temp.path(), writer, 1).unwrap(), 0);
    repair(temp.path()).unwrap();
    assert_eq!(remove(temp.path(), writer, 1).unwrap(), 1);
    // What was set aside went with it.
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
}

#[test]
fn reading_begins_where_it_is_told_to() {
    let temp = TempFolder::make();
    let writer = rotated(temp.path());
    for from in 0..=10 {
        let reader = read_from(temp.path(), Positions::from([(writer, from)])).unwrap();
        let (records, findings) = content_of(reader);
        assert_eq!(findings, []);
        let found: Vec<_> = records.into_iter().map(|(_, sequence, _)| sequence).collect();
        assert_eq!(found, (from..9).collect::<Vec<_>>());
    }
}

#[test]
fn records_that_were_removed_too_early_are_missed() {
    let temp = TempFolder::make();
    let writer = rotated(temp.path());
    remove(temp.path(), writer, 3).unwrap();
    let reader = read_from(temp.path(), Positions::from([(writer, 1)])).unwrap();
    let (records, findings) = content_of(reader);
    assert_eq!(records.len(), 6);
    let [Finding::Corrupt { why, .. }] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(why, "records 1 to 2 are missing");
}

#[test]
fn a_folder_that_does_not_exist_is_empty() {
    let temp = TempFolder::make();
    let folder = temp.path().join("none");
    assert_eq!(content(&folder), Content::default());
    assert_eq!(repair(&folder).unwrap(), []);
    assert_eq!(remove(&folder, Writer(1), 1).unwrap(), 0);
}

#[test]
fn files_that_never_became_segments_are_cleared_away_when_they_are_old() {
    let temp = TempFolder::make();
    let (old, young) = (temp.path().join(".new-1"), temp.path().join(".new-2"));
    fs::write(&young, b"").unwrap();
    let hour = std::time::SystemTime::now() - Duration::from_secs(3600);
    fs::File::create(&old).unwrap().set_modified(hour).unwrap();
    repair(temp.path()).unwrap();
    assert_eq!((old.exists(), young.exists()), (false, true));
}
