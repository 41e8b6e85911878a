//! Proof that who redeems a code is who asked for it (RFC 7636).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use syftbox_core::{domain::ContentHash, platform::Random};

/// A secret, of which the browser sees only the hash.
pub(super) struct Pkce {
    verifier: String,
}

impl Pkce {
    pub(super) fn new(random: &dyn Random) -> Self {
        Self { verifier: secret(random) }
    }

    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }

    /// The verifier's SHA-256, for the method `S256`.
    pub(super) fn challenge(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(ContentHash::of(self.verifier.as_bytes()).as_bytes())
    }
}

/// 256 random bits as 43 characters.
pub(super) fn secret(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_rfc() {
        let pkce = Pkce { verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned() };
        assert_eq!(pkce.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
