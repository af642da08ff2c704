package docker.authz

default allow := false

allow if count(deny) == 0

deny contains "networks are made by administrators" if {
	input.dockwarden.operation == "NetworkCreate"
	not "admins" in input.dockwarden.subject.groups
}

deny contains "host paths are limited to /srv/ci" if {
	some bind in input.BindMounts
	not startswith(bind.Resolved, "/srv/ci/")
}
