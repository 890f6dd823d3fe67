//! No limit of the pool or of an agent without a test that sets it, and no limit of the pool outside its table.

use std::{collections::BTreeSet, path::Path};

use syn::{Attribute, Expr, ExprAssign, ExprStruct, Ident, Member, Type, visit::Visit};
use vipnode_agent::limits::AgentLimits;
use vipnode_pool::PoolConfig;
use vipnode_types::LimitSettings as _;

#[test]
fn each_limit_is_set_by_a_test() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut set = SetInTests::default();
    for folder in ["pool-core/src", "pool/src", "pool/tests", "node/src", "node/tests", "agent/src", "agent/tests"] {
        for entry in walkdir::WalkDir::new(crates.join(folder)) {
            let path = entry.unwrap().into_path();
            set.in_test = path.components().any(|part| part.as_os_str() == "tests");
            if path.extension().is_some_and(|extension| extension == "rs") {
                set.visit_file(&syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap());
            }
        }
    }
    let pool = PoolConfig::new("127.0.0.1:0".parse().unwrap()).unwrap().limit_settings();
    let all = pool.into_iter().chain(AgentLimits::default().limit_settings()).map(|limit| limit.name);
    let missing: Vec<&str> = all.filter(|name| !set.limits.contains(*name)).collect();
    assert!(missing.is_empty(), "no test sets {missing:?}");
}

/// The tables of the limits of the pool.
const TABLES: [&str; 2] = ["pool-core/src/limits.rs", "pool-core/src/pool_limits.rs"];

