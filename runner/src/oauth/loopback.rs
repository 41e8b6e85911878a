//! Where the browser comes back to after the login: a port of this machine, open for one answer.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};
use url::Url;

use super::OAuthError;

/// The longest request that is read.
const MAX_REQUEST: usize = 16 * 1024;
/// How long one connection may take. Browsers open some that they never use.
const CONNECTION: Duration = Duration::from_secs(20);
/// How long a browser may take to read the page.
const PAGE: Duration = Duration::from_secs(2);
/// Connections at once. More come only from somebody who means harm.
const MAX_CONNECTIONS: usize = 32;

/// An open port.
pub(super) struct Loopback {
    listener: TcpListener,
    address: Url,
}

/// What the browser brought.
type Outcome = Result<String, OAuthError>;

impl Loopback {
    pub(super) async fn open() -> Result<Self, OAuthError> {
        let port = |source| OAuthError::Port { source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(port)?;
        let number = listener.local_addr().map_err(port)?.port();
        let address = Url::parse(&format!("http://127.0.0.1:{number}/"))
            .map_err(|error| port(std::io::Error::other(error)))?;
        Ok(Self { listener, address })
    }

    /// Where the browser shall come.
    pub(super) fn address(&self) -> &Url {
        &self.address
    }

    /// Waits for the browser and gives the code. Whoever doesn't know `state` is sent away.
    pub(super) async fn code(self, state: &str) -> Outcome {
        let (send, mut receive) = mpsc::channel(1);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let (stream, _) = accepted.map_err(|source| OAuthError::Port { source })?;
                    while connections.try_join_next().is_some() {}
                    if connections.len() < MAX_CONNECTIONS {
                        let visit = visit(stream, self.address.clone(), state.to_owned(), send.clone());
                        connections.spawn(timeout(CONNECTION, visit));
                    }
                }
                Some(outcome) = receive.recv() => return outcome,
            }
        }
    }
}

/// Answers one connection.
async fn visit(mut stream: TcpStream, address: Url, state: String, send: mpsc::Sender<Outcome>) {
    let Some(target) = target(&mut stream).await else { return };
    let outcome = address.join(&target).ok().and_then(|url| outcome(&url, &state));
    let (status, text) = match &outcome {
        None => ("404 Not Found", "This page is only for the login."),
        Some(Ok(_)) => ("200 OK", "You are logged in. You can close this page and go back to the terminal."),
        Some(Err(_)) => ("200 OK", "The login was refused. The terminal says more."),
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>SyftBox</title><p>{text}</p></html>"
    );
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    // The port closes once the outcome is known, so the page goes first; a browser that left already needs none.
    let write = async { stream.write_all(answer.as_bytes()).await.and(stream.shutdown().await) };
    let _ = timeout(PAGE, write).await;
    if let Some(outcome) = outcome {
        let _ = send.try_send(outcome);
    }
}

/// The target of a GET request.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > MAX_REQUEST || stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    let line = std::str::from_utf8(request.split(|&byte| byte == b'\r').next()?).ok()?;
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    (target.starts_with('/') && !target.starts_with("//")).then(|| target.to_owned())
}

/// What `url` says; `None` when it isn't the answer to our question.
fn outcome(url: &Url, state: &str) -> Option<Outcome> {
    let value =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if url.path() != "/" || value("state")? != state {
        return None;
    }
    if let Some(reason) = value("error") {
        let reason = reason.chars().filter(char::is_ascii_graphic).take(80).collect();
        return Some(Err(OAuthError::Refused { reason }));
    }
    value("code").map(Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(address: &Url, request: &str) -> String {
        let port = address.port().unwrap();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn takes_the_code_of_who_knows_the_state() {
        let loopback = Loopback::open().await.unwrap();
        let address = loopback.address().clone();
        let browser = async {
            // A connection that is opened ahead and never used doesn't hold up the others.
            let _idle = TcpStream::connect((Ipv4Addr::LOCALHOST, address.port().unwrap())).await.unwrap();
            for other in [
                "GET /favicon.ico HTTP/1.1\r\n\r\n",
                "GET /?code=planted HTTP/1.1\r\n\r\n",
                "GET /?code=planted&state=guess HTTP/1.1\r\n\r\n",
                "GET /x?code=planted&state=s+t HTTP/1.1\r\n\r\n",
            ] {
                assert!(ask(&address, other).await.starts_with("HTTP/1.1 404"), "{other}");
            }
            assert_eq!(ask(&address, "POST /?code=x&state=s+t HTTP/1.1\r\n\r\n").await, "");
            ask(&address, "GET /?state=s+t&code=4%2F0A HTTP/1.1\r\nHost: x\r\n\r\n").await
        };
        let (code, page) = tokio::join!(loopback.code("s t"), browser);
        assert_eq!(code.unwrap(), "4/0A");
        assert!(page.contains("You are logged in"), "{page}");
    }

    #[tokio::test]
    async fn tells_of_a_refusal() {
        let loopback = Loopback::open().await.unwrap();
        let address = loopback.address().clone();
        let browser = ask(&address, "GET /?state=s&error=access_denied HTTP/1.1\r\n\r\n");
        let (code, _) = tokio::join!(loopback.code("s"), browser);
        let error = code.unwrap_err().to_string();
        assert!(error.contains("access_denied") && error.contains("run it again"), "{error}");
    }
}
