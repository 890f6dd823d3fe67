use vipnode_store::StoreError;
use vipnode_types::errors;

errors! {
    /// Why `/health` says that a pool is not well.
    #[derive(Debug, Clone)]
    pub(crate) enum HealthError {
        /// The pool stops.
        GoingDown: local, "the pool is going down", hint "Start it again.";
        /// The core's thread has ended.
        CoreStopped: local, "the pool's core does not run", hint "Restart the pool, and report the end of its log.";
        /// The core or the store takes too long.
        Slow {
            /// The limit, in milliseconds.
            limit_ms: u128,
        }: local, "the pool's core and its store did not answer within {limit_ms} ms",
            hint "Check the load of the machine and its disk.";
        /// The store fails.
        Store {
            /// How.
            source: StoreError,
        }: local, "the store does not work: {source}", hint "Check the disk, then restart the pool.";
    }
}
