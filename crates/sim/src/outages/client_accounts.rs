use std::{io, net::SocketAddr};

use vipnode_types::{
    Account, AccountKey, Ms, NodeId, PoolId,
    wire::{LinkRequest, UnlinkRequest, method},
};

use crate::bench::{LoadAgent, WsClient, now};

/// The two accounts of a client, each with its key: the operator credits one, and lets the other owe.
pub(super) struct ClientAccounts {
    keys: [AccountKey; 2],
    /// The counter of the newest text that one of them signed.
    counter: Ms,
}

impl ClientAccounts {
    /// The accounts of the client with that number.
    pub(super) fn of(number: u32) -> io::Result<Self> {
        let key = |kind: u8| {
            let mut bytes = [kind; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            AccountKey::from_bytes(bytes).map_err(io::Error::other)
        };
        Ok(Self { keys: [key(1)?, key(2)?], counter: Ms::ZERO })
    }

    pub(super) fn account(&self, kind: usize) -> Account {
        self.key(kind).account()
    }

    fn key(&self, kind: usize) -> &AccountKey {
        let [credited, owing] = &self.keys;
        if kind == 0 { credited } else { owing }
    }

    /// Makes the request that links a node with one of the accounts.
    pub(super) fn link(&mut self, kind: usize, pool: PoolId, node: NodeId) -> LinkRequest {
        let counter = self.next_counter();
        let key = self.key(kind);
        let unsigned = LinkRequest { account: key.account(), chain_id: 1, counter, signature: key.sign("") };
        LinkRequest { signature: key.sign(&unsigned.signed_by_account(pool, node).text()), ..unsigned }
    }

    /// Makes the request that ends such a link, signed by the account.
    pub(super) fn unlink(&mut self, account: Account, pool: PoolId, node: NodeId) -> UnlinkRequest {
        let counter = self.next_counter();
        let key = self.key(usize::from(self.account(0) != account));
        let unsigned = UnlinkRequest { account, node, counter, signature: None };
        UnlinkRequest { signature: Some(key.sign(&unsigned.signed_by_account(pool).text())), ..unsigned }
    }

    fn next_counter(&mut self) -> Ms {
        self.counter = now().max(self.counter.plus(1));
        self.counter
    }
}

/// Sends a link with the consent of the node's agent, over a connection of its own.
///
/// # Errors
/// The connection ended, or the pool refused it.
pub(super) async fn send_link(agent: &LoadAgent, pool: SocketAddr, link: &LinkRequest) -> io::Result<()> {
    let mut wire = WsClient::open(pool, agent.address()).await?;
    let params =
        agent.signed_call(method::LINK, (&format!("ws://{pool}"), &wire.challenge), &serde_json::to_string(link)?)?;
    wire.call(method::LINK, &params).await.map(drop)
}

/// Sends the end of a link that its account signed.
///
/// # Errors
/// As for [`send_link`].
pub(super) async fn send_unlink(agent: &LoadAgent, pool: SocketAddr, unlink: &UnlinkRequest) -> io::Result<()> {
    let mut wire = WsClient::open(pool, agent.address()).await?;
    wire.call(method::UNLINK, &serde_json::to_string(&[unlink])?).await.map(drop)
}
