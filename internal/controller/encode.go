package controller

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"time"

	"kith/contract"
	"kith/internal/core"
)

// Writing the JSON of what every hook commits (its progress, a databag, the
// history entry) by hand takes a third of the controller's own time per commit
// away. The bytes are those of encoding/json; a test fills every field of the
// types and compares.

// shapes are the types written by hand and how many fields each has here.
var shapes = []struct {
	zero   any
	fields int
}{
	{core.Bag{}, 6}, {core.Progress{}, 19}, {core.Running{}, 3}, {core.Hook{}, 10}, {core.RelationHook{}, 6},
	{core.TaskHook{}, 2},
	{core.Entry{}, 7}, {core.Actor{}, 2}, {core.HookRef{}, 4}, {core.Delta{}, 11},
	{core.BagVerdict{}, 10}, {contract.Verdict{}, 4},
}

// encoder writes entities and entries as JSON. A type that has grown a field
// unknown here must not lose it: then everything goes the long way.
type encoder struct {
	byHand bool
	sealer *Sealer
}

func newEncoder(sealer *Sealer) encoder {
	e := encoder{byHand: true, sealer: sealer}
	for _, s := range shapes {
		e.byHand = e.byHand && reflect.TypeOf(s.zero).NumField() == s.fields
	}
	return e
}

// marshal is json.Marshal, with short cuts for the types that hooks change.
func (e encoder) marshal(v any) ([]byte, error) {
	if content, ok := v.(*core.SecretContent); ok {
		return e.sealer.Seal(*content)
	}
	if !e.byHand {
		return json.Marshal(v)
	}
	o := object{buf: make([]byte, 0, usual(v))}
	switch v := v.(type) {
	case *core.Bag:
		o.bag(v)
	case *core.Progress:
		o.progress(v)
	case core.Entry:
		o.entry(v)
	default:
		return json.Marshal(v)
	}
	return o.buf, o.err
}

// usualSize holds most bags, progresses and entries; usualVerdict what a verdict adds.
const (
	usualSize    = 512
	usualVerdict = 320
)

// usual is how much room the JSON of v most likely takes.
func usual(v any) int {
	if entry, ok := v.(core.Entry); ok && entry.Hook != nil {
		return usualSize + usualVerdict*len(entry.Hook.Verdicts)
	}
	return usualSize
}

// object appends JSON to a buffer. The first error stays.
type object struct {
	buf []byte
	err error
}

// key begins a field; the punctuation before it follows from what is there.
func (o *object) key(name string) {
	if n := len(o.buf); n > 0 && o.buf[n-1] != '{' && o.buf[n-1] != '[' {
		o.buf = append(o.buf, ',')
	}
	o.buf = append(o.buf, '"')
	o.buf = append(o.buf, name...)
	o.buf = append(o.buf, '"', ':')
}

func (o *object) open()  { o.buf = append(o.buf, '{') }
func (o *object) close() { o.buf = append(o.buf, '}') }

// text appends a string. Quotes are escaped here, as there are many in a databag that
// holds JSON; anything else that needs escaping goes the long way.
func (o *object) text(s string) {
	start, from := len(o.buf), 0
	o.buf = append(o.buf, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			o.buf = append(o.buf, s[from:i]...)
			o.buf = append(o.buf, '\\')
			from = i
		case c < ' ' || c > '~' || c == '<' || c == '>' || c == '&':
			o.buf = o.buf[:start]
			o.any(s)
			return
		}
	}
	o.buf = append(o.buf, s[from:]...)
	o.buf = append(o.buf, '"')
}

// any appends what has no short cut.
func (o *object) any(v any) {
	data, err := json.Marshal(v)
	if err != nil && o.err == nil {
		o.err = err
	}
	o.buf = append(o.buf, data...)
}

func (o *object) number(name string, n uint64) {
	o.key(name)
	o.buf = strconv.AppendUint(o.buf, n, 10)
}

func (o *object) string(name, s string) {
	o.key(name)
	o.text(s)
}

func (o *object) time(name string, t time.Time) {
	o.key(name)
	if _, offset := t.Zone(); offset != 0 || t.Year() < 0 || t.Year() > 9999 {
		o.any(t)
		return
	}
	o.buf = append(o.buf, '"')
	o.buf = t.AppendFormat(o.buf, time.RFC3339Nano)
	o.buf = append(o.buf, '"')
}

// The fields that are left out when empty.

func (o *object) optNumber(name string, n uint64) {
	if n != 0 {
		o.number(name, n)
	}
}

func (o *object) optString(name, s string) {
	if s != "" {
		o.string(name, s)
	}
}

func (o *object) optFlag(name string, b bool) {
	if b {
		o.key(name)
		o.buf = append(o.buf, "true"...)
	}
}

func (o *object) optStrings(name string, m map[string]string) {
	if len(m) == 0 {
		return
	}
	o.key(name)
	o.open()
	keys := make([]string, 0, len(m))
	for k := range m { // any order: sorted below
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		o.text(k)
		o.buf = append(o.buf, ':')
		o.text(m[k])
	}
	o.close()
}

func (o *object) bag(b *core.Bag) {
	o.open()
	o.key("relation")
	o.buf = strconv.AppendInt(o.buf, int64(b.Relation), 10)
	o.string("owner", b.Owner)
	o.number("version", b.Version)
	o.number("rev", b.Rev)
	o.optNumber("left", b.Left)
	o.optStrings("data", b.Data)
	o.close()
}

