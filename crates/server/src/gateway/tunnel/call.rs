//! One call: what its method needs, then its messages in both directions.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use docker::buildkit::build::{Build, named};
use docker::buildkit::message::content::InfoRequest;
use docker::buildkit::message::control::StatusRequest;
use docker::buildkit::message::session::asked_for;
use docker::buildkit::method::{BUILD_ID, Method, Names, Need, Tunnel as Kind};
use docker::buildkit::wire::{self, Strictness};
use docker::privilege::Privilege;
use h2::client::{ResponseFuture, SendRequest};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};

use super::builds::Standing;
use super::judge::Judging;
use super::message::{Message, framed, misread};
use super::pump::{Broken, end, pump, reason, send, told};
use super::refusal::{Code, Refusal};
use super::{SHARED_KEY, Tunnel, history, nested, shared_key};
use crate::firewall::Manner;
use crate::firewall::making::Afterwards;

/// Why a call ends here.
#[derive(Debug)]
pub(super) enum Stop {
    /// It is answered by us, and the record says why.
    Refused(Refusal),
    /// It cannot be understood: answered by us, and the record has yet to say so.
    Malformed(Refusal),
    /// One side has gone, and the other is told by resetting the stream.
    Reset(Reason),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

/// A call under way.
pub(super) struct Call {
    pub(super) tunnel: Arc<Tunnel>,
    pub(super) method: &'static Method,
    pub(super) head: Parts,
    pub(super) body: RecvStream,
    pub(super) respond: SendResponse<Bytes>,
    callee: SendRequest<Bytes>,
}

/// An answer that was held whole.
struct Answer {
    head: Response<()>,
    message: Message,
    trailers: Option<HeaderMap>,
}

/// Carries out a call, or answers it.
pub(super) async fn answer(
    tunnel: Arc<Tunnel>,
    callee: SendRequest<Bytes>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let (head, mut body) = request.into_parts();
    let method = match method(&tunnel, &head) {
        Ok(method) => method,
        Err(refusal) => return refuse(&refusal, &mut respond, &mut body).await,
    };
    let mut call = Call { tunnel, method, head, body, respond, callee };
    match call.run().await {
        Ok(()) => {}
        Err(Stop::Refused(refusal)) => refuse(&refusal, &mut call.respond, &mut call.body).await,
        Err(Stop::Malformed(refusal)) => {
            let refusal = call.judging().malformed(refusal);
            refuse(&refusal, &mut call.respond, &mut call.body).await;
        }
        Err(Stop::Reset(reason)) => call.respond.send_reset(reason),
    }
}

/// Answers, and takes what is still on its way for a moment: a stream that is reset while somebody sends is taken by some
/// for one without an answer.
async fn refuse(refusal: &Refusal, respond: &mut SendResponse<Bytes>, body: &mut RecvStream) {
    refusal.send(respond);
    let drain = async {
        while let Some(Ok(piece)) = body.data().await {
            let _ = body.flow_control().release_capacity(piece.len());
        }
    };
    let _ = tokio::time::timeout(LINGER, drain).await;
}

/// The method of a call, where it is one that is known, called as gRPC calls.
fn method(tunnel: &Arc<Tunnel>, head: &Parts) -> Result<&'static Method, Refusal> {
    let path = head.uri.path();
    let is_grpc = head.headers.get("content-type").is_some_and(|it| it.as_bytes().starts_with(b"application/grpc"));
    let known = Method::of(tunnel.kind, path).filter(|_| is_grpc && head.method == http::Method::POST);
    known.ok_or_else(|| {
        let path: String = path.chars().filter(|c| !c.is_control()).take(200).collect();
        let mut judging = Judging::begin(tunnel, &path);
        let words = format!("dockwarden: BuildKit is not known to have a method `{path}`, so it is refused");
        judging.malformed(Refusal::new(Code::Unimplemented, words))
    })
}

