// The oracle: what a Docker daemon, which is written in Go, makes of the bytes that it is shown.
//
// Questions come on stdin and answers go to stdout, in batches, so that neither side waits for the other
// byte by byte: a batch is its length (4 bytes, little endian) and then frames, each its length and its
// bytes; the answers come back in the same form and order. The first byte of a question is its kind.
// Nothing here knows what Dockwarden does; it only uses what the daemon uses: moby's own types (the
// version is chosen when this is built, see bodies_20.go and bodies_28.go), encoding/json, net/http,
// gorilla/mux, archive/tar and BuildKit's parser of Dockerfiles.
package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"log"
	"os"
)

const (
	kindJSON      = 'J' // operation, the body as sent, the body as forwarded
	kindShape     = 'S' // operation
	kindTarget    = 'T' // method, targets
	kindHead      = 'H' // first bytes of connections
	kindReference = 'R' // name of an image
	kindArchive   = 'A' // an archive, not compressed
	kindBuild     = 'D' // a Dockerfile
)

func main() {
	in, out := bufio.NewReaderSize(os.Stdin, 1<<20), bufio.NewWriterSize(os.Stdout, 1<<20)
	var batch, answers []byte
	for {
		var err error
		if batch, err = readBatch(in, batch); err == io.EOF {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		answers = answers[:0]
		for rest := batch; len(rest) > 0; {
			var frame []byte
			frame, rest = cut(rest)
			answers = put(answers, answer(frame))
		}
		if err := writeBatch(out, answers); err != nil {
			log.Fatal(err)
		}
	}
}

func answer(frame []byte) []byte {
	kind, rest := frame[0], frame[1:]
	switch kind {
	case kindJSON:
		operation, rest := cut(rest)
		sent, rest := cut(rest)
		forwarded, _ := cut(rest)
		return compareBodies(string(operation), sent, forwarded)
	case kindShape:
		return shapeOf(string(rest))
	case kindTarget:
		method, targets := cut(rest)
		return routes(string(method), targets)
	case kindHead:
		return readHeads(rest)
	case kindReference:
		return readReference(string(rest))
	case kindArchive:
		return readArchive(rest)
	case kindBuild:
		return readDockerfile(rest)
	}
	log.Fatalf("unknown kind %q", kind)
	return nil
}

func readBatch(in io.Reader, buffer []byte) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return nil, err
	}
	need := int(binary.LittleEndian.Uint32(length[:]))
	if cap(buffer) < need {
		buffer = make([]byte, need)
	}
	buffer = buffer[:need]
	_, err := io.ReadFull(in, buffer)
	return buffer, err
}

func writeBatch(out *bufio.Writer, answers []byte) error {
	var length [4]byte
	binary.LittleEndian.PutUint32(length[:], uint32(len(answers)))
	out.Write(length[:])
	out.Write(answers)
	return out.Flush()
}

// cut takes the first length-prefixed piece off.
func cut(bytes []byte) (piece, rest []byte) {
	length := binary.LittleEndian.Uint32(bytes)
	return bytes[4 : 4+length], bytes[4+length:]
}

// put appends a length-prefixed piece.
func put(bytes, piece []byte) []byte {
	bytes = binary.LittleEndian.AppendUint32(bytes, uint32(len(piece)))
	return append(bytes, piece...)
}
