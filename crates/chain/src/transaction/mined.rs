use tokio::time::{Instant, sleep};
use vipnode_types::Hash256;

use crate::{
    error::ChainError,
    node::{EvmNodes, EvmReceipt},
};

/// Waits until a transaction was mined, at most for the node's limit. A read that fails is repeated until then: the transaction has
/// left, and an error of the node would read as if it had not.
///
/// # Errors
/// [`ChainError::NotMined`], [`ChainError::Failed`] if it reverted.
pub async fn wait_for_receipt(node: &EvmNodes, hash: Hash256) -> Result<EvmReceipt, ChainError> {
    let (most, poll) = (node.limits().mined, node.limits().poll);
    let began = Instant::now();
    loop {
        match node.receipt(hash).await.unwrap_or_default() {
            Some(receipt) if receipt.status == 1 => return Ok(receipt),
            Some(_) => return Err(ChainError::Failed { hash }),
            None if began.elapsed() >= most => return Err(ChainError::NotMined { hash, seconds: most.as_secs() }),
            None => sleep(poll).await,
        }
    }
}