impl Call {
    async fn run(&mut self) -> Result<(), Stop> {
        if self.method.names == Names::Header {
            self.own_build_of_head().await?;
        }
        match self.method.need {
            Need::Pass => self.pass(None).await,
            Need::Noted => {
                let message = Message::read(&self.tunnel, &mut self.body).await?;
                asked_for(self.method.name(), message.bytes()?).inspect(|what| self.tunnel.noted.note(what.clone()));
                self.pass(Some(message.into_frame())).await
            }
            Need::Refused(why) => Err(self.refuse(&format!("may not use {}: {why}", self.method.name())).into()),
            Need::OwnBuild => {
                let message = self.own_build().await?;
                self.rehearsed_unless(!CARRY_OUT.contains(&self.method.name()) || self.is_internal())?;
                self.pass(message).await
            }
            Need::OwnResults => {
                let message = Message::read(&self.tunnel, &mut self.body).await?;
                let allowed = &self.tunnel.gateway.firewall.settings.reading.allow_fields;
                let results = named(self.method, message.bytes()?, allowed);
                self.own_results(&results.map_err(|error| Stop::Malformed(misread(&error)))?)?;
                self.rehearsed_unless(!CARRY_OUT.contains(&self.method.name()) || self.is_internal())?;
                self.pass(Some(message.into_frame())).await
            }
            Need::Judged | Need::JudgedWithAnswer => {
                let mut judging = self.judging();
                let ended = match self.method.need {
                    Need::Judged => self.judged(&mut judging).await,
                    _ => self.judged_with_answer(&mut judging).await,
                };
                ended.map_err(|stop| judging.stopped_by(stop))
            }
            Need::OwnHistory => history::run(self).await,
            Need::OwnContent => {
                let message = Message::read(&self.tunnel, &mut self.body).await?;
                let asked: InfoRequest =
                    wire::read(message.bytes()?, Strictness::Lenient).map_err(super::message::malformed)?;
                if !self.tunnel.gateway.builds.is_own_content(&asked.digest, &self.tunnel.subject.user) {
                    self.granted(&Privilege::UseBuildsOfOthers)?;
                }
                self.pass(Some(message.into_frame())).await
            }
            Need::Session => nested::run(self).await,
            Need::Granted(operation) => {
                self.judging().operation(operation)?;
                self.rehearsed_unless(false)?;
                self.pass(None).await
            }
        }
    }

    /// Ends here in a rehearsal what would carry a build out.
    fn rehearsed_unless(&self, only_looks: bool) -> Result<(), Refusal> {
        if only_looks || self.tunnel.gateway.firewall.settings.manner == Manner::Forward {
            return Ok(());
        }
        Err(Refusal::new(Code::Unavailable, "dockwarden: not built: this is a rehearsal"))
    }

    /// Whether it is of a build that its client begins to see what there is.
    fn is_internal(&self) -> bool {
        only(&self.head.headers, BUILD_ID).is_some_and(|name| self.tunnel.gateway.builds.is_internal(name))
    }

    /// Refuses it, and records that.
    pub(super) fn refuse(&self, what: &str) -> Refusal {
        self.judging().refuse(what)
    }

    /// Ends here what is not granted.
    fn granted(&self, privilege: &Privilege) -> Result<(), Refusal> {
        self.judging().privilege(privilege)
    }

    /// Begins the record of it.
    fn judging(&self) -> Judging {
        Judging::begin(&self.tunnel, self.method.path).of_build(only(&self.head.headers, BUILD_ID))
    }

    /// Looks whose the build is that it names; gives the message where that had to be read.
    async fn own_build(&mut self) -> Result<Option<Bytes>, Stop> {
        match self.method.names {
            Names::Message => {}
            // Seen already.
            Names::Header => return Ok(None),
            Names::Nothing | Names::New => return Err(self.refuse("may not use a build that is not named").into()),
        }
        let message = Message::read(&self.tunnel, &mut self.body).await?;
        let asked: StatusRequest =
            wire::read(message.bytes()?, Strictness::Lenient).map_err(super::message::malformed)?;
        let (builds, user) = (&self.tunnel.gateway.builds, &self.tunnel.subject.user);
        let all =
            !builds.is_own(&asked.reference, user) && Judging::grants(&self.tunnel, &Privilege::UseBuildsOfOthers);
        if !all {
            match builds.build(&asked.reference, user).await {
                Standing::Own => {}
                Standing::Refused(why) => return Err(Refusal::new(Code::PermissionDenied, why).into()),
                Standing::Others => {
                    self.judging().of_build(Some(&asked.reference)).privilege(&Privilege::UseBuildsOfOthers)?;
                }
            }
        }
        Ok(Some(message.into_frame()))
    }

