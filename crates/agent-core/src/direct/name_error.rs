use vipnode_types::errors;

errors! {
    /// Why the DNS name of a host cannot be resolved.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum NameError {
        /// The system's resolver reported an error.
        System {
            /// What it reported.
            why: String,
        }: local, "{why}",
            hint "Check the name and the DNS settings of this machine, or pass the host's enode with an IP address.";
        /// The resolver did not answer within the deadline.
        Expired {
            /// The deadline, in seconds.
            seconds: u64,
        }: local, "no answer within {seconds} s",
            hint "Check the DNS settings of this machine, or pass the host's enode with an IP address.";
        /// The name resolves to no address, or only to addresses that are never dialed.
        NoAddress: local, "the name has no usable address",
            hint "Ask the host's operator for its address, and pass the host's enode with an IP address.";
    }
}
