use vipnode_store::StoreError;
use vipnode_types::{Asset, errors};

errors! {
    /// Why a pool cannot continue from its store.
    #[derive(Debug)]
    pub enum StartError {
        /// The pool cannot read its store at startup.
        Store {
            /// The error of the store.
            source: StoreError,
        }: local, "the pool's store cannot be read: {source}", hint_of source;
        /// The pool has charged in another asset.
        OtherAsset {
            /// What it has charged in.
            stored: Asset,
            /// What it was started with.
            given: Asset,
        }: local, "this pool has charged in {stored} ({stored_decimals} decimals) and cannot change to {given} ({decimals} decimals)"
            (stored_decimals = stored.decimals(), decimals = given.decimals()),
            hint "Pass --asset {stored}:{decimals}, or start a new pool with another --datadir DIR."
                (decimals = stored.decimals());
    }
}
