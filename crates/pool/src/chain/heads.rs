use vipnode_chain::{BlockTag, ChainError, EvmNodes};

/// The newest blocks of each kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads {
    pub(super) latest: u64,
    pub(super) safe: BlockTag,
    pub(super) finalized: u64,
    pub(super) final_tag: BlockTag,
}

impl Heads {
    /// Reads them. A chain without safe or final blocks, as some private ones are, has the newest ones count.
    pub(super) async fn read(node: &EvmNodes) -> Result<Self, ChainError> {
        let latest = node.block(BlockTag::Latest).await?.number;
        let of = async |tag| match node.block(tag).await {
            Ok(block) => Ok(block.number),
            Err(ChainError::NoBlock { .. }) => Ok(latest),
            Err(error) => Err(error),
        };
        let (safe, finalized) = (of(BlockTag::Safe).await?, of(BlockTag::Finalized).await?);
        Ok(Self { latest, safe: BlockTag::Number(safe), finalized, final_tag: BlockTag::Number(finalized) })
    }
}
