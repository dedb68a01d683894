package opstest

import (
	"slices"
	"strings"
	"unicode/utf8"

	"kith"
	"kith/internal/hooktool"
	"kith/ops"
)

// backend is what the charm has of the world: the real tools, called in process. The calls
// that charms make most go without text; whatever they refuse is asked again of the tool, which
// says why as Juju does.
func (r *hookRun) backend() ops.Backend {
	r.calls = backend{ops.NewToolBackend(caller{r}), r}
	return &r.calls
}

type backend struct {
	ops.Backend // by the tools
	r           *hookRun
}

type caller struct{ r *hookRun }

// Call makes one call of a tool.
func (c caller) Call(t ops.ToolCall) (ops.ToolResult, error) {
	args := t.Args
	if len(t.Private) > 0 {
		args = slices.Concat(t.Args, t.Private)
	}
	if err := c.r.fault(atCall); err != nil {
		return ops.ToolResult{}, err
	}
	res := c.r.run.Exec(hooktool.Call{Tool: t.Tool, Args: args, Dir: "/", StdinSupplied: t.Stdin != nil, Stdin: t.Stdin})
	return ops.ToolResult{Status: int(res.Code), Stdout: res.Stdout, Stderr: res.Stderr}, nil
}

// RelationIDs is relation-ids.
func (b *backend) RelationIDs(endpoint kith.EndpointName) ([]kith.RelationID, error) {
	if err := b.r.fault(atCall); err != nil {
		return nil, err
	}
	return b.r.run.RelationIDs(endpoint), nil
}

// RelationUnits is relation-list.
func (b *backend) RelationUnits(r ops.RelationRef) ([]kith.UnitName, error) {
	units, err := b.r.run.RelationUnits(r.ID)
	if err != nil {
		return b.Backend.RelationUnits(r)
	}
	return units, b.r.fault(atCall)
}

// RelationApp is relation-list --app.
func (b *backend) RelationApp(r ops.RelationRef) (kith.AppName, error) {
	app, err := b.r.run.RelationApp(r.ID)
	if err != nil {
		return b.Backend.RelationApp(r)
	}
	return app, b.r.fault(atCall)
}

// RelationGet is relation-get, as far as owner is what app says it is.
func (b *backend) RelationGet(r ops.RelationRef, app bool, owner string) (map[string]string, error) {
	if app == strings.Contains(owner, "/") {
		return b.Backend.RelationGet(r, app, owner)
	}
	if err := b.r.fault(atCall); err != nil {
		return nil, err
	}
	data, err := b.r.run.RelationGet(r.ID, owner)
	if err != nil {
		return b.Backend.RelationGet(r, app, owner)
	}
	return data, nil
}

// RelationSet is relation-set. What JSON would change on the way goes that way.
func (b *backend) RelationSet(r ops.RelationRef, app bool, set map[string]string) error {
	for k, v := range set { // any order: each alone
		if !plain(k) || !plain(v) {
			return b.Backend.RelationSet(r, app, set)
		}
	}
	if err := b.r.fault(atCall); err != nil {
		return err
	}
	if err := b.r.run.RelationSet(r.ID, app, set); err != nil {
		return b.Backend.RelationSet(r, app, set)
	}
	return nil
}

// plain reports whether a text is the same after JSON.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsRune(s, utf8.RuneError)
}

// IsLeader is is-leader.
func (b *backend) IsLeader() (bool, error) {
	if err := b.r.fault(atCall); err != nil {
		return false, err
	}
	return b.r.run.IsLeader()
}

// ConfigGet is config-get.
func (b *backend) ConfigGet() (map[string]any, error) {
	if err := b.r.fault(atCall); err != nil {
		return nil, err
	}
	return b.r.run.Config(), nil
}

// StateGet is state-get.
func (b *backend) StateGet() (map[string]string, error) {
	if err := b.r.fault(atCall); err != nil {
		return nil, err
	}
	return b.r.run.State(), nil
}

// StateSet is state-set, and state-delete for each deleted key. What JSON would change on the way goes
// that way.
func (b *backend) StateSet(set map[string]string, deleted []string) error {
	for k, v := range set { // any order: each alone
		if !plain(k) || !plain(v) {
			return b.Backend.StateSet(set, deleted)
		}
	}
	if err := b.r.fault(atCall); err != nil {
		return err
	}
	if err := b.r.run.SetState(set); err != nil {
		return b.Backend.StateSet(set, deleted)
	}
	for _, key := range deleted {
		b.r.run.DeleteState(key)
	}
	return nil
}

// Log is juju-log. A long record may have to be cut in pieces, as in arguments of a process.
func (b *backend) Log(level, message string) error {
	const long = 64 << 10
	if l := hooktool.Level(level); l.Valid() && len(message) < long {
		if err := b.r.fault(atCall); err != nil {
			return err
		}
		b.r.run.Log(l, message)
		return nil
	}
	return b.Backend.Log(level, message)
}

// StatusSet is status-set.
func (b *backend) StatusSet(app bool, s ops.Status) error {
	if err := b.r.fault(atCall); err != nil {
		return err
	}
	if ok, err := b.r.run.SetStatus(app, s.Name, s.Message); err != nil || !ok {
		return b.Backend.StatusSet(app, s)
	}
	return nil
}
