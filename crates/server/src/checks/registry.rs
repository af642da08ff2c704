//! Whether the registry has, under the image's name and at this moment, what is here under that name: an image that was
//! tagged by somebody's own hand has no digest of the registry's, and one that is out of date has another.
//!
//! By the registry API of version 2. The digest is that of the bytes that came, not the one that a header claims.

use std::path::PathBuf;

use docker::image::Reference;
use reqwest::header::{ACCEPT, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode, Url};
use ring::digest::{SHA256, digest};
use serde::Deserialize;

use super::credentials::{self, Login};
use super::{Answer, Image};
use crate::web::{self, Reply, Web};

/// The registries of the images that are asked about.
#[derive(Debug)]
pub struct Registry {
    /// The client.
    pub web: Web,
    /// A docker configuration file with logins.
    pub credentials: Option<PathBuf>,
    /// Whether registries are asked without TLS. Those on this machine are, unless there is an authority for them.
    pub insecure: bool,
    /// Whether there is an authority for them.
    pub has_ca: bool,
}

impl Registry {
    pub(super) async fn ask(&self, image: &Image) -> Answer {
        let Some(name) = image.name() else {
            return Ok(Some("it has no name, so no registry can be asked".to_owned()));
        };
        let registry = &name.registry;
        if image.digests().is_empty() {
            return Ok(Some(format!("it did not come from {registry}")));
        }
        let Some(there) = self.digest(name).await? else {
            return Ok(Some(format!("{registry} does not have it")));
        };
        if image.digests().contains(&there) {
            return Ok(None);
        }
        let here = image.digests().join(", ");
        Ok(Some(format!("{registry} has {there} under this name, and it is {here} here; pull it again")))
    }

    /// The digest that the registry has under a name; `None`, where it has nothing.
    async fn digest(&self, name: &Reference) -> Result<Option<String>, String> {
        let host = match name.registry.as_str() {
            "docker.io" => "registry-1.docker.io",
            host => host,
        };
        let plain = !self.has_ca && (self.insecure || web::is_loopback(without_port(host)));
        let scheme = if plain { "http" } else { "https" };
        let wanted = name.digest.as_ref().or(name.tag.as_ref()).map_or("latest", String::as_str);
        let url = format!("{scheme}://{host}/v2/{}/manifests/{wanted}", name.path);
        let url = Url::parse(&url).map_err(|_| format!("`{host}` is no host that can be asked"))?;
        let mut reply = self.get(&url, None).await?;
        if reply.status == StatusCode::UNAUTHORIZED {
            let access = self.access(&reply, &name.registry, &name.path, plain).await?;
            reply = self.get(&url, Some(access)).await?;
        }
        match reply.status {
            StatusCode::OK => digest_of(&reply, wanted).map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(format!("{host} does not let us look at it")),
            other => Err(format!("{host} answered {}", other.as_u16())),
        }
    }

    async fn get(&self, url: &Url, access: Option<Access>) -> Result<Reply, String> {
        let request = self.web.request(Method::GET, url.clone()).header(ACCEPT, MANIFESTS.join(", "));
        let request = match access {
            None => request,
            Some(Access::Basic(login)) => request.basic_auth(login.user, Some(login.password)),
            Some(Access::Token(token)) => request.bearer_auth(token),
        };
        web::fetch(request).await
    }

    /// What the registry wants to see first.
    async fn access(&self, reply: &Reply, registry: &str, path: &str, plain: bool) -> Result<Access, String> {
        let login = match &self.credentials {
            Some(file) => credentials::of(file, registry).await?,
            None => None,
        };
        let challenges = reply.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenges: Vec<Challenge<'_>> = challenges.filter_map(Challenge::parse).collect();
        if let Some(bearer) = challenges.iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer")) {
            return self.token(bearer, path, login, plain).await.map(Access::Token);
        }
        let basic = challenges.iter().any(|challenge| challenge.scheme.eq_ignore_ascii_case("basic"));
        match login {
            Some(login) if basic => Ok(Access::Basic(login)),
            None if basic => Err(format!("{registry} wants a login; name a file with one as `credentials`")),
            _ => Err(format!("{registry} wants a proof of who we are that is not known")),
        }
    }

    /// A token, from where the registry says that there are some.
    async fn token(
        &self,
        challenge: &Challenge<'_>,
        path: &str,
        login: Option<Login>,
        plain: bool,
    ) -> Result<String, String> {
        #[derive(Deserialize)]
        struct Token {
            token: Option<String>,
            access_token: Option<String>,
        }
        let realm = challenge.get("realm").and_then(|realm| Url::parse(realm).ok());
        let mut realm = realm.ok_or("the registry does not say where tokens are to be had")?;
        // A login is never shown in the open because a registry says so.
        if realm.scheme() != "https" && !(plain && realm.scheme() == "http") {
            return Err("the registry wants a token to be fetched without TLS".to_owned());
        }
        if let Some(service) = challenge.get("service") {
            realm.query_pairs_mut().append_pair("service", service);
        }
        // Our own words: to look at this and nothing else.
        realm.query_pairs_mut().append_pair("scope", &format!("repository:{path}:pull"));
        let who = web::host(Some(&realm));
        let request = self.web.request(Method::GET, realm);
        let request = match login {
            Some(login) => request.basic_auth(login.user, Some(login.password)),
            None => request,
        };
        let reply = web::fetch(request).await?;
        if matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(format!("{who} gives us no token; is the login right?"));
        }
        let given: Token = reply.ok(&who)?.json(&who)?;
        let token = given.token.or(given.access_token).filter(|token| !token.is_empty());
        token.ok_or_else(|| format!("{who} gave no token"))
    }
}

