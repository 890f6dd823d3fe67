use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::StoreError;

/// Returns an error of the database by its kind: what the operator can do about it differs.
pub(super) fn store_error(error: &Error, file: &Path) -> StoreError {
    let file = file.to_owned();
    let why = || format!("{}: {error}", file.display());
    match error {
        Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => StoreError::Full { file },
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly { file },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Locked { file },
            ErrorCode::NotADatabase => StoreError::Foreign { file },
            ErrorCode::DatabaseCorrupt => StoreError::Corrupt { why: why() },
            _ => StoreError::Unavailable { why: why() },
        },
        // The database works, but a row is not as this program writes it.
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..)
        | Error::QueryReturnedNoRows
        | Error::SqlInputError { .. } => StoreError::Corrupt { why: why() },
        _ => StoreError::Unavailable { why: why() },
    }
}
