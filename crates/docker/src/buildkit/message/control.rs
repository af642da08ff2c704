//! `moby.buildkit.v1.Control` (`api/services/control/control.proto`).

use std::collections::BTreeMap;

use super::llb::Definition;
use super::policy::Policy;
use crate::buildkit::wire::{Whole, message};

message! {
    /// A build.
    SolveRequest = "Control.SolveRequest" {
        1 reference: String,
        2 definition: Option<Definition>,
        3 exporter: String,
        4 exporter_attrs: BTreeMap<String, String>,
        5 session: String,
        6 frontend: String,
        7 frontend_attrs: BTreeMap<String, String>,
        8 cache: Option<CacheOptions>,
        9 entitlements: Vec<String>,
        10 frontend_inputs: BTreeMap<String, Whole<Definition>>,
        11 internal: bool,
        12 source_policy: Option<Policy>,
        13 exporters: Vec<Exporter>,
        14 enable_session_exporter: bool,
        15 source_policy_session: String,
        16 compatibility_version: i64,
        17 proxy_network: bool,
    }

    /// What is done with the result.
    Exporter = "Exporter" { 1 kind: String, 2 attrs: BTreeMap<String, String>, }

    /// Results of other builds, elsewhere.
    CacheOptions = "CacheOptions" {
        1 export_ref: String,
        2 import_refs: Vec<String>,
        3 export_attrs: BTreeMap<String, String>,
        4 exports: Vec<CacheOptionsEntry>,
        5 imports: Vec<CacheOptionsEntry>,
    }

    /// One such place.
    CacheOptionsEntry = "CacheOptionsEntry" { 1 kind: String, 2 attrs: BTreeMap<String, String>, }

    /// What came of a build: what each exporter tells.
    SolveResponse = "Control.SolveResponse" { 1 told: BTreeMap<String, String>, }

    /// What is asked about a build: `Status`, and `UpdateBuildHistory`, which begins the same.
    StatusRequest = "StatusRequest" { 1 reference: String, }

    /// A change of the history.
    UpdateBuildHistoryRequest = "UpdateBuildHistoryRequest" {
        1 reference: String,
        2 pinned: bool,
        3 delete: bool,
        4 finalize: bool,
    }

    /// What is asked of the history.
    BuildHistoryRequest = "BuildHistoryRequest" {
        1 active_only: bool,
        2 reference: String,
        3 early_exit: bool,
        4 filter: Vec<String>,
        5 limit: i32,
    }

    /// A build that began, ended or was removed.
    BuildHistoryEvent = "BuildHistoryEvent" { 1 kind: i32, 2 record: Option<BuildHistoryRecord>, }

    /// A build of the history. What is not read here is told as it stands.
    BuildHistoryRecord = "BuildHistoryRecord" {
        1 reference: String,
        8 logs: Option<Descriptor>,
        10 result: Option<BuildResultInfo>,
        11 results: BTreeMap<String, Whole<BuildResultInfo>>,
        13 trace: Option<Descriptor>,
        18 external_error: Option<Descriptor>,
    }

    /// Something in the daemon's store.
    Descriptor = "Descriptor" {
        1 media_type: String,
        2 digest: String,
        3 size: i64,
        5 annotations: BTreeMap<String, String>,
    }

    /// What a build gave.
    BuildResultInfo = "BuildResultInfo" {
        1 result: Option<Descriptor>,
        2 attestations: Vec<Descriptor>,
        3 results: BTreeMap<i64, Whole<Descriptor>>,
    }
}

impl BuildHistoryRecord {
    /// What of the daemon's store belongs to the build, by digest.
    pub fn digests(&self) -> Vec<&str> {
        let infos = self.result.iter().chain(self.results.values().map(|info| &info.0));
        let results = infos.flat_map(|info| {
            info.result.iter().chain(&info.attestations).chain(info.results.values().map(|result| &result.0))
        });
        let all = self.logs.iter().chain(&self.trace).chain(&self.external_error).chain(results);
        all.map(|descriptor| descriptor.digest.as_str()).filter(|digest| !digest.is_empty()).collect()
    }
}
