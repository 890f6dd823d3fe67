use vipnode_pool_core::{AddressBlock, Command, ConnectionId};

use crate::engine::inbox::CoreMessage;

/// In which address block's queue the messages about each connection wait: that of the address from which it first
/// presented a node. All of one connection are in one queue, also where an agent calls over HTTP from several addresses.
/// The members of a closed pool have one queue, in which only messages of members wait.
#[derive(Debug, Default)]
pub(super) struct ConnectionBlocks {
    /// By the number of the connection; with its generation. As long as the table of connections.
    blocks: Vec<Option<(u32, AddressBlock)>>,
    members_only: bool,
}

impl ConnectionBlocks {
    /// The members of a closed pool have one queue.
    pub(super) const fn set_members_only(&mut self, members_only: bool) {
        self.members_only = members_only;
    }

    /// The block in whose queue those of a block wait.
    pub(super) const fn queue_of(&self, block: AddressBlock) -> AddressBlock {
        if self.members_only { AddressBlock::ALL } else { block }
    }

    /// The queue in which a message waits; `None` for what the pool itself has for the core.
    pub(super) fn block_of(&mut self, message: &CoreMessage) -> Option<AddressBlock> {
        let connection = match message {
            // The first of these present no node, so they do not decide where the messages about their connections wait.
            CoreMessage::Request { command, .. } | CoreMessage::OneWay(command) => match command {
                // The pool knows that a member signed it.
                Command::CheckConnect { address, .. } => return Some(self.queue_of(AddressBlock::of(*address))),
                // A stranger may have signed these, in a closed pool too: a third of the permits for them could wait before
                // each report of a member.
                Command::Link { address, .. } | Command::Payout { address, .. } | Command::Account { address, .. } => {
                    return Some(AddressBlock::of(*address));
                }
                command => connection(command)?,
            },
            CoreMessage::CallDone { connection, .. } | CoreMessage::Barrier { connection, .. } => {
                Target { connection: *connection, address: None }
            }
            CoreMessage::Committed(_)
            | CoreMessage::CommitFailed { .. }
            | CoreMessage::Reload { .. }
            | CoreMessage::Work(_)
            | CoreMessage::Probe(_)
            | CoreMessage::Operator(_)
            | CoreMessage::Stop => return None,
        };
        let block = self.of(&connection);
        Some(self.queue_of(block))
    }

    fn of(&mut self, target: &Target) -> AddressBlock {
        let ConnectionId { connection, generation, .. } = target.connection;
        let at = connection as usize;
        if let Some(Some((known, block))) = self.blocks.get(at)
            && *known == generation
        {
            return *block;
        }
        // Without an address it is about a connection that is gone, or never presented a node.
        let Some(block) = target.address else { return AddressBlock::ALL };
        if self.blocks.len() <= at {
            self.blocks.resize(at.saturating_add(1), None);
        }
        if let Some(entry) = self.blocks.get_mut(at) {
            *entry = Some((generation, block));
        }
        block
    }
}

/// The connection that a message is about, and where it comes from if the message carries that.
struct Target {
    connection: ConnectionId,
    address: Option<AddressBlock>,
}

/// `None` for commands of the pool itself.
fn connection(command: &Command) -> Option<Target> {
    let (connection, address) = match command {
        Command::Connect { connection, address, .. } | Command::Protocol2 { connection, address, .. } => {
            (*connection, Some(AddressBlock::of(*address)))
        }
        Command::Report { connection, .. }
        | Command::Ask { connection, .. }
        | Command::Explain { connection, .. }
        | Command::Leave { connection, .. }
        | Command::Funds { connection, .. }
        | Command::Voucher { connection, .. }
        | Command::Bye { connection, .. }
        | Command::Latency { connection, .. }
        | Command::Disconnected { connection } => (*connection, None),
        Command::CheckConnect { .. }
        | Command::Link { .. }
        | Command::Payout { .. }
        | Command::Account { .. }
        | Command::Status { .. }
        | Command::CallDone { .. }
        | Command::Ledger { .. }
        | Command::Price { .. }
        | Command::Epoch { .. }
        | Command::Chain(_)
        | Command::Expel { .. }
        | Command::Tick => return None,
    };
    Some(Target { connection, address })
}
