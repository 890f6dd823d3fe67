use crate::{AllowedOrigins, Membership, Network, PoolConfig, StatusAudience};

/// Whom the pool takes and who may look: what its operator may change while it runs.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) members: Membership,
    pub(crate) network: Option<Network>,
    pub(crate) status: StatusAudience,
    pub(crate) origins: AllowedOrigins,
}

impl Rules {
    pub(crate) fn of(config: &PoolConfig) -> Self {
        Self {
            members: config.members.clone(),
            network: config.network,
            status: config.status,
            origins: config.origins.clone(),
        }
    }
}
