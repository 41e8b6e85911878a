//! The HTTP side: routes, and what every request passes on its way in.

mod about;
mod batch;
mod body;
mod changes;
mod context;
mod download;
mod edit;
mod entry;
mod files;
mod oauth;
mod permissions;
mod resumable;
mod upload;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use http::{HeaderName, Method, StatusCode, header};
use tower_http::cors::{Any, CorsLayer};

pub(crate) use self::{oauth::Codes, resumable::Sessions};
use crate::{LocalDrive, errors::ApiError};

/// Everything that the server answers.
pub(crate) fn router(drive: &LocalDrive) -> Router {
    let entry = entry::Entry::new(drive.clone(), routes(drive));
    Router::new()
        .fallback(move |request| entry.handle(request))
        .layer(cors())
        // A page of another origin must not read where these lead, so they come behind the layer.
        .route("/o/oauth2/v2/auth", get(oauth::authorize))
        .route("/o/oauth2/auth", get(oauth::authorize))
        .with_state(drive.clone())
}

fn routes(drive: &LocalDrive) -> Router {
    let files = "/drive/v3/files";
    let at = |rest: &str| format!("{files}{rest}");
    Router::new()
        .route("/drive/v3/about", get(about::get))
        .route("/drive/v3/changes", get(changes::list))
        .route("/drive/v3/changes/startPageToken", get(changes::start_page_token))
        .route(files, get(files::list).post(files::create))
        .route(&at("/generateIds"), get(files::generate_ids))
        .route(&at("/trash"), axum::routing::delete(files::empty_trash))
        .route(&at("/{id}"), get(files::get).patch(files::update).delete(files::delete))
        .route(&at("/{id}/copy"), post(files::copy))
        .route(&at("/{id}/export"), get(files::export))
        .route(&at("/{id}/permissions"), get(permissions::list).post(permissions::create))
        .route(
            &at("/{id}/permissions/{permission}"),
            get(permissions::get).patch(permissions::update).delete(permissions::delete),
        )
        .route(
            "/upload/drive/v3/files",
            post(upload::create).put(resumable::proceed).delete(resumable::cancel),
        )
        .route(
            "/upload/drive/v3/files/{id}",
            axum::routing::patch(upload::update).put(resumable::proceed).delete(resumable::cancel),
        )
        .route("/token", post(oauth::token))
        .route("/oauth2/v4/token", post(oauth::token))
        .route("/revoke", post(oauth::revoke))
        .fallback(|| async { ApiError::new(StatusCode::NOT_FOUND, "notFound", "Not Found") })
        .method_not_allowed_fallback(|| async {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "httpMethodNotAllowed", "Method Not Allowed")
        })
        // Of descriptions; uploads are streamed and have no limit.
        .layer(DefaultBodyLimit::max(upload::MAX_METADATA))
        .with_state(drive.clone())
}

/// Pages of any origin may ask, as with Google's Drive: without a token they get nothing.
fn cors() -> CorsLayer {
    let exposed = ["location", "range", "content-range", "retry-after", "x-guploader-uploadid"];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::CONTENT_RANGE,
            header::RANGE,
            HeaderName::from_static("x-upload-content-type"),
            HeaderName::from_static("x-upload-content-length"),
            HeaderName::from_static("x-http-method-override"),
            HeaderName::from_static("x-goog-api-client"),
        ])
        .expose_headers(exposed.map(HeaderName::from_static))
        .allow_private_network(true)
        .max_age(std::time::Duration::from_secs(3600))
}
