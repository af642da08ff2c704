//! Requests of a rehearsal: judged as ever, and what would change anything answered as a daemon might.

use docker::endpoint::{Answer as AnswerKind, Effect};
use docker::facts::CanonicalBody;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::connection::Next;
use super::exchange::{Exchange, Granted};
use crate::firewall::answer::{Answer, send_json};
use crate::firewall::ask;
use crate::record::Outcome;

impl Exchange<'_> {
    /// Answers in a rehearsal. `None`: it only looks, and there is a daemon to look at.
    pub(super) async fn rehearse(&mut self, granted: &Granted) -> Option<Next> {
        if granted.call.is_tunnel() {
            return self.rehearse_tunnel().await;
        }
        let endpoint = granted.call.operation.endpoint();
        let names = self.names(granted);
        let rehearsal = &self.gateway.firewall.rehearsal;
        let (status, body) = if endpoint.effect == Effect::Read {
            let alone = ask::daemon(&self.gateway.firewall, &mut self.connection.daemon).await.is_err();
            rehearsal.look(endpoint.operation, &names, alone, &self.gateway.firewall.settings.reading)?
        } else {
            let body = match &granted.permit.canonical().body {
                CanonicalBody::Json(body) => serde_json::from_slice(body).unwrap_or_default(),
                _ => Value::Null,
            };
            let parameter = |name: &str| granted.call.query.all(name).next().unwrap_or_default().to_owned();
            rehearsal.answer(endpoint.operation, &names, parameter, &body)
        };
        self.entry.outcome(Outcome::Allowed, Some(status), None);
        if endpoint.answer == AnswerKind::Stream {
            let head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
            let _ = self.connection.client.stream.write_all(head).await;
            return Some(Next::Linger);
        }
        let head_only = *self.head.method() == docker::http::Method::Head;
        let reusable = self.rest.is_done() && self.head.keep_alive();
        // Clients go by this: without it they would take the daemon for one of 2016.
        let newest = self.gateway.firewall.settings.reading.newest.to_string();
        let fields: [(&str, &[u8]); 2] = [("Api-Version", newest.as_bytes()), ("Ostype", b"linux")];
        match send_json(&mut self.connection.client, status, &fields, &body, head_only, !reusable).await {
            Ok(()) if reusable => Some(Next::Request),
            Ok(()) => Some(Next::Linger),
            Err(_) => Some(Next::Close),
        }
    }

    /// What a build does, BuildKit alone tells, before it does it. So the tunnel is opened, if there is a daemon, and the
    /// build ends there once all was told.
    async fn rehearse_tunnel(&mut self) -> Option<Next> {
        if ask::daemon(&self.gateway.firewall, &mut self.connection.daemon).await.is_ok() {
            return None;
        }
        let words = "dockwarden: what a build does, BuildKit tells, and no daemon answers here";
        self.entry.outcome(Outcome::Failed, Some(503), Some(words.to_owned()));
        let _ = Answer::new(503, words).send(&mut self.connection.client, false, true).await;
        Some(Next::Linger)
    }

    /// The names of the path as they would be sent: full ids.
    fn names(&self, granted: &Granted) -> Vec<String> {
        let path = granted.permit.canonical().target.split('?').next().unwrap_or_default();
        let route = docker::target::Target::parse(path, self.head.method())
            .ok()
            .and_then(|target| docker::endpoint::route(self.head.method(), &target));
        route.map(|route| route.names).unwrap_or_default()
    }
}
