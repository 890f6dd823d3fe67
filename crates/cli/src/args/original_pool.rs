//! Flags of the original's pool for what this version does not have. Each is refused with what to do instead, so that
//! nobody believes it has an effect.

use clap::Args;

use crate::error::CliError;

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

const NO_CONTRACT: &str = "this version has no payment contract: leases are metered, nothing is collected";
const WITHOUT: &str = "Remove it; --price sets the price of a slot, and /metrics shows what was metered";

impl OriginalPool {
    /// Refuses what this version does not have.
    pub(crate) fn refuse(&self) -> Result<(), CliError> {
        let no = |flag: &str, why: &str, hint: &str| Err(CliError::new(format!("{flag}: {why}"), hint));
        match self.store.as_deref() {
            None | Some("memory") => {}
            Some("persist" | "badger") => {
                return no(
                    "--store persist",
                    "this version keeps its state in memory only",
                    "Remove it, or pass --store memory; leases of agents that return within 10 minutes continue",
                );
            }
            Some(other) => return no("--store", &format!("there is no store \"{other}\""), "Pass --store memory"),
        }
        if self.datadir.is_some() {
            return no("--datadir", "this version writes no data to disk", "Remove it");
        }
        if self.invalid_node.is_some() {
            return no(
                "--invalid-node",
                "agents do not report peers to this pool, and it evicts only what it assigned",
                "Remove it; --members FILE limits who may join",
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
            Some(_) => no("--contract.min-balance", NO_CONTRACT, "Remove it, or pass --contract.min-balance off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cli, Command};

    fn refused(args: &[&str]) -> Option<(String, String)> {
        let cli = Cli::read(["vipnode", "pool"].iter().chain(args)).unwrap();
        let Some(Command::Pool(pool)) = cli.command else { panic!("a pool") };
        pool.original.refuse().err().map(|error| (error.message, error.hint))
    }

    #[test]
    fn what_only_the_original_has_is_refused_with_a_hint() {
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
