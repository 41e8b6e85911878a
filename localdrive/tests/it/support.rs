//! A running drive with three accounts, and a plain client for each.

use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use syftbox_localdrive::{Accounts, RunningDrive};
use tempfile::TempDir;

pub(crate) const FOLDER: &str = "application/vnd.google-apps.folder";

/// A drive that ends with this.
pub(crate) struct Bench {
    pub(crate) drive: RunningDrive,
    pub(crate) dir: TempDir,
}

/// One account's client.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn accounts() -> Accounts {
    Accounts::new([("ann-token", "ann@x.org"), ("bob-token", "bob@x.org"), ("eve-token", "eve@y.org")])
        .unwrap()
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let drive = RunningDrive::start(dir.path(), accounts()).unwrap();
        Self { drive, dir }
    }

    /// The same folder, served anew.
    pub(crate) fn restart(self) -> Self {
        let Self { drive, dir } = self;
        drop(drive);
        let drive = RunningDrive::start(dir.path(), accounts()).unwrap();
        Self { drive, dir }
    }

    pub(crate) fn client(&self, name: &str) -> Client {
        Client::new(self.drive.url(), &format!("{name}-token"))
    }
}

/// An HTTP client. It can't be built without TLS, though nothing here uses it.
pub(crate) fn http(builder: reqwest::ClientBuilder) -> reqwest::Client {
    // Fails when another test of this process was first, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    builder.build().unwrap()
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.bytes)))
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{}: {}",
            self.status,
            String::from_utf8_lossy(&self.bytes)
        );
        if self.bytes.is_empty() { Value::Null } else { self.json() }
    }

    /// The reason, once the status and the shape of the error body are checked.
    #[track_caller]
    pub(crate) fn refused(self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.bytes));
        let error = &self.json()["error"];
        assert_eq!(error["code"], status);
        assert!(error["message"].is_string());
        assert!(error["errors"][0]["domain"].is_string());
        error["errors"][0]["reason"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Client {
    pub(crate) fn new(base: &str, token: &str) -> Self {
        Self { http: http(reqwest::Client::builder()), base: base.to_owned(), token: token.to_owned() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        self.http.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, bytes: response.bytes().await.unwrap().to_vec() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PATCH, path, body).await
    }

    async fn json(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.request(method, path).header("content-type", "application/json");
        self.send(request.body(body.to_string())).await
    }

    pub(crate) async fn file(&self, id: &str) -> Answer {
        self.get(&format!("/drive/v3/files/{id}?fields=*")).await
    }

    pub(crate) async fn folder(&self, name: &str, parent: &str) -> String {
        let body = json!({"name": name, "mimeType": FOLDER, "parents": [parent]});
        id_of(&self.post("/drive/v3/files", body).await.ok())
    }

    /// Uploads in one request and returns the file's id.
    pub(crate) async fn upload(&self, name: &str, parent: &str, bytes: &[u8]) -> String {
        id_of(&self.try_upload(name, parent, bytes).await.ok())
    }

    pub(crate) async fn try_upload(&self, name: &str, parent: &str, bytes: &[u8]) -> Answer {
        let description = json!({"name": name, "parents": [parent]});
        let mut body = format!(
            "--cut\r\nContent-Type: application/json\r\n\r\n{description}\r\n--cut\r\nContent-Type: text/plain\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--cut--");
        let request = self.request(Method::POST, "/upload/drive/v3/files?uploadType=multipart");
        self.send(request.header("content-type", "multipart/related; boundary=cut").body(body)).await
    }

    pub(crate) async fn download(&self, id: &str) -> Vec<u8> {
        let answer = self.get(&format!("/drive/v3/files/{id}?alt=media")).await;
        assert_eq!(answer.status, 200);
        answer.bytes
    }

    pub(crate) async fn share(&self, id: &str, email: &str, role: &str) -> Answer {
        let body = json!({"type": "user", "role": role, "emailAddress": email});
        self.post(&format!("/drive/v3/files/{id}/permissions?sendNotificationEmail=false"), body).await
    }

    /// The names that a search finds, sorted.
    pub(crate) async fn search(&self, query: &str) -> Vec<String> {
        let found = self.list(&[("q", query), ("pageSize", "1000")]).await.ok();
        let mut names: Vec<String> =
            found["files"].as_array().unwrap().iter().map(|file| text(&file["name"])).collect();
        names.sort();
        names
    }

    pub(crate) async fn list(&self, params: &[(&str, &str)]) -> Answer {
        self.get(&with_params("/drive/v3/files", params)).await
    }
}

pub(crate) fn with_params(path: &str, params: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("{path}?{query}")
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

pub(crate) fn id_of(file: &Value) -> String {
    text(&file["id"])
}