/// The constants that are a number or a time, and why each is no limit of the table. A new one that an outsider
/// can reach, or an operator may want to set, belongs into one of [`TABLES`].
const NO_LIMITS: &[(&str, &str, &str)] = &[
    ("pool/src/engine/event_log.rs", "LINES", "how much of the log is written; the rest is counted"),
    ("pool/src/engine/event_log.rs", "SECOND", "a unit"),
    ("pool/src/local_addresses.rs", "LISTED", "how much of a list is shown"),
    ("pool/src/net/tls/internal_ca.rs", "FILE_BYTES", "a file of the operator"),
    ("pool/src/net/tls/internal_ca.rs", "DAY", "a unit"),
    ("pool/src/net/tls/internal_ca.rs", "AUTHORITY_DAYS", "the validity of a certificate"),
    ("pool/src/net/tls/internal_ca.rs", "SERVER_DAYS", "the validity of a certificate"),
    ("pool/src/net/tls/pool_tls.rs", "CHECK", "a pace"),
    ("rpc/src/transport/http.rs", "IDLE", "a time of servers of others"),
    ("pool-core/src/accepted_clock.rs", "RESTARTS_MS", "only what is shown to the operator depends on it"),
    ("pool-core/src/ledger_row.rs", "WITH_PAYOUTS", "how long payouts can be marked; older ones are in the journal"),
    ("pool-core/src/matching/no_host.rs", "COUNTED", "only a text depends on it"),
    ("pool-core/src/flows/forget_nodes.rs", "LOOKS_FOR_ROOM", "a part of the rule of `nodes`"),
    ("pool-core/src/metering/budget_day.rs", "DAY_MS", "a unit"),
    ("pool-core/src/metering/period_merger.rs", "WRITTEN_EACH_MS", "a part of the rule of `waiting_periods`"),
    ("pool-core/src/collections/by_index.rs", "CHUNK", "the layout of memory"),
    (
        "pool-core/src/collections/interner.rs",
        "BLOCK_MINIMUM",
        "a part of the rules of `chains`, `versions`, and `profiles`",
    ),
    ("pool-core/src/agents/node_shares.rs", "BLOCK_MINIMUM", "a part of the rules of `nodes` and `never_paired_nodes`"),
    ("pool-core/src/agents/delegations.rs", "BLOCK_MINIMUM", "a part of the rule of `delegations`"),
    ("pool-core/src/agents/update_gaps.rs", "ENOUGH", "a part of the rule of `update_gap_ms`"),
    ("pool-core/src/matching/recent_pairs.rs", "LIGHT_BLOCKS", "a part of the rule of `light_block_ms`"),
    ("pool-core/src/matching/recent_pairs.rs", "PROVEN_LIGHT_BLOCKS", "a part of the rule of `light_block_ms`"),
    ("pool-core/src/matching/pending_offers.rs", "LATE_PART", "a part of the rule of `offers_minimum`"),
    ("pool-core/src/matching/pending_offers.rs", "MINIMUM_OF_GROUP", "a part of the rule of `offers_minimum`"),
    ("pool/src/chain/chain_watcher.rs", "AGAIN_BLOCKS", "how much is read twice"),
    ("pool/src/chain/chain_watcher.rs", "READ_AT_A_LOOK", "a pace: the others follow at the next look"),
    ("pool/src/chain/chain_watcher.rs", "READ_AT_ONCE", "a pace"),
    ("pool/src/chain/watch_queue.rs", "PACE", "a part of the rule of `channel_reads`"),
    ("rpc/src/session/driver.rs", "NOISE", "a pace"),
    ("rpc/src/session/driver.rs", "NOISE_PAUSE", "a pace"),
    ("pool/src/net/probes.rs", "LONGEST_WAIT", "a part of the rule of `probe_bytes_a_second`"),
    ("pool/src/net/probes.rs", "KIB", "a unit"),
    (
        "pool-core/src/matching/new_host_offers.rs",
        "BLOCKS_OF_A_WIDE",
        "a part of the rule of `new_host_offers_a_block`",
    ),
    ("pool-core/src/matching/new_host_offers.rs", "CLIENT_BLOCKS", "a part of the rule of `new_host_offers_a_block`"),
    ("pool-core/src/metering/unpaired_blocks.rs", "BUDGETS_OF_A_WIDE", "a part of the rule of `unpaired_ms_a_day`"),
    ("pool-core/src/metering/unpaired_blocks.rs", "HOST_BLOCKS", "a part of the rule of `lockout_blocks`"),
    ("pool-core/src/metering/trial_blocks.rs", "BLOCKS_OF_A_WIDE", "a part of the rule of `trials_an_hour`"),
    ("pool-core/src/metering/trial_blocks.rs", "HOUR_MS", "a unit"),
    ("pool-core/src/ledger/channels.rs", "HOUR_MS", "a unit"),
    ("pool-core/src/flows/voucher.rs", "RETRY_MS", "a pace: when an agent tries its voucher again"),
    ("pool/src/chain/watched_channel.rs", "READ_AGAIN", "a pace: how often a channel is read without an event"),
    ("pool-core/src/epoch_terms.rs", "GWEI_A_COIN", "a unit"),
    ("pool-core/src/epoch_terms.rs", "WEI_A_GWEI", "a unit"),
    ("pool-core/src/ledger/epoch_cut.rs", "GAS_A_ROW", "a part of the rule of `claim_worth`, measured"),
    ("pool-core/src/ledger/epoch_cut.rs", "GAS_A_TRANSACTION", "a part of the rule of `claim_rows`, measured"),
    ("pool-core/src/ledger/epoch_cut.rs", "WITHDRAWALS_AGAIN_MS", "a pace: when what was not claimed is tried again"),
    ("pool-core/src/ledger/epoch_redeem.rs", "WEI_A_GWEI", "a unit"),
    ("pool-core/src/ledger/epochs.rs", "SHOWN", "how much of a list is shown"),
    ("pool/src/chain/claim_sender.rs", "WHY_CHARS", "the length of a sentence"),
    ("pool-core/src/flows/extra_hosts.rs", "OFFERED_TO", "a part of the rule of `retry_ms`"),
    ("pool-core/src/matching/wait_queue.rs", "TICKET_BITS", "the layout of memory"),
    ("pool-core/src/matching/recent_pairs.rs", "KEPT_PAIRS", "the layout of memory"),
    ("pool-core/src/core.rs", "KEPT_EFFECTS", "the layout of memory"),
    ("pool-core/src/matching/wait_queue.rs", "TICKETS", "the layout of memory"),
    ("pool-core/src/matching/wait_queue.rs", "PROVEN", "the layout of memory"),
    ("pool-core/src/matching/wait_queue.rs", "TRIAL", "the layout of memory"),
    ("pool-core/src/metering/client_times.rs", "ALWAYS", "a part of the rule of `pairs_a_client`"),
    ("pool-core/src/metering/pair_week.rs", "DAYS", "a part of the rule of `unpaired_percent`: a week"),
    ("pool-core/src/metering/hourly_rows.rs", "HOUR_MS", "a unit"),
    ("pool-core/src/metering/hourly_rows.rs", "BLOCKS_OF_A_WIDE", "a part of the rule of `periods_an_hour_of_a_block`"),
    ("pool-core/src/collections/block_shares.rs", "BLOCKS_WITH_MINIMUM", "a part of the rule of `offers_minimum`"),
    ("pool/src/engine/core_thread.rs", "BEFORE_ALL", "a ticket that nothing waits for"),
    ("pool/src/engine/step_time.rs", "ASSUMED_NS", "the price of a step until one was measured"),
    ("pool/src/engine/step_time.rs", "MOST_NS", "the highest price of a step that a measurement can make"),
    ("pool-core/src/collections/deadlines.rs", "CHUNK", "the layout of memory"),
    ("pool-core/src/ledger_row.rs", "WHOLE_BPS", "a unit"),
    ("pool-core/src/ledger_change.rs", "ORDER_BITS", "the plausibility of an order of the operator"),
    ("pool-core/src/ledger/burn.rs", "FRACTION_BITS", "the layout of memory"),
    ("pool-core/src/ledger/burn.rs", "EARLY_MS", "a part of the rule of `funds_last_ms`"),
    ("pool-core/src/flows/funds.rs", "RESUMED", "a pace: the others resume after `retry_ms`"),
    ("pool-core/src/collections/deadlines.rs", "SLOT_MS", "the layout of memory"),
    ("pool-core/src/matching/no_host.rs", "LOOKS", "only for the words of a refusal, which are right or less precise"),
    ("pool-core/src/matching/no_host.rs", "NAMED", "the length of a sentence"),
    ("pool-core/src/collections/slab.rs", "NIL", "the end of a list"),
    ("pool-core/src/leases/lease.rs", "UNSEEN", "a moment that never is"),
    (
        "pool-core/src/matching/compatibility.rs",
        "REASONS",
        "the length of a sentence: a client's own rules are limited by `rules`",
    ),
    ("pool-core/src/matching/compatibility.rs", "NAMED", "the length of a sentence"),
    ("pool-core/src/protocol2/nonce_check.rs", "NS_A_MS", "a unit"),
    ("pool-core/src/flows/protocol2/connect.rs", "MAINNET", "protocol 2: what is meant by nothing"),
    (
        "pool-core/src/flows/protocol2/connect.rs",
        "NUM_HOSTS",
        "protocol 2: what is meant by nothing; `max_request_hosts` limits",
    ),
    ("pool-core/src/flows/protocol2/mod.rs", "PORT", "protocol 2: what is meant by nothing"),
    ("pool-core/src/flows/protocol2/update.rs", "LONGEST_INTERVAL_MS", "protocol 2: its agents' own interval"),
    ("pool-core/src/flows/protocol2/update.rs", "OVER_SOCKETS_MS", "protocol 2: its agents' own interval"),
    ("pool-core/src/protocol2/dialect.rs", "SLACK_MS", "protocol 2: added to what `report_interval_ms` makes"),
    ("pool-core/src/matching/score.rs", "ALL_FREE", "a weight in the rank of hosts"),
    ("pool-core/src/matching/score.rs", "UPTIME", "a weight in the rank of hosts"),
    ("pool-core/src/matching/score.rs", "UPTIME_FULL_MS", "a weight in the rank of hosts"),
    ("pool-core/src/collections/slab.rs", "CHUNK", "the layout of memory"),
    ("pool/src/fairness/block_table.rs", "SWEEP", "a pace: `blocks` limits what is swept"),
    ("pool/src/net/listener.rs", "ACCEPT_PAUSE", "a pace: the system has no further socket, and the limit is its own"),
    (
        "pool/src/engine/core_thread.rs",
        "BATCH",
        "a pace: what is beyond it is in the next batch; `permits_…` limit what waits",
    ),
    ("pool/src/net/fd_limit.rs", "OTHERS", "added to `connections`, which limits"),
    ("pool/src/fairness/command_permits.rs", "CLASSES", "the number of variants"),
    ("pool/src/key_file.rs", "FILE_BYTES", "the pool's own file"),
    ("pool/src/methods/monitor.rs", "EVERY", "a pace: `health_age` limits"),
    ("pool/src/methods/http_sessions.rs", "RETRY_MS", "the words of a refusal"),
    ("pool/src/server.rs", "HIGHER_PORT", "the words of a hint"),
    ("pool/src/net/http_connection.rs", "STATUS_LINE", "an estimate, charged to `block_bytes_a_second`"),
    ("pool/src/net/fragment_deadline.rs", "HEAD", "WebSocket: bytes of the protocol"),
    ("pool/src/net/fragment_deadline.rs", "FINAL", "WebSocket: a bit of the protocol"),
    ("pool/src/net/fragment_deadline.rs", "MASKED", "WebSocket: a bit of the protocol"),
    ("pool/src/net/fragment_deadline.rs", "CONTROL", "WebSocket: a bit of the protocol"),
    ("pool/src/net/proxy_protocol.rs", "TEXT_BYTES", "the PROXY protocol: a bound of its specification"),
    ("pool/src/net/proxy_protocol.rs", "FIXED_BYTES", "the PROXY protocol: bytes of the protocol"),
    ("pool/src/net/proxy_protocol.rs", "BINARY_BYTES", "only the operator's own balancers reach it"),
    ("pool/src/server.rs", "BACKLOG", "asked of the system, whose limit and whose rule it is"),
    ("pool/src/server.rs", "EXPIRE", "a pace: `http_idle` limits"),
    ("pool/src/engine/clock.rs", "MOST_BEHIND", "the operator accepts more with --accept-clock"),
    ("pool/src/engine/clock.rs", "MOST_AHEAD", "the operator accepts more with --accept-clock"),
    ("pool/src/engine/core_thread/clock_correction.rs", "PAGE", "a pace: the earlier entries are in the next page"),
    ("pool/src/engine/store_thread.rs", "LOADED_ROWS", "a pace: the next rows are in the next part"),
    ("pool/src/engine/store_thread.rs", "LOADED_PARTS", "a pace: the store's thread waits for the core"),
    (
        "pool/src/engine/store_thread.rs",
        "GROUP_ROWS",
        "a pace: what is beyond it is in the next commit; `store_batches` limits",
    ),
    ("pool/src/methods/statements.rs", "OPERATORS", "added to `statements`, which limits"),
    ("pool/src/admin/leases.rs", "PAGE", "a pace: the next leases are in the next page"),
    ("pool/src/admin/leases.rs", "MOST", "a page for the operator: the next leases are in the next one"),
    ("pool/src/admin/audit_log.rs", "PAGE_BYTES", "a page for the operator: the earlier records are in the next one"),
    ("pool/src/admin/audit_log.rs", "MOST", "a page for the operator: the earlier records are in the next one"),
    ("pool/src/admin/client.rs", "OPEN", "only the operator waits"),
    ("pool/src/admin/client.rs", "ANSWER", "only the operator waits"),
    ("pool/src/admin/client.rs", "ENVELOPE_BYTES", "a part of the rule of `REQUEST_BYTES`"),
    ("pool/src/admin/client.rs", "ANSWER_BYTES", "an answer of the operator's own pool"),
    ("pool/src/admin/ledger.rs", "KEY_CHARS", "only the pool's own user reaches the socket"),
    ("pool/src/admin/ledger.rs", "REASON_CHARS", "the length of a sentence"),
    ("pool/src/admin/ledger.rs", "PAGE", "a pace: the next accounts are in the next page"),
    ("pool/src/admin/ledger.rs", "MOST", "a page for the operator: the next accounts are in the next one"),
    ("pool/src/admin/nodes.rs", "PAGE", "a pace: the next nodes are in the next page"),
    ("pool/src/admin/nodes.rs", "MOST", "a page for the operator: the next nodes are in the next one"),
    ("pool/src/admin/openrpc_methods.rs", "NOW", "an example"),
    ("pool/src/admin/server.rs", "CONNECTIONS", "only the pool's own user reaches the socket"),
    ("pool/src/admin/server.rs", "REQUEST_BYTES", "only the pool's own user reaches the socket"),
    ("pool/src/admin/server.rs", "REQUESTS", "only the pool's own user reaches the socket"),
    ("pool/src/admin/server.rs", "IDLE", "only the pool's own user reaches the socket"),
    ("pool/src/admin/server.rs", "RETRY", "a pace"),
    ("pool/src/admin/server.rs", "SETTLE", "a pace"),
    ("pool/src/admin/socket.rs", "LIST_BYTES", "the kernel's list: beyond it, only a warning is missing"),
    ("pool/src/admin/socket.rs", "SOCKETS", "the operator's own directory"),
    ("pool/src/admin/top.rs", "MEASURED", "a pace"),
    ("pool/src/admin/top.rs", "MOST", "a list for the operator, who can order it otherwise"),
    ("pool/src/auth/ban.rs", "REASON_CHARS", "the length of a sentence"),
    ("pool/src/fairness/block_resources.rs", "BYTE_UNIT", "a unit"),
    ("pool/src/fairness/time_budget.rs", "SLOWER", "a part of the rules of `block_cpu_us` and `statement_time`"),
    ("pool/src/net/tls/accept.rs", "BUFFER_BYTES", "a buffer: the next bytes are taken once these are written"),
    ("pool/src/net/tls/accept.rs", "HANDSHAKE_RECORD", "TLS: a byte of the protocol"),
    (
        "pool/src/net/tls/acme/acme_client.rs",
        "ANSWER_BYTES",
        "the operator's own choice of server is asked, no stranger",
    ),
    ("pool/src/net/tls/acme/acme_client.rs", "REQUEST", "the same; it is tried again"),
    ("pool/src/net/tls/acme/cache.rs", "ACCOUNT_BYTES", "a file of the pool's own"),
    ("pool/src/net/tls/acme/mod.rs", "ORDER", "the operator's own choice of server is asked; it is tried again"),
    ("pool/src/net/tls/acme/mod.rs", "RETRY_FIRST", "a pace, by the ACME servers' own limits"),
    ("pool/src/net/tls/acme/mod.rs", "RETRY_MOST", "a pace, by the ACME servers' own limits"),
    ("pool/src/net/tls/certificate.rs", "FILE_BYTES", "a file of the operator's own"),
    ("pool/src/net/tls/certificate.rs", "NAMES", "the length of a sentence"),
    (
        "rpc/src/transport/ws_frames.rs",
        "MESSAGE_BYTES",
        "a part of what follows from `frame_bytes`: room for one message",
    ),
    ("rpc/src/transport/ws_frames.rs", "PONG_BYTES", "a part of what follows from `frame_bytes`: room for pongs"),
    ("rpc/src/transport/ipc_path.rs", "ROOM", "the system's: bytes of a socket's name"),
    ("rpc/src/protocol/json_splitter.rs", "SKIPPED", "only the socket's own user reaches it, and nothing is kept"),
    ("rpc/src/protocol/frame_error.rs", "RETRY_MS", "a pace: when to try again what was not taken"),
    ("rpc/src/limits.rs", "BODY_CHARS", "the length of a sentence: `frame_bytes` limits what came"),
    ("rpc/src/limits.rs", "CLOSE_BYTES", "RFC 6455: what a close frame has room for"),
    ("rpc/src/limits.rs", "ERROR_CHARS", "the length of a sentence: `frame_bytes` limits what came"),
    ("rpc/src/limits.rs", "ID_BYTES", "what both sides of the protocol count on: `frame_bytes` limits what came"),
    ("rpc/src/limits.rs", "REVERT_BYTES", "the reason of an EVM node's error: `frame_bytes` limits what came"),
    ("rpc/src/limits.rs", "REASON_CHARS", "the length of a sentence: `frame_bytes` limits what came"),
    ("rpc/src/transport/pipe.rs", "FRAMES", "a buffer, between two ends in one process"),
    ("rpc/src/session/liveness.rs", "SWEEP", "a pace: `in_flight` limits what is swept"),
    ("rpc/src/tls/trust.rs", "CA_BYTES", "a file of the user's own"),
    ("pool/src/auth/membership.rs", "FILE_BYTES", "a file of the operator's own"),
    ("rpc/src/tls/certificate_problem.rs", "DEPTH", "errors of this process, looked at for words"),
    ("rpc/src/tls/certificate_problem.rs", "NAMES", "the length of a sentence"),
];

