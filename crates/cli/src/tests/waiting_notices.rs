use vipnode_agent_core::{ConnectFailure, Notice};
use vipnode_types::{LeaseId, NodeId};

/// A client that waits for hosts.
pub(super) fn waiting_notices(lease: LeaseId, host: NodeId) -> Vec<Notice> {
    vec![
        Notice::HostsMissing {
            missing: 2,
            why: Some("no host has a free slot".to_owned()),
            late: true,
            retry_ms: None,
        },
        Notice::HostsMissing { missing: 1, why: None, late: true, retry_ms: Some(42_000) },
        Notice::HostsMissing {
            missing: 2,
            why: Some("no host has a free slot".to_owned()),
            late: false,
            retry_ms: None,
        },
        Notice::HostsMissing { missing: 1, why: None, late: false, retry_ms: None },
        Notice::HostSlow { lease, host, redial_ms: None, left_ms: 17_000, last: None },
        Notice::HostSlow { lease, host, redial_ms: None, left_ms: 17_000, last: Some(ConnectFailure::Loopback) },
        Notice::HostSlow { lease, host, redial_ms: Some(21_500), left_ms: 41_500, last: None },
    ]
}
