//! Runs one hot function of the core so many times, for `bench/instructions.py` to count instructions.
//!
//! `hot json-parse 1000` runs it; `hot` alone lists the names. What is done once, before the loop,
//! falls out of the count, which is the difference between two runs of different length.

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use llmgw_core::cache::{Cache, CachedHead, Entry, request_key};
use llmgw_core::json::{self, parse_object};
use llmgw_core::keys::Digester;
use llmgw_core::limiter::{Limit, Limiter, bucket_id, monotonic_ns};
use llmgw_core::limits::{Bill, Charges, Counters, Demand, Truth, Whose};
use llmgw_core::pii::Scanner;
use llmgw_core::prompt::Prompt;
use llmgw_core::scan::Choice;
use llmgw_core::shm::Shared;
use llmgw_core::snapshot::{Operation, Rules};
use llmgw_core::sse::{Grammar, Relay};
use llmgw_core::tokens::{self, Family};
use llmgw_core::{http1, usage};

type Outcome = Result<(), Box<dyn Error>>;
type Function = fn(u64) -> Outcome;

const FUNCTIONS: [(&str, Function); 12] = [
    ("bill-settle", bill_settle),
    ("cache-get", cache_get),
    ("cache-key", cache_key),
    ("http-head", http_head),
    ("json-parse", json_parse),
    ("key-digest", key_digest),
    ("limiter-acquire", limiter_acquire),
    ("pii-scan", pii_scan),
    ("prompt-read", prompt_read),
    ("sse-relay", sse_relay),
    ("token-count", token_count),
    ("usage-read", usage_read),
];

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, times] = arguments.as_slice() else {
        let names = FUNCTIONS.map(|(name, _)| name).join("\n");
        return Ok(writeln!(std::io::stdout(), "{names}")?);
    };
    let found = FUNCTIONS.iter().find(|(known, _)| known == name);
    let (_, function) = found.ok_or_else(|| format!("there is no function {name}"))?;
    function(times.parse()?)
}

/// Two paragraphs of a support chat: words, numbers, an address, some punctuation; about 900 bytes.
const TEXT: &str = "Hello, I ordered a pair of walking boots (size 43) on the 3rd of May and paid \
    \u{20ac}129.90 for them, but what arrived yesterday was a child's raincoat in yellow. The \
    parcel had the right name on it and came from your warehouse in the north, so I suppose that \
    two labels were mixed up there. Could you please find out whether my boots are on their way to \
    somebody else, and how soon you can send me the right ones? I leave for the mountains in nine \
    days.\n\nYou can reach me at anna.example@example.org or call after 18:00; the number is in my \
    account. I would rather not pay for sending the coat back, since the mistake was not mine. It \
    is in its bag and has not been worn, although my daughter did ask whether she might keep it! \
    If a voucher makes it simpler for you I am open to that as well, but the boots matter more to \
    me than the money does. Many thanks in advance for looking into it, and kind regards.";

fn body() -> Vec<u8> {
    let system = json::quote("You are the assistant of a shop for outdoor clothing. Be brief.");
    let parts: [&[u8]; 5] = [
        br#"{"model":"gpt-4o","temperature":0.2,"max_tokens":400,"messages":[{"role":"system","content":"#,
        &system,
        br#"},{"role":"user","content":"#,
        &json::quote(TEXT),
        br#"}],"user":"4711"}"#,
    ];
    parts.concat()
}

const HEAD: &[u8] = b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway:4000\r\n\
    User-Agent: OpenAI/Python 2.1.0\r\nAccept: application/json\r\nAccept-Encoding: gzip, deflate\r\n\
    Content-Type: application/json\r\nAuthorization: Bearer sk-0123456789abcdefghijklmnop\r\n\
    X-Stainless-Lang: python\r\nX-Stainless-Runtime: CPython\r\nContent-Length: 1043\r\n\r\n";

const EVENT: &[u8] = br#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" boots"},"logprobs":null,"finish_reason":null}]}

"#;

const REPLY: &[u8] = br#"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"I am sorry for the mix-up. Your boots leave our warehouse tomorrow.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":231,"completion_tokens":17,"total_tokens":248}}"#;

fn http_head(times: u64) -> Outcome {
    for _ in 0..times {
        black_box(http1::take_head(&mut BytesMut::from(black_box(HEAD)), 32 * 1024)?);
    }
    Ok(())
}

