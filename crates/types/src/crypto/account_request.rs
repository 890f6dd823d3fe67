use crate::{Account, AccountSignature, Ms, NodeId, PoolId, errors};

/// What an account asks of a pool, as a text that every wallet shows before it signs.
///
/// The text names the pool, so that the signature is useless at another one (fault D12, docs/faults.md), and a counter,
/// so that it is useless a second time (fault D9). The pool builds the same text from the fields of the call.
///
/// ```
/// use vipnode_types::{AccountAct, AccountKey, AccountRequest, Ms, NodeKey, PoolKey};
///
/// let (key, pool) = (AccountKey::from_bytes([7; 32])?, PoolKey::from_random([1; 32])?.id());
/// let act = AccountAct::Link { node: NodeKey::read(&[2; 32])?.id(), chain_id: 1 };
/// let request = AccountRequest { pool, account: key.account(), counter: Ms::new(1_764_453_600_000), act };
/// let signature = key.sign(&request.text());
/// assert_eq!(request.verify(&signature), Ok(()));
/// let next = AccountRequest { counter: Ms::new(1_764_453_600_001), ..request };
/// assert!(next.verify(&signature).is_err());
/// # Ok::<(), vipnode_types::NodeKeyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRequest {
    /// The pool that is asked.
    pub pool: PoolId,
    /// The account that signs.
    pub account: Account,
    /// The time at which the text was made. For a link and its end, it is greater than that of any earlier one of the
    /// account at this pool.
    pub counter: Ms,
    /// What is asked.
    pub act: AccountAct,
}

/// What an [`AccountRequest`] permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountAct {
    /// A node may spend what the account has at the pool.
    Link {
        /// The node that spends.
        node: NodeId,
        /// The ID of the chain that the node follows.
        chain_id: u64,
    },
    /// A node may no longer spend from the account.
    Unlink {
        /// The node that spends.
        node: NodeId,
    },
    /// The caller may read the account's figures.
    Read,
}

errors! {
    /// Why an [`AccountRequest`] is not valid.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum AccountRequestError {
        /// The signature was made with a different key, or a different message was signed.
        Signature: Unauthorized, "the account's signature does not match this pool, account, node, and counter",
            hint "Sign exactly the message that `vipnode account` prints, with the account that it names.";
    }
}

impl AccountRequest {
    /// Returns the text that the account signs (EIP-191, `personal_sign`).
    #[must_use]
    pub fn text(&self) -> String {
        let Self { pool, account, counter, act } = self;
        let (title, node, meaning) = match act {
            AccountAct::Link { node, chain_id } => (
                "Let a node spend from this account at a vipnode pool.",
                format!("Node: {node}\nChain ID: {chain_id}\n"),
                "The pool charges the node's spending to this account's balance at the pool until the account or the node \
                 ends the link. The node must also agree. Signing costs nothing and moves no funds.",
            ),
            AccountAct::Unlink { node } => (
                "End the link between a node and this account at a vipnode pool.",
                format!("Node: {node}\n"),
                "From then on, the node cannot spend from this account. Signing costs nothing and moves no funds.",
            ),
            AccountAct::Read => (
                "Show the figures of this account at a vipnode pool.",
                String::new(),
                "With this signature, anyone can read the account's balance and statements at the pool for one hour. It \
                 permits nothing else.",
            ),
        };
        let (number, time) = (counter.get(), counter.rfc3339());
        format!("{title}\n\nAccount: {account}\n{node}Pool: {pool}\nCounter: {number} ({time})\n\n{meaning}")
    }

