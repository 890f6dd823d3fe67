use serde::{Deserialize, Serialize};
use vipnode_files::OpenDir;
use vipnode_types::Price;

use super::{StateDir, files};
use crate::AgentError;

const PRICES: &str = "prices.json";

/// For each pool whose clients pay, the price at the client's first start, which is its maximum if the user set none. A further
/// pool beyond the limit of [`files::write_bounded`] drops the one that was kept first.
#[derive(Debug)]
pub(crate) struct KeptPrices {
    dir: OpenDir,
    /// The pool of this run.
    url: String,
    /// In the order in which they were kept.
    prices: Vec<PoolPrice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PoolPrice {
    url: String,
    price: Price,
}

impl StateDir {
    /// The prices that were kept, for a run with the pool at `url`.
    ///
    /// # Errors
    /// [`AgentError::File`], [`AgentError::Damaged`].
    pub(crate) fn kept_prices(&self, url: &str) -> Result<KeptPrices, AgentError> {
        let prices = match files::read(&self.dir, PRICES)? {
            None => Vec::new(),
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| AgentError::Damaged { path: self.dir.file(PRICES), why: error.to_string() })?,
        };
        Ok(KeptPrices { dir: self.dir.clone(), url: url.to_owned(), prices })
    }
}

impl KeptPrices {
    /// The price that was kept for this pool.
    pub(crate) fn get(&self) -> Option<Price> {
        self.prices.iter().find(|kept| kept.url == self.url).map(|kept| kept.price)
    }

    /// Keeps the price of this pool. Durable when this returns.
    ///
    /// # Errors
    /// [`AgentError::File`]; then everything is as before.
    pub(crate) fn keep(&mut self, price: Price) -> Result<(), AgentError> {
        let mut prices: Vec<PoolPrice> = self.prices.iter().filter(|kept| kept.url != self.url).cloned().collect();
        prices.push(PoolPrice { url: self.url.clone(), price });
        files::write_bounded(&self.dir, PRICES, &mut prices)?;
        self.prices = prices;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use vipnode_types::NodeKey;

    use super::*;

    #[test]
    fn the_price_of_each_pool_survives_a_restart() {
        let root = tempfile::tempdir().unwrap();
        let state = StateDir::open(root.path(), &NodeKey::read(&[1; 32]).unwrap().id()).unwrap();
        let kept = |url: &str| state.kept_prices(url).unwrap();
        assert_eq!(kept("wss://a/").get(), None);
        kept("wss://a/").keep(Price::per_minute(1)).unwrap();
        kept("wss://b/").keep(Price::per_minute(2)).unwrap();
        assert_eq!(
            (kept("wss://a/").get(), kept("wss://b/").get()),
            (Some(Price::per_minute(1)), Some(Price::per_minute(2)))
        );
        kept("wss://a/").keep(Price::per_minute(3)).unwrap();
        assert_eq!(kept("wss://a/").get(), Some(Price::per_minute(3)));
    }
}
