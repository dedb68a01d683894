package ops

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"kith"
)

// ActionEvent is an action an operator runs. A handler that returns an error fails
// the action and drops what it wrote, as with any hook; the operator sees the error
// on the action's standard error. After [ActionEvent.Fail] what was written is kept.
type ActionEvent struct {
	EventBase
	id string
}

func (e *ActionEvent) bind(f *Framework, em emission) error {
	e.id = em.env.ActionID
	return e.EventBase.bind(f, em)
}

// ID identifies the run: a small number.
func (e *ActionEvent) ID() string { return e.id }

// Params are the parameters by name, defaults filled in: string, bool, int64 for a whole
// number and float64 for others, []any, map[string]any, and nil.
func (e *ActionEvent) Params() (map[string]any, error) { return e.f.backend.ActionGet() }

// LoadParams reads the parameters into a struct by its json tags. Parameters without a
// field are ignored. A struct with a method Validate() error is asked at the end. Errors:
// Invalid for a parameter that does not fit its field, and that of Validate. To fail the action
// with the reason as its message:
//
//	if err := e.LoadParams(&params); err != nil {
//		return e.Fail(err.Error())
//	}
func (e *ActionEvent) LoadParams(into any) error {
	params, err := e.Params()
	if err != nil {
		return err
	}
	data, err := json.Marshal(params)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return kith.Errorf(kith.Invalid, "cannot read the parameters of action %q: %v", e.name, err)
	}
	return validate(into)
}

// SetResults adds to the action's results. Nested maps become dotted keys; other
// values are written as fmt.Sprint does, and nil as an empty text. Each part of a key is of
// lower-case letters, digits and inner dashes; stdout, stderr and their -encoding are the host's own.
// A host that is no kith takes some 100 KB in one call. Errors: Invalid for two values
// under one key, a key that is empty, begins with a dash or has a "=", and a value with a byte
// 0; [*ModelError] for other bad keys.
func (e *ActionEvent) SetResults(results map[string]any) error {
	flat := map[string]string{}
	if err := flatten(flat, "", reflect.ValueOf(results)); err != nil {
		return err
	}
	return e.f.backend.ActionSet(flat)
}

// flatten puts what is in a map, whose keys are strings, under dotted keys.
func flatten(flat map[string]string, prefix string, values reflect.Value) error {
	keys := values.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		key, value := prefix+k.String(), values.MapIndex(k)
		for value.Kind() == reflect.Interface {
			value = value.Elem()
		}
		if value.Kind() == reflect.Map && value.Type().Key().Kind() == reflect.String {
			if err := flatten(flat, key+".", value); err != nil {
				return err
			}
			continue
		}
		_, twice := flat[key]
		switch {
		case twice:
			return kith.Errorf(kith.Invalid, "cannot set the results of an action: key %q has two values", key)
		case key == "" || key[0] == '-' || strings.Contains(key, "="): // the tool would take it for something else
			return kith.Errorf(kith.Invalid, "cannot set the results of an action: %q is no key", key).
				WithHint("each part of a key is of lower-case letters, digits and inner dashes")
		case value.IsValid():
			flat[key] = fmt.Sprint(value.Interface())
			if strings.Contains(flat[key], "\x00") { // no process can be given it
				return kith.Errorf(kith.Invalid, "cannot set the results of an action: the value of key %q has a byte 0", key).
					WithHint("write bytes as text, in base64 for example")
			}
		default:
			flat[key] = ""
		}
	}
	return nil
}

// Logf tells the operator how it goes; it shows at once.
func (e *ActionEvent) Logf(format string, args ...any) error {
	return e.f.backend.ActionLog(fmt.Sprintf(format, args...))
}

// Fail marks the action as failed, for the operator to read why. The handler goes on, results stay
// and what it wrote is kept; of several messages the last counts. If the handler then returns an
// error, that is what the operator sees: "exit status 1".
func (e *ActionEvent) Fail(message string) error { return e.f.backend.ActionFail(message) }

// OnAction observes an action the charm declares.
func OnAction(name string, handle func(*ActionEvent) error) Observation {
	return Observation{space: actionSpace, of: name, subject: anAction, handler: handlerOf[ActionEvent, *ActionEvent](handle)}
}
