package docker.authz

default allow = false

allow {
    not has_bind
}

has_bind {
    input.BindMounts[_].Source != "/srv"
}
