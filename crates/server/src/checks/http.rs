//! A web hook: `POST` with the image as JSON, answered by `{"allow": true}` or `{"allow": false, "reason": "..."}`; or a
//! decision of OPA by its data API, `{"input": image}` answered by `{"result": ...}`.

use std::path::PathBuf;

use reqwest::header::HeaderName;
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Image};
use crate::web::{self, Web};

/// How the question is put, and the answer read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The image alone; `allow` and `reason`.
    Plain,
    /// `input` and `result`.
    Opa,
}

/// A web hook.
#[derive(Debug)]
pub struct Hook {
    /// Where.
    pub url: Url,
    /// In which form.
    pub form: Form,
    /// The client.
    pub web: Web,
    /// A header field, whose value stands in a file.
    pub header: Option<(HeaderName, PathBuf)>,
}

#[derive(Deserialize)]
struct Said {
    allow: bool,
    reason: Option<String>,
}

/// What OPA decides: nothing, where no rule does.
#[derive(Deserialize)]
struct Document {
    result: Option<Value>,
}

impl Hook {
    pub(super) async fn ask(&self, image: &Image) -> Answer {
        let question = match self.form {
            Form::Plain => image.to_json(),
            Form::Opa => json!({ "input": image.to_json() }),
        };
        let request = self.web.request(Method::POST, self.url.clone()).json(&question);
        let request = web::with_header(request, self.header.as_ref()).await?;
        let who = web::host(Some(&self.url));
        let reply = web::fetch(request).await?.ok(&who)?;
        let said = match self.form {
            Form::Plain => reply.json::<Said>(&who)?,
            Form::Opa => decided(reply.json::<Document>(&who)?, &who)?,
        };
        if said.allow { Ok(None) } else { Ok(Some(said.reason.unwrap_or_else(|| format!("{who} says no")))) }
    }
}

/// `true`, `false`, or a document with `allow`. Undefined is no.
fn decided(document: Document, who: &str) -> Result<Said, String> {
    match document.result {
        None => Ok(Said { allow: false, reason: Some("its policy does not decide about it".to_owned()) }),
        Some(Value::Bool(allow)) => Ok(Said { allow, reason: None }),
        Some(result) => serde_json::from_value(result)
            .map_err(|_| format!("{who} decided neither true nor false, nor `allow` with `reason`")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use docker::image::Reference;
    use rcgen::CertificateParams;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::tls::{self, tests::Files};
    use crate::web::Trust;

    /// A hook behind TLS that lets in who has a certificate of these files' authority; its port.
    async fn behind_tls(files: &Files) -> u16 {
        let config = tls::server_config(&files.certificate, &files.key, Some(&files.ca)).unwrap().config;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&config));
            while let Ok((client, _)) = listener.accept().await {
                let Ok(mut client) = acceptor.accept(client).await else { continue };
                let mut head = vec![0; 4096];
                if client.read(&mut head).await.is_ok_and(|length| length > 0) {
                    let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 14\r\n\r\n{\"allow\":true}";
                    let _ = client.write_all(answer.as_bytes()).await;
                    let _ = client.shutdown().await;
                }
            }
        });
        port
    }

    #[tokio::test]
    async fn only_who_is_trusted_is_asked_and_he_sees_who_asks() {
        let (files, others) = (Files::make(), Files::make());
        let (certificate, key) = files.sign("client", CertificateParams::new(vec!["us".to_owned()]).unwrap());
        let port = behind_tls(&files).await;
        let ask = async |ca: &Path, pair: Option<(&Path, &Path)>| {
            let [certificate, key] = [pair.map(|pair| pair.0.to_owned()), pair.map(|pair| pair.1.to_owned())];
            let web = Web::new(&Trust { ca: Some(ca.to_owned()), certificate, key }).unwrap();
            let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
            let hook = Hook { url, form: Form::Plain, web, header: None };
            hook.ask(&Image::named(Reference::parse("r.test/app:1").unwrap())).await
        };
        assert_eq!(ask(&files.ca, Some((&certificate, &key))).await, Ok(None));
        assert!(ask(&files.ca, None).await.is_err(), "no certificate");
        assert!(ask(&others.ca, Some((&certificate, &key))).await.is_err(), "another authority");
        let system = Web::new(&Trust::default()).unwrap();
        let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();
        let hook = Hook { url, form: Form::Plain, web: system, header: None };
        assert!(
            hook.ask(&Image::unseen()).await.unwrap_err().contains("cannot be reached"),
            "the system's authorities"
        );
        assert!(Web::new(&Trust { ca: None, certificate: Some(certificate), key: Some(key) }).is_err());
    }

    fn decide(text: &str) -> Result<(bool, Option<String>), String> {
        let document = serde_json::from_str(text).map_err(|error| error.to_string())?;
        decided(document, "opa").map(|said| (said.allow, said.reason))
    }

    #[test]
    fn what_opa_decides() {
        assert_eq!(decide(r#"{"result":true}"#), Ok((true, None)));
        assert_eq!(decide(r#"{"result":false,"decision_id":"1"}"#), Ok((false, None)));
        assert_eq!(decide(r#"{"result":{"allow":false,"reason":"old"}}"#), Ok((false, Some("old".into()))));
        assert_eq!(decide("{}").map(|(allow, _)| allow), Ok(false), "undefined");
        for text in
            [r#"{"result":"yes"}"#, r#"{"result":1}"#, r#"{"result":{}}"#, r#"{"result":{"allow":"true"}}"#, "[]"]
        {
            assert!(decide(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_hook_says() {
        let said = |text: &str| serde_json::from_str::<Said>(text).is_ok();
        assert!(said(r#"{"allow":true}"#) && said(r#"{"allow":false,"reason":"x","more":1}"#));
        for text in
            ["{}", r#"{"allow":"true"}"#, r#"{"allow":1}"#, r#"{"allow":null}"#, r#"{"Allow":true}"#, "true", ""]
        {
            assert!(!said(text), "{text}");
        }
        assert!(!said(r#"{"allow":true,"allow":false}"#), "said twice");
    }
}
