use std::path::PathBuf;

use vipnode_agent::{clock, random, state::StateDir};
use vipnode_chain::{BlockTag, ChainError, EvmReceipt, escrow_calls};
use vipnode_types::{
    Account, AccountKey, Amount, Hash256, NodeId,
    payment::{ChannelConfig, ChannelTerms, DepositAuthorization},
};

use super::chain::DemoChain;
use crate::{error::CliError, wallet::ChannelFile};

/// The payment channel of a client: who signs its vouchers, and its file.
#[derive(Debug, Clone)]
pub(super) struct DemoChannel {
    pub(super) file: ChannelFile,
    pub(super) path: PathBuf,
}

/// What a client deposits: 15 tokens.
pub(super) const DEPOSIT: Amount = Amount::new(15_000_000);
/// How long a signed deposit is valid.
const VALID_S: u64 = 60 * 60;

impl DemoChannel {
    /// Makes the key of a client's agent, which the agent would make at its first start, and the file of a channel for it.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn make(
        terms: &ChannelTerms,
        payer: Account,
        node: NodeId,
        (state, path, decimals): (PathBuf, PathBuf, u8),
    ) -> Result<Self, CliError> {
        let signer = StateDir::open(&state, &node)?.agent_key()?.account();
        let config = ChannelConfig {
            payer,
            payer_authorizer: signer,
            receiver: terms.receiver,
            receiver_authorizer: terms.receiver_authorizer,
            token: terms.token,
            withdraw_delay_s: terms.withdraw_delay_s,
            salt: Hash256(*random::bytes()?),
        };
        let file = ChannelFile::new(terms.chain_id, config, decimals);
        file.write(&path)?;
        Ok(Self { file, path })
    }

    /// The account of the agent's key, by which the pool knows the payer.
    pub(super) const fn signer(&self) -> Account {
        self.file.config.payer_authorizer
    }

    /// Deposits with a signature of the payer, who has no coin for gas; the operator sends it.
    ///
    /// # Errors
    /// The node does not answer, or the escrow refuses the deposit.
    pub(super) async fn deposit(&self, chain: &DemoChain, payer: &AccountKey) -> Result<EvmReceipt, CliError> {
        let (token, chain_id) = (self.file.config.token, self.file.chain_id);
        let domain = chain.token().await?.erc3009_domain().await?.ok_or(ChainError::NoToken { token, chain_id })?;
        // Contracts compare it with the time of their block.
        let now_s = chain.node.block(BlockTag::Latest).await?.time_s.max(clock::wall().get() / 1_000);
        let authorization = DepositAuthorization::Erc3009 {
            token: domain,
            from: payer.account(),
            amount: DEPOSIT,
            valid_after_s: 0,
            valid_before_s: now_s.saturating_add(VALID_S),
            salt: Hash256(*random::bytes()?),
            channel: self.file.id(),
        };
        let signature = payer.sign_typed(&authorization.typed_data(chain_id));
        chain.send(escrow_calls::deposit(&self.file.config, &authorization, signature)).await
    }
}
