//! `moby.buildkit.v1.frontend.LLBBridge` (`frontend/gateway/pb/gateway.proto`).

use std::collections::BTreeMap;

use super::control::CacheOptionsEntry;
use super::llb::{Definition, HostIp, Meta, Mount, Platform, SecretEnv, SourceOp, WorkerConstraints};
use super::policy::Policy;
use crate::buildkit::wire::{Whole, message};

message! {
    /// A step of a build that its client drives: what a frontend makes of a Dockerfile, or operations.
    SolveRequest = "LLBBridge.SolveRequest" {
        1 definition: Option<Definition>,
        2 frontend: String,
        3 frontend_opt: BTreeMap<String, String>,
        5 allow_result_return: bool,
        6 allow_result_array_ref: bool,
        10 is_final: bool,
        11 exporter_attr: Vec<u8>,
        12 cache_imports: Vec<CacheOptionsEntry>,
        13 frontend_inputs: BTreeMap<String, Whole<Definition>>,
        14 evaluate: bool,
        15 source_policies: Vec<Policy>,
    }

    /// What it came to.
    SolveResponse = "LLBBridge.SolveResponse" { 1 reference: String, 3 result: Option<SolveResult>, }

    /// One result, or one for each platform.
    SolveResult = "Result" {
        1 old_ref: String,
        2 old_refs: Option<OldRefs>,
        3 one: Option<Ref>,
        4 many: Option<RefMap>,
        10 metadata: BTreeMap<String, Vec<u8>>,
        12 attestations: BTreeMap<String, Whole<Attestations>>,
    }

    /// Results without the operations that give them.
    OldRefs = "RefMapDeprecated" { 1 refs: BTreeMap<String, String>, }

    /// A result by name, and the operations that give it.
    Ref = "Ref" { 1 id: String, 2 def: Option<Definition>, }

    /// Results by platform.
    RefMap = "RefMap" { 1 refs: BTreeMap<String, Whole<Ref>>, }

    /// What is stated of a result.
    Attestations = "Attestations" { 1 attestation: Vec<Attestation>, }

    /// One statement, which may be another result.
    Attestation = "Attestation" {
        1 kind: i32,
        2 metadata: BTreeMap<String, Vec<u8>>,
        3 one: Option<Ref>,
        4 path: String,
        5 predicate_type: String,
        6 subjects: Vec<Subject>,
    }

    /// What it is stated of.
    Subject = "InTotoSubject" { 1 kind: i32, 2 digest: Vec<String>, 3 name: String, }

    /// The end of a build, and its result.
    ReturnRequest = "ReturnRequest" { 1 result: Option<SolveResult>, 2 error: Vec<u8>, }

    /// A file of a result.
    ReadFileRequest = "ReadFileRequest" { 1 reference: String, 2 path: String, 3 range: Option<FileRange>, }

    /// A part of it.
    FileRange = "FileRange" { 1 offset: i64, 2 length: i64, }

    /// A folder of a result.
    ReadDirRequest = "ReadDirRequest" { 1 reference: String, 2 path: String, 3 include: String, }

    /// What is known of a file of a result.
    StatFileRequest = "StatFileRequest" { 1 reference: String, 2 path: String, }

    /// A result is to be had now.
    EvaluateRequest = "EvaluateRequest" { 1 reference: String, }

    /// A look at an image's configuration.
    ResolveImageConfigRequest = "ResolveImageConfigRequest" {
        1 reference: String,
        2 platform: Option<Platform>,
        3 resolve_mode: String,
        4 log_name: String,
        5 resolver_type: i32,
        6 session_id: String,
        7 store_id: String,
        8 source_policies: Vec<Policy>,
    }

    /// A look at what a source has to give.
    ResolveSourceMetaRequest = "ResolveSourceMetaRequest" {
        1 source: Option<SourceOp>,
        2 platform: Option<Platform>,
        3 log_name: String,
        4 resolve_mode: String,
        5 git: Option<GitLook>,
        6 image: Option<ImageLook>,
        7 http: Option<HttpLook>,
        8 source_policies: Vec<Policy>,
    }

    /// What of a git repository.
    GitLook = "ResolveSourceGitRequest" { 1 return_object: bool, }

    /// What of an image.
    ImageLook = "ResolveSourceImageRequest" {
        1 no_config: bool,
        2 attestation_chain: bool,
        3 resolve_attestations: Vec<String>,
    }

    /// What of a URL.
    HttpLook = "ResolveSourceHTTPRequest" { 1 checksum: Option<ChecksumRequest>, }

    /// Which checksum.
    ChecksumRequest = "ChecksumRequest" { 1 algorithm: i32, 2 suffix: Vec<u8>, }

    /// A container for the client's own commands.
    NewContainerRequest = "NewContainerRequest" {
        1 container_id: String,
        2 mounts: Vec<Mount>,
        3 network: i32,
        4 platform: Option<Platform>,
        5 constraints: Option<WorkerConstraints>,
        6 extra_hosts: Vec<HostIp>,
        7 hostname: String,
    }

    /// A message of the stream that drives a command; only its beginning is read.
    ExecMessage = "ExecMessage" {
        1 process_id: String,
        2 init: Option<InitMessage>,
        3 file: Vec<u8>,
        4 resize: Vec<u8>,
        5 started: Vec<u8>,
        6 exit: Vec<u8>,
        7 done: Vec<u8>,
        8 signal: Vec<u8>,
    }

    /// The command.
    InitMessage = "InitMessage" {
        1 container_id: String,
        2 meta: Option<Meta>,
        3 fds: Vec<u32>,
        4 tty: bool,
        5 security: i32,
        6 secretenv: Vec<SecretEnv>,
    }
}