    /// Whoever drives a build is who began it: nobody else has reason to, whatever they may see.
    async fn own_build_of_head(&self) -> Result<(), Stop> {
        let Some(name) = only(&self.head.headers, BUILD_ID) else {
            let words = format!("dockwarden: a part of a build must name its build, once ({BUILD_ID})");
            return Err(Stop::Malformed(Refusal::new(Code::InvalidArgument, words)));
        };
        match self.tunnel.gateway.builds.build(name, &self.tunnel.subject.user).await {
            Standing::Own => Ok(()),
            Standing::Refused(why) => Err(Refusal::new(Code::PermissionDenied, why).into()),
            Standing::Others => Err(self.refuse("may not use this build: it is not yours").into()),
        }
    }

    /// The daemon has the results of answers that were withheld, too, and tells their ids to whoever asks for one that there
    /// is not: only those that were given may be used.
    fn own_results(&self, results: &BTreeSet<String>) -> Result<(), Refusal> {
        let build = only(&self.head.headers, BUILD_ID).unwrap_or_default();
        if results.is_empty() || self.tunnel.gateway.builds.gave(build, results) {
            return Ok(());
        }
        Err(self.refuse("may not use this result: no answer gave it to you"))
    }

    /// A call that is judged before it is passed on. What a build makes is written down before its end is told.
    async fn judged(&mut self, judging: &mut Judging) -> Result<(), Stop> {
        let (message, only_begins) = self.judge(judging).await?;
        let afterwards = judging.begin_making().await?;
        let looks = only_begins || !matches!(self.method.name(), "Control/Solve" | "LLBBridge/NewContainer");
        if let Err(rehearsed) = self.rehearsed_unless(looks) {
            judging.passed();
            return Err(rehearsed.into());
        }
        let ended = match afterwards {
            Afterwards::Making(intent) => {
                let answer = self.held(message).await?;
                judging.made(intent, &answer.head, answer.trailers.as_ref(), &answer.message).await?;
                self.release(answer).await
            }
            _ => self.pass(Some(message)).await,
        };
        judging.passed();
        ended
    }

    /// The same, and its answer, which tells what would be done, is judged before anything of it is.
    async fn judged_with_answer(&mut self, judging: &mut Judging) -> Result<(), Stop> {
        let (message, _) = self.judge(judging).await?;
        let mut answer = self.held(message).await?;
        if !answer.message.is_empty() {
            answer.message.make_room(&self.tunnel).await?;
            let read = Build::of_answer(answer.message.bytes()?, &judging.reading());
            let build = read.map_err(|error| Stop::Malformed(misread(&error)))?;
            answer.message.settle(build.held());
            judging.answer(&build).await?;
            let reference = only(&self.head.headers, BUILD_ID).unwrap_or_default();
            if !self.tunnel.gateway.builds.give(reference, build.results()) {
                return Err(judging.refuse("may not have so many results of one build").into());
            }
        }
        judging.passed();
        self.rehearsed_unless(self.is_internal())?;
        self.release(answer).await
    }

    /// Judges the request. Gives what is to be sent, and whether it only begins what its client drives step by step.
    async fn judge(&mut self, judging: &mut Judging) -> Result<(Bytes, bool), Stop> {
        let mut message = Message::read(&self.tunnel, &mut self.body).await?;
        message.make_room(&self.tunnel).await?;
        let reading = judging.reading();
        let read = Build::of_request(self.method, message.bytes()?, &reading);
        let build = read.map_err(|error| Stop::Malformed(misread(&error)))?;
        message.settle(build.held());
        let _room = message.into_room();
        if matches!(self.method.names, Names::Header) {
            self.own_results(build.results())?;
        }
        let begins = build.begins().map(str::to_owned);
        begins.iter().for_each(|reference| judging.begins(reference));
        if begins.as_ref().is_some_and(|reference| !(1..=LONGEST_REFERENCE).contains(&reference.len())) {
            let words = "dockwarden: a build must name itself, in no more than 128 bytes";
            return Err(Stop::Malformed(Refusal::new(Code::InvalidArgument, words)));
        }
        let (builds, user) = (&self.tunnel.gateway.builds, &self.tunnel.subject.user);
        if let Some(reference) = &begins {
            let taken = builds.begin(reference, user, build.is_internal());
            taken.map_err(|taken| judging.refuse(&format!("may not begin this build: {taken}")))?;
        }
        let judged = judging.build(&build).await;
        if let Err(refusal) = &judged {
            begins.inspect(|reference| builds.refused(reference, &refusal.message));
            self.tunnel.refused.notify_one();
        }
        Ok((framed(&judged?)?, build.only_begins()))
    }

