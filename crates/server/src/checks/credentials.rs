//! Logins at registries, from a docker configuration file: written in it, or kept by a helper that it names.
//!
//! Read each time, for a login may be a new one; never told to anybody but the registry that it is for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use docker::body::{auth, base64};
use serde::Deserialize;

use super::command;

/// A user and a password. Deliberately cannot be printed.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// The file, as far as it tells of logins.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

/// What a helper says.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    username: String,
    secret: String,
}

/// Whether a file can be used. The sentence says why not.
pub fn check(file: &Path) -> Result<(), String> {
    let bytes = std::fs::read(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    parse(file, &bytes).map(drop)
}

/// The login of a registry; `None`, where there is none.
pub(crate) async fn of(file: &Path, registry: &str) -> Result<Option<Login>, String> {
    let bytes = tokio::fs::read(file).await;
    let bytes = bytes.map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    let File { auths, cred_helpers, creds_store } = parse(file, &bytes)?;
    let is_it = |key: &str| auth::registry_of(key) == registry;
    let helper = cred_helpers.iter().find(|(key, _)| is_it(key)).map(|(_, helper)| helper).or(creds_store.as_ref());
    if let Some(helper) = helper {
        return ask(helper, registry).await;
    }
    auths.into_iter().find(|(key, _)| is_it(key)).map(|(_, entry)| written(entry, registry)).transpose()
}

fn parse(file: &Path, bytes: &[u8]) -> Result<File, String> {
    // The error's own words may repeat a password.
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("`{}` is no docker configuration file (line {line}, column {column})", file.display())
    })
}

fn written(entry: Entry, registry: &str) -> Result<Login, String> {
    let Entry { auth, username, password, identitytoken } = entry;
    if identitytoken.is_some_and(|token| !token.is_empty()) {
        return Err(format!(
            "the login at {registry} is an identity token, which is not supported: log in by a password"
        ));
    }
    if let (Some(user), Some(password)) = (username, password) {
        return Ok(Login { user, password });
    }
    let text = auth.and_then(|auth| base64::decode(auth.as_bytes())).and_then(|bytes| String::from_utf8(bytes).ok());
    let (user, password) = text.as_deref().and_then(|text| text.split_once(':')).unwrap_or_default();
    if user.is_empty() {
        return Err(format!("the login at {registry} cannot be read"));
    }
    Ok(Login { user: user.to_owned(), password: password.trim_end_matches('\0').to_owned() })
}

/// Asks a helper, as docker does: `docker-credential-NAME get`, with the registry on standard input.
async fn ask(helper: &str, registry: &str) -> Result<Option<Login>, String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if helper.is_empty() || !helper.bytes().all(is_name) {
        return Err("the helper of logins has a name that cannot be one".to_owned());
    }
    let name = format!("docker-credential-{helper}");
    let places = command::PATH.split(':').map(|folder| PathBuf::from(folder).join(&name));
    let program = places.into_iter().find(|program| program.exists()).ok_or_else(|| format!("there is no `{name}`"))?;
    let asked = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry };
    let ended = command::run(&program, &["get".to_owned()], asked.as_bytes()).await?;
    if !ended.status.success() {
        let none = String::from_utf8_lossy(&ended.out).contains("credentials not found");
        return if none { Ok(None) } else { Err(format!("`{name}` does not tell the login at {registry}")) };
    }
    let told: Told = serde_json::from_slice(&ended.out).map_err(|_| format!("`{name}` told no login"))?;
    if told.username == "<token>" {
        return Err(format!(
            "the login at {registry} is an identity token, which is not supported: log in by a password"
        ));
    }
    Ok(Some(Login { user: told.username, password: told.secret }))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn login(text: &str, registry: &str) -> Result<Option<(String, String)>, String> {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("dockwarden-credentials-{}-{number}", std::process::id()));
        std::fs::write(&file, text).unwrap();
        let login = of(&file, registry).await;
        std::fs::remove_file(&file).unwrap();
        Ok(login?.map(|login| (login.user, login.password)))
    }

    #[tokio::test]
    async fn logins() {
        let auth = base64::encode(b"me:pa:ss");
        let text = format!(
            r#"{{"auths":{{"r.test:5000":{{"auth":"{auth}"}},"https://index.docker.io/v1/":{{"username":"hub","password":"x"}},
                "token.test":{{"identitytoken":"secret"}},"broken.test":{{"auth":"secret"}}}},"HttpHeaders":{{}}}}"#
        );
        assert_eq!(login(&text, "r.test:5000").await, Ok(Some(("me".into(), "pa:ss".into()))));
        assert_eq!(login(&text, "docker.io").await, Ok(Some(("hub".into(), "x".into()))));
        assert_eq!(login(&text, "r.test").await, Ok(None));
        for (text, registry) in [
            (text.as_str(), "token.test"),
            (text.as_str(), "broken.test"),
            (r#"{"auths":"secret"}"#, "r.test"),
            (r#"{"credsStore":"../../secret"}"#, "r.test"),
            (r#"{"credHelpers":{"r.test":"no-such-helper"}}"#, "r.test"),
        ] {
            let error = login(text, registry).await.unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
