//! Event counters whose labels are known beforehand: one word each.

/// An event worth counting. The discriminant is its place in the shared memory: append only, and
/// raise the layout's version otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the table below says what each is
pub enum Counter {
    CacheHit,
    CacheMiss,
    CacheBypass,
    LimitedRequests,
    LimitedTokens,
    PiiPassed,
    PiiFound,
    PiiBlocked,
    Cooldown,
    Fallback,
    Retry,
    ClientDisconnect,
    ResponseStored,
    ResponseLost,
    ResponseDamaged,
    MediaFetched,
    MediaRefused,
    PassedIn,
    PassedOut,
    CostPriced,
    CostFree,
    CostEstimated,
    CostPartial,
    CostCeiling,
    CostUnpriced,
    LedgerRecords,
    LedgerRefused,
    LimitedConcurrent,
    LimitedBytes,
    LimitedCost,
    BudgetBlocked,
    BudgetDowngraded,
    BudgetThreshold,
    BudgetSpent,
}

/// How a counter is shown.
pub(super) struct Family {
    pub name: &'static str,
    pub help: &'static str,
    /// Its counters, and what the label of each says.
    pub counters: &'static [(Counter, &'static str)],
}

/// All event counters, in the order they are shown.
pub(super) const FAMILIES: [Family; 16] = [
    Family {
        name: "llmgw_cache_requests_total",
        help: "Requests by what the exact cache had for them.",
        counters: &[
            (Counter::CacheHit, r#"{result="hit"}"#),
            (Counter::CacheMiss, r#"{result="miss"}"#),
            (Counter::CacheBypass, r#"{result="bypass"}"#),
        ],
    },
    Family {
        name: "llmgw_ratelimited_total",
        help: "Requests refused, by the limit they met.",
        counters: &[
            (Counter::LimitedRequests, r#"{limit="requests"}"#),
            (Counter::LimitedTokens, r#"{limit="tokens"}"#),
            (Counter::LimitedConcurrent, r#"{limit="concurrent"}"#),
            (Counter::LimitedBytes, r#"{limit="bytes"}"#),
            (Counter::LimitedCost, r#"{limit="cost"}"#),
        ],
    },
    Family {
        name: "llmgw_guardrail_requests_total",
        help: "Requests by what a guardrail did with them.",
        counters: &[
            (Counter::PiiPassed, r#"{guardrail="pii",action="pass"}"#),
            (Counter::PiiFound, r#"{guardrail="pii",action="monitor"}"#),
            (Counter::PiiBlocked, r#"{guardrail="pii",action="block"}"#),
        ],
    },
    Family {
        name: "llmgw_deployment_cooldowns_total",
        help: "Times a deployment was sent to rest.",
        counters: &[(Counter::Cooldown, "")],
    },
    Family {
        name: "llmgw_fallbacks_total",
        help: "Times a request went on to the next model group.",
        counters: &[(Counter::Fallback, "")],
    },
    Family {
        name: "llmgw_retries_total",
        help: "Attempts after the first within one model group.",
        counters: &[(Counter::Retry, "")],
    },
    Family {
        name: "llmgw_client_disconnects_total",
        help: "Requests whose client left before the reply was complete.",
        counters: &[(Counter::ClientDisconnect, "")],
    },
    Family {
        name: "llmgw_stored_responses_total",
        help: "Responses to be stored for their clients, by whether they were.",
        counters: &[
            (Counter::ResponseStored, r#"{result="stored"}"#),
            (Counter::ResponseLost, r#"{result="lost"}"#),
        ],
    },
    Family {
        name: "llmgw_stored_responses_damaged_total",
        help: "Stored responses that could not be read when they were asked for.",
        counters: &[(Counter::ResponseDamaged, "")],
    },
    Family {
        name: "llmgw_media_fetched_total",
        help: "Media at URLs that were to be fetched for upstreams, by whether they were.",
        counters: &[
            (Counter::MediaFetched, r#"{result="fetched"}"#),
            (Counter::MediaRefused, r#"{result="refused"}"#),
        ],
    },
    Family {
        name: "llmgw_pass_through_bytes_total",
        help: "Bytes of bodies passed through, by direction.",
        counters: &[
            (Counter::PassedIn, r#"{direction="request"}"#),
            (Counter::PassedOut, r#"{direction="reply"}"#),
        ],
    },
    Family {
        name: "llmgw_costs_total",
        help: "Replies by how far their cost is known.",
        counters: &[
            (Counter::CostPriced, r#"{status="priced"}"#),
            (Counter::CostFree, r#"{status="free"}"#),
            (Counter::CostEstimated, r#"{status="estimated"}"#),
            (Counter::CostPartial, r#"{status="partial"}"#),
            (Counter::CostCeiling, r#"{status="ceiling"}"#),
            (Counter::CostUnpriced, r#"{status="unpriced"}"#),
        ],
    },
    Family {
        name: "llmgw_ledger_records_total",
        help: "Records that the ledger has taken.",
        counters: &[(Counter::LedgerRecords, "")],
    },
    Family {
        name: "llmgw_ledger_refused_total",
        help: "Records that the ledger had no room for; what would have cost something was not sent.",
        counters: &[(Counter::LedgerRefused, "")],
    },
    Family {
        name: "llmgw_budget_requests_total",
        help: "Requests by what a budget that was not enough did with them.",
        counters: &[
            (Counter::BudgetBlocked, r#"{action="block"}"#),
            (Counter::BudgetDowngraded, r#"{action="downgrade"}"#),
        ],
    },
    Family {
        name: "llmgw_budget_thresholds_total",
        help: "Times that a budget passed a threshold, each once in a window.",
        counters: &[
            (Counter::BudgetThreshold, r#"{threshold="soft"}"#),
            (Counter::BudgetSpent, r#"{threshold="amount"}"#),
        ],
    },
];
