package hooktool

import (
	"maps"

	"kith"
	"kith/internal/core"
)

// stateNow is the charm's state as it will be when the hook commits; nil if empty. The
// result is not modified.
func (r *Run) stateNow() map[string]string {
	data := r.ctx.State
	if len(r.state) > 0 {
		data = make(map[string]string, len(r.ctx.State)+len(r.state))
		maps.Copy(data, r.ctx.State)
	}
	for k, v := range r.state { // any order: keys are distinct
		if v == nil {
			delete(data, k)
		} else {
			data[k] = *v
		}
	}
	if len(data) == 0 {
		return nil
	}
	return data
}

func stateGet(i *invocation) error {
	strict := i.boolean("fail if the key is not there", "strict")
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	key, args := first(args)
	if err := noMore(args); err != nil {
		return err
	}
	data := i.run.stateNow()
	if key == "" || key == "-" {
		return out.print(data)
	}
	value, ok := data[key]
	if !ok && *strict {
		return kith.Errorf(kith.NotFound, "%q not found", key)
	}
	return out.print(value)
}

func stateSet(i *invocation) error {
	settings := i.settings()
	args, err := i.parse()
	if err != nil {
		return err
	}
	set, err := keyValues(args)
	if err != nil {
		return err
	}
	if set, err = settings(set); err != nil {
		return err
	}
	return i.run.SetState(set)
}

// SetState keeps values of the charm: state-set. Errors: Invalid, and nothing is kept, if a
// key or value is too long. The commit would find that too; Juju's tool says it at once (section 10.2).
func (r *Run) SetState(set map[string]string) error {
	longest := 0
	for k, v := range set { // any order: a maximum, and one error for all
		if len(k) > core.MaxStateKey {
			return kith.Errorf(kith.Invalid, "max allowed key length (%d) exceeded", core.MaxStateKey)
		}
		longest = max(longest, len(v))
	}
	if longest > core.MaxStateValue {
		return kith.Errorf(kith.Invalid, "max allowed value length (%d) exceeded", core.MaxStateValue)
	}
	for k, v := range set { // any order: keys are distinct
		put(&r.state, k, &v)
	}
	return nil
}

func stateDelete(i *invocation) error {
	args, err := i.parse()
	if err != nil || len(args) == 0 {
		return err
	}
	if err := noMore(args[1:]); err != nil {
		return err
	}
	i.run.DeleteState(args[0])
	return nil
}

// DeleteState forgets a value of the charm: state-delete.
func (r *Run) DeleteState(key string) {
	if _, stored := r.ctx.State[key]; stored {
		put(&r.state, key, nil)
	} else {
		delete(r.state, key) // nothing to delete but what this hook wrote
	}
}
