//! The demo's own texts, apart from its events and tables.

use std::path::Path;

/// What the demo is, and what its nodes are.
pub(super) fn intro(geth: Option<&Path>) -> [String; 2] {
    let nodes = match geth {
        Some(program) => format!(
            "Nodes: 5 real nodes running {} on a private chain that only this machine can reach (for simulated nodes, pass --simulated)",
            program.display()
        ),
        None => "Nodes: simulated, with geth's RPC and behavior (for real nodes, install geth or pass --geth PATH)"
            .to_owned(),
    };
    let what = "vipnode demo: a pool, 2 hosts, and 3 clients on this machine, each in its own process and connected over real sockets.";
    [what.to_owned(), nodes]
}

/// How to take part in a demo that keeps running.
pub(super) fn running(pool: &str, http: &str) -> String {
    format!(
        "Running until Ctrl-C. To join the pool, run: vipnode client {pool}. To see its metrics, run: curl {http}/metrics"
    )
}

/// The heading of the last table.
pub(super) fn summary(nodes: &str) -> String {
    format!("Metered time between {nodes} nodes: the time that both sides reported")
}
