//! Logins at registries (moby `registry.AuthConfig`): what `POST /auth` carries, and header fields. They hold
//! passwords, so they are never to be logged.

use std::collections::BTreeMap;

use super::base64;
use crate::json::{self, Hidden, go_struct};

go_struct! {
    /// The body of `POST /auth`.
    pub struct AuthConfig {
        username: String = "username",
        password: Hidden = "password",
        auth: Hidden = "auth",
        email: String = "email",
        serveraddress: String = "serveraddress",
        identitytoken: Hidden = "identitytoken",
        registrytoken: Hidden = "registrytoken",
    }
}

/// The login of one registry out of those for all (`X-Registry-Config`), as it is sent to use that one
/// (`X-Registry-Auth`). `None`: there is none.
pub fn of_registry(logins: &[u8], registry: &str) -> Option<String> {
    let text = base64::decode(logins)?;
    let logins = json::read::<BTreeMap<String, AuthConfig>>(&text, &json::Options::default()).ok()?.into_value();
    let mut found = logins.into_iter().filter(|(key, _)| registry_of(key) == registry);
    let (_, login) = found.next()?;
    let text = json::Body::new(login).canonical().ok()?;
    Some(base64::encode(&text))
}

/// The registry that an address is of: `https://index.docker.io/v1/` is Docker Hub's.
pub fn registry_of(address: &str) -> &str {
    let address = address.trim_start_matches("https://").trim_start_matches("http://");
    match address.split('/').next().unwrap_or_default() {
        "" | "index.docker.io" => "docker.io",
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_of_one_registry() {
        let logins = br#"{"https://index.docker.io/v1/":{"username":"hub"},"registry.test:5000":{"username":"u","password":"p?>"}}"#;
        let logins = base64::encode(logins);
        let of = |registry| of_registry(logins.as_bytes(), registry);
        let text = |login: String| String::from_utf8(base64::decode(login.as_bytes()).unwrap()).unwrap();
        assert_eq!(of("docker.io").map(text).as_deref(), Some(r#"{"username":"hub"}"#));
        assert_eq!(of("registry.test:5000").map(text).as_deref(), Some(r#"{"username":"u","password":"p?>"}"#));
        assert_eq!(of("registry.test"), None);
        assert_eq!(of_registry(b"%", "docker.io"), None);
    }
}
