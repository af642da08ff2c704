// Moby 20.10, with the libraries that it is built with: go build -modfile=go20.mod -tags moby20
module oracle

go 1.24

require (
	github.com/docker/distribution v2.8.1+incompatible
	github.com/docker/docker v20.10.24+incompatible
	github.com/docker/go-connections v0.4.0
	github.com/docker/go-units v0.4.0
	github.com/gorilla/mux v1.8.0
)

require (
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/opencontainers/go-digest v1.0.0 // indirect
	github.com/opencontainers/image-spec v1.1.1 // indirect
)
