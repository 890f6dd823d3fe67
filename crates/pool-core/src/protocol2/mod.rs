//! What protocol 2 of the original does differently, with the same leases and the same meter: a node signs with its own
//! key and a nonce, admits clients by `vipnode_whitelist`, and learns of evictions from the answers to its own calls. This
//! folder calls only types, limits, and errors. The calls themselves are flows and live in `flows::protocol2`.

pub(crate) mod dialect;
pub(crate) mod nonce_check;
pub(crate) mod state;