func (o *object) progress(p *core.Progress) {
	o.open()
	o.string("unit", string(p.Unit))
	o.number("seq", p.Seq)
	o.optNumber("tries", p.Tries)
	o.optFlag("installed", p.Installed)
	o.optFlag("started", p.Started)
	o.optFlag("stopped", p.Stopped)
	o.optFlag("removed", p.Removed)
	o.optString("charm", p.Charm)
	o.optNumber("config", p.Config)
	o.optFlag("elected", p.Elected)
	o.optNumber("settings", p.Settings)
	o.optNumber("resources", p.Resources)
	o.optFlag("rebooted", p.Rebooted)
	o.optNumber("reboot-rev", p.RebootRev)
	o.optString("queued", string(p.Queued))
	if r := p.Running; r != nil {
		o.key("running")
		o.open()
		o.key("hook")
		o.hook(r.Hook)
		o.time("since", r.Since)
		o.optString("epoch", r.Epoch)
		o.close()
	}
	if p.Failed != nil {
		o.key("failed")
		o.any(p.Failed)
	}
	if !p.StatusDue.IsZero() {
		o.time("status-due", p.StatusDue)
	}
	if !p.LastSince.IsZero() {
		o.time("last-since", p.LastSince)
	}
	o.close()
}

func (o *object) hook(h core.Hook) {
	o.open()
	o.string("kind", string(h.Kind))
	if r := h.Relation; r != nil {
		o.key("relation")
		o.open()
		o.key("id")
		o.buf = strconv.AppendInt(o.buf, int64(r.ID), 10)
		o.string("endpoint", string(r.Endpoint))
		o.string("remote-app", string(r.RemoteApp))
		o.optString("remote-unit", string(r.RemoteUnit))
		o.optString("departing", string(r.Departing))
		o.optNumber("version", r.Version)
		o.close()
	}
	if t := h.Task; t != nil {
		o.key("task")
		o.open()
		o.key("id")
		o.buf = strconv.AppendInt(o.buf, int64(t.ID), 10)
		o.string("action", t.Action)
		o.close()
	}
	if h.Secret != nil {
		o.key("secret")
		o.any(h.Secret)
	}
	if h.Storage != nil {
		o.key("storage")
		o.any(h.Storage)
	}
	o.optNumber("cause", h.Cause)
	o.optString("charm", h.Charm)
	o.optNumber("config", h.Config)
	o.optNumber("settings", h.Settings)
	o.optNumber("resources", h.Resources)
	o.close()
}

func (o *object) entry(e core.Entry) {
	o.open()
	o.number("revision", e.Revision)
	o.time("time", e.Time)
	o.key("actor")
	o.open()
	o.string("kind", string(e.Actor.Kind))
	o.string("name", e.Actor.Name)
	o.close()
	o.string("command", e.Command)
	if h := e.Hook; h != nil {
		o.key("hook")
		o.open()
		o.string("unit", string(h.Unit))
		o.number("seq", h.Seq)
		o.key("hook")
		o.hook(h.Hook)
		if len(h.Verdicts) > 0 {
			o.key("verdicts")
			o.buf = append(o.buf, '[')
			for i := range h.Verdicts {
				if i > 0 {
					o.buf = append(o.buf, ',')
				}
				o.verdict(&h.Verdicts[i])
			}
			o.buf = append(o.buf, ']')
		}
		o.close()
	}
	o.optNumber("cause", e.Cause)
	if len(e.Deltas) > 0 {
		o.key("deltas")
		o.buf = append(o.buf, '[')
		for i, d := range e.Deltas {
			if i > 0 {
				o.buf = append(o.buf, ',')
			}
			o.delta(d)
		}
		o.buf = append(o.buf, ']')
	}
	o.close()
}

// verdict writes what a contract says of a bag; what it finds wrong goes the long way.
func (o *object) verdict(v *core.BagVerdict) {
	o.open()
	o.key("relation")
	o.buf = strconv.AppendInt(o.buf, int64(v.Relation), 10)
	o.string("owner", v.Owner)
	o.string("endpoint", string(v.Endpoint))
	o.string("role", string(v.Role))
	o.string("interface", v.Interface)
	o.key("version")
	o.buf = strconv.AppendInt(o.buf, int64(v.Version), 10)
	o.optFlag("shipped", v.Shipped)
	o.string("mode", string(v.Mode))
	o.optString("charm", v.Charm)
	o.string("state", string(v.State))
	if len(v.Missing) > 0 {
		o.key("missing")
		o.any(v.Missing)
	}
	if len(v.Violations) > 0 {
		o.key("violations")
		o.any(v.Violations)
	}
	if len(v.Unchecked) > 0 {
		o.key("not-checked")
		o.any(v.Unchecked)
	}
	o.close()
}

func (o *object) delta(d core.Delta) {
	o.open()
	o.string("kind", string(d.Kind))
	o.string("id", d.ID)
	o.string("action", string(d.Action))
	o.optStrings("set", d.Set)
	if len(d.Unset) > 0 {
		o.key("unset")
		o.any(d.Unset)
	}
	if len(d.Keys) > 0 {
		o.key("keys")
		o.any(d.Keys)
	}
	o.optString("life", string(d.Life))
	if d.Status != nil {
		o.key("status")
		o.any(d.Status)
	}
	o.optString("failure", d.Failure)
	if d.Hook != nil {
		o.key("hook")
		o.hook(*d.Hook)
	}
	o.optString("name", d.Name)
	o.close()
}
