package cli

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"kith"
)

// pair is one key=value argument.
type pair struct{ key, value string }

// parsePair reads key=value; key=@FILE takes the value from a file.
func (x *call) parsePair(s string) (pair, error) {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return pair{}, usagef("expected \"key=value\", got %q", s)
	}
	file, ok := strings.CutPrefix(value, "@")
	if !ok {
		return pair{key, value}, nil
	}
	text, err := x.readFile(file)
	if err != nil {
		return pair{}, fmt.Errorf("cannot read option from file %q: %w", file, err)
	}
	if !utf8.Valid(text) {
		return pair{}, kith.Errorf(kith.Invalid, "value for option %q contains non-UTF-8 sequences", key)
	}
	return pair{key, string(text)}, nil
}

// readFile reads a file, or stdin for "-".
func (x *call) readFile(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(x.in)
	}
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		path = filepath.Join(x.getenv("HOME"), rest)
	}
	return os.ReadFile(path)
}

// settings reads the values of --config, each key=value or the path of a file: files first, single
// options over them.
func settings[V any](x *call, values []string, file func(path string) (map[string]V, error), option func(string) V) (map[string]V, error) {
	set := map[string]V{}
	for _, v := range values {
		if strings.Contains(v, "=") {
			continue
		}
		read, err := file(v)
		if err != nil {
			return nil, err
		}
		maps.Copy(set, read)
	}
	for _, v := range values {
		if !strings.Contains(v, "=") {
			continue
		}
		p, err := x.parsePair(v)
		if err != nil {
			return nil, err
		}
		set[p.key] = option(p.value)
	}
	return set, nil
}

// appSettings reads a YAML file of application options: the options of app stand
// under its name, or alone at the top.
func (x *call) appSettings(path, app string) (map[string]any, error) {
	text, err := x.readFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	var all map[string]any
	if err := yaml.Unmarshal(text, &all); err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot read the configuration in %s: %v", path, err)
	}
	if own, ok := all[app].(map[string]any); ok {
		return own, nil
	}
	for key, v := range all { // any order: one such key is enough
		if _, ok := v.(map[string]any); ok {
			return nil, kith.Errorf(kith.NotFound, "no settings for application %q in %s", app, path).
				WithHint("the file has %q at its top level; it wants %q", key, app)
		}
	}
	return all, nil
}

// splitKeys reads the value of --reset: keys separated by commas.
func splitKeys(values []string) ([]string, error) {
	var keys []string
	for _, v := range values {
		if strings.Contains(v, "=") {
			return nil, usagef("--reset accepts a comma delimited set of keys \"a,b,c\", received: %q", v)
		}
		keys = append(keys, strings.Fields(commaSpace(v))...)
	}
	return keys, nil
}

// commaSpace turns commas into blanks.
func commaSpace(s string) string { return strings.ReplaceAll(s, ",", " ") }

// getOrSet tells the arguments of config and model-config apart: keys to read,
// or settings to write (CLI reference, section 8.1).
func getOrSet(args, reset []string) (keys, sets []string, err error) {
	for _, a := range args {
		if strings.Contains(a, "=") {
			sets = append(sets, a)
		} else {
			keys = append(keys, a)
		}
	}
	resets, err := splitKeys(reset)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case len(keys) > 0 && len(sets)+len(resets) > 0:
		return nil, nil, usagef("cannot get value and set key=value pairs simultaneously")
	case len(keys) > 1:
		return nil, nil, usagef("cannot specify multiple keys to get")
	}
	for _, s := range sets {
		key, _, _ := strings.Cut(s, "=")
		for _, r := range resets {
			if r == key {
				return nil, nil, usagef("cannot set and reset key %q simultaneously", key)
			}
		}
	}
	return keys, sets, nil
}
