use std::{sync::Arc, time::SystemTime};

use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::{
    crypto::ring::sign::any_supported_type,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};

use super::{AcmeConfig, Certificate, Challenge, ORDER, PoolTls, TlsError, acme_client::AcmeClient};

/// Why the ACME server did not validate a name.
#[derive(Debug, thiserror::Error)]
enum ProofError {
    #[error(transparent)]
    Server(#[from] Error),
    #[error("the ACME server reports the status {0:?} for this name")]
    Authorization(AuthorizationStatus),
    #[error("the ACME server does not offer the TLS-ALPN-01 challenge")]
    NoChallenge,
    #[error("the ACME server asks for an identifier that is not a host name")]
    NotAHostName,
    #[error("the digest of the challenge is not 32 bytes long")]
    Digest,
    #[error("cannot answer the challenge for {name}: {why}")]
    Answer { name: String, why: String },
    /// The error that the server reported for a name.
    #[error("{0}")]
    Refused(String),
    #[error("the order has the status {0:?}")]
    Order(OrderStatus),
}

/// Orders a certificate, validates each of its names, and keeps it.
pub(super) async fn order(tls: &PoolTls, config: &AcmeConfig) -> Result<Certificate, TlsError> {
    let failed = |why: String| TlsError::Acme { directory: config.directory.clone(), why };
    let account = account(config).await?;
    let names: Vec<_> = config.hosts.iter().cloned().map(Identifier::Dns).collect();
    let ordered = account.new_order(&NewOrder::new(&names)).await;
    let mut order = ordered.map_err(|error| failed(error.to_string()))?;
    prove(tls, &mut order).await.map_err(|error| failed(error.to_string()))?;
    let retries = RetryPolicy::new().timeout(ORDER);
    let key = order.finalize().await.map_err(|error| failed(error.to_string()))?;
    let chain = order.poll_certificate(&retries).await.map_err(|error| failed(error.to_string()))?;
    config.keep_certificate(&chain, &key)?;
    let (certificate_file, key_file) = (config.certificate_file(), config.key_file());
    Certificate::parse((&certificate_file, chain.as_bytes()), (&key_file, key.as_bytes()), SystemTime::now())
}

/// Returns the account of an earlier run, or a new one.
async fn account(config: &AcmeConfig) -> Result<Account, TlsError> {
    let failed = |why: String| TlsError::Acme { directory: config.directory.clone(), why };
    let client = AcmeClient::new(&config.trust).map_err(|error| failed(error.to_string()))?;
    if let Some(kept) = config.kept_account().and_then(|kept| serde_json::from_str(&kept).ok()) {
        let account = Account::builder_with_http(Box::new(client.clone())).from_credentials(kept).await;
        match account {
            Ok(account) => return Ok(account),
            // The server no longer knows the account, or is unreachable; the latter fails again below.
            Err(error) => tracing::warn!(%error, "cannot use the stored ACME account"),
        }
    }
    let contact: Vec<String> = config.contact.iter().map(|mail| format!("mailto:{mail}")).collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let made = Account::builder_with_http(Box::new(client)).create(&new, config.directory.clone(), None).await;
    let (account, credentials) = made.map_err(|error| failed(error.to_string()))?;
    config.keep_account(&serde_json::to_string(&credentials).map_err(|error| failed(error.to_string()))?)?;
    Ok(account)
}

/// Answers the challenge for each name until the server has validated them all.
async fn prove(tls: &PoolTls, order: &mut Order) -> Result<(), ProofError> {
    let mut challenges = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let authorization = authorization?;
        match authorization.status {
            AuthorizationStatus::Pending => challenges.push(answer(tls, authorization).await?),
            AuthorizationStatus::Valid => {}
            other => return Err(ProofError::Authorization(other)),
        }
    }
    match order.poll_ready(&RetryPolicy::new().timeout(ORDER)).await? {
        OrderStatus::Ready => Ok(()),
        other => Err(refusal(order, other).await),
    }
}

async fn answer(tls: &PoolTls, mut authorization: AuthorizationHandle<'_>) -> Result<Challenge, ProofError> {
    let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
    let mut challenge = challenge.ok_or(ProofError::NoChallenge)?;
    let Identifier::Dns(name) = challenge.identifier().identifier.clone() else {
        return Err(ProofError::NotAHostName);
    };
    let key = challenge_certificate(&name, challenge.key_authorization().digest().as_ref());
    let shown = tls.challenge(name, key?);
    challenge.set_ready().await?;
    Ok(shown)
}

/// Returns the server's error for the name that it did not validate.
async fn refusal(order: &mut Order, status: OrderStatus) -> ProofError {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        if let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return ProofError::Refused(problem.to_string());
        }
    }
    ProofError::Order(status)
}

/// Returns a self-signed certificate with the digest (RFC 8737).
fn challenge_certificate(name: &str, digest: &[u8]) -> Result<Arc<CertifiedKey>, ProofError> {
    if digest.len() != 32 {
        return Err(ProofError::Digest);
    }
    let failed = |why: String| ProofError::Answer { name: name.to_owned(), why };
    let key = KeyPair::generate().map_err(|error| failed(error.to_string()))?;
    let mut params = CertificateParams::new([name.to_owned()]).map_err(|error| failed(error.to_string()))?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key).map_err(|error| failed(error.to_string()))?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = any_supported_type(&key).map_err(|error| failed(error.to_string()))?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key)))
}
