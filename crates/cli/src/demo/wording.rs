//! The demo's own texts, apart from its events and tables.

use std::path::Path;

use vipnode_types::Asset;

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

/// The same for the demo with payments.
pub(super) fn paid_intro(anvil: &Path) -> [String; 3] {
    let what = "vipnode demo --pay: a pool that charges, 2 hosts, and 3 clients that pay, on this machine, each in its own process and \
                connected over real sockets.";
    let nodes = "Nodes: simulated, with geth's RPC and behavior";
    let chain = format!(
        "Chain: a development chain that only this machine can reach ({}), with test doubles of the x402 contracts and a test token, \
         which has no value",
        anvil.display()
    );
    [what.to_owned(), nodes.to_owned(), chain]
}

/// The heading of the table of balances.
pub(super) fn balances(asset: Asset) -> String {
    format!("Balances on the chain before and after, in {}", asset.symbol())
}

/// How to take part in a demo that keeps running.
pub(super) fn running(pool: &str, http: &str) -> String {
    format!(
        "Running until Ctrl-C. To join the pool, run: vipnode client {pool}. To see its metrics, run: curl {http}/metrics"
    )
}

/// The heading of the last table.
pub(super) fn summary(nodes: &str) -> String {
    format!("Paired time between {nodes} nodes (observed by the demo): the time that both sides reported")
}
