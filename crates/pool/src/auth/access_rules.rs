use crate::auth::{AllowedOrigins, Membership, Network, StatusAudience, Welcome};

/// Who may join, look and read: what an operator may change while the pool runs.
#[derive(Debug, Clone)]
pub(crate) struct AccessRules {
    pub(crate) members: Membership,
    /// The only network whose nodes are admitted; `None` means any network.
    pub(crate) network: Option<Network>,
    pub(crate) status: StatusAudience,
    pub(crate) origins: AllowedOrigins,
    pub(crate) welcome: Option<Welcome>,
}
