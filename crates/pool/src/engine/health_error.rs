use vipnode_store::StoreError;
use vipnode_types::errors;

errors! {
    /// Why `/health` reports that a pool is unhealthy.
    #[derive(Debug, Clone)]
    pub(crate) enum HealthError {
        /// The operator is stopping or restarting the pool.
        ShuttingDown: local, "the pool is shutting down", hint "Start the pool again.";
        /// The core's thread has ended.
        CoreStopped: local, "the pool's core is not running",
            hint "Restart the pool, and report the last lines of its log.";
        /// The pool is overloaded, or its disk is slow or blocked.
        Slow {
            /// The limit, in milliseconds.
            limit_ms: u128,
        }: local, "the pool's core and store did not respond within {limit_ms} ms",
            hint "Check the load on the machine and its disk.";
        /// The store returned an error.
        Store {
            /// The error of the store.
            source: StoreError,
        }: local, "the store failed: {source}", hint "Check the disk, then restart the pool.";
    }
}
