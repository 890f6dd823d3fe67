use std::path::PathBuf;

use vipnode_files::quoted_path;
use vipnode_types::{Asset, LeaseId, PoolId, errors};

errors! {
    /// Why a call of a store failed. A failed call has changed nothing.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum StoreError {
        /// The pool core tried to overwrite a billing period with a different value. This is a bug in the pool core. Do
        /// not
        /// bill anything until the cause is known.
        Conflict {
            /// ID of the lease whose row is written again.
            lease: LeaseId,
            /// The number of the row.
            row: u32,
        }: local, "billing period {row} of lease {lease} is already stored with a different value",
            hint "Keep a copy of the store, and report this as a bug.";
        /// The pool core tried to overwrite an entry of the ledger with a different value. This is a bug in the pool
        /// core. Do not
        /// pay anyone until the cause is known.
        EntryConflict {
            /// The number of the entry.
            number: u64,
        }: local, "entry {number} of the ledger is already stored with a different value",
            hint "Keep a copy of the store, and report this as a bug.";
        /// The storage device does not respond or is full. The same call may succeed later.
        Unavailable {
            /// The error of the system.
            why: String,
        }: local, "the store does not respond: {why}", hint "Check the disk, then start the pool again.";
        /// The path is not a directory, or this user does not have permission to create or use it.
        Directory {
            /// Path of the data directory.
            dir: PathBuf,
            /// The error of the system.
            why: String,
        }: local, "cannot use the directory {dir}: {why}" (dir = dir.display()),
            hint "Pass a directory that this user can create and write to: --datadir DIR.";
        /// The disk is full. The pool continues as soon as there is space.
        Full {
            /// Path of the database.
            file: PathBuf,
        }: local, "no space is left on the disk that holds {file}" (file = file.display()),
            hint "Free space on the disk that holds {file}." (file = file.display());
        /// The permissions of the database or of its directory do not allow this user to write.
        ReadOnly {
            /// Path of the database.
            file: PathBuf,
        }: local, "{file} cannot be written" (file = file.display()),
            hint "Make {file} and its directory writable by this user, or pass another directory: --datadir DIR."
                (file = file.display());
        /// The database of a stopped pool is on a read-only file system, and its log has to be read too.
        ReadOnlyDisk {
            /// Path of the database.
            file: PathBuf,
        }: local, "{file} is on a read-only file system, where its log (pool.db-wal) cannot be read" (file = file.display()),
            hint "Copy pool.db, pool.db-wal, and acknowledged to a directory that this user can write to, and pass it: --datadir DIR.";
        /// Something other than a regular file has the name of one of the database's files. Opening it could block the
        /// pool.
        NotFile {
            /// Path of what is not a file.
            file: PathBuf,
        }: local, "{file} is not a regular file" (file = file.display()),
            hint "Pass the directory of the database (--datadir DIR), or a file that is a database. If it is in a data directory, move it to another directory.";
        /// The directory does not exist, or this user does not have permission to read it.
        Unreadable {
            /// Path of the data directory.
            dir: PathBuf,
            /// The error of the system.
            why: String,
        }: local, "cannot read the directory {dir}: {why}" (dir = dir.display()),
            hint "Pass the data directory that the pool prints at startup (--datadir DIR), and run the command as the pool's user.";
        /// The file is the database of a data directory, not a copy made by `vipnode pool backup`.
        HasLog {
            /// Path of the database.
            file: PathBuf,
        }: local, "{file} is not a backup: it has a log, {file}-wal" (file = file.display()),
            hint "Pass the data directory instead: --datadir DIR.";
        /// The file does not exist, or this user does not have permission to read it.
        NoBackup {
            /// Path of the backup.
            file: PathBuf,
            /// The error of the system.
            why: String,
        }: local, "cannot read the backup {file}: {why}" (file = file.display()),
            hint "Pass a file that `vipnode pool backup` wrote and that this user can read.";
        /// Another program, such as a database shell, has the database open and prevents changes.
        Locked {
            /// Path of the database.
            file: PathBuf,
        }: local, "another program has locked the database {file}" (file = file.display()),
            hint "Close the other program. `fuser {file}` shows which programs have the file open." (file = file.display());
        /// The file belongs to another program, or is not a database.
        Foreign {
            /// Path of the file.
            file: PathBuf,
        }: local, "{file} is not the database of a pool" (file = file.display()),
            hint "Restore a backup of {file}, or pass another directory: --datadir DIR." (file = file.display());
        /// vipnode was downgraded after a newer version had changed the format of the database.
        NewerSchema {
            /// Path of the database.
            file: PathBuf,
            /// The version of its schema.
            found: usize,
            /// The newest version that this program knows.
            newest: usize,
        }: local, "{file} was written by a newer version of vipnode: its schema has version {found}, this vipnode supports {newest}"
            (file = file.display()),
            hint "Run the newer vipnode again, or restore a backup from before the upgrade.";
        /// The database was written by an older version of vipnode, and has to be converted before it can be read.
        /// Starting the pool
        /// converts it, and so does restoring it.
        OlderSchema {
            /// Path of the database.
            file: PathBuf,
            /// The version of its schema.
            found: usize,
            /// The version that this program reads.
            newest: usize,
        }: local, "{file} was written by an older version of vipnode: its schema has version {found}, this vipnode reads {newest}"
            (file = file.display()),
            hint "Start the pool once to convert {file}. If it is a backup, restore it: `vipnode pool restore {file}`." (file = file.display());
        /// The database contains less than the pool acknowledged: its log was truncated, or an older file was put in
        /// its place.
        LostCommits {
            /// Path of the file `acknowledged`.
            file: PathBuf,
            /// How many commits are missing.
            lost: u64,
        }: local, "the last {lost} commits are missing from the database: its log (pool.db-wal) was damaged or removed, or \
                  an older file was put in its place",
            hint "Put the newest pool.db and pool.db-wal back. To continue without those commits, delete {file}."
                (file = file.display());
        /// The database is missing or empty, but its log or the `acknowledged` file exists.
        LostDatabase {
            /// Path where the database was.
            file: PathBuf,
        }: local, "the database {file} is missing or empty, but the pool has had a database here" (file = file.display()),
            hint "Put {file} back; its log (pool.db-wal) is kept. To start with an empty database instead, move pool.db-wal and \
                  acknowledged elsewhere."
                (file = file.display());
        /// A restore was killed while it renamed the files of the database that it replaces.
        RestoreKilled {
            /// Path of the data directory.
            dir: PathBuf,
        }: local, "a restore of the database in {dir} was killed before it was complete" (dir = dir.display()),
            hint "Repeat it: `vipnode pool restore FILE --datadir {dir} --force`." (dir = dir.display());
        /// The database belongs to a user who is neither root nor the owner of its directory.
        OfAnother {
            /// Path of the database.
            file: PathBuf,
        }: local, "the database {file} and its directory belong to different users" (file = file.display()),
            hint "If you trust the database, run `chown --reference=DIR {file}` with the directory for DIR." (file = quoted_path(file));
        /// The database of a running pool was removed or replaced. The pool writes to the removed file, which is lost
        /// when it
        /// stops.
        Removed {
            /// Path where the database was.
            file: PathBuf,
        }: local, "the database {file} was removed or replaced while the pool was running" (file = file.display()),
            hint "Before you stop the pool, copy its open files from /proc/PID/fd (pool.db, pool.db-wal). If the file was moved, \
                  move it back.";
        /// No pool has run with this data directory.
        NoDatabase {
            /// Path where it would be.
            file: PathBuf,
        }: local, "the database {file} does not exist" (file = file.display()),
            hint "Pass the data directory that the pool prints at startup: --datadir DIR.";
        /// The directory does not exist or is not writable by this user, or its disk is full.
        Backup {
            /// Path of the backup.
            file: PathBuf,
            /// The error of the system.
            why: String,
        }: local, "cannot write the backup {file}: {why}" (file = file.display()),
            hint "Pass a new file in a directory that this user can write to.";
        /// vipnode does not prune a database that has a problem, because the remaining entries could no longer be
        /// verified.
        Unverified {
            /// Path of the database.
            file: PathBuf,
            /// The first problem.
            problem: String,
        }: local, "{file} has a problem: {problem}" (file = file.display()),
            hint "Run `vipnode pool verify` to list all problems.";
        /// The directory does not exist or is not writable by this user, or its disk is full.
        PruneFile {
            /// Path of the file.
            file: PathBuf,
            /// The error of the system.
            why: String,
        }: local, "cannot write the removed entries to {file}: {why}" (file = file.display()),
            hint "Pass a new file in a directory that this user can write to: --to FILE.";
        /// The data directory contains a database, which a restore would replace.
        HasDatabase {
            /// Path of the database.
            file: PathBuf,
            /// What only the database has; empty if that is nothing, or if it cannot be read.
            loss: String,
        }: local, "the database {file} already exists{loss}" (file = file.display()),
            hint "Pass --force to restore the backup and keep the current database under another name.";
        /// The backup and the data directory belong to different pools. That pool's leases, accounts, and payouts would
        /// become
        /// those of this one, and agents would not accept the pool under its ID.
        OtherPool {
            /// Path of the backup.
            file: PathBuf,
            /// The ID of the pool that wrote it.
            found: PoolId,
            /// The ID of the pool in the data directory.
            expected: PoolId,
        }: local, "{file} is a backup of another pool, with the ID {found}; the pool in the data directory has the ID {expected}"
            (file = file.display()),
            hint "Pass the --datadir DIR of the pool that wrote the backup. To restore it here, pass --allow-other-pool.";
        /// The pool that wrote the backup charged in a different asset from the one in the data directory.
        OtherAsset {
            /// Path of the backup.
            file: PathBuf,
            /// What that pool charged in.
            found: Asset,
            /// What the pool in the data directory charges in.
            expected: Asset,
        }: local, "{file} is a backup of a pool that charges in {found}; the pool in the data directory charges in {expected}"
            (file = file.display()),
            hint "Pass the --datadir DIR of the pool that wrote the backup. To restore it here, pass --allow-other-pool.";
        /// The directory contains files of a version of vipnode that did not use a database.
        FormerFiles {
            /// Path of one of the files.
            file: PathBuf,
        }: local, "{file} was written by an earlier version of vipnode and is no longer supported" (file = file.display()),
            hint "Delete the files named nodes, times, and delegations in the same directory as {file}. The pool then \
                  rebuilds its list of nodes as they reconnect."
                (file = file.display());
        /// The database is damaged, or another program has changed it.
        Corrupt {
            /// What is not valid.
            why: String,
        }: local, "the store contains data that vipnode did not write: {why}", hint "Restore a backup of the store.";
        /// A file is damaged. The store does not change it.
        Damaged {
            /// Path of the damaged file.
            file: PathBuf,
            /// The number of the line, counted from 1.
            line: usize,
            /// What is wrong there.
            what: String,
        }: local, "{file} is damaged at line {line}: {what}" (file = file.display()),
            hint "Restore a backup of {file}, or move the file elsewhere to start without its content."
                (file = file.display());
        /// A read of the store took too long and was canceled to keep the store's log from growing.
        ReadTime {
            /// The time limit.
            limit_ms: u128,
        }: local, "the read took longer than {limit_ms} ms", hint "Read a shorter time range, or try again in a moment.";
        /// The store's log cannot shrink while a read is in progress.
        ReadCanceled: local, "the read was canceled because the store's log has grown too large",
            hint "Try again in a moment.";
        /// Many callers are reading from the store at the same time.
        TooManyReads {
            /// How many it allows.
            most: usize,
        }: local, "{most} reads of the store are in progress", hint "Try again in a moment.";
        /// The caller asks for a later page of the statement of an account, without the balances at the end of the
        /// previous page.
        CursorBalances: local, "range.after does not contain the balances of the account",
            hint "Pass the complete `next` value of the previous page.";
        /// Entries after the previous page were removed from the ledger, or billing periods on it were folded into
        /// later ones. The pages
        /// would not add up.
        CursorPruned: local, "the ledger was pruned or folded after the previous page was read",
            hint "Read the statement from its first page again.";
        /// The pool has accepted the change but has not finished writing it to the disk.
        NotDurable {
            /// The number of the batch.
            written: u64,
        }: local, "change {written} is not durable yet", hint "Try again in a moment.";
        /// Another pool has the directory open.
        InUse {
            /// Path of the data directory.
            dir: PathBuf,
        }: local, "the data directory {dir} is in use by another `vipnode pool` process" (dir = dir.display()),
            hint "Stop that process, or pass another directory: --datadir DIR.";
    }
}
