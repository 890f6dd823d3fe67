use std::fmt::Debug;

/// The parts of the pool's own certificate that decide under which URLs agents know the pool.
pub(crate) trait OwnCertificate: Debug + Send + Sync {
    /// Returns the names and addresses in it; they change when it is replaced.
    fn names(&self) -> Vec<String>;

    /// Returns a port at which agents reach the pool under these names, apart from the one at which it listens.
    fn other_port(&self) -> Option<u16>;

    /// Whether it is valid for the addresses at which the pool listens.
    fn has_addresses(&self) -> bool;
}
