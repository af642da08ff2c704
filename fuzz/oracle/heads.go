package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
)

// message is what net/http reads from the start of a connection. Texts are in Latin-1: one letter a byte.
type message struct {
	Error    string              `json:"error,omitempty"`
	Method   string              `json:"method,omitempty"`
	Target   string              `json:"target,omitempty"`
	Minor    int                 `json:"minor"`
	Host     string              `json:"host"`
	Header   map[string][]string `json:"header,omitempty"`
	Length   int64               `json:"length"` // -1: chunked
	Body     string              `json:"body"`
	BodyCut  string              `json:"cut,omitempty"`     // why the body could not be read to its end
	Trailer  bool                `json:"trailer,omitempty"` // there were trailer fields
	Left     int                 `json:"left"`              // bytes of the next message
	KeepOpen bool                `json:"open"`
}

func readHeads(connections []byte) []byte {
	var messages []message
	for len(connections) > 0 {
		var connection []byte
		connection, connections = cut(connections)
		messages = append(messages, readHead(connection))
	}
	return encode(messages)
}

func readHead(connection []byte) message {
	source := bytes.NewReader(connection)
	in := bufio.NewReaderSize(source, 4096)
	request, err := http.ReadRequest(in)
	if err != nil {
		return message{Error: err.Error()}
	}
	body, err := io.ReadAll(request.Body)
	read := message{
		Method:   latin1(request.Method),
		Target:   latin1(request.RequestURI),
		Minor:    request.ProtoMinor,
		Host:     latin1(request.Host),
		Header:   map[string][]string{},
		Length:   request.ContentLength,
		Body:     latin1(string(body)),
		Left:     in.Buffered() + source.Len(),
		KeepOpen: !request.Close,
	}
	for _, values := range request.Trailer {
		read.Trailer = read.Trailer || len(values) > 0
	}
	if err != nil {
		read.BodyCut = err.Error()
	}
	for name, values := range request.Header {
		for _, value := range values {
			read.Header[name] = append(read.Header[name], latin1(value))
		}
	}
	return read
}

func latin1(text string) string {
	letters := make([]rune, len(text))
	for i := range len(text) {
		letters[i] = rune(text[i])
	}
	return string(letters)
}
