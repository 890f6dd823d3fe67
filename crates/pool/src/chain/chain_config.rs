use std::{sync::Arc, time::Duration};

use vipnode_chain::ChainLimits;
use vipnode_types::{AccountKey, RpcUrl};

/// Where the pool reads the chain on which its clients deposit, and the key with which it claims.
#[derive(Debug, Clone)]
pub struct ChainConfig {
    /// The HTTP addresses of one to three execution clients, whose answers are compared.
    pub urls: Vec<RpcUrl>,
    /// The limits of its answers.
    pub limits: ChainLimits,
    /// The pause between two looks at the newest block.
    pub poll: Duration,
    /// The key of the claimer, with which the pool claims on its own.
    pub key: Option<Arc<AccountKey>>,
}

impl ChainConfig {
    /// The default settings for these nodes.
    #[must_use]
    pub fn new(urls: Vec<RpcUrl>) -> Self {
        Self { urls, limits: ChainLimits::default(), poll: Duration::from_secs(4), key: None }
    }
}
