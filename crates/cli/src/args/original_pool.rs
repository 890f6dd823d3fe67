//! Flags of the original's pool that mean something which is not here. Each is refused with what to do
//! instead, so that nobody believes it holds.

use clap::Args;

use crate::error::Failure;

#[derive(Debug, Args)]
pub(crate) struct OriginalPool {
    #[arg(long, hide = true, value_name = "persist|memory")]
    store: Option<String>,
    #[arg(long, hide = true, value_name = "DIR")]
    datadir: Option<String>,
    #[arg(long, hide = true, value_name = "REGEXP")]
    invalid_node: Option<String>,
    #[arg(long = "contract.rpc", hide = true, value_name = "URL")]
    contract_rpc: Option<String>,
    #[arg(long = "contract.address", hide = true, value_name = "ADDRESS")]
    contract_address: Option<String>,
    #[arg(long = "contract.keystore", hide = true, value_name = "FILE")]
    contract_keystore: Option<String>,
    #[arg(long = "contract.min-balance", hide = true, value_name = "AMOUNT|off")]
    contract_min_balance: Option<String>,
}

const NO_CONTRACT: &str = "there is no payment contract in this version: leases are metered and nothing is collected";
const WITHOUT: &str = "leave it out; --price says what a place costs, and /metrics shows what was metered";

impl OriginalPool {
    /// Refuses what cannot be had.
    pub(crate) fn refuse(&self) -> Result<(), Failure> {
        let no = |flag: &str, why: &str, hint: &str| Err(Failure::new(format!("{flag}: {why}"), hint));
        match self.store.as_deref() {
            None | Some("memory") => {}
            Some("persist" | "badger") => {
                return no(
                    "--store persist",
                    "this version keeps what it knows in memory only",
                    "--store memory, or leave it out; leases of agents that come back within 10 minutes go on",
                );
            }
            Some(other) => return no("--store", &format!("there is no store called \"{other}\""), "--store memory"),
        }
        if self.datadir.is_some() {
            return no("--datadir", "this version writes no data to disk", "leave it out");
        }
        if self.invalid_node.is_some() {
            return no(
                "--invalid-node",
                "agents tell this pool no names of peers, and it takes back only what it gave",
                "leave it out; --members says who may come at all",
            );
        }
        let contract = [
            ("--contract.rpc", &self.contract_rpc),
            ("--contract.address", &self.contract_address),
            ("--contract.keystore", &self.contract_keystore),
        ];
        if let Some((flag, _)) = contract.iter().find(|(_, value)| value.is_some()) {
            return no(flag, NO_CONTRACT, WITHOUT);
        }
        match self.contract_min_balance.as_deref() {
            None | Some("off") => Ok(()),
            Some(_) => no("--contract.min-balance", NO_CONTRACT, "--contract.min-balance off, or leave it out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cli, Command};

    fn refused(args: &[&str]) -> Option<(String, String)> {
        let cli = Cli::read(["vipnode", "pool"].iter().chain(args)).unwrap();
        let Some(Command::Pool(pool)) = cli.command else { panic!("a pool") };
        pool.original.refuse().err().map(|failure| (failure.what, failure.hint))
    }

    #[test]
    fn what_the_original_had_and_this_has_not_is_refused_with_what_to_do() {
        for args in [
            &["--store", "persist"][..],
            &["--store", "badger"],
            &["--store", "sqlite"],
            &["--datadir", "/var/lib/vipnode"],
            &["--invalid-node", "Geth/v1.8"],
            &["--contract.rpc", "http://localhost:8545"],
            &["--contract.address", "mainnet://0x00"],
            &["--contract.keystore", "key.json"],
            &["--contract.min-balance", "1 ether"],
        ] {
            let (what, hint) = refused(args).unwrap_or_else(|| panic!("{args:?}"));
            assert!(what.starts_with(args[0]) && !hint.is_empty(), "{what} -> {hint}");
        }
    }

    #[test]
    fn what_means_the_same_keeps_its_name() {
        let line = "vipnode pool --bind 0.0.0.0:8080 --store memory --allow-origin * --restrict-network mainnet \
                    --max-request-hosts 5 --contract.min-balance off";
        let mut args: Vec<&str> = line.split_whitespace().collect();
        args.extend(["--contract.price", "100 gwei", "--contract.welcome", "Welcome, {{.NodeID}}"]);
        let cli = Cli::read(args).unwrap();
        let Some(Command::Pool(pool)) = cli.command else { panic!("a pool") };
        assert!(pool.original.refuse().is_ok());
        assert_eq!((pool.price, pool.max_request_hosts), ("100 gwei".parse().unwrap(), Some(5)));
        assert!(pool.welcome.is_some() && pool.allow_origin.len() == 1);
        assert_eq!(pool.restrict_network, Some("1".parse().unwrap()));
    }
}
