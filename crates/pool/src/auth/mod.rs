//! Who may speak to this pool, join it and see its status: signatures, audience, membership, network.
//!
//! It calls the types' signatures and nothing else of this crate. No socket, no queue and no state of an agent ever
//! enters: each judgment is about one call.

pub(crate) mod access_rules;
pub(crate) mod audience;
pub(crate) mod membership;
pub(crate) mod network;
pub(crate) mod signed_params;
pub(crate) mod status_audience;
pub(crate) mod welcome;
