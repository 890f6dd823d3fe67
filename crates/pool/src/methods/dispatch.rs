use serde_json::value::RawValue;
use vipnode_types::PoolMethod;

use crate::methods::protocol2;

/// What is to be done with a call. Every method that is documented has its place here, and no other is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Is there a pool?
    Ping,
    /// What the pool shows.
    Status,
    /// How the pool sees the caller.
    Reach,
    /// A wallet's page of the original.
    Wallet,
    /// A node in protocol 2.
    Node,
    /// An agent presents itself.
    Connect,
    /// An agent that has connected.
    Agent,
}

impl Route {
    /// `None` for a method that there is not.
    pub(crate) fn of(name: &str, params: &RawValue) -> Option<Self> {
        Some(match PoolMethod::named(name)? {
            PoolMethod::Ping => Self::Ping,
            PoolMethod::Status => Self::Status,
            PoolMethod::Reach => Self::Reach,
            PoolMethod::Connect if protocol2::is_signed_by_node(params) => Self::Node,
            PoolMethod::Connect => Self::Connect,
            PoolMethod::Report | PoolMethod::Ask | PoolMethod::Explain | PoolMethod::Leave | PoolMethod::Bye => {
                Self::Agent
            }
            PoolMethod::Update | PoolMethod::Peer | PoolMethod::Host | PoolMethod::Client => Self::Node,
            PoolMethod::Account | PoolMethod::AddNode | PoolMethod::Withdraw => Self::Wallet,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(name: &str, params: &str) -> Option<Route> {
        Route::of(name, &serde_json::from_str::<Box<RawValue>>(params).unwrap())
    }

    #[test]
    fn a_connect_is_told_by_what_stands_first() {
        assert_eq!(route("vipnode_connect", r#" [ "sig","id",1,{}]"#), Some(Route::Node));
        for params in [r#"[{"protocol":3},{}]"#, "[]", "{}"] {
            assert_eq!(route("vipnode_connect", params), Some(Route::Connect), "{params}");
        }
        assert_eq!(route("vipnode_update", "[]"), Some(Route::Node));
        assert_eq!(route("vipnode_report", r#"["x"]"#), Some(Route::Agent));
        assert_eq!(route("vipnode_admit", "[]"), None);
    }
}