    /// Checks that the account signed this text.
    ///
    /// # Errors
    /// [`AccountRequestError::Signature`]. The counter is the caller's to judge, and only after this (fault D8,
    /// docs/faults.md).
    pub fn verify(&self, signature: &AccountSignature) -> Result<(), AccountRequestError> {
        if signature.signed(&self.text(), &self.account) { Ok(()) } else { Err(AccountRequestError::Signature) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{AccountKey, NodeKey, PoolKey};

    fn key() -> AccountKey {
        AccountKey::from_bytes([0x46; 32]).unwrap()
    }

    fn node(seed: u8) -> NodeId {
        NodeKey::read(&[seed; 32]).unwrap().id()
    }

    fn request(act: AccountAct) -> AccountRequest {
        let pool = PoolKey::from_random([1; 32]).unwrap().id();
        AccountRequest { pool, account: key().account(), counter: Ms::new(1_764_453_600_000), act }
    }

    fn acts() -> [AccountAct; 3] {
        [
            AccountAct::Link { node: node(7), chain_id: 11_155_111 },
            AccountAct::Unlink { node: node(7) },
            AccountAct::Read,
        ]
    }

    const LINK: (&str, &str) = (
        "Let a node spend from this account at a vipnode pool.\n\nAccount: 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F\nNode: 989c0b76cb563971fdc9bef31ec06c3560f3249d6ee9e5d83c57625596e05f6f631f4d05b3ae518776ee08755a7703e64b2ebc32547504de0b55a142d4ecdf80\nChain ID: 11155111\nPool: 031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f\nCounter: 1764453600000 (2025-11-29T22:00:00.000Z)\n\nThe pool charges the node's spending to this account's balance at the pool until the account or the node ends the link. The node must also agree. Signing costs nothing and moves no funds.",
        "0xb0f0a4a7be66fad9c3d340389d7bdf205f1b0328b031474e2966c9d513879f426a301313d74f68549fd3539a7f17d19b14aa9970086102c50b8ab5b902e5f4c41b",
    );
    const UNLINK: (&str, &str) = (
        "End the link between a node and this account at a vipnode pool.\n\nAccount: 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F\nNode: 989c0b76cb563971fdc9bef31ec06c3560f3249d6ee9e5d83c57625596e05f6f631f4d05b3ae518776ee08755a7703e64b2ebc32547504de0b55a142d4ecdf80\nPool: 031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f\nCounter: 1764453600000 (2025-11-29T22:00:00.000Z)\n\nFrom then on, the node cannot spend from this account. Signing costs nothing and moves no funds.",
        "0x4d7f21c66c128d976acf6aff35c4e1f2d042eaf0adff220c696d76bd8e3dfea913a0d61344f99dbc9303ec77003a4c6933b6ba061b3b27dcabc3f2731921ab901c",
    );
    const READ: (&str, &str) = (
        "Show the figures of this account at a vipnode pool.\n\nAccount: 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F\nPool: 031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f\nCounter: 1764453600000 (2025-11-29T22:00:00.000Z)\n\nWith this signature, anyone can read the account's balance and statements at the pool for one hour. It permits nothing else.",
        "0x0ff47bbdffda0a8257388f80d3b43fbcb05cc974a6b08338d531a385c82977d426b280e5c2c16dd62ae50159519234cb3b9cfa28dd2e206f5ccdb20eb0ca2d3f1b",
    );

    /// The signatures were made by ethers 6.
    #[test]
    fn golden_vectors() {
        let made = [LINK, UNLINK, READ];
        for (act, (text, signature)) in acts().into_iter().zip(made) {
            let request = request(act);
            assert_eq!(request.text(), text);
            assert_eq!(key().sign(text).to_string(), signature);
            assert_eq!(request.verify(&signature.parse().unwrap()), Ok(()));
        }
    }

    #[test]
    fn d12_every_field_is_covered() {
        for act in acts() {
            let good = request(act);
            let signature = key().sign(&good.text());
            let mut forged = vec![
                AccountRequest { pool: PoolKey::from_random([2; 32]).unwrap().id(), ..good },
                AccountRequest { account: AccountKey::from_bytes([1; 32]).unwrap().account(), ..good },
                AccountRequest { counter: good.counter.plus(1), ..good },
                AccountRequest { act: AccountAct::Link { node: node(8), chain_id: 11_155_111 }, ..good },
                AccountRequest { act: AccountAct::Link { node: node(7), chain_id: 1 }, ..good },
                AccountRequest { act: AccountAct::Unlink { node: node(8) }, ..good },
            ];
            forged.extend(acts().into_iter().filter(|other| *other != act).map(|act| AccountRequest { act, ..good }));
            for forged in forged {
                assert_eq!(forged.verify(&signature), Err(AccountRequestError::Signature), "{forged:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn two_requests_have_two_texts(a in 0_u64..9, b in 0_u64..9, chain in 0_u64..3, other in 0_u64..3) {
            let make = |counter, chain_id| AccountRequest {
                counter: Ms::new(counter),
                ..request(AccountAct::Link { node: node(7), chain_id })
            };
            prop_assert_eq!(make(a, chain).text() == make(b, other).text(), (a, chain) == (b, other));
        }
    }
}