    /// Calls the callee. With a message, that is all; otherwise more is to be sent.
    pub(super) async fn open(&mut self, message: Option<Bytes>) -> Result<(ResponseFuture, SendStream<Bytes>), Stop> {
        let lost = |_| Refusal::new(Code::Unavailable, "dockwarden: the other side of the tunnel has gone");
        let mut callee = self.callee.clone().ready().await.map_err(lost)?;
        let head = head(&self.tunnel, self.method, &self.head.headers)?;
        let (answer, mut out) = callee.send_request(head, false).map_err(lost)?;
        if let Some(message) = message {
            send(&mut out, message).await.map_err(Stop::Reset)?;
            end(&mut out, None).map_err(Stop::Reset)?;
        }
        Ok((answer, out))
    }

    /// Waits for the head of the answer and passes it on: what more there is goes from the one to the other. `None`: there
    /// is no more. Whoever calls may leave meanwhile, and the callee is told.
    pub(super) async fn answered(
        &mut self,
        answer: ResponseFuture,
        out: &mut SendStream<Bytes>,
    ) -> Result<Option<(RecvStream, SendStream<Bytes>)>, Stop> {
        let answer = tokio::select! {
            biased;
            answer = answer => answer.map_err(|error| Stop::Reset(reason(&error))),
            reset = poll_fn(|task| self.respond.poll_reset(task)) => Err(Stop::Reset(told(reset))),
        };
        let (head, body) = answer.inspect_err(|_| out.send_reset(Reason::CANCEL))?.into_parts();
        let alone = body.is_end_stream();
        let down = self.respond.send_response(Response::from_parts(head, ()), alone);
        let down = down.map_err(|error| Stop::Reset(reason(&error)))?;
        Ok((!alone).then_some((body, down)))
    }

    /// Sends a message and holds the answer to it. Whoever calls may leave meanwhile, and the callee is told.
    async fn held(&mut self, message: Bytes) -> Result<Answer, Stop> {
        let (answer, mut out) = self.open(Some(message)).await?;
        let tunnel = &self.tunnel;
        let reading = async {
            let (head, mut body) = answer.await.map_err(|error| Stop::Reset(reason(&error)))?.into_parts();
            let message = Message::read(tunnel, &mut body).await?;
            let trailers = body.trailers().await.map_err(|error| Stop::Reset(reason(&error)))?;
            Ok(Answer { head: Response::from_parts(head, ()), message, trailers })
        };
        let held = tokio::select! {
            biased;
            held = reading => held,
            reset = poll_fn(|task| self.respond.poll_reset(task)) => Err(Stop::Reset(told(reset))),
        };
        if held.is_err() {
            out.send_reset(Reason::CANCEL);
        }
        held
    }

    /// Passes on an answer that was held.
    async fn release(&mut self, answer: Answer) -> Result<(), Stop> {
        let Answer { head, message, trailers } = answer;
        // What ends with its head must still do so.
        let alone = message.is_empty() && trailers.is_none();
        let down = self.respond.send_response(head, alone);
        let mut down = down.map_err(|error| Stop::Reset(reason(&error)))?;
        if alone {
            return Ok(());
        }
        send(&mut down, message.into_frame()).await.map_err(Stop::Reset)?;
        end(&mut down, trailers).map_err(Stop::Reset)
    }