fn json_parse(times: u64) -> Outcome {
    let body = body();
    for _ in 0..times {
        black_box(parse_object(black_box(&body))?);
    }
    Ok(())
}

fn prompt_read(times: u64) -> Outcome {
    let body = body();
    let (object, mut prompt) = (parse_object(&body)?, Prompt::default());
    for _ in 0..times {
        prompt.read(Operation::ChatCompletions, black_box(&body), &object);
        black_box(prompt.text());
    }
    Ok(())
}

fn token_count(times: u64) -> Outcome {
    for _ in 0..times {
        black_box(tokens::count(Family::O200k, black_box(TEXT)));
    }
    Ok(())
}

fn cache_key(times: u64) -> Outcome {
    let body = body();
    for _ in 0..times {
        black_box(request_key(&[b"key", b"chat"], black_box(&body)));
    }
    Ok(())
}

fn cache_get(times: u64) -> Outcome {
    let key = request_key(&[], &body()).ok_or("the body has no key")?;
    let entry = Entry {
        head: CachedHead {
            status: 200,
            content_type: Bytes::from_static(b"application/json"),
            dropped: "".into(),
        },
        body: Bytes::from_static(REPLY),
        deployment: 0,
        saved: 0,
    };
    let mut cache = Cache::new(1 << 20, Duration::from_secs(3600));
    cache.put(key, entry, 0);
    for now in 0..times {
        black_box(cache.get(black_box(&key), now));
    }
    Ok(())
}

fn key_digest(times: u64) -> Outcome {
    let digester = Digester::new(&[7; 32]);
    for _ in 0..times {
        black_box(digester.digest(black_box(b"sk-0123456789abcdefghijklmnop")));
    }
    Ok(())
}

/// A key, a team and an organisation with two limits and a budget each, and a limit of what is in hand.
fn bill_settle(times: u64) -> Outcome {
    let rules = r#"{"limits": [
        {"of": "requests", "amount": 1000000000, "per": "minute"},
        {"of": "tokens", "amount": 1000000000000, "per": "minute"},
        {"of": "concurrent", "amount": 1000}
    ], "budgets": [{"name": "monthly", "amount": 1000000000000000, "window": "month", "soft": [800]}]}"#;
    let charges = Charges::new(&Rules::from_json(rules)?)?;
    let counters = Counters::new(Shared::anonymous()?, 0);
    let demand = Demand { input: 200, output: 400, bytes: 1100, hold: Some(5_000_000) };
    let truth = Truth { input: 210, output: 150, bytes: 2400, cost: 2_000_000 };
    let owners =
        [(Whose::Key, "key_01"), (Whose::Team, "team_01"), (Whose::Organisation, "org_01")];
    for _ in 0..times {
        let mut bill = Bill::new("chat", black_box(demand));
        owners.iter().for_each(|(whose, id)| bill.add(&charges, *whose, id));
        let held = counters.reserve(bill).map_err(|refused| refused.error)?;
        black_box(held.settle(&counters, &truth));
    }
    Ok(())
}

fn limiter_acquire(times: u64) -> Outcome {
    let limiter = Limiter::new(Shared::anonymous()?);
    let (id, limit) = (bucket_id("key", "tokens"), Limit::per_minute(1 << 40));
    let now = monotonic_ns();
    for passed in 0..times {
        black_box(limiter.acquire(black_box(id), 250, &limit, now + passed));
    }
    Ok(())
}

fn pii_scan(times: u64) -> Outcome {
    let (scanner, mut findings) = (Scanner::new(Choice::Auto)?, Vec::new());
    for _ in 0..times {
        findings.clear();
        scanner.scan(black_box(TEXT.as_bytes()), &mut findings)?;
        black_box(&findings);
    }
    Ok(())
}

fn sse_relay(times: u64) -> Outcome {
    let mut relay = Relay::new(Grammar::Chat, false);
    for _ in 0..times {
        black_box(relay.push(Bytes::from_static(black_box(EVENT))));
    }
    Ok(())
}

fn usage_read(times: u64) -> Outcome {
    for _ in 0..times {
        black_box(usage::of_reply(None, black_box(REPLY)));
    }
    Ok(())
}
