#![allow(clippy::unwrap_used)]
use super::*;

const KEPT: &[&str] = &["model", "prompt"];

fn part(headers: &str, content: &str) -> String {
    format!("--xx\r\nContent-Disposition: form-data; {headers}\r\n\r\n{content}\r\n")
}

/// A form whose file holds what looks like borders.
fn form() -> String {
    part("name=\"model\"", "whisper")
        + &part("name=\"file\"; filename=\"a.wav\"", "\r\n--x\r\n--xy\r\n-\r\r\n--")
        + &part("name=\"prompt\"", "")
        + &part("name=\"language\"", "en")
        + "--xx--\r\n"
}

fn read(body: &str, size: usize) -> Result<Form> {
    let mut form = Form::new("xx", KEPT);
    for piece in body.as_bytes().chunks(size) {
        form.push(piece)?;
    }
    form.finish()?;
    Ok(form)
}

fn message(body: &str) -> String {
    read(body, 7).map(|_| ()).unwrap_err().message
}

#[test]
fn every_split_finds_the_same_parts() {
    let body = form();
    let whole = read(&body, body.len()).unwrap();
    let names: Vec<&str> = whole.parts().iter().map(|part| &part.name[..]).collect();
    assert_eq!(names, ["model", "file", "prompt", "language"]);
    for size in 1..body.len() {
        assert_eq!(read(&body, size).unwrap().parts(), whole.parts(), "{size}");
    }
}

#[test]
fn parts_lie_where_they_are_said_to() {
    let body = form();
    let form = read(&body, 5).unwrap();
    let content = |index: usize| {
        let part = &form.parts()[index];
        &body[part.start as usize..part.end.unwrap() as usize]
    };
    assert_eq!((content(0), content(2), content(3)), ("whisper", "", "en"));
    assert_eq!(content(1), "\r\n--x\r\n--xy\r\n-\r\r\n--");
    let filename = form.parts()[1].filename.clone().unwrap();
    assert_eq!(&body[filename.start as usize..filename.end as usize], "a.wav");
}

#[test]
fn only_fields_that_count_are_kept() {
    let form = read(&form(), 5).unwrap();
    assert_eq!(form.field("model"), Some(&b"whisper"[..]));
    assert_eq!(form.field("prompt"), Some(&b""[..]));
    assert_eq!(form.field("language"), None);
    assert!(form.parts()[1].is_file && form.parts()[1].text.is_none());
}

#[test]
fn a_field_is_not_whole_before_its_border() {
    let body = part("name=\"model\"", "whisper-1");
    let mut form = Form::new("xx", KEPT);
    form.push(&body.as_bytes()[..body.len() - 2]).unwrap();
    assert_eq!((form.field("model"), form.is_complete()), (None, false));
    form.push(b"\r\n--xx").unwrap();
    assert_eq!(form.field("model"), Some(&b"whisper-1"[..]));
}

#[test]
fn a_long_field_is_let_go() {
    let body = part("name=\"prompt\"", &"a".repeat(LONGEST_FIELD + 1)) + "--xx--";
    let form = read(&body, 1000).unwrap();
    assert_eq!(form.field("prompt"), None);
    assert!(form.parts()[0].end.is_some());
}

#[test]
fn a_file_costs_no_memory() {
    let mut form = Form::new("xx", KEPT);
    form.push(part("name=\"file\"; filename=\"a\"", "").trim_end().as_bytes()).unwrap();
    form.push(b"\r\n\r\n").unwrap();
    for _ in 0..1000 {
        form.push(&[b'\r'; 10_000]).unwrap();
        assert!(form.rest.capacity() < 64 * 1024);
    }
}

#[test]
fn a_form_that_is_not_whole_is_refused() {
    let body = form();
    // Behind the last dashes a line end may stand or not.
    for length in (0..body.len() - 2).step_by(3) {
        assert!(message(&body[..length]).contains("ends before"), "{length}");
    }
    assert!(read(&body[..body.len() - 2], 9).is_ok());
}

#[test]
fn doubtful_forms_are_refused() {
    let last = "--xx--\r\n";
    let model = part("name=\"model\"", "a");
    let file = part("name=\"model\"; filename=\"a\"", "a");
    for (body, says) in [
        (format!("preamble\r\n{model}{last}"), "begin with its boundary"),
        (format!("\r\n{model}{last}"), "begin with its boundary"),
        (format!("{model}{model}{last}"), "stands twice"),
        (format!("{file}{last}"), "must not be a file"),
        (format!("{model}{last}epilogue"), "follows the form"),
        (format!("{model}{last}\r\n"), "follows the form"),
        (format!("{model}--xx \r\n{last}"), "followed by something else"),
        (format!("--xx\n{last}"), "followed by something else"),
        (format!("--xx\r\n{}", "a".repeat(LONGEST_HEADERS)), "headers of a part are too long"),
        (part("name=\"a\"", "").repeat(MOST_PARTS + 1) + last, "too many parts"),
        (format!("--xx\r\n\r\n\r\n{last}"), "bad header"),
    ] {
        assert!(message(&body).contains(says), "{says}: {}", message(&body));
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let mut random = fastrand::Rng::with_seed(3);
    let alphabet = b"\r\n-x:;=\"a";
    for _ in 0..20_000 {
        let mut form = Form::new("xx", KEPT);
        let mut body = form_bytes(&mut random, alphabet);
        if random.bool() {
            body.splice(
                ..0,
                b"--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n".iter().copied(),
            );
        }
        for piece in body.chunks(random.usize(1..9)) {
            if form.push(piece).is_err() {
                break;
            }
        }
    }
}

fn form_bytes(random: &mut fastrand::Rng, alphabet: &[u8]) -> Vec<u8> {
    (0..random.usize(0..60)).map(|_| alphabet[random.usize(..alphabet.len())]).collect()
}
