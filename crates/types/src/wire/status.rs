use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::value::RawValue;

use super::{PaymentTerms, connect::is_zero};
use crate::{Amount, PoolId, Price};

/// The status of a pool: the original's fields and additional ones. Times are in RFC 3339 format; amounts are strings
/// to keep all digits, in the smallest unit of the asset of `stats.price`. Fields that this pool does not use (mostly
/// the original's) are empty or zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolStatus {
    /// The time at which this status was generated.
    pub time_updated: String,
    /// The time at which the pool started.
    pub time_started: String,
    /// `vipnode/<version>` of the pool.
    pub version: String,
    /// The pool's ID; a pool without a data directory has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_id: Option<PoolId>,
    /// Hosts with a live connection, at most `status_hosts` of them.
    #[serde(default, deserialize_with = "or_none")]
    pub active_hosts: Vec<HostStatus>,
    /// Totals.
    pub stats: PoolStats,
    /// The pool's fee, in basis points of what clients pay: hosts earn the rest.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fee_bps: u16,
    /// The payment mode of this pool, and its payment terms; absent on an original vipnode pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<PaymentTerms>,
    /// The current problem, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One active host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HostStatus {
    /// The first 12 characters of the host's node ID.
    pub short_id: String,
    /// The time of the host's newest report.
    pub last_seen: String,
    /// The execution client: the name of a `Kind`.
    pub kind: String,
    /// The node's `web3_clientVersion`.
    pub node_version: String,
    /// The version of the host's agent.
    pub vipnode_version: String,
    /// The newest block that the host reported.
    pub block_number: u64,
    /// The number of running leases on the host.
    pub num_peers: u32,
    /// The total number of slots that the host sells.
    pub slots: u32,
}

/// Totals for a pool.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PoolStats {
    /// The number of hosts that currently report.
    pub num_active_hosts: u32,
    /// The number of hosts that the pool has ever seen and not pruned.
    pub num_total_hosts: u32,
    /// The number of clients that currently report.
    pub num_active_clients: u32,
    /// The number of clients that the pool has ever seen and not pruned.
    pub num_total_clients: u32,
    /// The newest block of the chain that most of the hosts shown are on: the median of the numbers that these hosts
    /// report, so that one false report moves it by at most one position.
    pub latest_block_number: u64,
    /// The total of earnings that have not been paid out. Always 0: only the original fills it in.
    #[serde(deserialize_with = "amount")]
    pub total_credit: Amount,
    /// The total of deposits. Always 0: only the original fills it in.
    #[serde(deserialize_with = "amount")]
    pub total_deposit: Amount,
    /// The number of clients that are using a slot in their free trial; in the original, nodes that owe something and
    /// have no account.
    pub num_trial_balances: u32,
    /// The number of leases whose two sides have connected to each other.
    pub num_running_leases: u32,
    /// The number of billing periods that have ended since the pool started.
    pub num_metered_leases: u64,
    /// The total billed time of the billing periods that have ended since the pool started, in milliseconds.
    pub metered_ms: u64,
    /// The total cost of the billing periods that have ended since the pool started.
    pub metered_cost: Amount,
    /// The time billed so far on the running leases, in milliseconds; `None` if there are more leases than the pool
    /// adds up (`status_leases`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_ms: Option<u64>,
    /// The cost of the running leases so far; `None` as for `running_ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_cost: Option<Amount>,
    /// The current price of a slot at this pool.
    pub price: Price,
    /// The number of agents with a connection.
    pub num_agents: u64,
    /// The number of leases in any state, which is the number of slots in use.
    pub num_leases: u64,
    /// The number of slots that could be assigned now.
    pub num_free_slots: u64,
    /// The number of clients that want more hosts and are waiting for the pool to find them.
    pub num_waiting_clients: u64,
    /// The number of requests for hosts that are waiting for a host to admit the client.
    pub num_pending_asks: u64,
    /// The number of calls to agents that have not been answered yet.
    pub num_calls_in_flight: u64,
}

/// The original writes no list as `null`.
fn or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HostStatus>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A decimal string, or a number of any length as in the original. The original's sums can be negative; such a balance
/// is treated as zero.
fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
    let json = Box::<RawValue>::deserialize(deserializer)?;
    let digits = json.get().trim_matches('"');
    let of_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits.strip_prefix('-').is_some_and(of_digits) {
        return Ok(Amount::ZERO);
    }
    serde_json::from_str(&format!("\"{digits}\"")).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `pool/status/status.go` of the original: a list that is nil, amounts as numbers.
    #[test]
    fn d29_the_status_of_a_pool_of_the_original_is_read() {
        let text = r#"{"time_updated":"2019-08-27T10:00:00.1-04:00","time_started":"2019-08-27T09:00:00-04:00",
            "version":"v2.3.1","active_hosts":null,"stats":{"num_total_hosts":2,"num_active_hosts":1,
            "num_total_clients":3,"num_active_clients":1,"latest_block_number":99,
            "total_credit":-5,"total_deposit":340282366920938463463374607431768211455,"num_trial_balances":1}}"#;
        let status: PoolStatus = serde_json::from_str(text).unwrap();
        assert_eq!((status.version.as_str(), status.active_hosts.len(), status.terms), ("v2.3.1", 0, None));
        assert_eq!((status.stats.num_active_hosts, status.stats.num_leases), (1, 0));
        assert_eq!((status.stats.total_credit, status.stats.total_deposit), (Amount::ZERO, Amount::MAX));
    }

    #[test]
    fn what_is_written_is_read_and_no_amount_is_guessed() {
        let stats = PoolStats { total_credit: Amount::MAX, num_leases: 7, ..PoolStats::default() };
        let text = serde_json::to_string(&stats).unwrap();
        assert_eq!(serde_json::from_str::<PoolStats>(&text).unwrap(), stats);
        for bad in ["1.5", "\"-\"", "\"x\"", "[]", "null", "1e3", "\"-\\u0031\""] {
            assert!(serde_json::from_str::<PoolStats>(&format!(r#"{{"total_credit":{bad}}}"#)).is_err(), "{bad}");
        }
    }
}