/// What a registry is shown.
enum Access {
    Basic(Login),
    Token(String),
}

/// What a registry wants to see: `Bearer realm="https://…",service="…"`.
#[derive(Debug, PartialEq, Eq)]
struct Challenge<'a> {
    scheme: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Challenge<'a> {
    fn parse(text: &'a str) -> Option<Challenge<'a>> {
        let (scheme, mut rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let mut parameters = Vec::new();
        while !rest.trim().is_empty() {
            let (name, after) = rest.split_once('=')?;
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_at_checked(after.find(',').unwrap_or(after.len()))?,
            };
            parameters.push((name.trim(), value));
            rest = after.trim_start().strip_prefix(',').unwrap_or("");
        }
        Some(Challenge { scheme, parameters })
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.parameters.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value)
    }
}

/// The digest of a manifest, which must be the one that the registry and the question say, where they do.
fn digest_of(reply: &Reply, wanted: &str) -> Result<String, String> {
    let hash = digest(&SHA256, &reply.body);
    let mut found = "sha256:".to_owned();
    hash.as_ref().iter().for_each(|byte| found.push_str(&format!("{byte:02x}")));
    let said = reply.headers.get("Docker-Content-Digest").and_then(|value| value.to_str().ok());
    let asked = Some(wanted).filter(|wanted| wanted.contains(':'));
    match [said, asked].into_iter().flatten().all(|digest| digest == found) {
        true => Ok(found),
        false => Err("what the registry sent is not what its digest says".to_owned()),
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// What a manifest may be: of one image, or of several for as many platforms.
const MANIFESTS: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn challenges() {
        let text =
            r#"Bearer realm="https://auth.test/token?a=b,c",service="r.test", scope="repository:a:pull",error=x"#;
        let challenge = Challenge::parse(text).unwrap();
        assert_eq!(challenge.scheme, "Bearer");
        assert_eq!(challenge.get("Realm"), Some("https://auth.test/token?a=b,c"));
        assert_eq!((challenge.get("service"), challenge.get("error")), (Some("r.test"), Some("x")));
        assert_eq!(Challenge::parse("Basic").map(|challenge| challenge.parameters.len()), Some(0));
        for text in ["Bearer realm", r#"Bearer realm="x"#] {
            assert_eq!(Challenge::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        let reply = |said: Option<&'static str>, body: &[u8]| {
            let mut headers = HeaderMap::new();
            said.map(|said| headers.insert("Docker-Content-Digest", HeaderValue::from_static(said)));
            Reply { status: StatusCode::OK, headers, body: body.to_vec() }
        };
        assert_eq!(digest_of(&reply(Some(EMPTY), b""), "1").as_deref(), Ok(EMPTY));
        assert_eq!(digest_of(&reply(None, b""), EMPTY).as_deref(), Ok(EMPTY));
        assert!(digest_of(&reply(Some(EMPTY), b"x"), "1").is_err());
        assert!(digest_of(&reply(None, b"x"), EMPTY).is_err());
    }

    /// A registry at a port of this machine, which answers each request by its head.
    async fn registry(say: impl Fn(&str, &str) -> String + Send + 'static) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let here = address.clone();
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut head = vec![0; 4096];
                let length = client.read(&mut head).await.unwrap();
                let answer = say(&String::from_utf8_lossy(&head[..length]), &here);
                client.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        address
    }

    fn answer(status: u16, fields: &str, body: &str) -> String {
        format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
    }

    async fn ask(address: &str, logins: Option<&str>) -> Answer {
        let credentials = logins.map(|login| {
            let file = std::env::temp_dir().join(format!("dockwarden-registry-{}-{address}", std::process::id()));
            std::fs::write(&file, format!(r#"{{"auths":{{"{address}":{login}}}}}"#)).unwrap();
            file
        });
        let web = Web::new(&web::Trust::default()).unwrap();
        let registry = Registry { web, credentials: credentials.clone(), insecure: false, has_ca: false };
        let name = Reference::parse(&format!("{address}/app:1")).unwrap();
        let answer = registry.ask(&Image::at_registry(name, EMPTY.to_owned())).await;
        credentials.into_iter().for_each(|file| std::fs::remove_file(file).unwrap());
        answer
    }

    /// Of nothing.
    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const LOGIN: &str = r#"{"username":"me","password":"pass"}"#;

    #[tokio::test]
    async fn a_token_is_fetched_for_this_and_nothing_else() {
        let token = |head: &str, here: &str| {
            if head.starts_with("GET /token?service=r&scope=repository%3Aapp%3Apull HTTP") {
                assert!(head.to_lowercase().contains("authorization: basic bwu6cgfzcw=="), "{head}");
                return answer(200, "", r#"{"token":"t0ken"}"#);
            }
            assert!(head.starts_with("GET /v2/app/manifests/1 HTTP") && head.contains("vnd.oci.image.index"), "{head}");
            match head.contains("Bearer t0ken") {
                true => answer(200, &format!("Docker-Content-Digest: {EMPTY}\r\n"), ""),
                false => answer(
                    401,
                    &format!(
                        "WWW-Authenticate: Bearer realm=\"http://{here}/token\",service=\"r\",scope=\"repository:*:push\"\r\n"
                    ),
                    "",
                ),
            }
        };
        assert_eq!(ask(&registry(token).await, Some(LOGIN)).await, Ok(None));
    }

    #[tokio::test]
    async fn a_login_is_shown_where_it_belongs() {
        let basic = |head: &str, _: &str| match head.to_lowercase().contains("authorization: basic bwu6cgfzcw==") {
            true => answer(200, "", ""),
            false => answer(401, "WWW-Authenticate: Basic realm=\"r\"\r\n", ""),
        };
        let address = registry(basic).await;
        assert_eq!(ask(&address, Some(LOGIN)).await, Ok(None));
        assert!(ask(&address, None).await.unwrap_err().contains("wants a login"));
        let wrong = ask(&address, Some(r#"{"username":"me","password":"s3cret"}"#)).await.unwrap_err();
        assert!(wrong.contains("does not let us look at it") && !wrong.contains("s3cret"), "{wrong}");
        // A registry that would have it sent in the open elsewhere.
        let elsewhere =
            |_: &str, _: &str| answer(401, "WWW-Authenticate: Bearer realm=\"ftp://evil.example/token\"\r\n", "");
        assert!(ask(&registry(elsewhere).await, Some(LOGIN)).await.unwrap_err().contains("without TLS"));
    }

    #[tokio::test]
    async fn what_else_a_registry_may_say() {
        let other = registry(|_: &str, _: &str| answer(200, "", "another manifest")).await;
        assert!(ask(&other, None).await.unwrap().unwrap().contains("under this name, and it is"));
        let none = registry(|_: &str, _: &str| answer(404, "", "")).await;
        assert!(ask(&none, None).await.unwrap().unwrap().ends_with("does not have it"));
        let lies = registry(|_: &str, _: &str| answer(200, &format!("Docker-Content-Digest: {EMPTY}\r\n"), "x")).await;
        assert!(ask(&lies, None).await.is_err());
        let moved = registry(|_: &str, _: &str| answer(307, "Location: http://127.0.0.1:1/\r\n", "")).await;
        assert!(ask(&moved, None).await.unwrap_err().ends_with("answered 307"));
        assert!(ask("127.0.0.1:1", None).await.unwrap_err().contains("cannot be reached"));
    }

    #[test]
    fn who_is_on_this_machine() {
        for (host, local) in [
            ("127.0.0.1:5000", true),
            ("127.3.2.1", true),
            ("localhost:5000", true),
            ("[::1]:5000", true),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1", false),
            ("localhost.evil.example:5000", false),
        ] {
            assert_eq!(web::is_loopback(without_port(host)), local, "{host}");
        }
    }
}
