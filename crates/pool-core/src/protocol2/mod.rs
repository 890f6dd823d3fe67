//! What protocol 2 of the original does differently, feeding the same leases and the same meter: a node signs with its
//! own key and a nonce, is asked by `vipnode_whitelist`, and hears of evictions in the answers to its own calls. It calls
//! nothing but types, limits and errors. Its calls are flows and live in `flows::protocol2`.

pub(crate) mod dialect;
pub(crate) mod nonce_check;
pub(crate) mod state;
