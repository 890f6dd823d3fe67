use std::{
    io::{self, ErrorKind},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Client, Response, Url,
    header::{ACCEPT_ENCODING, CONTENT_TYPE},
    redirect::Policy,
};
use rustls::ClientConfig;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::{address, http_refusal::HttpRefusal};
use crate::{CallError, CertificateProblem, Connection, ConnectionEvent, OpenError, RpcLimits, Trust};

/// JSON-RPC over HTTP POST: it can call and is not called.
#[derive(Debug, Clone)]
pub struct HttpRpc {
    /// The client, and what it trusts.
    client: Arc<Mutex<(Client, Arc<ClientConfig>)>>,
    url: Url,
    body_bytes: usize,
    trust: Trust,
    open: Duration,
    /// The address that the newest answer came from.
    remote: Arc<Mutex<Option<IpAddr>>>,
}

/// A connection that was idle for longer is not used again. Servers close theirs after 5 s (node.js) or later, and a call that
/// meets the close would be lost.
const IDLE: Duration = Duration::from_secs(4);

/// A client for JSON-RPC over HTTP. Nothing is connected until the first call.
///
/// # Errors
/// [`OpenError::Address`], [`OpenError::Insecure`], [`OpenError::Unreachable`].
pub fn http(url: &str, limits: &RpcLimits) -> Result<HttpRpc, OpenError> {
    let checked = address::checked(url, false, limits.trust.plain())?;
    let config = limits.trust.config();
    let client = client(&config, limits.open).map_err(|error| OpenError::Unreachable {
        address: url.to_owned(),
        kind: ErrorKind::Other,
        why: error.to_string(),
    })?;
    Ok(HttpRpc {
        client: Arc::new(Mutex::new((client, config))),
        url: checked.url().clone(),
        body_bytes: limits.frame_bytes,
        trust: limits.trust.clone(),
        open: limits.open,
        remote: Arc::default(),
    })
}

/// A client for one server, whose connections may take this long to open.
fn client(config: &ClientConfig, open: Duration) -> reqwest::Result<Client> {
    Client::builder()
        .tls_backend_preconfigured(config.clone())
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(open)
        .pool_max_idle_per_host(4)
        .pool_idle_timeout(IDLE)
        .build()
}

impl HttpRpc {
    /// Calls a method with params that are already serialized, as signatures require, and waits for its answer, at most
    /// for `deadline`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call_raw(
        &self,
        method: &str,
        params: Box<RawValue>,
        deadline: Duration,
    ) -> Result<Box<RawValue>, CallError> {
        timeout(deadline, self.exchange(method, &params)).await.unwrap_or(Err(CallError::Expired))
    }

    /// Returns the address that the newest answer came from; `None` before the first.
    #[must_use]
    pub fn remote(&self) -> Option<IpAddr> {
        *self.remote.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(&self, method: &str, params: &RawValue) -> Result<Box<RawValue>, CallError> {
        let mut wire = Connection::new(&RpcLimits::default());
        let (_, body) = wire.call(method, params, ()).map_err(|_full| CallError::Full)?;
        let request = self.client().post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        // Packing costs a node on this machine more than it saves. A proxy that packs all the same is understood.
        let request = request.header(ACCEPT_ENCODING, "identity").body(body);
        let mut response = request.send().await.map_err(|error| self.lost(&error))?;
        let remote = response.remote_addr().map(|remote| remote.ip());
        *self.remote.lock().unwrap_or_else(PoisonError::into_inner) = remote;
        let mut refusal = HttpRefusal::new(&self.url, response.status(), response.headers());
        let body = self.read_body(&mut response).await?;
        for event in wire.read(&body) {
            match event {
                // A proxy that redirects or asks for a password is not the server, whatever it answers.
                ConnectionEvent::Answer { result: Ok(_), .. } if !refusal.is_success() => break,
                ConnectionEvent::Answer { result, .. } => return result.map_err(CallError::Remote),
                _ => {}
            }
        }
        refusal.read_body(&body);
        match refusal.is_success() {
            true => Err(CallError::Json { why: "the answer is not a JSON-RPC answer to this call".to_owned() }),
            false => Err(refusal.into_error(self.url.as_str()).into()),
        }
    }

    /// Returns the client, a new one if what it trusts was read again since.
    fn client(&self) -> Client {
        let config = self.trust.config();
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        // The same settings with other authorities can be used as well.
        if !Arc::ptr_eq(&kept.1, &config)
            && let Ok(newer) = client(&config, self.open)
        {
            *kept = (newer, config);
        }
        kept.0.clone()
    }

    async fn read_body(&self, response: &mut Response) -> Result<String, CallError> {
        let limit = self.body_bytes;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(&error))? {
            if body.len().saturating_add(chunk.len()) > limit {
                return Err(CallError::TooLarge { bytes: limit });
            }
            body.extend_from_slice(&chunk);
        }
        String::from_utf8(body).map_err(|_| CallError::Json { why: "the answer is not UTF-8".to_owned() })
    }

    /// The cause at the bottom is what a user can act on; reqwest's own message only names the layer.
    fn lost(&self, error: &reqwest::Error) -> CallError {
        if let Some(fault) = CertificateProblem::within(error, &self.trust) {
            return OpenError::of_tls(self.url.to_string(), fault).into();
        }
        let mut cause: &dyn std::error::Error = error;
        let mut kind = ErrorKind::Other;
        while let Some(next) = cause.source() {
            cause = next;
            kind = cause.downcast_ref::<io::Error>().map_or(kind, io::Error::kind);
        }
        OpenError::Unreachable { address: self.url.to_string(), kind, why: cause.to_string() }.into()
    }
}
