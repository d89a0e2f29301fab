//! Passwords of the local stack: derived, so that a volume that outlives `down` still opens.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::model::secret::Secret;

/// How many bytes of the code become a password: 128 bits, as 32 hexadecimal digits. Digits need
/// no quoting in a URI, in SQL or in a configuration file.
const LENGTH: usize = 16;

/// Derives the password of `user` on `server` from the checkout's key (HMAC-SHA256, RFC 2104).
pub fn derive(key: &Secret, server: &str, user: &str) -> Secret {
    // A key of the hash's block size always fits; RFC 2104 pads shorter ones with zeros, too.
    let mut block = [0_u8; 64];
    block[..32].copy_from_slice(&Sha256::digest(key.reveal().as_bytes()));
    let mut code = Hmac::<Sha256>::new(&block.into());
    code.update(server.as_bytes());
    code.update(&[0]);
    code.update(user.as_bytes());
    let bytes = code.finalize().into_bytes();
    Secret::new(
        bytes[..LENGTH]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_depends_on_key_server_and_user_and_nothing_else() {
        let key = Secret::new("key");
        let password = derive(&key, "postgres-17", "orders_db");
        assert_eq!(password, derive(&key, "postgres-17", "orders_db"));
        assert_eq!(password.reveal().len(), 32);
        assert_ne!(password, derive(&key, "postgres-17", "billing_db"));
        assert_ne!(password, derive(&key, "postgres-16", "orders_db"));
        assert_ne!(
            password,
            derive(&Secret::new("other"), "postgres-17", "orders_db")
        );
    }
}
