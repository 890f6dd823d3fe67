use std::path::PathBuf;

use crate::{
    args::{PoolArgs, StoreName},
    error::{CliError, CommandError},
};

/// Returns the directory in which a pool keeps its state; `None` if it keeps it in memory.
pub(crate) fn pool_data_dir(args: &PoolArgs) -> Result<Option<PathBuf>, CliError> {
    if args.store == StoreName::Memory && !args.payment.is_none() {
        return Err(CommandError::CreditInMemory.into());
    }
    match (args.store, &args.datadir) {
        (StoreName::Sqlite, Some(dir)) => Ok(Some(dir.clone())),
        (StoreName::Sqlite, None) => default_data_dir().map(Some),
        (StoreName::Memory, None) => Ok(None),
        (StoreName::Memory, Some(dir)) => Err(CommandError::StoreMemory { dir: dir.clone() }.into()),
    }
}

/// Returns the directory of a pool that was started without --datadir: `$XDG_DATA_HOME/vipnode/pool`, else
/// `~/.local/share/vipnode/pool`.
pub(crate) fn default_data_dir() -> Result<PathBuf, CliError> {
    use etcetera::BaseStrategy as _;

    let strategy = etcetera::choose_base_strategy().map_err(|_no_home| CommandError::NoDataHome)?;
    Ok(strategy.data_dir().join("vipnode").join("pool"))
}
