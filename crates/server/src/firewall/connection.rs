//! One client's connection, and the daemon's that goes with it.

use std::sync::Arc;

use policy::Subject;

use crate::stream::{ClientStream, DaemonStream};
use crate::wire::Wire;

/// Both ends, and who is at the client's.
pub(crate) struct Connection {
    pub(crate) client: Wire<ClientStream>,
    /// The daemon's end. Pinned to this client: two clients never share one, so bytes of the one can
    /// never be taken for the other's.
    pub(crate) daemon: Option<Wire<DaemonStream>>,
    pub(crate) subject: Arc<Subject>,
}
