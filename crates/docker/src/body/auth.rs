//! What `POST /auth` carries (moby `registry.AuthConfig`): a password, so never to be logged.

use crate::json::go_struct;

go_struct! {
    /// The body of `POST /auth`.
    pub struct AuthConfig {
        username: String = "username",
        password: String = "password",
        auth: String = "auth",
        email: String = "email",
        serveraddress: String = "serveraddress",
        identitytoken: String = "identitytoken",
        registrytoken: String = "registrytoken",
    }
}
