package cli

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v2"

	"kith"
	"kith/internal/core"
)

// actionName matches the names actions can have (charm format reference, section 14).
var actionName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)

// isReceiver reports whether s is a unit, or an application's leader.
func isReceiver(s string) bool {
	app, ok := strings.CutSuffix(s, "/leader")
	if ok && kith.ValidAppName(app) {
		return true
	}
	_, err := kith.ParseUnitName(s)
	return err == nil
}

// actionArgs are the arguments of run: units, an action, and its parameters.
type actionArgs struct {
	units  []string
	action string
	params []paramArg
}

// paramArg is one parameter; dots in its key lead into maps.
type paramArg struct {
	key   []string
	value string
}

// parseActionArgs reads the arguments of run (CLI reference, section 9.1).
func parseActionArgs(args []string) (actionArgs, error) {
	var a actionArgs
	for len(args) > 0 && isReceiver(args[0]) {
		a.units, args = append(a.units, args[0]), args[1:]
	}
	switch {
	case len(args) > 0 && !actionName.MatchString(args[0]):
		return a, usagef("invalid unit or action name %q", args[0])
	case len(a.units) == 0:
		return a, usagef("no unit specified")
	case len(args) == 0:
		return a, usagef("no action specified")
	}
	for _, u := range a.units {
		if kith.UnitName(u).App() != kith.UnitName(a.units[0]).App() {
			return a, usagef("all units must be of the same application")
		}
	}
	a.action, args = args[0], args[1:]
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		parts := strings.Split(key, ".")
		for _, p := range parts {
			ok = ok && p != ""
		}
		if !ok {
			return a, usagef("argument %q must be of the form key.key.key...=value", arg)
		}
		a.params = append(a.params, paramArg{parts, value})
	}
	return a, nil
}

// readParams reads a file of parameters, and sets those of the command line over them. Their values
// are YAML unless they are to be taken as they stand.
func (x *call) readParams(file string, args []paramArg, asStrings bool) (core.Settings, error) {
	params := map[string]any{}
	if file != "" {
		text, err := x.readFile(file)
		if err != nil {
			return nil, fmt.Errorf("cannot read the parameters: %w", err)
		}
		v, err := yamlValue(text)
		if err != nil {
			return nil, kith.Errorf(kith.Invalid, "cannot read the parameters in %s: %v", file, err)
		}
		all, ok := v.(map[string]any)
		if !ok && v != nil {
			return nil, kith.Errorf(kith.Invalid, "params must contain a YAML map with string keys").
				WithHint("%s holds something else", file)
		}
		if ok {
			params = all
		}
	}
	for _, a := range args {
		value := any(a.value)
		if !asStrings {
			var err error
			if value, err = yamlValue([]byte(a.value)); err != nil {
				return nil, kith.Errorf(kith.Invalid, "cannot read parameter %q: %v", strings.Join(a.key, "."), err).
					WithHint("--string-args takes values as they stand")
			}
		}
		core.SetNested(params, a.key, value)
	}
	if len(params) == 0 {
		return nil, nil
	}
	return params, nil
}

// yamlValue reads YAML as Juju does, by its version 1.1 ("yes" is true), into the types of JSON.
func yamlValue(text []byte) (any, error) {
	var v any
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&v); err != nil && err.Error() != "EOF" {
		return nil, err
	}
	return jsonTypes(v)
}

func jsonTypes(v any) (any, error) {
	switch v := v.(type) {
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, e := range v { // any order: a map is made
			key, ok := k.(string)
			if !ok {
				return nil, fmt.Errorf("keys must be strings, and %v is none", k)
			}
			var err error
			if out[key], err = jsonTypes(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			j, err := jsonTypes(e)
			if err != nil {
				return nil, err
			}
			out = append(out, j)
		}
		return out, nil
	}
	return v, nil
}

// shellWords quotes what a shell would not take as it stands.
func shellWords(args []string) string {
	quoted := make([]string, 0, len(args))
	for _, a := range args {
		if !plainWord.MatchString(a) {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		quoted = append(quoted, a)
	}
	return strings.Join(quoted, " ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)
