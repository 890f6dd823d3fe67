//! Who may call this pool, join it, and see its status: signatures, audience, membership, network, origins of pages.
//!
//! Within this crate, it may call only the errors and the list of this machine's addresses. Sockets, queues, and the
//! state of agents do not belong here: each decision is about one call.

mod access_control;
mod access_rules;
mod allowed_origins;
mod arrival;
mod audience;
mod ban;
mod ban_target;
mod bans_and_drains;
mod membership;
mod network;
mod own_certificate;
mod page_access;
mod pool_identity;
mod signed_params;
mod status_audience;
mod unnamed_proxy;
mod welcome;

pub use allowed_origins::{AllowedOrigin, AllowedOrigins, OriginError};
pub use ban::Ban;
pub use ban_target::{BanTarget, BanTargetError};
pub use membership::{MembersError, Membership};
pub use network::{Network, NetworkError};
pub use status_audience::{StatusAudience, StatusAudienceError};
pub use welcome::{Welcome, WelcomeError};

pub(crate) use access_control::AccessControl;
pub(crate) use access_rules::AccessRules;
pub(crate) use arrival::Arrival;
pub(crate) use audience::Audience;
pub(crate) use ban::BanNotice;
pub(crate) use bans_and_drains::{BanError, BansAndDrains};
pub(crate) use own_certificate::OwnCertificate;
pub(crate) use page_access::PageAccess;
pub(crate) use pool_identity::PoolIdentity;
pub(crate) use signed_params::SignedParams;
pub(crate) use unnamed_proxy::UnnamedProxy;
