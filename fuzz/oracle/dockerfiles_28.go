//go:build !moby20

package main

import (
	"bytes"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// instruction is one instruction of a Dockerfile as the daemon's parser takes it apart.
type instruction struct {
	Line    int      `json:"line"`
	Keyword string   `json:"keyword"`
	Flags   []string `json:"flags"`
	Words   []string `json:"words"`
}

// readDockerfile reads a Dockerfile as both builders do first.
func readDockerfile(text []byte) []byte {
	result, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return encode(map[string]any{"error": err.Error()})
	}
	instructions := []instruction{}
	for _, node := range result.AST.Children {
		read := instruction{Line: node.StartLine, Keyword: strings.ToLower(node.Value), Flags: node.Flags}
		for word := node.Next; word != nil; word = word.Next {
			read.Words = append(read.Words, word.Value)
		}
		instructions = append(instructions, read)
	}
	return encode(map[string]any{"instructions": instructions})
}
