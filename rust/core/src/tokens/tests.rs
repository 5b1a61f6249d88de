#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::cl100k::Cl100k;
use super::o200k::O200k;
use super::pieces::Pattern;
use super::*;

fn pieces<P: Pattern>(text: &str) -> Vec<&str> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    while start < text.len() {
        let end = P::piece_end(text.as_bytes(), start);
        pieces.push(&text[start..end]);
        start = end;
    }
    pieces
}

#[test]
fn o200k_cuts_words_where_the_case_falls() {
    assert_eq!(pieces::<O200k>("fooBar HTTPServer XML"), ["foo", "Bar", " HTTPServer", " XML"]);
    assert_eq!(pieces::<O200k>("AB日CD"), ["AB日", "CD"]);
    assert_eq!(pieces::<O200k>("\u{300}ABC"), ["\u{300}", "ABC"]);
}

#[test]
fn cl100k_cuts_words_regardless_of_case() {
    assert_eq!(pieces::<Cl100k>("fooBar HTTPServer"), ["fooBar", " HTTPServer"]);
}

#[test]
fn a_contraction_stays_with_its_word_in_o200k_and_stands_alone_in_cl100k() {
    assert_eq!(pieces::<O200k>("It's WE'LL 'tis"), ["It's", " WE'LL", " '", "tis"]);
    assert_eq!(pieces::<Cl100k>("It's WE'LL 'tis"), ["It", "'s", " WE", "'LL", " '", "tis"]);
    assert_eq!(pieces::<O200k>("a'ſb"), ["a'ſ", "b"]);
}

#[test]
fn numbers_are_cut_by_three() {
    assert_eq!(pieces::<O200k>("12345٣٤٥٦"), ["123", "45٣", "٤٥٦"]);
}

#[test]
fn the_last_space_belongs_to_the_word_behind_it() {
    assert_eq!(pieces::<O200k>("a   b \n  c\t\t"), ["a", "  ", " b", " \n", " ", " c", "\t\t"]);
    assert_eq!(pieces::<O200k>("x\n\n  "), ["x", "\n\n", "  "]);
    assert_eq!(pieces::<Cl100k>("x\n\n  "), ["x", "\n\n  "]);
}

#[test]
fn slashes_follow_line_breaks_in_o200k_only() {
    assert_eq!(pieces::<O200k>("//\n/\n/a"), ["//\n/\n/", "a"]);
    assert_eq!(pieces::<Cl100k>("//\n/\n/a"), ["//\n", "/\n", "/a"]);
}

#[test]
fn every_token_has_the_rank_of_its_place_in_the_file() {
    for (vocabulary, packed) in [
        (vocabulary::o200k(), include_bytes!("../../data/o200k.bin").as_slice()),
        (vocabulary::cl100k(), include_bytes!("../../data/cl100k.bin").as_slice()),
    ] {
        let count = u32::from_le_bytes(*packed.first_chunk().unwrap()) as usize;
        let mut start = 4 + count;
        for at in 0..count {
            let end = start + usize::from(packed[4 + at]);
            assert_eq!(vocabulary.rank(packed, start, end) as usize, at + 1);
            assert_eq!(vocabulary.unlikely_rank(packed, start, end) as usize, at + 1);
            start = end;
        }
        assert_eq!(start, packed.len());
    }
}

#[test]
fn a_long_piece_merges_like_a_short_one() {
    counter::with_o200k(|counter| {
        let text = "abcabdqxzzüüüß日本語日本国会éabcabcab".repeat(2);
        for end in (2..text.len()).filter(|&end| text.is_char_boundary(end)) {
            let piece = &text.as_bytes()[..end];
            assert_eq!(counter.merged_as_long(piece), counter.merged_on_the_stack(piece));
        }
    });
}

#[test]
fn the_memory_of_pieces_does_not_change_a_count() {
    let text = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. ".repeat(20);
    let first = count(Family::O200k, &text);
    assert_eq!(count(Family::O200k, &text), first);
    assert_eq!(std::thread::spawn(move || count(Family::O200k, &text)).join().unwrap(), first);
}

#[test]
fn the_memo_answers_as_the_count_does_also_when_it_overflows() {
    let mut memo = Memo::new(8);
    let texts: Vec<String> = (0..100).map(|n| format!("message {n} ").repeat(30)).collect();
    for _ in 0..3 {
        for text in &texts {
            assert_eq!(memo.count(Family::O200k, text), count(Family::O200k, text));
            assert_eq!(memo.count(Family::Cl100k, text), count(Family::Cl100k, text));
        }
    }
}

#[test]
fn a_model_is_known_by_its_name() {
    for (model, family) in [
        ("gpt-4o-mini", "o200k"),
        ("azure/gpt-4.1", "o200k"),
        ("openai/gpt-5.1-codex", "o200k"),
        ("ft:gpt-4o-2024-08-06:acme::x", "o200k"),
        ("o3-mini", "o200k"),
        ("openai.gpt-oss-120b-1:0", "o200k"),
        ("gpt-4-turbo", "cl100k"),
        ("GPT-3.5-turbo", "cl100k"),
        ("text-embedding-3-large", "cl100k"),
        ("bedrock/eu.anthropic.claude-sonnet-4", "claude"),
        ("vertex_ai/gemini-2.5-pro", "gemini"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama"),
        ("mistral-large-latest", "mistral"),
        ("deepseek-r1-distill-llama-70b", "llama"),
        ("deepseek-chat", "deepseek"),
        ("Qwen/Qwen3-32B", "qwen"),
        ("command-r-plus", "other"),
    ] {
        assert_eq!(Family::for_model(model).name(), family, "{model}");
    }
}

#[test]
fn every_family_is_found_by_its_name() {
    for family in Family::ALL {
        assert_eq!(Family::from_name(family.name()), Some(family));
    }
    assert_eq!(Family::from_name("o200k_base"), Some(Family::O200k));
    assert_eq!(Family::from_name("no such"), None);
}

#[test]
fn an_estimate_weighs_scripts_apart() {
    let claude = Family::Estimate(Estimate::Claude);
    let plain = "The quick brown fox jumps over the lazy dog";
    let wide = "日本語の文章はここにあります";
    assert_eq!(count(claude, ""), 0);
    assert_eq!(count(claude, plain), (count(Family::O200k, plain) * 115).div_ceil(100));
    assert_eq!(count(claude, wide), (count(Family::O200k, wide) * 205).div_ceil(100));
}
