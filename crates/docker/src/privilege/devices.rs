//! Devices of the host.

use super::Privilege;
use crate::body::container::{DeviceMapping, DeviceRequest};
use crate::host_path;
use crate::privilege::asked::Asked;
use crate::request::Misread;
use crate::world::KnownPath;

impl Asked<'_> {
    /// Devices by path, by class, and by driver.
    pub(crate) fn devices(
        &mut self,
        devices: Option<&mut Vec<DeviceMapping>>,
        rules: Option<&Vec<String>>,
        requests: Option<&Vec<DeviceRequest>>,
    ) -> Result<(), Misread> {
        for (index, device) in devices.into_iter().flatten().enumerate() {
            let field = format!("HostConfig.Devices[{index}]");
            let cleaned = host_path::clean(&device.path_on_host)
                .ok_or_else(|| Misread::value(field, "has a path that is not an absolute path of the host"))?;
            // The daemon follows links and takes every device below a directory.
            let path = match self.world.host_path(&cleaned) {
                Some(KnownPath::Resolved(path)) => path.clone(),
                Some(KnownPath::Remote) | None => cleaned,
            };
            device.path_on_host.clone_from(&path);
            self.ask(Privilege::UseDevice { path, permissions: device.cgroup_permissions.clone() });
        }
        for rule in rules.into_iter().flatten() {
            self.ask(Privilege::AllowDeviceClass { rule: rule.clone() });
        }
        for request in requests.into_iter().flatten() {
            let ids = request.device_ids.iter().flatten();
            let capabilities = request.capabilities.iter().flatten().flatten();
            let devices: Vec<&str> = ids.chain(capabilities).map(String::as_str).collect();
            self.ask(Privilege::RequestDevice { driver: request.driver.clone(), devices: devices.join(",") });
        }
        Ok(())
    }
}