#[test]
fn each_number_outside_the_table_is_no_limit_and_says_why() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeSet::new();
    for folder in ["pool-core/src", "pool/src", "rpc/src"] {
        for entry in walkdir::WalkDir::new(crates.join(folder)) {
            let path = entry.unwrap().into_path();
            let place = path.strip_prefix(crates).unwrap().to_str().unwrap().replace('\\', "/");
            let of_tests = place.split('/').any(|part| matches!(part, "tests" | "tests.rs"));
            if of_tests || TABLES.contains(&&*place) || !place.ends_with(".rs") {
                continue;
            }
            let mut numbers = Numbers::default();
            numbers.visit_file(&syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap());
            found.extend(numbers.0.into_iter().map(|name| (place.clone(), name)));
        }
    }
    let listed: BTreeSet<(String, String)> =
        NO_LIMITS.iter().map(|(place, name, _)| ((*place).to_owned(), (*name).to_owned())).collect();
    let (unlisted, gone) = (found.difference(&listed), listed.difference(&found));
    let (unlisted, gone): (Vec<_>, Vec<_>) = (unlisted.collect(), gone.collect());
    assert!(unlisted.is_empty(), "limits for the table, or for NO_LIMITS with a reason: {unlisted:?}");
    assert!(gone.is_empty(), "NO_LIMITS names what is gone: {gone:?}");
}

