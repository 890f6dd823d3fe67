use crate::{protocol2::method as original, wire::method};

/// An enum of methods, each with its name on the wire. Both the dispatch of a server and the crate `openrpc`, which
/// documents the methods, match over the whole enum, so nothing else is served.
macro_rules! methods {
    ($(#[$about:meta])* $kind:ident { $($(#[$doc:meta])* $variant:ident = $name:expr,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $kind {
            $($(#[$doc])* $variant,)*
        }

        impl $kind {
            /// All methods.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The method of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|method| method.name() == name)
            }
        }
    };
}

methods! {
    /// A method that a pool serves, of protocol 3 and of the original's protocol 2.
    PoolMethod {
        /// [`method::CONNECT`], in both protocols.
        Connect = method::CONNECT,
        /// [`method::REPORT`].
        Report = method::REPORT,
        /// [`method::ASK`].
        Ask = method::ASK,
        /// [`method::EXPLAIN`].
        Explain = method::EXPLAIN,
        /// [`method::LEAVE`].
        Leave = method::LEAVE,
        /// [`method::BYE`].
        Bye = method::BYE,
        /// [`method::LINK`].
        Link = method::LINK,
        /// [`method::UNLINK`].
        Unlink = method::UNLINK,
        /// [`method::FUNDS`].
        Funds = method::FUNDS,
        /// [`method::VOUCHER`].
        Voucher = method::VOUCHER,
        /// [`method::ACCOUNT`].
        AccountView = method::ACCOUNT,
        /// [`method::STATEMENT`].
        Statement = method::STATEMENT,
        /// [`method::DAILY_STATEMENT`].
        DailyStatement = method::DAILY_STATEMENT,
        /// [`method::PAYOUT`].
        Payout = method::PAYOUT,
        /// [`method::REACH`].
        Reach = method::REACH,
        /// [`method::PING`].
        Ping = method::PING,
        /// [`method::STATUS`].
        Status = method::STATUS,
        /// [`original::UPDATE`].
        Update = original::UPDATE,
        /// [`original::PEER`].
        Peer = original::PEER,
        /// [`original::HOST`].
        Host = original::HOST,
        /// [`original::CLIENT`].
        Client = original::CLIENT,
        /// [`original::ACCOUNT`].
        Account = original::ACCOUNT,
        /// [`original::ADD_NODE`].
        AddNode = original::ADD_NODE,
        /// [`original::WITHDRAW`].
        Withdraw = original::WITHDRAW,
    }
}

methods! {
    /// A method that an agent serves to its pool.
    AgentMethod {
        /// [`method::ADMIT`].
        Admit = method::ADMIT,
        /// [`method::EVICT`].
        Evict = method::EVICT,
        /// [`method::DIAL`].
        Dial = method::DIAL,
        /// [`method::NOTICE`].
        Notice = method::NOTICE,
        /// [`method::PRICE`].
        Price = method::PRICE,
        /// [`original::WHITELIST`], called by a pool of the original only.
        Whitelist = original::WHITELIST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_of_one_method() {
        for (at, method) in PoolMethod::ALL.iter().enumerate() {
            assert_eq!(PoolMethod::named(method.name()), Some(*method));
            assert!(PoolMethod::ALL[..at].iter().all(|other| other.name() != method.name()));
        }
        for method in AgentMethod::ALL {
            assert_eq!(AgentMethod::named(method.name()), Some(*method));
            assert_eq!(PoolMethod::named(method.name()), None);
        }
        assert_eq!(PoolMethod::named("vipnode_Report"), None);
        assert_eq!(PoolMethod::named(""), None);
    }
}