    /// Passes both directions on, to the end of the answer. `message`: all that is sent; otherwise what comes.
    async fn pass(&mut self, message: Option<Bytes>) -> Result<(), Stop> {
        let whole = message.is_some();
        let (answer, mut up) = self.open(message).await?;
        let (body, respond) = (&mut self.body, &mut self.respond);
        let mut down = None;
        let uploading = async {
            if !whole {
                match pump(body, &mut up).await {
                    // Where it cannot be ended, its answer says so.
                    Ok(trailers) => drop(end(&mut up, trailers)),
                    Err(Broken::Sender(reason)) => return reason,
                    // It wants no more; its answer says why, if it has one.
                    Err(Broken::Receiver(_)) => {}
                }
            }
            std::future::pending().await
        };
        let downloading = async {
            let (head, mut body) = tokio::select! {
                biased;
                answer = answer => answer.map_err(|error| Broken::Sender(reason(&error)))?.into_parts(),
                reset = poll_fn(|task| respond.poll_reset(task)) => return Err(Broken::Receiver(told(reset))),
            };
            let alone = body.is_end_stream();
            let lost = |error: h2::Error| Broken::Receiver(reason(&error));
            let down = down.insert(respond.send_response(Response::from_parts(head, ()), alone).map_err(lost)?);
            if alone {
                return Ok(());
            }
            let trailers = pump(&mut body, down).await?;
            end(down, trailers).map_err(Broken::Receiver)
        };
        let ended = tokio::select! {
            biased;
            ended = downloading => ended,
            reason = uploading => Err(Broken::Receiver(reason)),
        };
        match (ended, down) {
            (Ok(()), _) => Ok(()),
            (Err(Broken::Receiver(reason)), _) => {
                up.send_reset(reason);
                Ok(())
            }
            (Err(Broken::Sender(reason)), Some(mut down)) => {
                down.send_reset(reason);
                Ok(())
            }
            (Err(Broken::Sender(reason)), None) => Err(Stop::Reset(reason)),
        }
    }
}

/// The value of a field that is there once, and is a text.
pub(super) fn only<'a>(fields: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = fields.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

/// The head of a call as it is sent. Of what a client says beside, only what is known goes on; that compressed messages
/// would be taken is not said.
fn head(tunnel: &Tunnel, method: &Method, given: &HeaderMap) -> Result<Request<()>, Refusal> {
    let mut request = Request::new(());
    *request.method_mut() = http::Method::POST;
    let target = http::Uri::builder().scheme("http").authority("localhost").path_and_query(method.path).build();
    *request.uri_mut() = target.unwrap_or_default();
    let of_daemon = tunnel.kind == Kind::Session;
    for (name, value) in given {
        let known = KNOWN.contains(&name.as_str()) || name.as_str().starts_with("x-docker-expose-session-");
        let own = OWN.contains(&name.as_str());
        if !own && (of_daemon || known) {
            request.headers_mut().append(name.clone(), value.clone());
        }
    }
    request.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    request.headers_mut().insert("te", HeaderValue::from_static("trailers"));
    if method.need == Need::Session {
        let own = shared_key(&tunnel.subject.user, only(given, SHARED_KEY).unwrap_or_default().as_bytes());
        let own = HeaderValue::from_bytes(&own);
        let own =
            own.map_err(|_| Refusal::new(Code::InvalidArgument, "dockwarden: the shared key cannot be sent on"))?;
        request.headers_mut().insert("x-docker-expose-session-sharedkey", own);
    }
    Ok(request)
}

/// The longest name of a build, in bytes: it is remembered.
const LONGEST_REFERENCE: usize = 128;
/// How long what belongs to a call that was answered is read.
const LINGER: Duration = Duration::from_secs(1);
/// Calls about one's own build that have something done, or end it with a result.
const CARRY_OUT: &[&str] =
    &["LLBBridge/Return", "LLBBridge/Evaluate", "LLBBridge/ExecProcess", "Control/UpdateBuildHistory"];
/// Fields of a client's calls that go on.
const KNOWN: &[&str] = &["user-agent", "grpc-timeout", BUILD_ID, "traceparent", "tracestate", "baggage"];
/// Fields that are written anew, or left out.
const OWN: &[&str] = &["content-type", "te", "grpc-encoding", "grpc-accept-encoding", "host"];
