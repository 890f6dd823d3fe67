use std::collections::BTreeMap;

use vipnode_pool_core::{Command, ConnectionId};
use vipnode_types::NodeId;

use crate::engine::inbox::CoreMessage;

/// What waits until the store works again, in the order of arrival. Of each node, at most one connect waits.
#[derive(Debug, Default)]
pub(super) struct LaterQueue {
    /// By the number of the message.
    messages: BTreeMap<u64, CoreMessage>,
    /// The number of the next message.
    next: u64,
    /// The numbers of the connects.
    by_node: BTreeMap<NodeId, u64>,
    /// The same by connection, so that the end of a connection costs no search.
    by_connection: BTreeMap<ConnectionId, u64>,
}

impl LaterQueue {
    /// Adds a message. Returns a connect that does not wait because another one of its node does: the one with the higher
    /// nonce waits, so that an old one that an attacker repeats never takes the place of the node's own.
    pub(super) fn push(&mut self, message: CoreMessage) -> Option<CoreMessage> {
        let mut replaced = None;
        if let Some((connection, node, nonce)) = connect_of(&message) {
            if let Some(waiting) = self.by_node.get(&node).copied() {
                if self.messages.get(&waiting).is_some_and(|waiting| waits_for_later_nonce(waiting, nonce)) {
                    return Some(message);
                }
                replaced = self.remove(waiting);
            }
            self.by_node.insert(node, self.next);
            self.by_connection.insert(connection, self.next);
        }
        self.messages.insert(self.next, message);
        self.next = self.next.saturating_add(1);
        replaced
    }

    /// Returns the next message, unless its caller no longer waits.
    pub(super) fn pop(&mut self) -> Option<CoreMessage> {
        loop {
            let (_, message) = self.messages.pop_first()?;
            self.unlist(&message);
            if !is_closed(&message) {
                return Some(message);
            }
        }
    }

    /// Drops the requests whose callers no longer wait.
    pub(super) fn forget_closed(&mut self) {
        let closed = self.messages.iter().filter(|(_, message)| is_closed(message));
        for number in closed.map(|(number, _)| *number).collect::<Vec<_>>() {
            let _nobody_waits = self.remove(number);
        }
    }

    /// Drops the connect of a connection that has ended.
    pub(super) fn forget_connect(&mut self, ended: ConnectionId) {
        if let Some(number) = self.by_connection.get(&ended).copied() {
            let _nobody_waits = self.remove(number);
        }
    }

    fn remove(&mut self, number: u64) -> Option<CoreMessage> {
        let message = self.messages.remove(&number)?;
        self.unlist(&message);
        Some(message)
    }

    fn unlist(&mut self, message: &CoreMessage) {
        if let Some((connection, node, _)) = connect_of(message) {
            self.by_node.remove(&node);
            self.by_connection.remove(&connection);
        }
    }
}

/// The connection, the node, and the nonce of a connect. No other request waits.
fn connect_of(message: &CoreMessage) -> Option<(ConnectionId, NodeId, u64)> {
    match message {
        CoreMessage::Request { command: Command::Protocol2 { connection, node, nonce, .. }, .. } => {
            Some((*connection, *node, *nonce))
        }
        _ => None,
    }
}

/// Whether only a connect with a higher nonce may take the place of a waiting one.
fn waits_for_later_nonce(waiting: &CoreMessage, nonce: u64) -> bool {
    !is_closed(waiting) && connect_of(waiting).is_some_and(|(_, _, used)| nonce <= used)
}

fn is_closed(message: &CoreMessage) -> bool {
    matches!(message, CoreMessage::Request { reply_to, .. } if reply_to.is_closed())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::oneshot;
    use vipnode_pool_core::PoolLimits;
    use vipnode_types::protocol2::{Call, PeerRequest};

    use super::*;
    use crate::{
        engine::inbox::{CoreAnswer, ReplyTo},
        fairness::{CommandPermits, PermitClass, lone_block},
    };

    fn connection(number: u32) -> ConnectionId {
        ConnectionId { gateway: 0, connection: number, generation: 0 }
    }

    /// A request of a node on a connection, and its caller.
    fn request(node: u8, number: u32, nonce: u64) -> (CoreMessage, oneshot::Receiver<CoreAnswer>) {
        let limits = PoolLimits::default();
        let permit = Arc::new(CommandPermits::new(&limits)).take(&lone_block(&limits), PermitClass::Connect).unwrap();
        let command = Command::Protocol2 {
            connection: connection(number),
            request: nonce,
            node: NodeId::new([node; 64]),
            nonce,
            address: [203, 0, 113, 1].into(),
            callable: false,
            call: Call::Peer(PeerRequest::default()),
        };
        let (reply, answer) = oneshot::channel();
        (CoreMessage::Request { command, request: nonce, reply_to: ReplyTo::Task(reply), permit }, answer)
    }

    fn number(message: &CoreMessage) -> u32 {
        connect_of(message).unwrap().0.connection
    }

    fn rest(queue: &mut LaterQueue) -> Vec<u32> {
        let rest = std::iter::from_fn(|| queue.pop()).map(|message| number(&message)).collect();
        assert!(queue.by_node.is_empty() && queue.by_connection.is_empty() && queue.messages.is_empty());
        rest
    }

    #[test]
    fn of_the_connects_of_a_node_the_newest_waits() {
        let mut queue = LaterQueue::default();
        let (first, _first) = request(1, 1, 5);
        let (other, _other) = request(2, 2, 5);
        let (second, _second) = request(1, 3, 6);
        let (repeated, _repeated) = request(1, 4, 6);
        assert!(queue.push(first).is_none() && queue.push(other).is_none());
        assert_eq!(queue.push(second).as_ref().map(number), Some(1), "it is replaced");
        assert_eq!(queue.push(repeated).as_ref().map(number), Some(4), "it does not wait");
        queue.forget_connect(connection(1));
        assert_eq!(rest(&mut queue), [2, 3]);
    }

    #[test]
    fn what_nobody_waits_for_is_dropped() {
        let mut queue = LaterQueue::default();
        let mut callers = Vec::new();
        for number in 1..=4 {
            let (message, caller) = request(u8::try_from(number).unwrap(), number, 1);
            assert!(queue.push(message).is_none());
            callers.push(caller);
        }
        queue.forget_connect(connection(1));
        drop(callers.remove(1));
        queue.forget_closed();
        assert_eq!(queue.messages.len(), 2);
        drop(callers.remove(1));
        // Another one of this node takes the place, whatever its nonce: nobody waits for the first.
        let (again, _again) = request(3, 5, 1);
        assert_eq!(queue.push(again).as_ref().map(number), Some(3));
        drop(callers.remove(1));
        assert_eq!(rest(&mut queue), [5], "the last one has gone meanwhile");
    }
}
