//go:build !moby20

package main

import "github.com/distribution/reference"

// readReference reads the name of an image as the daemon does wherever one is written.
func readReference(text string) []byte {
	ref, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return encode(named{Error: err.Error()})
	}
	read := named{Registry: reference.Domain(ref), Path: reference.Path(ref)}
	if tagged, ok := ref.(reference.Tagged); ok {
		read.Tag = tagged.Tag()
	}
	if digested, ok := ref.(reference.Digested); ok {
		read.Digest = digested.Digest().String()
	}
	return encode(read)
}
