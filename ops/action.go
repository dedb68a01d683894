package ops

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"kith"
)

// ActionEvent is an action an operator runs. A handler that returns an error fails
// the action and drops what it wrote, as with any hook; the operator sees the error
// on the action's standard error. After [ActionEvent.Fail] what was written is kept.
type ActionEvent struct {
	EventBase
	id string
}

// ID identifies the run: a small number.
func (e *ActionEvent) ID() string { return e.id }

// Params are the parameters by name, as JSON has them, defaults filled in.
func (e *ActionEvent) Params() (map[string]any, error) { return e.f.backend.ActionGet() }

// LoadParams reads the parameters into a struct by its json tags. Parameters without a
// field are ignored. A struct with a method Validate() error is asked at the end.
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
// values are printed. Each part of a key is of lower-case letters, digits and inner
// dashes. A host may limit the size to some 100 KB. Errors: Invalid for two values under
// one key, [*ModelError] for other keys.
func (e *ActionEvent) SetResults(results map[string]any) error {
	flat := map[string]string{}
	if err := flatten(flat, "", results); err != nil {
		return err
	}
	return e.f.backend.ActionSet(flat)
}

func flatten(flat map[string]string, prefix string, values map[string]any) error {
	for _, k := range slices.Sorted(maps.Keys(values)) {
		key := prefix + k
		if nested, ok := values[k].(map[string]any); ok {
			if err := flatten(flat, key+".", nested); err != nil {
				return err
			}
			continue
		}
		if _, twice := flat[key]; twice {
			return kith.Errorf(kith.Invalid, "cannot set the results of an action: key %q has two values", key)
		}
		flat[key] = fmt.Sprint(values[k])
	}
	return nil
}

// Logf tells the operator how it goes; it shows at once.
func (e *ActionEvent) Logf(format string, args ...any) error {
	return e.f.backend.ActionLog(fmt.Sprintf(format, args...))
}

// Fail marks the action as failed; the handler goes on, and results stay.
func (e *ActionEvent) Fail(message string) error { return e.f.backend.ActionFail(message) }

// OnAction observes an action the charm declares.
func OnAction(name string, handle func(*ActionEvent) error) Observation {
	return Observation{key: actionPrefix + name, call: func(f *Framework, em emission) error {
		return handle(&ActionEvent{f.base(em), em.env.ActionID})
	}}.about("action", name, func(c *CharmMeta, name string) bool {
		_, ok := c.Actions[name]
		return ok
	})
}
