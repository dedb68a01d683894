package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// numberPattern takes a JSON number apart.
var numberPattern = regexp.MustCompile(`^-?(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$`)

// decodeJSON reads one JSON value within the limits. Numbers stay as they are
// written: a port beyond 2^53 is still that port.
func decodeJSON(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, jsonProblem(text, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON value, at byte %d", dec.InputOffset())
	}
	if modest(v, 0) {
		return v, nil
	}
	return v, measured(v, 0)
}

// jsonProblem puts a mistake of syntax into few words.
func jsonProblem(text []byte, err error) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return fmt.Errorf("it is empty")
	}
	if at, ok := err.(*json.SyntaxError); ok {
		return fmt.Errorf("no JSON, at byte %d: %s", at.Offset, at.Error())
	}
	return fmt.Errorf("no JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// modest reports whether a value is certainly within the limits: most are, and then
// there is nothing to say in order.
func modest(v any, depth int) bool {
	switch v := v.(type) {
	case json.Number:
		_, err := strconv.ParseInt(v.String(), 10, 64)
		return err == nil
	case []any:
		for _, item := range v {
			if !modest(item, depth+1) {
				return false
			}
		}
	case map[string]any:
		for _, item := range v { // any order: all must be
			if !modest(item, depth+1) {
				return false
			}
		}
	}
	return depth <= MaxDepth
}

// measured refuses what nests too deep, and numbers that would be costly.
func measured(v any, depth int) error {
	if depth > MaxDepth {
		return fmt.Errorf("it nests deeper than %d levels", MaxDepth)
	}
	switch v := v.(type) {
	case json.Number:
		return checkNumber(v.String())
	case []any:
		for _, item := range v {
			if err := measured(item, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range names(v) {
			if err := measured(v[name], depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNumber refuses numbers that are too long, or whose exponent is too large.
func checkNumber(s string) error {
	if len(s) > MaxNumberBytes {
		return fmt.Errorf("a number has more than %d characters", MaxNumberBytes)
	}
	parts := numberPattern.FindStringSubmatch(s)
	if parts == nil {
		return fmt.Errorf("%q is no JSON number", s)
	}
	if parts[3] == "" {
		return nil
	}
	if e, err := strconv.Atoi(parts[3]); err != nil || e > MaxExponent || e < -MaxExponent {
		return fmt.Errorf("the number %s has an exponent beyond %d", s, MaxExponent)
	}
	return nil
}

// names are the keys of a map, in order.
func names[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for name := range m { // any order: sorted below
		list = append(list, name)
	}
	return sorted(list)
}

// encodeJSON is v as a compact JSON text; maps come out in order of key.
func encodeJSON(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "?"
	}
	return strings.TrimSpace(b.String())
}
