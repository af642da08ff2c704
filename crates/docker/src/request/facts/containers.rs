//! Containers, the processes started in them, and their checkpoints.

use super::{Draft, Unsettled, not_an_id};
use crate::endpoint::Operation;
use crate::host_path;
use crate::privilege::asked::{Absent, Asked};
use crate::privilege::{Namespace, Peer, Privilege, containers};
use crate::request::{Body, Call, Misread};
use crate::resource::Resource;
use crate::world::KnownPath;

impl Draft<'_> {
    pub(super) fn container(&mut self, call: &Call) -> Result<(), Unsettled> {
        match call.operation {
            Operation::ContainerCreate => return self.container_create(),
            Operation::ContainerUpdate => return self.container_update(),
            _ => {}
        }
        match (call.operation, &mut self.body) {
            (Operation::ContainerList | Operation::ContainerPrune, _) => {
                self.resources.push(Resource::Daemon);
                return Ok(());
            }
            (Operation::CheckpointCreate, Body::Checkpoint(body)) => {
                let body = body.value_mut();
                checkpoint_name(&body.checkpoint_id, "CheckpointID")?;
                self.asked.checkpoint(&mut body.checkpoint_dir, "CheckpointDir")?;
            }
            (Operation::CheckpointList, _) => self.checkpoint("dir")?,
            (Operation::CheckpointDelete, _) => {
                checkpoint_name(call.names.get(1).map_or("", String::as_str), "the path")?;
                self.checkpoint("dir")?;
            }
            (Operation::ContainerStart, _) => self.start_from_checkpoint()?,
            (Operation::ContainerTop, _) if !is_plain(self.query.value("ps_args")?) => {
                let namespace = Namespace::Pid;
                self.asked.ask(Privilege::ShareNamespace { namespace, with: Peer::Host });
            }
            (Operation::PutContainerArchive, Body::Archive(archive)) => self.asked.copy_in(archive),
            _ => {}
        }
        if call.operation == Operation::ContainerRename {
            not_an_id(self.query.value("name")?, "name")?;
        }
        self.container_of_path();
        match call.operation {
            Operation::ContainerStart | Operation::ContainerRestart => self.stored(),
            Operation::ContainerUnpause
            | Operation::ContainerRename
            | Operation::ContainerAttach
            | Operation::ContainerAttachWebsocket
            | Operation::ContainerArchive
            | Operation::ContainerArchiveInfo
            | Operation::PutContainerArchive
            | Operation::ContainerCopy
            | Operation::ContainerExport => self.driven(),
            _ => Ok(()),
        }
    }

    /// Whoever drives a container has its powers.
    pub(super) fn driven(&mut self) -> Result<(), Unsettled> {
        let Some(Resource::Container(container)) = self.resources.last().cloned() else { return Ok(()) };
        if let Some(stored) = self.asked.world.stored(&container.id) {
            self.spec = Some(containers::spec(&container.name, &stored));
        }
        Ok(self.asked.powers(&container)?)
    }

    /// What the container was made with is asked again: a start is what puts it into effect.
    fn stored(&mut self) -> Result<(), Unsettled> {
        let Some(Resource::Container(container)) = self.resources.last().cloned() else { return Ok(()) };
        match self.asked.world.stored(&container.id) {
            Some(stored) => {
                self.spec = Some(containers::spec(&container.name, &stored));
                self.asked.container_start(&container, &stored)?;
            }
            None => self.asked.ask(Privilege::Unexamined { part: "a stored configuration" }),
        }
        Ok(())
    }

    /// A start from a checkpoint, where one is named.
    fn start_from_checkpoint(&mut self) -> Result<(), Unsettled> {
        let name = self.query.value("checkpoint")?;
        if name.is_empty() && self.query.one("checkpoint-dir")?.is_none() {
            return Ok(());
        }
        if !name.is_empty() {
            checkpoint_name(name, "checkpoint")?;
        }
        self.checkpoint("checkpoint-dir")
    }

    /// The directory of checkpoints, by a parameter of the query.
    fn checkpoint(&mut self, parameter: &str) -> Result<(), Unsettled> {
        let mut directory = self.query.value(parameter)?.to_owned();
        self.asked.checkpoint(&mut directory, parameter)?;
        if !directory.is_empty() {
            self.query.set(parameter, directory);
        }
        Ok(())
    }

    /// The container that the path names; its full id is sent.
    pub(super) fn container_of_path(&mut self) {
        let Some(name) = self.names.first_mut() else { return };
        match self.asked.world.container(name) {
            Some(container) => {
                name.clone_from(&container.id);
                self.resources.push(Resource::Container(container.clone()));
            }
            None => self.not_found = Some(Absent { status: 404, message: format!("No such container: {name}") }),
        }
    }

    /// An exec belongs to a container. What it was prepared to do is asked again when it starts: who
    /// prepared it need not be who starts it.
    pub(super) fn exec(&mut self, call: &Call) -> Result<(), Unsettled> {
        if let Body::ExecCreate(body) = &mut self.body {
            let (privileged, user) = (body.privileged, body.user.clone());
            self.container_of_path();
            let otherwise = match self.resources.last() {
                Some(Resource::Container(container)) => container.user.clone(),
                _ => String::new(),
            };
            if privileged {
                self.asked.ask(Privilege::Privileged);
            }
            self.asked.run_as(&user, &otherwise);
            return self.driven();
        }
        let Some(id) = self.names.first_mut() else { return Ok(()) };
        match self.asked.world.exec(id) {
            Some(exec) => {
                id.clone_from(&exec.id);
                if call.operation == Operation::ExecStart {
                    if exec.privileged {
                        self.asked.privileges.push(Privilege::Privileged);
                    }
                    self.asked.privileges.push(Privilege::RunAs(exec.user.clone()));
                }
                self.resources.push(Resource::Container(exec.container.clone()));
            }
            None => self.not_found = Some(Absent { status: 404, message: format!("No such exec instance: {id}") }),
        }
        if call.operation == Operation::ExecStart { self.driven() } else { Ok(()) }
    }
}

