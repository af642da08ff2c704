package main

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
)

// entry is what archive/tar reads of one entry.
type entry struct {
	Kind       string   `json:"kind"`
	Name       string   `json:"name"`
	Link       string   `json:"link"`
	Size       int64    `json:"size"`
	Mode       int64    `json:"mode"`
	UID        int      `json:"uid"`
	Attributes []string `json:"attributes"`
}

// readArchive reads an archive to its end, as the daemon does before it unpacks anything else from it.
func readArchive(archive []byte) []byte {
	entries := []entry{}
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return encode(map[string]any{"entries": entries})
		}
		if err == nil {
			_, err = io.Copy(io.Discard, reader)
		}
		if err != nil {
			return encode(map[string]any{"error": err.Error()})
		}
		read := entry{
			Kind: string(header.Typeflag),
			Name: latin1(header.Name),
			Link: latin1(header.Linkname),
			Size: header.Size,
			Mode: header.Mode,
			UID:  header.Uid,
		}
		for key := range header.PAXRecords {
			if attribute, found := strings.CutPrefix(key, "SCHILY.xattr."); found {
				read.Attributes = append(read.Attributes, latin1(attribute))
			}
		}
		entries = append(entries, read)
	}
}
