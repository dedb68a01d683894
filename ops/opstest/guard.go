package opstest

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"kith"
)

// What a test asks for in a wrong way is refused here when the engine would let it pass, or would
// answer for an operator who sits before a command line.

// commandInHint is a command line in a hint, with what leads to it.
var commandInHint = regexp.MustCompile(`[;:,]? *(see )?'kith ([a-z-]+)[^']*'`)

// methodOf names what a test does in place of a command.
var methodOf = map[string]string{
	"attach-resource": "AddResource, or AttachResource of a Model",
	"detach-storage":  "DetachStorage",
	"settle":          "Settle of a Model",
	"trust":           "SetTrust",
}

// inTest is a refusal as a test is told it: there is no kith running that its hint could ask. What a
// command does is a method here, and what it shows is not needed.
func inTest(err error) error {
	e, ok := err.(*kith.Error)
	switch {
	case !ok:
		return err
	case strings.HasPrefix(e.Hint, "--"): // what a flag would do
		return e.WithHint("")
	case !strings.Contains(e.Hint, "'kith "):
		return err
	}
	hint := commandInHint.ReplaceAllStringFunc(e.Hint, func(s string) string {
		parts := commandInHint.FindStringSubmatch(s)
		method, ok := methodOf[parts[2]]
		if !ok {
			return ""
		}
		return strings.Replace(s, s[strings.Index(s, "'kith "):], method, 1)
	})
	return e.WithHint("%s", strings.TrimSpace(hint))
}

// alive refuses what needs a unit under test that has begun, and is there still.
func (h *Harness) alive(what string) {
	h.w.tb.Helper()
	if !h.begun {
		h.w.fail(kith.Errorf(kith.Conflict, "cannot %s: the harness has not begun", what).
			WithHint("call Begin or BeginWithInitialHooks first"))
	}
	h.there(what)
}

// idle refuses what is run at once, from within a hook.
func (h *Harness) idle(what string) {
	h.w.tb.Helper()
	h.alive(what)
	if p := h.w.model.Progress(h.unit); p.Running != nil {
		h.w.fail(kith.Errorf(kith.Conflict, "cannot %s: unit %q is running %s", what, h.unit, p.Running.Hook.Title()).
			WithHint("that is for the test to ask for, not for the charm's handlers"))
	}
}

// free refuses a hook that nothing has made due, where another has failed.
func (h *Harness) free(what string) {
	h.w.tb.Helper()
	h.idle(what)
	if p := h.w.model.Progress(h.unit); p.Failed != nil {
		h.w.fail(kith.Errorf(kith.Conflict, "cannot %s: unit %q is in error since %s failed", what, h.unit, p.Failed.Hook.Title()).
			WithHint("Retry runs that again, and Skip goes on without it"))
	}
}

// there refuses what needs the unit under test once it has been removed.
func (h *Harness) there(what string) {
	h.w.tb.Helper()
	if h.begun && h.w.model.Unit(h.unit) == nil {
		h.w.fail(kith.Errorf(kith.NotFound, "cannot %s: unit %q has been removed", what, h.unit))
	}
}

// checkCharm refuses a charm that is none.
func checkCharm(c *Charm) error {
	if c == nil {
		return kith.Errorf(kith.Invalid, "there is no charm: it is nil").WithHint("NewCharm and Folder make charms")
	}
	return c.err
}

// checkCount refuses to add no storage: on a command line, no number means one.
func checkCount(storage string, n int) error {
	if n < 1 {
		return kith.Errorf(kith.Invalid, "cannot add %d instances of storage %q", n, storage)
	}
	return nil
}

// checkText refuses what no charm could write: the tools take text, and kith keeps it as JSON.
func checkText(party string, data map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(data)) {
		if !utf8.ValidString(k) || !utf8.ValidString(data[k]) {
			return kith.Errorf(kith.Invalid, "cannot write data of %q: key %q has bytes that are no UTF-8 text", party, k).
				WithHint("encode them, in base64 for instance: hook tools take text")
		}
	}
	return nil
}

// plainConfig is a configuration with each value as JSON has it: a test writes constants of its
// charm's types, such as a uint16.
func plainConfig(set map[string]any) map[string]any {
	plain := make(map[string]any, len(set))
	for k, v := range set { // any order: into a map
		switch r := reflect.ValueOf(v); {
		case !r.IsValid():
			plain[k] = nil
		case r.CanInt():
			plain[k] = r.Int()
		case r.CanUint() && r.Uint() < 1<<63:
			plain[k] = int64(r.Uint())
		case r.CanFloat():
			plain[k] = r.Float()
		case r.Kind() == reflect.String:
			plain[k] = r.String()
		case r.Kind() == reflect.Bool:
			plain[k] = r.Bool()
		default:
			plain[k] = v
		}
	}
	return plain
}

// panicked is a charm that panicked: what with, and where in the charm.
type panicked struct {
	value any
	where []string // the charm's frames, innermost first: "FUNCTION FILE:LINE"
}

// Error is the panic in the first line, and a line for each frame.
func (p *panicked) Error() string {
	return strings.Join(append([]string{fmt.Sprintf("panic: %v", p.value)}, p.where...), "\n\t")
}

// callers are what calls the code of charms and tests.
var callers = []string{"kith/ops.(*Framework).", "kith/ops.Run[", "kith/ops/opstest.(*exploration)."}

// newPanicked looks at the stack from within a deferred function that has recovered: what is between the panic
// and the event is the charm's, all else is not of interest.
func newPanicked(value any) *panicked {
	p := &panicked{value: value}
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for inCharm, more := false, true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case strings.HasPrefix(f.Function, "runtime."):
			inCharm = inCharm || f.Function == "runtime.gopanic"
		case inCharm && slices.ContainsFunc(callers, func(c string) bool { return strings.HasPrefix(f.Function, c) }):
			return p
		case inCharm:
			p.where = append(p.where, fmt.Sprintf("%s %s:%d", f.Function, f.File, f.Line))
		}
	}
	return p
}

// firstLine is a text without what follows its first line.
func firstLine(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return first
}

// listRelations names the relations there are: "0 web:cluster, 1 web:db pg:db".
func (w *world) listRelations() string {
	var all []string
	for r := range w.model.Relations() {
		all = append(all, fmt.Sprintf("%d %s", r.ID, r.RelationKey()))
	}
	return orNone(all)
}

// listUnits names the units in a relation.
func (w *world) listUnits(id kith.RelationID) string {
	var all []string
	for m := range w.model.Members(id) {
		all = append(all, string(m.Unit))
	}
	return orNone(all)
}

func orNone(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}
