//! The commands of the README and the book that the test does not type, each with the reason.

/// A command that is not typed.
pub struct LeftOut {
    pub page: &'static str,
    /// The beginning of the line.
    pub line: &'static str,
    #[allow(dead_code, reason = "for the reader of this table")]
    pub why: &'static str,
    /// What is typed in its place, so that the rest of the page works. Its output is compared with the page.
    pub instead: &'static str,
}

const fn left_out(page: &'static str, line: &'static str, why: &'static str, instead: &'static str) -> LeftOut {
    LeftOut { page, line, why, instead }
}

const SYSTEMD: &str =
    "needs systemd as process 1; the units are verified by packages::, Type=notify by service_manager::";
const CONTAINERS: &str = "needs a container engine; packaging/try-image runs both files where there is one";

const ACME: &str = "needs a public name and Let's Encrypt; real_acme:: gets a certificate from Pebble";
const NO_ACCOUNT: &str =
    "needs a wallet of the reader's; the tests of accounts in the pool and its core link and unlink";
const ON_CHAIN: &str = "needs a chain with the escrow; real_deposits:: and real_wallet:: run these commands on an EVM";
const NO_PAYOUT: &str = "nobody has earned anything on this page; the tests of funds in the core mark payouts";
const OWN_CERTIFICATE: &str = "vipnode pool --bind 0.0.0.0:443 --tls-cert ~/fullchain.pem --tls-key ~/privkey.pem";

/// A table of them. A row that no page has fails the test.
pub const LEFT_OUT: &[LeftOut] = &[
    left_out("README.md", "cargo run --release -- demo", "compiles for minutes", "vipnode demo --simulated"),
    left_out("README.md", "./test", "runs this test", ""),
    left_out("README.md", "cargo install ", "compiles for minutes", ""),
    left_out("README.md", "vipnode pool --tls-host", ACME, ""),
    left_out("quickstart-pool.md", "vipnode pool --tls-host", ACME, OWN_CERTIFICATE),
    left_out(
        "quickstart-client.md",
        "vipnode doctor wss://pool.example.org",
        "the host of this page is in the pool on this machine, and doctor wants one",
        "vipnode doctor ws://127.0.0.1:8080 --role client",
    ),
    left_out("install.md", "podman build", CONTAINERS, ""),
    left_out("install.md", "podman run", CONTAINERS, ""),
    left_out("install.md", "VIPNODE_POOL=wss://pool.example.org podman-compose up", CONTAINERS, ""),
    left_out("service.md", "sudo systemctl ", SYSTEMD, ""),
    left_out("service.md", "journalctl ", SYSTEMD, ""),
    left_out("upgrading.md", "sudo systemctl stop vipnode-pool", SYSTEMD, ""),
    left_out("upgrading.md", "sudo systemctl daemon-reload", SYSTEMD, ""),
    left_out(
        "upgrading.md",
        "sudo systemctl restart vipnode-pool",
        SYSTEMD,
        "vipnode pool --config /etc/vipnode/pool.toml",
    ),
    left_out(
        "upgrading.md",
        "sudo systemctl restart vipnode-agent",
        SYSTEMD,
        "vipnode agent --config /etc/vipnode/agent.toml",
    ),
    left_out("pool.md", "sudo systemctl reload vipnode-pool", SYSTEMD, ""),
    left_out(
        "payments.md",
        "vipnode demo --pay",
        "is run where npm installed anvil",
        "(cd $REPOSITORY && vipnode demo --pay)",
    ),
    left_out("payments.md", "vipnode account ", NO_ACCOUNT, ""),
    left_out("payments.md", "vipnode wallet new", "asks for a password; the tests of keystores make keys", ""),
    left_out("payments.md", "vipnode pool --payment x402", ON_CHAIN, ""),
    left_out("payments.md", "vipnode pool admin claim", ON_CHAIN, ""),
    left_out("payments.md", "vipnode pool admin epoch", ON_CHAIN, ""),
    left_out("payments.md", "vipnode wallet deposit", ON_CHAIN, ""),
    left_out("payments.md", "vipnode client wss://pool.example.org --pay", ON_CHAIN, ""),
    left_out("payments.md", "vipnode wallet withdraw", ON_CHAIN, ""),
    left_out("payments.md", "vipnode pool admin payout paid", NO_PAYOUT, ""),
    left_out("payments.md", "vipnode host ", "the pool of this page is another one", ""),
    left_out("under-attack.md", "sudo systemctl stop vipnode-pool", SYSTEMD, "pkill -INT -x vipnode"),
    left_out("light-client.md", "GOBIN=$PWD go install ", "compiles geth for minutes", "cp $LES_GETH geth"),
];
