//! HTTP through reqwest, with rustls.

use std::{error::Error, net::IpAddr, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use reqwest::{Client, ClientBuilder, Request, redirect::Policy};
use syftbox_core::platform::{Body, BoxFuture, HttpClient, HttpError};

/// How long a connection may take. A name often has several addresses, and a dead one shouldn't use
/// up the time that the Drive client gives a request.
const CONNECT: Duration = Duration::from_secs(20);

/// Sends requests over kept connections. Proxies are those of the environment, but none for this
/// machine itself.
pub struct ReqwestClient {
    outside: Client,
    this_machine: Client,
}

impl ReqwestClient {
    /// A client with the system's certificates.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new() -> Result<Self, HttpError> {
        // Fails only when a provider is there already, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |change: fn(ClientBuilder) -> ClientBuilder| {
            let builder = Client::builder()
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(CONNECT)
                .user_agent(concat!("syftbox/", env!("CARGO_PKG_VERSION")));
            change(builder).build().map_err(|error| told(&error))
        };
        Ok(Self { outside: client(|builder| builder)?, this_machine: client(ClientBuilder::no_proxy)? })
    }
}

impl HttpClient for ReqwestClient {
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Body>, HttpError>> {
        Box::pin(async move {
            let request = Request::try_from(request).map_err(|error| told(&error))?;
            let client = if is_this_machine(&request) { &self.this_machine } else { &self.outside };
            let answer = client.execute(request).await.map_err(|error| told(&error.without_url()))?;
            let mut head = http::Response::new(());
            *head.status_mut() = answer.status();
            *head.headers_mut() = answer.headers().clone();
            let body = answer.bytes_stream().map_err(|error| told(&error.without_url())).boxed();
            Ok(head.map(|()| body as Body))
        })
    }
}

fn is_this_machine(request: &Request) -> bool {
    let host = request.url().host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// An error with its causes; reqwest's own text names only the outermost.
fn told(error: &reqwest::Error) -> HttpError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    HttpError::new(text)
}
