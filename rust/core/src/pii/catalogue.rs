//! What is looked for: one table, the most important entity first.
//!
//! To add an entity, add a row and its verifier. A trigger should be short, have a literal in it or
//! begin at a word's edge, and say where the value starts: the engine reports the trigger's last byte
//! only. Rows with the same trigger share one expression in the engine.

use super::text::Text;
use super::{Candidate, contact, dates, finance, identity, mrz, secrets};

/// One kind of value.
#[derive(Debug)]
pub(super) struct Entity {
    /// Its name.
    pub(super) kind: &'static str,
    /// What the engine looks for.
    pub(super) trigger: &'static str,
    /// Score of the bare shape.
    pub(super) base: f32,
    /// Words that raise the score when they stand near.
    pub(super) context: &'static [&'static str],
    /// Reads the value, given where the trigger ends.
    pub(super) verify: fn(Text<'_>, usize) -> Option<Candidate>,
}

type Verify = fn(Text<'_>, usize) -> Option<Candidate>;

const fn entity(
    kind: &'static str,
    base: f32,
    trigger: &'static str,
    context: &'static [&'static str],
    verify: Verify,
) -> Entity {
    Entity { kind, trigger, base, context, verify }
}

/// A word's edge; the letter of a JSON escape (`\n`) counts as one too.
macro_rules! word {
    ($rest:literal) => {
        concat!(r"(?:\b|\\[bfnrt])", $rest)
    };
}

const TAX_NUMBER: &str = word!(r"\d{3}[- .]?\d{2}[- .]?\d{4}");

/// Every entity; where two claim the same text, the earlier row wins.
#[rustfmt::skip]
pub(super) const CATALOGUE: &[Entity] = &[
    // Secrets: told by their own form.
    entity("PRIVATE_KEY", 1.0, "-----BEGIN [A-Z]", &[], secrets::private_key),
    entity("JWT", 0.9, word!(r"eyJ[\w-]{4}"), &[], secrets::jwt),
    entity("LLMGW_KEY", 0.95, word!("sk-gw-"), &[], secrets::virtual_key),
    entity("ANTHROPIC_KEY", 0.95, word!("sk-ant-"), &[], secrets::anthropic_key),
    entity("OPENAI_KEY", 0.85, word!(r"sk-\w{3}"), &[], secrets::openai_key),
    entity("AWS_ACCESS_KEY", 0.9, word!("A(?:KI|SI|BI|CC)A[A-Z2-7]"), &[], secrets::aws_access_key),
    entity("GITHUB_TOKEN", 0.9, word!("(?:gh[pousr]|github_pat)_"), &[], secrets::github_token),
    entity("SLACK_TOKEN", 0.9, r"\bxox[abposr]-|\bhooks\.slack\.com/services/", &[], secrets::slack_token),
    entity("STRIPE_KEY", 0.9, word!("(?:[sr]k_(?:live|test)|whsec)_"), &[], secrets::stripe_key),
    entity("GOOGLE_API_KEY", 0.9, word!("AIza"), &[], secrets::google_api_key),
    entity("URL_WITH_CREDENTIALS", 0.9, r":\\?/\\?/", &[], contact::url_with_credentials),
    // People and money: checked digits.
    entity("PASSPORT_MRZ", 0.55, "[A-Z0-9]<<[A-Z<]", &[], mrz::zone),
    entity("CRYPTO_WALLET", 0.45, word!("(?:0x[0-9a-fA-F]{6}|(?i:bc1)[a-z0-9A-Z]{5}|[13][1-9A-HJ-NP-Za-km-z]{7})"), &["wallet", "bitcoin", "btc", "ethereum", "eth"], finance::wallet),
    entity("IBAN_CODE", 0.45, word!(r"[A-Za-z]{2}\d\d[ -]?[A-Za-z0-9]{4}"), &["iban"], finance::iban),
    entity("CREDIT_CARD", 0.2, word!(r"\d{4}[ -]?\d{4}[ -]?\d{2}"), &["card", "credit", "debit", "visa", "mastercard", "amex", "maestro", "pan", "cc", "karte", "carte", "tarjeta", "ccnum"], finance::card),
    entity("IN_AADHAAR", 0.05, word!(r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}"), &["aadhaar", "aadhar", "adhaar", "uidai", "uid"], identity::in_aadhaar),
    entity("IMEI", 0.05, word!(r"\d{2}[ -]?\d{6}[ -]?\d{6}[ -]?\d"), &["imei", "handset", "device"], identity::imei),
    entity("VIN", 0.55, word!("[A-HJ-NPR-Z0-9]{11}"), &["vin", "vehicle", "chassis"], identity::vin),
    entity("US_MBI", 0.7, word!(r"[1-9][A-Za-z][A-Za-z0-9]\d-?[A-Za-z][A-Za-z0-9]\d-?[A-Za-z]{2}\d{2}"), &["mbi", "medicare", "beneficiary"], identity::us_mbi),
    entity("UK_NINO", 0.7, word!(r"[A-Za-z]{2} ?\d\d ?\d\d ?\d\d ?[A-Da-d]"), &["nino", "national insurance", "ni number"], identity::uk_nino),
    entity("IN_PAN", 0.65, r"[A-Za-z]\d{4}[A-Za-z]\b", &["pan", "permanent account", "income tax"], identity::in_pan),
    entity("US_ABA_ROUTING", 0.05, word!(r"\d{9}\b"), &["routing", "aba", "rtn", "transit"], finance::aba_routing),
    entity("US_ITIN", 0.3, TAX_NUMBER, &["itin", "taxpayer", "tax id", "tin"], identity::us_itin),
    entity("US_SSN", 0.3, TAX_NUMBER, &["ssn", "social security", "social-security", "socialsecurity", "social_security", "soc sec"], identity::us_ssn),
    entity("US_NPI", 0.05, word!(r"[12]\d{9}"), &["npi", "national provider", "provider"], identity::us_npi),
    entity("UK_NHS", 0.05, word!(r"\d{3}[ -]?\d{3}[ -]?\d{4}"), &["nhs", "health service"], identity::uk_nhs),
    // Ways to reach somebody.
    entity("EMAIL_ADDRESS", 0.95, r"[\w.%+'\x80-\xff-]@[\w\x80-\xff]", &[], contact::email),
    entity("MAC_ADDRESS", 0.8, word!("[0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-][0-9A-Fa-f]"), &["mac", "ethernet", "hwaddr"], contact::mac),
    entity("IP_ADDRESS", 0.75, concat!(word!(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d"), "|", word!("[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{0,4}:")), &["ip", "address", "host", "server"], contact::ip),
    entity("DATE_OF_BIRTH", 0.85, r"(?i)(?:\bdob\b|\bd\.o\.b|_dob\b|date.?of.?birth|birth.?date|birthday|\bborn\b|\bgeb(?:oren|\.)|\bn\xc3\xa9e? le\b|fecha de nacimiento|data di nascita)", &[], dates::date_of_birth),
    entity("PHONE_NUMBER", 0.3, concat!(r"[+(]\d|", word!(r"\d{1,5}[ .)/-]{1,2}\d{3}|"), word!(r"0\d[ .-]\d\d[ .-]\d|"), word!(r"\d{10,11}\b")), &["phone", "tel", "telephone", "mobile", "cell", "call", "fax", "whatsapp", "contact", "handy", "telefon", "text me"], contact::phone),
    // Values with a telling name.
    entity("PASSWORD", 0.75, r#"(?i)(?:passw(?:or)?d|passphrase|pwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token)\\?["']? ?[:=]"#, &[], secrets::assigned_secret),
];
