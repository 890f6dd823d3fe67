use std::{io, net::IpAddr, path::PathBuf};

use vipnode_types::errors;

errors! {
    /// Why a pool's certificate cannot be used.
    #[derive(Debug)]
    pub enum TlsError {
        /// The file does not exist, or the pool's user does not have permission to read it.
        File {
            /// Path of the certificate or key.
            path: PathBuf,
            /// The error of the system.
            why: io::Error,
        }: local, "{path} cannot be read: {why}" (path = path.display()),
            hint "Give the user that runs the pool read access, or pass other files: --tls-cert FILE --tls-key FILE.";
        /// The pool's user does not have permission to write to the directory, or its disk is full.
        Write {
            /// Path of the certificate or key.
            path: PathBuf,
            /// The error of the system.
            why: io::Error,
        }: local, "{path} cannot be written: {why}" (path = path.display()),
            hint "Pass a directory that the pool can write to: --tls-cache DIR.";
        /// A file does not contain a valid certificate or key.
        Content {
            /// Path of the certificate or key.
            path: PathBuf,
            /// What is wrong.
            why: String,
        }: local, "{path} cannot be used: {why}" (path = path.display()),
            hint "Pass the certificate and its intermediates as PEM (--tls-cert), and its key as PEM without a password \
                  (--tls-key).";
        /// The two files belong to different certificates, for example because only one of them was renewed.
        Mismatch {
            /// The file of the certificate.
            certificate: PathBuf,
            /// The file of the key.
            key: PathBuf,
        }: local, "the key in {key} does not belong to the certificate in {certificate}"
                (key = key.display(), certificate = certificate.display()),
            hint "Pass both files of one certificate: --tls-cert FILE --tls-key FILE.";
        /// The certificate in --tls-cert is the certificate of a CA.
        Authority {
            /// The file of the certificate.
            certificate: PathBuf,
            /// The file of the key.
            key: PathBuf,
            /// Host names and addresses at which agents reach the pool.
            names: Vec<String>,
        }: local, "the certificate in {certificate} is a CA certificate, which agents do not accept from a server"
                (certificate = certificate.display()),
            hint "Issue a server certificate from it: `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                  -keyout server.key -out server.csr -subj /CN=pool -addext subjectAltName={names} && openssl \
                  x509 -req -in server.csr -CA {certificate} -CAkey {key} -CAcreateserial -days 365 -copy_extensions copy \
                  -out server.pem`. Then pass --tls-cert server.pem --tls-key server.key here, copy {certificate} to the machine of \
                  each agent, and pass the copy there with --tls-ca. Or let the pool do it: --tls internal."
                (certificate = certificate.display(), key = key.display(), names = subject_alt_names(names));
        /// The certificate was not renewed in time, or this machine's clock is wrong.
        Expired {
            /// Path of the certificate or key.
            path: PathBuf,
            /// When it expired, RFC 3339.
            at: String,
        }: local, "the certificate in {path} expired at {at}" (path = path.display()),
            hint "Renew the certificate; if this machine's clock is wrong, set it (timedatectl).";
        /// The name is not a host name, or contains a port or a scheme.
        Name {
            /// The name that no certificate can be issued for.
            name: String,
        }: local, "{name:?} is not a valid host name for a certificate",
            hint "Pass a name such as pool.example.org, without a port or a scheme: --tls-host NAME.";
        /// The certificate is obtained through ACME, so the pool has nothing to reload.
        NoFiles: local, "the certificate is managed by ACME and renewed automatically",
            no_hint "no action is needed";
        /// The directory of the pool's own CA cannot be used.
        CaDir {
            /// Path of the directory.
            dir: PathBuf,
            /// The error of the system.
            why: io::Error,
        }: local, "{dir} cannot hold the pool's CA: {why}" (dir = dir.display()),
            hint "Pass a directory that only this user can write to: --datadir DIR.";
        /// A file of the pool's own CA cannot be read.
        CaRead {
            /// Path of the CA's key or certificate.
            path: PathBuf,
            /// The error of the system.
            why: io::Error,
        }: local, "{path} cannot be read: {why}" (path = path.display()),
            hint "Restore the file from a backup. Agents do not trust a pool with a different CA.";
        /// A file of the pool's own CA cannot be written.
        CaWrite {
            /// Path of the CA's key or certificate.
            path: PathBuf,
            /// The error of the system.
            why: io::Error,
        }: local, "{path} cannot be written: {why}" (path = path.display()),
            hint "Pass a directory that this user can write to: --datadir DIR.";
        /// The key file of the pool's own CA does not contain a key.
        CaKey {
            /// Path of the CA's key.
            path: PathBuf,
            /// What is wrong.
            why: String,
        }: local, "{path} is not a key: {why}" (path = path.display()),
            hint "Restore the file from a backup. To create a new CA instead, remove {path}, start the pool again, and copy the \
                  new ca.pem to the agents' machines."
                (path = path.display());
        /// The certificate of the pool's own CA belongs to a different key.
        OtherCa {
            /// Path of the CA's certificate.
            certificate: PathBuf,
            /// Path of the CA's key.
            key: PathBuf,
        }: local, "{certificate} does not belong to the key in {key}"
                (certificate = certificate.display(), key = key.display()),
            hint "Restore both files from a backup, or remove {certificate}: the pool creates it again at the next \
                  start. Agents then need the new file (--tls-ca)."
                (certificate = certificate.display());
        /// The TLS library rejected the settings.
        Library {
            /// The error of the library.
            why: String,
        }: local, "TLS cannot be set up: {why}", hint "Report this as a bug.";
        /// The ACME server rejected the request or cannot be reached.
        Acme {
            /// The URL of the directory.
            directory: String,
            /// The error of the server, or why it cannot be reached.
            why: String,
        }: local, "cannot get a certificate from {directory}: {why}",
            hint "Make the name resolve to this machine, and forward its port 443 to the pool's port. The pool keeps trying.";
    }
}

impl TlsError {
    /// Adds the host names and addresses at which agents reach the pool, for the commands that issue a certificate.
    #[must_use]
    pub fn with_names(mut self, wanted: Vec<String>) -> Self {
        if let Self::Authority { names, .. } = &mut self {
            for name in wanted {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        self
    }
}

/// As `openssl` takes them.
fn subject_alt_names(names: &[String]) -> String {
    let typed = |name: &String| format!("{}:{name}", if name.parse::<IpAddr>().is_ok() { "IP" } else { "DNS" });
    match names {
        [] => "DNS:pool.example.org".to_owned(),
        names => names.iter().map(typed).collect::<Vec<_>>().join(","),
    }
}
