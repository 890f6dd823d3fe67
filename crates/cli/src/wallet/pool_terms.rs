use std::path::Path;

use vipnode_agent::{NetConnector, PoolAddress, local, pool_status, state::StateDir};
use vipnode_types::{Account, payment::ChannelTerms};

use crate::{
    args::{ChannelFieldArgs, TrustArgs},
    error::{CliError, WalletError},
};

/// Characters that are shown of a text from the pool.
const WORDS: usize = 400;

/// Returns the fields of a new channel with those that its pool requires, if the flags name a pool.
///
/// # Errors
/// The pool cannot be reached, takes no payments from channels of this chain, or it is not known whose key signs the
/// vouchers.
pub(crate) async fn with_pool_terms(
    fields: &ChannelFieldArgs,
    chain_id: u64,
    trust: &TrustArgs,
) -> Result<ChannelFieldArgs, CliError> {
    let Some(pool) = &fields.pool else { return Ok(fields.clone()) };
    let address = PoolAddress::read(pool)?;
    let url = address.url().to_owned();
    let answer = pool_status(&NetConnector::new(address, trust.trust()?)).await;
    let status = answer.map_err(|error| CliError::from(error).sanitized(WORDS))?;
    let terms = status.terms.and_then(|terms| terms.channel);
    let terms = terms.ok_or_else(|| WalletError::NoChannelTerms { pool: url.clone() })?;
    if terms.chain_id != chain_id {
        return Err(WalletError::PoolChain { pool: url, of: terms.chain_id, node: chain_id }.into());
    }
    let authorizer = match fields.authorizer {
        Some(authorizer) => authorizer,
        None => local_signer(&url, fields.state_dir.as_deref()).await?,
    };
    Ok(with(fields, &terms, authorizer))
}

fn with(fields: &ChannelFieldArgs, terms: &ChannelTerms, authorizer: Account) -> ChannelFieldArgs {
    ChannelFieldArgs {
        token: Some(terms.token),
        receiver: Some(terms.receiver),
        receiver_authorizer: Some(terms.receiver_authorizer),
        withdraw_delay: terms.withdraw_delay_s,
        authorizer: Some(authorizer),
        ..fields.clone()
    }
}

/// The address of the key of the only client of this machine that uses the pool.
async fn local_signer(pool: &str, state_dir: Option<&Path>) -> Result<Account, CliError> {
    let mut signers = Vec::new();
    for socket in local::agents(&StateDir::root(state_dir)?)? {
        let Ok(status) = local::status(&socket).await else { continue };
        if status.pool.url == pool && status.client.is_some() {
            signers.extend(status.signer);
        }
    }
    match signers[..] {
        [signer] => Ok(signer),
        _ => Err(WalletError::NoAuthorizer { pool: pool.to_owned(), agents: signers.len() }.into()),
    }
}
