use std::{fmt, net::IpAddr};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{net::lookup_host, time::timeout};
use vipnode_agent_core::NameError;

use crate::limits::RESOLVE_DEADLINE;

/// Looks up DNS names.
pub trait Resolver: fmt::Debug + Send + Sync {
    /// The addresses of a name, the best first. Ends within a deadline.
    ///
    /// # Errors
    /// Why there are none.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, NameError>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, NameError>> {
        let look = async move {
            match timeout(RESOLVE_DEADLINE, lookup_host((name, 0))).await {
                Ok(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
                Ok(Err(error)) => Err(NameError::System { why: error.to_string() }),
                Err(_elapsed) => Err(NameError::Expired { seconds: RESOLVE_DEADLINE.as_secs() }),
            }
        };
        look.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_resolves_and_an_invalid_name_does_not() {
        let found = SystemResolver.resolve("localhost").await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty(), "{found:?}");
        assert!(SystemResolver.resolve("nobody.invalid").await.is_err());
    }
}
