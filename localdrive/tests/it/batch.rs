//! Batches: many calls in one request, each answered on its own.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Bench, Client};

/// A batch as Google's Python client writes it: lines end in LF.
async fn batch(client: &Client, calls: &[(&str, &str, Option<Value>)]) -> Answer {
    let mut body = String::new();
    for (number, (method, path, content)) in calls.iter().enumerate() {
        let content = content.as_ref().map(Value::to_string).unwrap_or_default();
        let head = format!("--===cut==\nContent-Type: application/http\nContent-ID: <uuid + {number}>\n\n");
        let inner = format!("{method} {path} HTTP/1.1\nContent-Type: application/json\n\n{content}\n");
        body.extend([head, inner]);
    }
    body.push_str("--===cut==--\n");
    let request = client
        .request(Method::POST, "/batch/drive/v3")
        .header("content-type", "multipart/mixed; boundary=\"===cut==\"")
        .body(body);
    client.send(request).await
}

/// The content id, status and body of each answer.
fn answers(answer: &Answer) -> Vec<(String, u16, Value)> {
    let content_type = answer.header("content-type").unwrap();
    let boundary = format!("--{}", content_type.split_once("boundary=").unwrap().1);
    let text = String::from_utf8(answer.bytes.clone()).unwrap();
    let mut parts: Vec<&str> = text.split(boundary.as_str()).skip(1).collect();
    assert_eq!(parts.pop().unwrap().trim(), "--");
    let parse = |part: &str| {
        let (outer, inner) = part.split_once("\r\n\r\n").unwrap();
        let (head, body) = inner.split_once("\r\n\r\n").unwrap();
        let id = outer.lines().find_map(|line| line.strip_prefix("Content-ID: ")).unwrap();
        let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
        (id.to_owned(), status, serde_json::from_str(body.trim()).unwrap_or(Value::Null))
    };
    parts.into_iter().map(parse).collect()
}

#[tokio::test]
async fn every_call_has_its_own_answer_in_order() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let id = ann.folder("one", "root").await;
    bench.drive.requests().reset();
    let file = format!("/drive/v3/files/{id}");
    let found = batch(
        &ann,
        &[
            ("POST", "/drive/v3/files?fields=name", Some(json!({"name": "two"}))),
            ("GET", "/drive/v3/files/nowhere", None),
            ("PATCH", &file, Some(json!({"name": "renamed"}))),
            ("DELETE", &file, None),
            ("GET", &file, None),
        ],
    )
    .await;
    let answers = answers(&found);
    assert_eq!(answers[0], ("<response-uuid + 0>".to_owned(), 200, json!({"name": "two"})));
    assert_eq!((answers[1].1, &answers[1].2["error"]["errors"][0]["reason"]), (404, &json!("notFound")));
    assert_eq!(answers[2].2["name"], "renamed");
    assert_eq!(answers.iter().map(|answer| answer.1).collect::<Vec<_>>(), [200, 404, 200, 204, 404]);
    assert_eq!((bench.drive.requests().count(), bench.drive.requests().calls()), (1, 5));
    assert_eq!(bench.drive.requests().lines()[1].to_string(), "  POST /drive/v3/files?fields=name");
}

#[tokio::test]
async fn a_batch_that_is_none_does_nothing() {
    let bench = Bench::new();
    let ann = bench.client("ann");
    let create = ("POST", "/drive/v3/files", Some(json!({"name": "x"})));
    assert_eq!(batch(&ann, &vec![create.clone(); 101]).await.refused(400), "badRequest");
    assert_eq!(batch(&ann, &[]).await.refused(400), "badRequest");
    for bad in
        ["/upload/drive/v3/files?uploadType=media", "/batch", "/drive/v3/files/x?alt=media", "nonsense"]
    {
        let calls = [create.clone(), ("GET", bad, None)];
        assert_eq!(batch(&ann, &calls).await.refused(400), "badRequest", "{bad}");
    }
    assert_eq!(ann.post("/batch", json!({})).await.refused(400), "badRequest");
    assert_eq!(ann.get("/batch").await.refused(405), "httpMethodNotAllowed");
    assert!(ann.search("").await.is_empty());
    assert_eq!(answers(&batch(&ann, &vec![create; 100]).await).len(), 100);
    assert_eq!(ann.search("").await.len(), 100);
    let nobody = Client::new(bench.drive.url(), "wrong");
    assert_eq!(answers(&batch(&nobody, &[("GET", "/drive/v3/files", None)]).await)[0].1, 401);
}
