use rusqlite::{
    Connection, Result, ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};
use vipnode_pool_core::LeaseRow;
use vipnode_types::{Account, NodeId};

use super::{address_table, node_id_table};

/// A node or an account in a row: its number, or its `N` bytes if it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoredParty<const N: usize> {
    Number(i64),
    Bytes([u8; N]),
}

/// A node in a row.
pub(super) type StoredNode = StoredParty<64>;
/// An account in a row.
pub(super) type StoredAccount = StoredParty<20>;

impl<const N: usize> FromSql for StoredParty<N> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(number) => Ok(Self::Number(number)),
            other => FromSql::column_result(other).map(Self::Bytes),
        }
    }
}

impl<const N: usize> ToSql for StoredParty<N> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Number(number) => ToSqlOutput::from(*number),
            Self::Bytes(bytes) => ToSqlOutput::from(&bytes[..]),
        })
    }
}

impl StoredNode {
    const fn named(id: &NodeId) -> Self {
        Self::Bytes(*id.as_bytes())
    }

    /// By its number, if it has one.
    pub(super) fn known(connection: &Connection, id: &NodeId) -> Result<Self> {
        Ok(node_id_table::find(connection, id)?.map_or_else(|| Self::named(id), Self::Number))
    }
}

impl StoredAccount {
    const fn named(account: Account) -> Self {
        Self::Bytes(*account.as_bytes())
    }
}

/// The nodes and the accounts of a lease in a row.
pub(super) struct LeaseParties {
    pub(super) client: StoredNode,
    pub(super) host: StoredNode,
    pub(super) payee: Option<StoredAccount>,
    pub(super) payer: Option<StoredAccount>,
}

impl LeaseParties {
    /// By their bytes.
    pub(super) fn named(row: &LeaseRow) -> Self {
        let account = |account: Option<Account>| account.map(StoredAccount::named);
        let (client, host) = (StoredNode::named(&row.client), StoredNode::named(&row.host));
        Self { client, host, payee: account(row.payee), payer: account(row.payer) }
    }

    /// By their numbers; `None` if one of them has none.
    pub(super) fn known(connection: &Connection, row: &LeaseRow) -> Result<Option<Self>> {
        let node =
            |id| -> Result<Option<StoredNode>> { Ok(node_id_table::find(connection, id)?.map(StoredParty::Number)) };
        // An account that there is not needs no number.
        let account = |account: Option<Account>| -> Result<Option<Option<StoredAccount>>> {
            let number = account.map(|account| address_table::find(connection, account)).transpose()?;
            Ok(number.map_or(Some(None), |number| number.map(|number| Some(StoredParty::Number(number)))))
        };
        let (client, host) = (node(&row.client)?, node(&row.host)?);
        let (payee, payer) = (account(row.payee)?, account(row.payer)?);
        let parties = client.zip(host).zip(payee.zip(payer));
        Ok(parties.map(|((client, host), (payee, payer))| Self { client, host, payee, payer }))
    }

    /// By their numbers, which they get if they have none.
    pub(super) fn numbered(connection: &Connection, row: &LeaseRow) -> Result<Self> {
        let node = |id| node_id_table::number(connection, id).map(StoredParty::Number);
        let account = |account: Option<Account>| {
            account.map(|account| address_table::number(connection, account).map(StoredParty::Number)).transpose()
        };
        Ok(Self {
            client: node(&row.client)?,
            host: node(&row.host)?,
            payee: account(row.payee)?,
            payer: account(row.payer)?,
        })
    }
}