impl Asked<'_> {
    /// The directory of checkpoints: the daemon's own, or one of the host, which is replaced by where it leads.
    fn checkpoint(&mut self, directory: &mut String, field: &str) -> Result<(), Misread> {
        if !directory.is_empty() {
            let cleaned = host_path::clean(directory)
                .ok_or_else(|| Misread::value(field, "is not an absolute path of the host"))?;
            *directory = match self.world.host_path(&cleaned) {
                Some(KnownPath::Resolved(path)) => path.clone(),
                Some(KnownPath::Remote) | None => cleaned,
            };
        }
        self.ask(Privilege::Checkpoint { directory: directory.clone() });
        Ok(())
    }
}

/// Whether `ps` with these arguments shows the container's processes alone. The daemon runs it for all of the host's,
/// and keeps the lines whose column `PID` is one of the container's: columns of other names, of several words, or
/// named anew before that one put another number in its place, and the lines of other processes are kept.
fn is_plain(arguments: &str) -> bool {
    let columns = |list: &str| {
        let word = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b',' | b'_');
        list.split(',').next() == Some("pid") && list.bytes().all(word)
    };
    match arguments.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().as_slice() {
        [] => true,
        [one] => PLAIN.contains(one),
        ["-o" | "-eo" | "-Ao", list] | ["-e" | "-A", "-o", list] => columns(list),
        _ => false,
    }
}

/// Arguments of `ps` after which the columns stand as the daemon takes them to stand.
const PLAIN: &[&str] = &["-A", "-e", "-f", "-ef", "-eF", "aux", "-aux", "auxw", "auxww"];

/// The name of a checkpoint is part of a path on the host: the daemon checks it where one is made, not where one is
/// used or removed.
fn checkpoint_name(name: &str, field: &str) -> Result<(), Misread> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let starts_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if starts_well && name.bytes().all(word) {
        Ok(())
    } else {
        Err(Misread::value(field, "is not the name of a checkpoint"))
    }
}
