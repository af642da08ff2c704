//go:build !moby20

package main

import (
	"reflect"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/checkpoint"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/volume"
)

// bodies makes what moby 28.5 decodes into, by the operation's name in the API descriptions.
var bodies = map[string]func() any{
	"ContainerCreate":   func() any { return new(container.CreateRequest) },
	"ImageCommit":       func() any { return new(container.CreateRequest) },
	"ContainerUpdate":   func() any { return new(container.UpdateConfig) },
	"ContainerExec":     func() any { return new(container.ExecOptions) },
	"ExecStart":         func() any { return new(container.ExecStartOptions) },
	"CheckpointCreate":  func() any { return new(checkpoint.CreateOptions) },
	"VolumeCreate":      func() any { return new(volume.CreateOptions) },
	"VolumeUpdate":      func() any { return new(volume.UpdateOptions) },
	"NetworkCreate":     func() any { return new(network.CreateRequest) },
	"NetworkConnect":    func() any { return new(network.ConnectOptions) },
	"NetworkDisconnect": func() any { return new(network.DisconnectOptions) },
	"SystemAuth":        func() any { return new(registry.AuthConfig) },
	"SwarmInit":         func() any { return new(swarm.InitRequest) },
	"SwarmJoin":         func() any { return new(swarm.JoinRequest) },
	"SwarmUpdate":       func() any { return new(swarm.Spec) },
	"SwarmUnlock":       func() any { return new(swarm.UnlockRequest) },
	"ServiceCreate":     func() any { return new(swarm.ServiceSpec) },
	"ServiceUpdate":     func() any { return new(swarm.ServiceSpec) },
	"NodeUpdate":        func() any { return new(swarm.NodeSpec) },
	"SecretCreate":      func() any { return new(swarm.SecretSpec) },
	"SecretUpdate":      func() any { return new(swarm.SecretSpec) },
	"ConfigCreate":      func() any { return new(swarm.ConfigSpec) },
	"ConfigUpdate":      func() any { return new(swarm.ConfigSpec) },
	"PluginPull":        func() any { return new(types.PluginPrivileges) },
	"PluginUpgrade":     func() any { return new(types.PluginPrivileges) },
	"PluginSet":         func() any { return new([]string) },
}

// httputils.ReadJSON leaves everything as it was where there is no body at all.
var mayBeEmpty = map[string]bool{"ExecStart": true, "ImageCommit": true, "PluginPull": true, "PluginUpgrade": true}

// strictEnd: httputils.ReadJSON and runconfig.loadJSON ask for `More`, the handler of /auth does not.
func strictEnd(operation string) bool {
	return operation != "SystemAuth"
}

// promotes: every embedded struct counts.
func promotes(reflect.Type) bool {
	return true
}

// finish: without any field of Config there is none, which the daemon refuses (`config cannot be empty`), and
// with a field that is zero there is an empty one. We forward the same for both, so both count as empty.
func finish(_ string, value any) any {
	if request, created := value.(*container.CreateRequest); created && request.Config == nil {
		request.Config = new(container.Config)
	}
	return value
}
