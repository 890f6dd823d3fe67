//! Flags of the original's pool that have no equivalent in this version. Each is rejected with a hint, so that nobody
//! expects it to have an effect.

use clap::Args;

use crate::error::CommandError;

#[derive(Debug, Args)]
pub(crate) struct OriginalPool {
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

impl OriginalPool {
    /// Refuses what this version does not have.
    pub(crate) fn refuse(&self) -> Result<(), CommandError> {
        if self.invalid_node.is_some() {
            return Err(CommandError::InvalidNode);
        }
        let contract = [
            ("--contract.rpc", &self.contract_rpc),
            ("--contract.address", &self.contract_address),
            ("--contract.keystore", &self.contract_keystore),
        ];
        if let Some((flag, _)) = contract.into_iter().find(|(_, value)| value.is_some()) {
            return Err(CommandError::Contract { flag });
        }
        match self.contract_min_balance.as_deref() {
            None | Some("off") => Ok(()),
            Some(_) => Err(CommandError::MinBalance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cli, Command, StoreName};
    use crate::error::CliError;

    fn refused(args: &[&str]) -> Option<(String, String)> {
        let cli = Cli::read(["vipnode", "pool"].iter().chain(args)).unwrap();
        let Some(Command::Pool(pool)) = cli.command else { panic!("a pool") };
        pool.original.refuse().err().map(CliError::from).map(|error| (error.message, error.hint))
    }

    #[test]
    fn what_only_the_original_has_is_refused_with_a_hint() {
        for args in [
            &["--invalid-node", "Geth/v1.8"][..],
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
        assert_eq!((pool.restrict_network, pool.store), (Some("1".parse().unwrap()), StoreName::Memory));
        let cli = Cli::read(["vipnode", "pool", "--store", "persist"]).unwrap();
        let Some(Command::Pool(pool)) = cli.command else { panic!("a pool") };
        assert_eq!(pool.store, StoreName::Sqlite);
    }
}
