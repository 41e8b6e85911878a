//! Opening an address in the user's browser, where there is one.

use std::process::{Command, Stdio};

use url::Url;

/// Asks the desktop to open `url`; false when there is no desktop. The user gets the address in any
/// case, so a browser that fails to start is no error.
#[must_use]
pub fn open_browser(url: &Url) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") {
        "xdg-open"
    } else {
        return false;
    };
    let started = Command::new(opener)
        .arg(url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    started.is_ok()
}