/// Names of the constants outside tests that are a whole number or a time.
#[derive(Default)]
struct Numbers(Vec<String>);

impl Numbers {
    fn take(&mut self, name: &Ident, kind: &Type) {
        let Type::Path(kind) = kind else { return };
        let kind = kind.path.segments.last().unwrap().ident.to_string();
        // No `i32`: the weights of the score, which may be below nothing.
        let numbers = ["u8", "u16", "u32", "u64", "u128", "usize", "i64", "Ms", "Duration"];
        if numbers.contains(&&*kind) || kind.starts_with("NonZero") {
            self.0.push(name.to_string());
        }
    }
}

impl<'ast> Visit<'ast> for Numbers {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_test = |attribute: &Attribute| {
            attribute.path().is_ident("cfg") && attribute.parse_args::<Ident>().is_ok_and(|word| word == "test")
        };
        if !item.attrs.iter().any(is_test) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.take(&item.ident, &item.ty);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.take(&item.ident, &item.ty);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.take(&item.ident, &item.ty);
    }
}

/// Fields of limits that a test sets, or what supports it.
#[derive(Default)]
struct SetInTests {
    in_test: bool,
    limits: BTreeSet<String>,
}

impl SetInTests {
    fn name(&mut self, member: &Member) {
        if let Member::Named(name) = member {
            self.limits.insert(name.to_string());
        }
    }

