use std::sync::Arc;

use crate::{engine::HealthError, methods::Service};

/// Asks a running pool whether it still works.
#[derive(Debug, Clone)]
pub struct PoolProbe(pub(crate) Arc<Service>);

impl PoolProbe {
    /// Whether the pool's core answers. A store that fails or a pool that stops is not stuck: a restart would not help.
    pub async fn answers(&self) -> bool {
        match self.0.gateway.health().await {
            Ok(()) | Err(HealthError::ShuttingDown | HealthError::Store { .. }) => true,
            Err(HealthError::CoreStopped | HealthError::Slow { .. }) => false,
        }
    }
}
