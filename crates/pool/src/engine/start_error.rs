use vipnode_store::StoreError;
use vipnode_types::{Asset, Ms, errors};

errors! {
    /// Why a pool cannot continue from its store.
    #[derive(Debug)]
    pub enum StartError {
        /// The pool cannot read its store at startup.
        Store {
            /// The error of the store.
            source: StoreError,
        }: local, "the pool's store cannot be read: {source}", hint_of source;
        /// The clock of the machine is more than 24 hours behind the latest time in the database.
        ClockBehind {
            /// The time of the machine.
            clock: Ms,
            /// The latest time in the database.
            stored: Ms,
        }: local, "the clock of this machine ({clock}) is more than 24 h behind the latest time in the pool's database ({stored})"
            (clock = clock.rfc3339(), stored = stored.rfc3339()),
            hint "Set the clock. If the clock is right, pass --accept-clock.";
        /// The clock of the machine is more than 90 days ahead of the latest time in the database.
        ClockAhead {
            /// The time of the machine.
            clock: Ms,
            /// The latest time in the database.
            stored: Ms,
        }: local, "the clock of this machine ({clock}) is more than 90 days ahead of the latest time in the pool's database ({stored})"
            (clock = clock.rfc3339(), stored = stored.rfc3339()),
            hint "Set the clock. If the clock is right, pass --accept-clock.";
        /// The pool has charged in another asset.
        OtherAsset {
            /// What it has charged in.
            stored: Asset,
            /// What it was started with.
            given: Asset,
        }: local, "this pool has charged in {stored} ({stored_decimals} decimals) before, and cannot change to {given} ({decimals} decimals)"
            (stored_decimals = stored.decimals(), decimals = given.decimals()),
            hint "Pass --asset {stored}:{decimals}, or start a new pool with another --datadir DIR."
                (decimals = stored.decimals());
    }
}
