use rusqlite::{Connection, Result};
use vipnode_types::{Account, NodeId};

use super::{
    columns::Columns,
    stored_party::{StoredAccount, StoredNode, StoredParty},
};

/// What the numbers of nodes and accounts in rows stand for.
pub(super) enum StoredNames {
    /// The query returns IDs and addresses.
    Joined,
    /// All names, by number: a start reads millions of rows, and a search for each would take seconds.
    All {
        /// From number 1 on.
        nodes: Vec<NodeId>,
        /// From number 2 on.
        addresses: Vec<Account>,
    },
}

impl StoredNames {
    /// Reads all names.
    pub(super) fn read(connection: &Connection) -> Result<Self> {
        let (mut nodes, mut addresses) = (Vec::new(), Vec::new());
        read_into(connection, "SELECT number, id FROM node_ids ORDER BY number", 1, &mut nodes, NodeId::new)?;
        read_into(
            connection,
            "SELECT number, address FROM addresses ORDER BY number",
            2,
            &mut addresses,
            Account::new,
        )?;
        Ok(Self::All { nodes, addresses })
    }

    /// Reads the next column: a node.
    pub(super) fn id(&self, columns: &mut Columns<'_, '_>) -> Result<NodeId> {
        match self {
            Self::Joined => columns.id(),
            Self::All { .. } => self.node(columns.get()?).ok_or_else(|| columns.invalid("the number of a node")),
        }
    }

    /// The ID of a node; `None` if the number is not known.
    pub(super) fn node(&self, node: StoredNode) -> Option<NodeId> {
        match (node, self) {
            (StoredParty::Bytes(id), _) => Some(NodeId::new(id)),
            (StoredParty::Number(number), Self::All { nodes, .. }) => at(nodes, number, 1),
            (StoredParty::Number(_), Self::Joined) => None,
        }
    }

    /// Reads the next column: an account, or none.
    pub(super) fn account(&self, columns: &mut Columns<'_, '_>) -> Result<Option<Account>> {
        let Self::All { addresses, .. } = self else { return columns.account() };
        match columns.get::<Option<StoredAccount>>()? {
            None => Ok(None),
            Some(StoredParty::Bytes(address)) => Ok(Some(Account::new(address))),
            Some(StoredParty::Number(number)) => {
                at(addresses, number, 2).map(Some).ok_or_else(|| columns.invalid("the number of an account"))
            }
        }
    }
}

fn at<T: Copy>(names: &[T], number: i64, first: i64) -> Option<T> {
    usize::try_from(number.checked_sub(first)?).ok().and_then(|index| names.get(index)).copied()
}

/// Reads names whose numbers have no gaps.
fn read_into<T, const N: usize>(
    connection: &Connection,
    sql: &str,
    first: i64,
    names: &mut Vec<T>,
    name: fn([u8; N]) -> T,
) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut next = first;
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        if columns.get::<i64>()? != next {
            return Err(columns.invalid("a number without a gap"));
        }
        names.push(name(columns.get()?));
        next = next.saturating_add(1);
    }
    Ok(())
}
