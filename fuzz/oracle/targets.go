package main

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gorilla/mux"
)

// reading is what becomes of a request line.
type reading struct {
	Error  string              `json:"error,omitempty"`  // net/http does not read it
	Status int                 `json:"status,omitempty"` // 301 and 404, by the router itself
	Route  string              `json:"route,omitempty"`  // method and pattern
	Vars   map[string]string   `json:"vars,omitempty"`
	Form   map[string][]string `json:"form,omitempty"`
	Bad    string              `json:"bad,omitempty"` // the form cannot be read, which handlers answer with 400
}

const versionMatcher = "/v{version:[0-9.]+}"

var router = newRouter()

// newRouter registers the daemon's routes as its CreateMux does. Each handler only notes that it was reached.
func newRouter() *mux.Router {
	m := mux.NewRouter()
	for line := range strings.Lines(routeTable) {
		method, path, found := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !found {
			continue
		}
		handler := noting(method + " " + path)
		m.Path(versionMatcher + path).Methods(method).Handler(handler)
		m.Path(path).Methods(method).Handler(handler)
	}
	m.HandleFunc(versionMatcher+"/{path:.*}", notFound)
	m.NotFoundHandler = http.HandlerFunc(notFound)
	m.MethodNotAllowedHandler = http.HandlerFunc(notFound)
	return m
}

type note struct{ reached reading }

func noting(route string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note := w.(*recorder).note
		note.reached = reading{Route: route, Vars: mux.Vars(r)}
		if err := r.ParseForm(); err != nil {
			note.reached.Bad = err.Error()
		}
		note.reached.Form = r.Form
	})
}

type recorder struct {
	*httptest.ResponseRecorder
	note *note
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotFound)
}

func routes(method string, targets []byte) []byte {
	var readings []reading
	for len(targets) > 0 {
		var target []byte
		target, targets = cut(targets)
		readings = append(readings, route(method, target))
	}
	return encode(readings)
}

func route(method string, target []byte) reading {
	head := bytes.Join([][]byte{[]byte(method + " "), target, []byte(" HTTP/1.1\r\nHost: docker\r\n\r\n")}, nil)
	request, err := http.ReadRequest(bufio.NewReaderSize(bytes.NewReader(head), 512))
	if err != nil {
		return reading{Error: err.Error()}
	}
	// What net/http's server answers by itself.
	if request.RequestURI == "*" && request.Method == http.MethodOptions {
		return reading{Route: "OPTIONS *"}
	}
	note := &note{}
	answer := &recorder{httptest.NewRecorder(), note}
	router.ServeHTTP(answer, request)
	if note.reached.Route == "" {
		return reading{Status: answer.Code}
	}
	return note.reached
}
