#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use std::collections::BTreeSet;
use std::sync::LazyLock;

static SCANNERS: LazyLock<Vec<Scanner>> = LazyLock::new(|| {
    let engines: &[Choice] = if cfg!(feature = "hyperscan") {
        &[Choice::Hyperscan, Choice::Rust]
    } else {
        &[Choice::Rust]
    };
    engines.iter().map(|engine| Scanner::new(*engine).unwrap()).collect()
});

/// What every engine finds, as kind and text.
fn found(text: &str) -> Vec<(&'static str, String)> {
    let mut answers: Vec<Vec<(&'static str, String)>> = SCANNERS
        .iter()
        .map(|scanner| {
            let mut findings = Vec::new();
            scanner.scan(text.as_bytes(), &mut findings).unwrap();
            findings
                .iter()
                .map(|f| {
                    let bytes = &text.as_bytes()[f.start as usize..f.end as usize];
                    (f.kind, String::from_utf8_lossy(bytes).into_owned())
                })
                .collect()
        })
        .collect();
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    answers.remove(0)
}

#[test]
fn test_the_engine_gets_thirty_one_triggers() {
    assert_eq!(triggers().len(), 31);
    assert_eq!(kinds().count(), 32);
}

/// Kind, and text in which what stands between `«»` is found as this kind, and nothing else.
const FOUND: &[(&str, &str)] = &[
    ("EMAIL_ADDRESS", "write to «jane.doe+news@mail.example.co.uk», please"),
    ("EMAIL_ADDRESS", "<mailto:«a@b.io»>"),
    ("EMAIL_ADDRESS", "{\"email\":\"«o'brien@example.org»\"}"),
    ("EMAIL_ADDRESS", "\\n«alice@example.com»\\n"),
    ("EMAIL_ADDRESS", "an «ümläut@bücher.de»."),
    ("EMAIL_ADDRESS", "'«a.b@c.de»',"),
    ("EMAIL_ADDRESS", "“«a@b.com»” 数字«a.b@c.com»。"),
    ("EMAIL_ADDRESS", "{\\\"x\\\": \\\"one\\\\n«alice@example.com»\\\"}"),
    ("PHONE_NUMBER", "(«+49 30 901820») («415-555-0132»)"),
    ("PHONE_NUMBER", "call «+49 (0) 30 901820»!"),
    ("PHONE_NUMBER", "«+14155550132»"),
    ("PHONE_NUMBER", "«(415) 555-0132» or so"),
    ("PHONE_NUMBER", "«415-555-0132»."),
    ("PHONE_NUMBER", "\"«415.555.0132»\""),
    ("PHONE_NUMBER", "«1-415-555-0132»"),
    ("PHONE_NUMBER", "tel «020 7946 0958»"),
    ("PHONE_NUMBER", "{\"phone\": \"«4155550132»\"}"),
    ("PHONE_NUMBER", "au «01 42 68 53 00» ou «01.42.68.53.00»"),
    ("PHONE_NUMBER", "mobile: «98765 43210»"),
    ("PHONE_NUMBER", "电话«+8613812345678»号"),
    ("CREDIT_CARD", "«4111 1111 1111 1111»"),
    ("CREDIT_CARD", "«4111111111111111»,«5500005555555559»"),
    ("CREDIT_CARD", "card «3782-822463-10005» cvv 1234"),
    ("CREDIT_CARD", "«4012 8888 8888 1881» 123"),
    ("CREDIT_CARD", "\\n«6011111111111117»"),
    ("CREDIT_CARD", "«3530111333300000»"),
    ("CREDIT_CARD", "card «6759649826438453»"),
    ("IBAN_CODE", "pay «GB82 WEST 1234 5698 7654 32» now"),
    ("IBAN_CODE", "«DE89370400440532013000»"),
    ("IBAN_CODE", "«de89 3704 0044 0532 0130 00»."),
    ("IBAN_CODE", "«NO9386011117947»"),
    ("US_SSN", "«536-22-1234»"),
    ("US_SSN", "ssn: «536221234»"),
    ("US_SSN", "{\"user_ssn\":\"«536 22 1234»\"}"),
    ("US_SSN", "«536.22.1234» is my social security number"),
    ("US_SSN", "my ssn is «078-05-1120»"),
    ("US_ITIN", "«912-70-1234»"),
    ("US_ITIN", "itin «912701234»"),
    ("IP_ADDRESS", "from «203.0.113.7» port 80"),
    ("IP_ADDRESS", "«10.20.30.40»/24 and «10.0.0.5»"),
    ("IP_ADDRESS", "«2001:db8:85a3::8a2e:370:7334»"),
    ("IP_ADDRESS", "[«fe80::1ff:fe23:4567:890a»]"),
    ("IP_ADDRESS", "host 8 is «192.168.178.20»."),
    ("MAC_ADDRESS", "«00:1B:44:11:3A:B7»"),
    ("MAC_ADDRESS", "at «00-1b-44-11-3a-b7»,"),
    ("URL_WITH_CREDENTIALS", "«postgres://app:s3cret@db.example.com:5432»/prod"),
    ("URL_WITH_CREDENTIALS", "\"«https:\\/\\/me:pa55@example.com»\\/x\""),
    ("UK_NHS", "«943 476 5919»"),
    ("UK_NHS", "NHS number «9434765919»"),
    ("UK_NINO", "«AB 12 34 56 C»"),
    ("UK_NINO", "«AB123456C»"),
    ("UK_NINO", "national insurance «ab123456c»"),
    ("IN_AADHAAR", "«2341 2341 2346»"),
    ("IN_AADHAAR", "aadhaar «234123412346»"),
    ("IN_PAN", "«ACUPA7085R»"),
    ("IN_PAN", "my pan is «acupa7085r»"),
    ("US_NPI", "NPI «1234567893»"),
    ("US_ABA_ROUTING", "routing number «111000025»"),
    ("US_MBI", "«1EG4-TE5-MK72»"),
    ("US_MBI", "Medicare «1EG4TE5MK72»"),
    ("CRYPTO_WALLET", "«1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2»"),
    ("CRYPTO_WALLET", "«bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4»"),
    ("CRYPTO_WALLET", "«0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed»"),
    ("CRYPTO_WALLET", "«0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed»"),
    ("IMEI", "imei «490154203237518»"),
    ("IMEI", "«49-015420-323751-8»"),
    ("IMEI", "«356938035643809»"),
    ("VIN", "«1M8GDM9AXKP042788»"),
    ("VIN", "vehicle «WVWZZZ1JZ3W386752»"),
    (
        "PASSPORT_MRZ",
        "«P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10»",
    ),
    (
        "PASSPORT_MRZ",
        "«I<UTOD231458907<<<<<<<<<<<<<<<\\n7408122F1204159UTO<<<<<<<<<<<6\\nERIKSSON<<ANNA<MARIA<<<<<<<<<<»",
    ),
    ("PASSPORT_MRZ", "«P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<» unreadable"),
    ("DATE_OF_BIRTH", "DOB: «1985-03-12»"),
    ("DATE_OF_BIRTH", "born on the «12th of March 1985» in Rome"),
    ("DATE_OF_BIRTH", "\"dateOfBirth\":\"«03/12/1985»\""),
    ("DATE_OF_BIRTH", "geb. «12.3.85»"),
    ("DATE_OF_BIRTH", "née le «12/03/1985»"),
    ("DATE_OF_BIRTH", "«1985-03-12» (date of birth)"),
    ("DATE_OF_BIRTH", "birthday February 30 or «March 1, 1990»"),
    (
        "JWT",
        "Bearer «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk»",
    ),
    ("PRIVATE_KEY", "«-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----» x"),
    ("PRIVATE_KEY", "x «-----BEGIN PRIVATE KEY-----\\nMIIBabc»"),
    ("AWS_ACCESS_KEY", "«AKIAIOSFODNN7EXAMPLE»"),
    ("GITHUB_TOKEN", "«ghp_abcdefghijklmnopqrstuvwxyz0123456789»"),
    ("GITHUB_TOKEN", "\\n«github_pat_11ABCDEFG0abcdefghijkl_mnop»"),
    ("SLACK_TOKEN", "«xoxb-1234567890-abcdefghij»"),
    ("SLACK_TOKEN", "https://«hooks.slack.com/services/T00000000/B00000000/XXXXXXXX»"),
    ("STRIPE_KEY", "«sk_live_4eC39HqLyjWDarjtT1zdp7dc»"),
    ("STRIPE_KEY", "«whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw»"),
    ("OPENAI_KEY", "«sk-proj-abc123DEF456ghi789_JKL-0»"),
    ("OPENAI_KEY", "api_key=«sk-abcdefghijklmnopqrst1234»"),
    ("ANTHROPIC_KEY", "«sk-ant-api03-abcdefghijklmnopqrst»"),
    ("LLMGW_KEY", "«sk-gw-abcdefghijklmnop1234»"),
    ("GOOGLE_API_KEY", "«AIzaSyA1234567890abcdefghijklmnopqrstuv»"),
    ("PASSWORD", "password: «hunter2hunter2»"),
    ("PASSWORD", "{\"password\": \"«correct-horse»\"}"),
    ("PASSWORD", "{\\\"db_password\\\": \\\"«Tr0ub4dor»\\\"}"),
    ("PASSWORD", "API_KEY = '«a8f5f167f44f4964»'"),
];

#[test]
fn test_every_example_is_found_as_its_kind_and_to_the_byte() {
    let wrong: Vec<_> = FOUND
        .iter()
        .map(|(kind, marked)| {
            let values = marked.split('«').skip(1).map(|rest| rest.split('»').next().unwrap());
            let expected: Vec<_> = values.map(|value| (*kind, value.to_owned())).collect();
            (expected, found(&marked.replace(['«', '»'], "")))
        })
        .filter(|(expected, found)| expected != found)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn test_every_kind_has_an_example_and_a_near_miss() {
    let all: BTreeSet<_> = kinds().collect();
    assert_eq!(FOUND.iter().map(|(kind, _)| *kind).collect::<BTreeSet<_>>(), all);
    assert_eq!(NEAR_MISSES.iter().map(|(kind, _)| *kind).collect::<BTreeSet<_>>(), all);
}

/// Kind, and text in which nothing is found although it nearly has the shape of the kind.
const NEAR_MISSES: &[(&str, &str)] = &[
    ("EMAIL_ADDRESS", "root@localhost"),
    ("EMAIL_ADDRESS", "icon@2x.png and react@18.2.0"),
    ("EMAIL_ADDRESS", "git@github.com:org/repo"),
    ("EMAIL_ADDRESS", "@mention at a@b and .@x.com"),
    ("PHONE_NUMBER", "2024-01-02 and 12/31/2024"),
    ("PHONE_NUMBER", "+1 point, (3) three, 1 000 000 000 items"),
    ("PHONE_NUMBER", "order 4155550132"),
    ("PHONE_NUMBER", "123-456-7890-1234"),
    ("PHONE_NUMBER", "011-555-0132"),
    ("PHONE_NUMBER", "1+35236450.6"),
    ("PHONE_NUMBER", "x = +35236450.6"),
    ("CREDIT_CARD", "4111 1111 1111 1112"),
    ("CREDIT_CARD", "9111111111111111"),
    ("CREDIT_CARD", "0000 0000 0000 0000"),
    ("CREDIT_CARD", "x4111111111111111 and 4111111111111111a"),
    ("CREDIT_CARD", "4111-1111 1111-1111"),
    ("CREDIT_CARD", "6759649826438453"),
    ("CREDIT_CARD", "0.4111111111111111"),
    ("IBAN_CODE", "GB82 WEST 1234 5698 7654 31"),
    ("IBAN_CODE", "GB82 WEST 1234 5698 7654 321"),
    ("IBAN_CODE", "XX82 WEST 1234 5698 7654 32"),
    ("US_SSN", "000-12-3456 666-12-3456 536-00-1234 536-22-0000"),
    ("US_SSN", "078-05-1120"),
    ("US_SSN", "536221234"),
    ("US_SSN", "536-22 1234"),
    ("US_SSN", "1536-22-1234 and 536-22-12345 and 5-536-22-1234"),
    ("US_ITIN", "912-69-1234 and 912-89-1234 and 912701234"),
    ("IP_ADDRESS", "127.0.0.1 0.0.0.0 255.255.255.0"),
    ("IP_ADDRESS", "256.1.1.300 and v203.0.113.7 and 203.0.113.7.9"),
    ("IP_ADDRESS", "version 10.44.30.12 and 1.2.3.4"),
    ("IP_ADDRESS", "see sections 7.1.4.34 and 8.2.4.45"),
    ("IP_ADDRESS", "std::vec::Vec 12:30:45 ::1 a::b dead::beef"),
    ("MAC_ADDRESS", "00:00:00:00:00:00 ff:ff:ff:ff:ff:ff"),
    ("MAC_ADDRESS", "00:1B:44:11:3A 00:1B:44:11:3A:B7:99 00:1B-44:11:3A:B7"),
    ("URL_WITH_CREDENTIALS", "https://example.com/@user:x and https://example.com/a?b=c:d"),
    ("URL_WITH_CREDENTIALS", "https://me:${PASS}@example.com and redis://u:****@h"),
    ("UK_NHS", "143 476 5918"),
    ("UK_NHS", "9434765919"),
    ("UK_NINO", "BG123456C and DA123456C and AO123456C and AB123456E"),
    ("UK_NINO", "ab123456c"),
    ("IN_AADHAAR", "2341 2341 2345 and 1341 2341 2346"),
    ("IN_AADHAAR", "234123412346"),
    ("IN_PAN", "ACUXA7085R and ACUPA7085RR"),
    ("US_NPI", "1234567893"),
    ("US_NPI", "NPI 1234567890"),
    ("US_ABA_ROUTING", "111000025"),
    ("US_ABA_ROUTING", "routing 111000026 and routing 991000025"),
    ("US_MBI", "1SG4-TE5-MK72 and 0EG4-TE5-MK72 and 1EG4-TE5-MK72-1"),
    ("CRYPTO_WALLET", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3"),
    ("CRYPTO_WALLET", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
    ("CRYPTO_WALLET", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD 0xdeadbeef"),
    ("IMEI", "490154203237518"),
    ("IMEI", "imei 490154203237517"),
    ("VIN", "1M8GDM9A1KP042788 and 1M8GDM9AXKP04278"),
    ("VIN", "1M8GDM9AXKPO42788"),
    ("PASSPORT_MRZ", "A<<B and cat <<EOF and x<<=1"),
    ("DATE_OF_BIRTH", "born in 1985-02-30"),
    ("DATE_OF_BIRTH", "adobe 1985-03-12"),
    ("DATE_OF_BIRTH", "released on 1985-03-12"),
    ("JWT", "eyJhbGciOiJIUzI1NiJ9 and eyJmb28iOjF9.eyJmb28iOjF9.abc"),
    ("PRIVATE_KEY", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"),
    ("AWS_ACCESS_KEY", "AKIAIOSFODNN7EXAMPLE1 and AKIAIOSFODNN7"),
    ("GITHUB_TOKEN", "ghp_abc and ghx_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("SLACK_TOKEN", "xoxb-123 and hooks.slack.com/services/T0"),
    ("STRIPE_KEY", "sk_live_short and whsec_short"),
    ("OPENAI_KEY", "sk-fading-circle-animation-1 and sk-learn and task-abcdefghijklmnopqrst1234"),
    ("ANTHROPIC_KEY", "sk-ant-short"),
    ("LLMGW_KEY", "sk-gw-short"),
    ("GOOGLE_API_KEY", "AIzaSyA123"),
    ("PASSWORD", "password: required, secret = getSecret(1), api_key: $API_KEY_1"),
    ("PASSWORD", "{\"password\": \"string\"} pwd=\"********\" \"secret\": \"your-secret-1\""),
    ("PASSWORD", "if password == other: the password: forgotten"),
];

#[test]
fn test_no_near_miss_is_found() {
    let wrong: Vec<_> = NEAR_MISSES
        .iter()
        .map(|(kind, text)| (kind, text, found(text)))
        .filter(|(_, _, found)| !found.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Everyday text that looks a little like data.
const BENIGN: &[&str] = &[
    "commit 4f3c2b1a9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a (tag: v2.14.3)",
    "price €536221234 id 550e8400-e29b-41d4-a716-446655440000, trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "at 2024-05-17T12:30:45.123456Z took 1,234,567 ms and cost $4,111.11",
    "lib 1.2.3-rc.4, numpy==1.26.4, 10.0.19041.1 is build 19041",
    "{\"model\":\"gpt-4o\",\"created\":1716000000,\"id\":\"chatcmpl-9aBcDeFgHiJkLmNoPqRs\"}",
    "sum 3.14159265358979 and 6.02214076e23 and 1e-10",
    "let x = a::b::c(); for (i, j) in 0..10 { v[i] <<= 2; }",
    "ISBN 978-3-16-148410-0, room 12-34, chapters 1-3, 2019-2024",
    "https://example.com/path/123456789012?page=10&q=a:b#frag",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4",
];

#[test]
fn test_everyday_text_is_left_alone() {
    let wrong: Vec<_> = BENIGN.iter().map(|text| found(text)).filter(|f| !f.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn test_overlapping_findings_are_resolved_by_rank() {
    assert_eq!(
        found("mysql://root:t0p@admin.example.com"),
        [("URL_WITH_CREDENTIALS", "mysql://root:t0p@admin.example.com".to_owned())]
    );
}

#[test]
fn test_findings_are_disjoint_and_sorted() {
    let text = FOUND.iter().map(|(_, text)| text.replace(['«', '»'], " ")).collect::<String>();
    for scanner in SCANNERS.iter() {
        let mut findings = Vec::new();
        scanner.scan(text.as_bytes(), &mut findings).unwrap();
        assert!(findings.len() > 60);
        assert!(findings.windows(2).all(|pair| pair[0].end <= pair[1].start));
        assert!(findings.iter().all(|f| f.score >= THRESHOLD - ROUNDING && f.score <= 1.0));
    }
}

#[test]
fn test_findings_are_appended() {
    let mut findings = Vec::new();
    SCANNERS[0].scan(b"a@b.io", &mut findings).unwrap();
    SCANNERS[0].scan(b"c@d.io", &mut findings).unwrap();
    assert_eq!(findings.len(), 2);
}

#[test]
fn test_context_counts_from_either_side_and_only_near() {
    assert_eq!(found("536221234 is his SSN").len(), 1);
    assert_eq!(found(&format!("ssn{}536221234", " ".repeat(70))), []);
    assert_eq!(found(&format!("536221234{}ssn", " ".repeat(40))), []);
    assert_eq!(found("assn 536221234"), []);
}

#[test]
fn test_no_bytes_make_it_panic() {
    let alphabet = b"0123456789 -./:@<>+()\\\"nAEFGPXabefsk_=\x00\xc3\xa9\xff";
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let text: Vec<u8> =
            (0..random.usize(0..80)).map(|_| alphabet[random.usize(..alphabet.len())]).collect();
        for scanner in SCANNERS.iter() {
            let mut findings = Vec::new();
            scanner.scan(&text, &mut findings).unwrap();
            assert!(findings.iter().all(|f| f.start < f.end && f.end as usize <= text.len()));
        }
    }
}

#[test]
fn test_no_truncated_example_makes_it_panic() {
    for (_, marked) in FOUND {
        let text = marked.replace(['«', '»'], "");
        for end in 0..=text.len() {
            let mut findings = Vec::new();
            SCANNERS[0].scan(&text.as_bytes()[..end], &mut findings).unwrap();
            SCANNERS[0].scan(&text.as_bytes()[end..], &mut findings).unwrap();
        }
    }
}
