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
        /// The clock of the machine is wrong, or was wrong when the pool stored the latest time.
        ClockBehind {
            /// The time of the machine.
            clock: Ms,
            /// The latest time in the database.
            stored: Ms,
        }: local, "the clock of this machine ({clock}) is more than 24 h behind the latest time in the pool's database ({stored})"
            (clock = clock.rfc3339(), stored = stored.rfc3339()),
            hint "Set the clock. If the clock is right, pass --accept-clock.";
        /// The clock of the machine is wrong, or the pool has not run for a long time.
        ClockAhead {
            /// The time of the machine.
            clock: Ms,
            /// The latest time in the database.
            stored: Ms,
        }: local, "the clock of this machine ({clock}) is more than 90 days ahead of the latest time in the pool's database ({stored})"
            (clock = clock.rfc3339(), stored = stored.rfc3339()),
            hint "Set the clock. If the clock is right, pass --accept-clock.";
        /// The pool writes each use of --accept-clock to its audit log before it starts, and this write failed.
        Audit {
            /// The error of the system.
            source: std::io::Error,
        }: local, "the audit log cannot record that the clock was accepted: {source}",
            hint "Check the disk and the audit.log file in the data directory, then start the pool again.";
        /// The ledger contains amounts in a different asset, which cannot be converted.
        OtherAsset {
            /// What it has charged in.
            stored: Asset,
            /// What it was started with.
            given: Asset,
        }: local, "this pool has already charged in {stored} ({stored_decimals} decimals), and cannot change to {given} ({decimals} decimals)"
            (stored_decimals = stored.decimals(), decimals = given.decimals()),
            hint "Pass --asset {stored}:{decimals}, and --payment and --price as before (without them, the pool is free), or start a new pool \
                  with a different --datadir DIR."
                (decimals = stored.decimals());
    }
}