    /// `limits.a = …`, and `(limits.a, limits.b) = …`.
    fn assigned(&mut self, left: &Expr) {
        match left {
            Expr::Field(field) => self.name(&field.member),
            Expr::Tuple(tuple) => tuple.elems.iter().for_each(|left| self.assigned(left)),
            _ => {}
        }
    }
}

impl<'ast> Visit<'ast> for SetInTests {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let is_test = item
            .attrs
            .iter()
            .any(|attribute| attribute.path().segments.last().is_some_and(|segment| segment.ident == "test"));
        let outer = self.in_test;
        self.in_test |= is_test;
        syn::visit::visit_item_fn(self, item);
        self.in_test = outer;
    }

    fn visit_expr_assign(&mut self, assign: &'ast ExprAssign) {
        if self.in_test {
            self.assigned(&assign.left);
        }
        syn::visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_struct(&mut self, value: &'ast ExprStruct) {
        let tables = [
            "Limits",
            "PoolLimits",
            "NodeLimits",
            "PoolLinkLimits",
            "MetricsLimits",
            "NoticeLimits",
            "StatementLimits",
        ];
        let limits = |segment: &syn::PathSegment| tables.iter().any(|table| segment.ident == table);
        if self.in_test && value.path.segments.last().is_some_and(limits) {
            for field in &value.fields {
                self.name(&field.member);
            }
        }
        syn::visit::visit_expr_struct(self, value);
    }
}
