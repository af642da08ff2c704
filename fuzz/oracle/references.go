package main

// named is the name of an image, normalised.
type named struct {
	Error    string `json:"error,omitempty"`
	Registry string `json:"registry,omitempty"`
	Path     string `json:"path,omitempty"`
	Tag      string `json:"tag,omitempty"`
	Digest   string `json:"digest,omitempty"`
}
