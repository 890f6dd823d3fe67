use std::{fmt, net::IpAddr};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{net::lookup_host, time::timeout};

use crate::limits::RESOLVE_DEADLINE;

/// Where names are looked up.
pub trait Resolver: fmt::Debug + Send + Sync {
    /// The addresses of a name, the best first; or why there are none, for the user. Ends in time.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, String>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, String>> {
        let look = async move {
            match timeout(RESOLVE_DEADLINE, lookup_host((name, 0))).await {
                Ok(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_elapsed) => Err(format!("no answer within {} s", RESOLVE_DEADLINE.as_secs())),
            }
        };
        look.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_machine_knows_itself_and_no_invalid_name() {
        let found = SystemResolver.resolve("localhost").await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty(), "{found:?}");
        assert!(SystemResolver.resolve("nobody.invalid").await.is_err());
    }
}
