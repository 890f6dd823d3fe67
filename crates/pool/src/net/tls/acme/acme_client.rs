use std::{future::Future, pin::Pin, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::Request,
};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use reqwest::{Client, redirect::Policy};
use rustls::ClientConfig;
use vipnode_rpc::{CertificateProblem, Trust};

/// The most bytes of an answer; a longer one does not come from an ACME server.
const ANSWER_BYTES: usize = 1 << 20;
/// The time limit of a request.
const REQUEST: Duration = Duration::from_secs(30);

/// HTTP for ACME.
#[derive(Debug, Clone)]
pub(super) struct AcmeClient {
    client: Client,
    trust: Trust,
}

impl AcmeClient {
    pub(super) fn new(trust: &Trust) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(&trust.config()))
            .redirect(Policy::none())
            .timeout(REQUEST)
            .https_only(true)
            .build()?;
        Ok(Self { client, trust: trust.clone() })
    }

    async fn exchange(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(Body::new(body), ANSWER_BYTES).await.map_err(|error| Error::Other(error.into()))?;
        let sending = self.client.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
        let mut response = sending.send().await.map_err(|error| self.explained(&error))?;
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.explained(&error))? {
            if answer.len().saturating_add(chunk.len()) > ANSWER_BYTES {
                return Err(Error::Other(format!("the answer has more than {ANSWER_BYTES} bytes").into()));
            }
            answer.extend_from_slice(&chunk);
        }
        let (mut head, ()) = axum::http::Response::new(()).into_parts();
        head.status = response.status();
        head.headers = response.headers().clone();
        Ok(BytesResponse { parts: head, body: Box::new(Bytes::from(answer)) })
    }

    /// Returns an error of a request with its innermost cause, which names the problem.
    fn explained(&self, error: &reqwest::Error) -> Error {
        let mut cause: &dyn std::error::Error = error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        let fault = CertificateProblem::within(error, &self.trust);
        let words =
            fault.map_or_else(|| format!("the ACME server cannot be reached: {cause}"), |fault| fault.to_string());
        Error::Other(words.into())
    }
}

impl HttpClient for AcmeClient {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        Box::pin(self.clone().exchange(request))
    }
}
