//! Reads expressions once, for both engines: parses, refuses what one of them would not match alike,
//! and writes the rest in the plain syntax of Hyperscan.
//!
//! Hyperscan gets classes as explicit bytes and no flags, so that differences of dialect (`\s`, `$`
//! before a last line feed, POSIX classes, case folding) cannot arise.

use super::{Flags, MAX_EXPRESSION, Pattern, ScanError};
use regex_automata::nfa::thompson::{Compiler, Config, NFA, WhichCaptures};
use regex_automata::util::syntax::{Config as Syntax, parse_with};
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};
use regex_syntax::utf8::Utf8Sequences;
use std::fmt::Write;

/// Bytes of automaton that one expression may grow to: about ten thousand states.
const MAX_PROGRAM_BYTES: usize = 1 << 20;

/// An expression that was read.
pub(super) struct Program {
    #[cfg_attr(not(feature = "hyperscan"), expect(dead_code))]
    pub(super) pattern: Pattern,
    pub(super) hir: Hir,
    /// In Hyperscan's syntax; ASCII, without NUL.
    #[cfg_attr(not(feature = "hyperscan"), expect(dead_code))]
    pub(super) plain: String,
}

impl Program {
    pub(super) fn refuse(pattern: &Pattern, reason: impl ToString) -> ScanError {
        ScanError::Pattern {
            id: pattern.id,
            expression: pattern.expression.clone(),
            reason: reason.to_string(),
        }
    }
}

/// Reads all patterns of a set.
pub(super) fn read_all(patterns: &[Pattern]) -> Result<Vec<Program>, ScanError> {
    if patterns.is_empty() {
        return Err(ScanError::Engine("a set needs at least one pattern".into()));
    }
    let mut ids: Vec<u32> = patterns.iter().map(|pattern| pattern.id).collect();
    ids.sort_unstable();
    if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(ScanError::Engine(format!("two patterns have the id {}", pair[0])));
    }
    patterns.iter().map(read).collect()
}

fn read(pattern: &Pattern) -> Result<Program, ScanError> {
    let refuse = |reason: &str| Program::refuse(pattern, reason);
    if pattern.expression.len() > MAX_EXPRESSION {
        let mut shown = pattern.clone();
        shown.expression = pattern.expression.chars().take(64).chain(['…']).collect();
        return Err(Program::refuse(&shown, format!("longer than {MAX_EXPRESSION} bytes")));
    }
    let expression = mark_unicode(&pattern.expression);
    let hir = parse_with(&expression, &syntax(pattern.flags))
        .map_err(|error| Program::refuse(pattern, error))?;
    match hir.properties().minimum_len() {
        None => return Err(refuse("can never match")),
        Some(0) => return Err(refuse("matches the empty text")),
        Some(_) => {}
    }
    compile(std::slice::from_ref(&hir), false)
        .map_err(|error| Program::refuse(pattern, format!("too large: {error}")))?;
    let mut plain = String::new();
    write_plain(&hir, &mut plain).map_err(refuse)?;
    Ok(Program { pattern: pattern.clone(), hir, plain })
}

fn syntax(flags: Flags) -> Syntax {
    Syntax::new()
        .unicode(false)
        .utf8(false)
        .case_insensitive(flags.caseless)
        .dot_matches_new_line(flags.dotall)
        .multi_line(flags.multiline)
}

/// Wraps characters beyond ASCII as `(?u:…)`, which is how byte mode takes them outside of a class.
fn mark_unicode(expression: &str) -> String {
    let mut marked = String::with_capacity(expression.len());
    for character in expression.chars() {
        if character.is_ascii() {
            marked.push(character);
        } else {
            marked.extend(["(?u:", character.encode_utf8(&mut [0; 4]), ")"]);
        }
    }
    marked
}

/// The automaton of all programs, reading forwards or backwards.
pub(super) fn nfa(programs: &[Program], reverse: bool) -> Result<NFA, ScanError> {
    let hirs: Vec<&Hir> = programs.iter().map(|program| &program.hir).collect();
    compile(&hirs, reverse).map_err(|error| ScanError::Engine(error.to_string()))
}

