//go:build moby20

package main

import (
	"reflect"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/volume"
)

// createRequest is runconfig.ContainerConfigWrapper, field by field: that package wants a whole daemon.
type createRequest struct {
	*container.Config
	InnerHostConfig       *container.HostConfig     `json:"HostConfig,omitempty"`
	Cpuset                string                    `json:",omitempty"`
	NetworkingConfig      *network.NetworkingConfig `json:"NetworkingConfig,omitempty"`
	*container.HostConfig                           // read where HostConfig is missing
}

// created is what the daemon goes on with.
type created struct {
	*container.Config
	HostConfig       *container.HostConfig     `json:"HostConfig,omitempty"`
	NetworkingConfig *network.NetworkingConfig `json:"NetworkingConfig,omitempty"`
}

// bodies makes what moby 20.10 decodes into, by the operation's name in the API descriptions.
var bodies = map[string]func() any{
	"ContainerCreate":   func() any { return new(createRequest) },
	"ImageCommit":       func() any { return new(createRequest) },
	"ContainerUpdate":   func() any { return new(container.UpdateConfig) },
	"ContainerExec":     func() any { return new(types.ExecConfig) },
	"ExecStart":         func() any { return new(types.ExecStartCheck) },
	"ContainerCopy":     func() any { return new(types.CopyConfig) },
	"CheckpointCreate":  func() any { return new(types.CheckpointCreateOptions) },
	"VolumeCreate":      func() any { return new(volume.VolumeCreateBody) },
	"NetworkCreate":     func() any { return new(types.NetworkCreateRequest) },
	"NetworkConnect":    func() any { return new(types.NetworkConnect) },
	"NetworkDisconnect": func() any { return new(types.NetworkDisconnect) },
	"SystemAuth":        func() any { return new(types.AuthConfig) },
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

// mayBeEmpty: where 20.10 goes on without a body.
var mayBeEmpty = map[string]bool{"ImageCommit": true}

// strictEnd: before 23.0 the daemon reads one value and forgets the rest.
func strictEnd(string) bool {
	return false
}

// promotes: the fields of HostConfig at the top are promoted too, but they are not to be made from.
func promotes(t reflect.Type) bool {
	return t != reflect.TypeFor[*container.HostConfig]()
}

// finish does what ContainerConfigWrapper.getHostConfig does. Without any field of Config there is none, which
// the daemon refuses (`config cannot be empty`), and with a field that is zero there is an empty one. We forward
// the same for both, so both count as empty.
func finish(_ string, value any) any {
	w, wrapped := value.(*createRequest)
	if !wrapped {
		return value
	}
	if w.Config == nil {
		w.Config = new(container.Config)
	}
	hc := w.HostConfig
	if hc == nil && w.InnerHostConfig != nil {
		hc = w.InnerHostConfig
	} else if inner := w.InnerHostConfig; inner != nil {
		fill(&inner.Memory, hc.Memory)
		fill(&inner.MemorySwap, hc.MemorySwap)
		fill(&inner.CPUShares, hc.CPUShares)
		fill(&inner.CpusetCpus, hc.CpusetCpus)
		fill(&inner.VolumeDriver, hc.VolumeDriver)
		hc = inner
	}
	if hc != nil {
		fill(&hc.CpusetCpus, w.Cpuset)
	}
	return &created{w.Config, hc, w.NetworkingConfig}
}

func fill[T comparable](field *T, other T) {
	var zero T
	if *field == zero {
		*field = other
	}
}
