//! What `POST /auth` carries (moby `registry.AuthConfig`): a password, so never to be logged.

use crate::json::{Hidden, go_struct};

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
