package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"reflect"
	"strings"
)

// What Go reads from a body as sent and from the same body as forwarded.
const (
	same            = 0 // both the same; what was read follows, as Go writes it
	different       = 1 // two pieces follow: what was read from the one and from the other
	bothRefused     = 2 // the errors follow
	sentRefused     = 3 // only what was sent is refused: the error and what was read from the other follow
	forwardRefused  = 4 // only what is forwarded is refused: what was read and the error follow
	unknownToDaemon = 5 // this daemon has no such operation
)

func compareBodies(operation string, sent, forwarded []byte) []byte {
	if _, known := bodies[operation]; !known {
		return []byte{unknownToDaemon}
	}
	one, oneErr := decode(operation, sent)
	other, otherErr := decode(operation, forwarded)
	switch {
	case oneErr != nil && otherErr != nil:
		return pieces(bothRefused, []byte(oneErr.Error()), []byte(otherErr.Error()))
	case oneErr != nil:
		return pieces(sentRefused, []byte(oneErr.Error()), encode(other))
	case otherErr != nil:
		return pieces(forwardRefused, encode(one), []byte(otherErr.Error()))
	case reflect.DeepEqual(one, other) || reflect.DeepEqual(withoutEmptyBytes(one), withoutEmptyBytes(other)):
		return pieces(same, encode(other))
	}
	return pieces(different, encode(one), encode(other))
}

// withoutEmptyBytes makes empty data of secrets, configs and profiles absent data: handlers look at the length alone.
func withoutEmptyBytes(value any) any {
	clear(reflect.ValueOf(value))
	return value
}

func clear(value reflect.Value) {
	switch value.Kind() {
	case reflect.Pointer:
		if !value.IsNil() {
			clear(value.Elem())
		}
	case reflect.Struct:
		for i := range value.NumField() {
			clear(value.Field(i))
		}
	case reflect.Slice:
		if value.Type().Elem().Kind() == reflect.Uint8 {
			if value.Len() == 0 && value.CanSet() {
				value.SetZero()
			}
			return
		}
		for i := range value.Len() {
			clear(value.Index(i))
		}
	}
}

func pieces(status byte, all ...[]byte) []byte {
	answer := []byte{status}
	for _, piece := range all {
		answer = put(answer, piece)
	}
	return answer
}

// encode writes what was read with every field, zero or not; only `omitempty` hides some.
func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return text
}

// decode reads a body as the handler of an operation does.
func decode(operation string, body []byte) (any, error) {
	value := bodies[operation]()
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(value); err != nil {
		if errors.Is(err, io.EOF) && mayBeEmpty[operation] {
			return finish(operation, value), nil
		}
		return nil, err
	}
	if strictEnd(operation) && decoder.More() {
		return nil, errors.New("unexpected content after JSON")
	}
	return finish(operation, value), nil
}

// shape tells the fields of a type, to make bodies from and to know what this daemon reads at all.
type shape struct {
	Kind   string  `json:"kind"`
	Fields []field `json:"fields,omitempty"`
	Of     *shape  `json:"of,omitempty"`
}

type field struct {
	Key   string `json:"key"`
	Shape *shape `json:"shape"`
}

func shapeOf(operation string) []byte {
	make, known := bodies[operation]
	if !known {
		return []byte("null")
	}
	return encode(shapeOfType(reflect.TypeOf(make())))
}

func shapeOfType(t reflect.Type) *shape {
	if t.Name() == "StrSlice" {
		return &shape{Kind: "strslice"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return shapeOfType(t.Elem())
	case reflect.Struct:
		return &shape{Kind: "struct", Fields: fieldsOf(t)}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return &shape{Kind: "bytes"}
		}
		if t.Kind() == reflect.Array {
			return &shape{Kind: "pair", Of: shapeOfType(t.Elem())}
		}
		return &shape{Kind: "list", Of: shapeOfType(t.Elem())}
	case reflect.Map:
		return &shape{Kind: "map", Of: shapeOfType(t.Elem())}
	case reflect.String, reflect.Bool:
		return &shape{Kind: t.Kind().String()}
	case reflect.Interface:
		return &shape{Kind: "any"}
	default:
		return &shape{Kind: "number"}
	}
}

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && key == "":
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if !promotes(f.Type) {
				continue
			}
			fields = append(fields, fieldsOf(inner)...)
		case !f.IsExported() || key == "-":
		case key == "":
			fields = append(fields, field{f.Name, shapeOfType(f.Type)})
		default:
			fields = append(fields, field{key, shapeOfType(f.Type)})
		}
	}
	return fields
}
