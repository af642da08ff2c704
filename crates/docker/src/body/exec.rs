//! What the exec end points carry (moby `container.ExecOptions`, `ExecStartOptions`).

use crate::json::{Ignored, Pair, go_struct};

go_struct! {
    /// The body of `POST /containers/{id}/exec`.
    pub struct ExecCreateRequest {
        user: String = "User",
        privileged: bool = "Privileged",
        tty: bool = "Tty",
        console_size: Option<Pair> = "ConsoleSize",
        attach_stdin: bool = "AttachStdin",
        attach_stderr: bool = "AttachStderr",
        attach_stdout: bool = "AttachStdout",
        detach: bool = "Detach",
        detach_keys: String = "DetachKeys",
        env: Option<Vec<String>> = "Env",
        working_dir: String = "WorkingDir",
        cmd: Option<Vec<String>> = "Cmd",
        /// Sent by docker-py; the daemon takes the container from the path.
        container: Ignored = "Container",
    }

    /// The body of `POST /exec/{id}/start`.
    pub struct ExecStartRequest {
        detach: bool = "Detach",
        tty: bool = "Tty",
        console_size: Option<Pair> = "ConsoleSize",
    }
}