fn compile<H: std::borrow::Borrow<Hir>>(
    hirs: &[H],
    reverse: bool,
) -> Result<NFA, Box<regex_automata::nfa::thompson::BuildError>> {
    let config = Config::new()
        .utf8(false)
        .reverse(reverse)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(MAX_PROGRAM_BYTES.saturating_mul(hirs.len())));
    Compiler::new().configure(config).build_many_from_hir(hirs).map_err(Box::new)
}

fn write_plain(hir: &Hir, out: &mut String) -> Result<(), &'static str> {
    match hir.kind() {
        HirKind::Empty => out.push_str("(?:)"),
        HirKind::Literal(literal) => literal.0.iter().for_each(|&byte| write_byte(byte, out)),
        HirKind::Class(class) => write_class(class, out),
        HirKind::Look(look) => out.push_str(plain_look(*look)?),
        HirKind::Repetition(repetition) => write_repetition(repetition, out)?,
        HirKind::Capture(capture) => write_group(&capture.sub, out)?,
        HirKind::Concat(parts) => {
            for part in parts {
                match part.kind() {
                    HirKind::Alternation(_) => write_group(part, out)?,
                    _ => write_plain(part, out)?,
                }
            }
        }
        HirKind::Alternation(parts) => {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                write_plain(part, out)?;
            }
        }
    }
    Ok(())
}

fn write_group(hir: &Hir, out: &mut String) -> Result<(), &'static str> {
    out.push_str("(?:");
    write_plain(hir, out)?;
    out.push(')');
    Ok(())
}

fn write_repetition(repetition: &Repetition, out: &mut String) -> Result<(), &'static str> {
    write_group(&repetition.sub, out)?;
    let _ = match (repetition.min, repetition.max) {
        (0, None) => write!(out, "*"),
        (1, None) => write!(out, "+"),
        (0, Some(1)) => write!(out, "?"),
        (min, None) => write!(out, "{{{min},}}"),
        (min, Some(max)) if min == max => write!(out, "{{{min}}}"),
        (min, Some(max)) => write!(out, "{{{min},{max}}}"),
    };
    Ok(())
}

fn plain_look(look: Look) -> Result<&'static str, &'static str> {
    match look {
        Look::Start => Ok(r"\A"),
        Look::End => Ok(r"\z"),
        Look::StartLF => Ok("(?m:^)"),
        Look::EndLF => Ok("(?m:$)"),
        Look::WordAscii => Ok(r"\b"),
        Look::WordAsciiNegate => Ok(r"\B"),
        Look::StartCRLF | Look::EndCRLF => Err("CRLF mode (?R) is not supported"),
        Look::WordUnicode | Look::WordUnicodeNegate => {
            Err("Unicode word boundaries are not supported; use the ASCII one, \\b")
        }
        _ => Err("one-sided word boundaries are not supported; use \\b"),
    }
}

fn write_byte(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() {
        out.push(char::from(byte));
    } else {
        let _ = write!(out, "\\x{byte:02x}");
    }
}

fn write_class(class: &Class, out: &mut String) {
    match class {
        Class::Bytes(bytes) => write_ranges(bytes.iter().map(|r| (r.start(), r.end())), out),
        Class::Unicode(characters) => {
            out.push_str("(?:");
            let sequences =
                characters.iter().flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
            for (index, sequence) in sequences.enumerate() {
                if index > 0 {
                    out.push('|');
                }
                for range in sequence.as_slice() {
                    write_ranges(std::iter::once((range.start, range.end)), out);
                }
            }
            out.push(')');
        }
    }
}

fn write_ranges(ranges: impl Iterator<Item = (u8, u8)>, out: &mut String) {
    out.push('[');
    for (start, end) in ranges {
        write_byte(start, out);
        if end > start {
            out.push('-');
            write_byte(end, out);
        }
    }
    out.push(']');
}
