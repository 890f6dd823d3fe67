use std::{io, path::PathBuf};

use vipnode_files::quoted_path;
use vipnode_types::errors;

errors! {
    /// Why a keystore file cannot be used or written.
    #[derive(Debug)]
    pub(crate) enum KeystoreError {
        /// The file does not exist, or this user does not have permission to read it.
        Read { path: PathBuf, error: io::Error }: local, "cannot read the keystore {path}: {error}" (path = path.display()),
            hint "Pass a keystore file that this user can read: --keystore FILE.";
        /// The file is not a wallet's keystore, or its version is not 3.
        Form { why: String }: local, "this is not a version 3 keystore: {why}",
            hint "Pass a keystore file that your wallet exported: --keystore FILE.";
        /// The parameters in the file would take too much memory or time.
        Costly { most_mib: u64 }: local,
            "decrypting this keystore would take more than {most_mib} MiB or more than a minute",
            hint "Export the key from your wallet again with its default settings.";
        /// The password is mistyped, or belongs to another keystore.
        Password: local, "the password of the keystore is wrong",
            hint "Check the password, or the file that you pass to --password-file.";
        /// The file does not exist, or this user does not have permission to read it.
        PasswordFile { path: PathBuf, error: io::Error }: local, "cannot read {path}: {error}" (path = path.display()),
            hint "Pass a file that this user can read: --password-file FILE.";
        /// Standard input is not a terminal, so vipnode cannot prompt for the password.
        NoPassword: local, "the keystore needs a password, and standard input is not a terminal",
            hint "Pass the password in a file: --password-file FILE.";
        /// The operating system reported an error while vipnode was reading the password.
        Terminal { error: io::Error }: local, "cannot read the password from the terminal: {error}",
            hint "Pass the password in a file: --password-file FILE.";
        /// vipnode does not create a keystore that anyone with access to the file could open.
        NoNewPassword: local, "the password of the new keystore is empty", hint "Choose a password.";
        /// The password of a new keystore was typed differently the second time.
        Mistyped: local, "the two passwords differ", hint "Run the command again, or pass --password-file FILE.";
        /// vipnode does not overwrite a keystore, because it may contain the only copy of a key.
        Exists { path: PathBuf }: local, "{path} already exists" (path = path.display()),
            hint "Pass the name of a new file: --out FILE.";
        /// The directory of a new keystore does not exist. It is not created, because its name may be mistyped.
        NoDirectory { dir: PathBuf }: local, "the directory {dir} does not exist" (dir = dir.display()),
            hint "Create it with `mkdir -p {dir}`, or pass a file in another directory: --out FILE." (dir = quoted_path(dir));
        /// The directory is not writable by this user, or its disk is full.
        Write { path: PathBuf, error: io::Error }: local, "cannot write {path}: {error}" (path = path.display()),
            hint "Pass a file in a directory that only this user can write to: --out FILE.";
        /// The user has no home directory for a new keystore.
        NoHome: local, "cannot determine the default keystore directory: this user has no home directory",
            hint "Pass a file: --out FILE.";
        /// Neither a keystore nor an account was given.
        NoSigner: local, "no account was given to sign for",
            hint "Pass the account's keystore with --keystore FILE, or its address with --account ADDRESS.";
        /// The agent of the local node has no delegation here.
        NoAgent { node: String }: local, "no agent on this machine can sign for node {node}",
            hint "Start the agent of the node once, or run `vipnode link`; if the agent uses --state-dir DIR, pass it \
                  here too.";
    }
}
