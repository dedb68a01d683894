package hooktool

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"kith"
	"kith/internal/core"
)

// errNoAction is what the action tools say in hooks, and in commands.
var errNoAction = kith.Errorf(kith.Invalid, "not running an action")

// keyPart is the rule for each part of a key of action-set.
var keyPart = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)

// reservedKeys are what the process's output is stored as.
var reservedKeys = []string{"stdout", "stdout-encoding", "stderr", "stderr-encoding"}

// action is the action that runs; nil in a hook and in a command.
func (r *Run) action() *core.TaskContext {
	if t := r.ctx.Task; t != nil && t.Command == nil {
		return t
	}
	return nil
}

func actionGet(i *invocation) error {
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	if len(args) > 1 {
		return noMore(args[1:])
	}
	a := i.run.action()
	if a == nil {
		return errNoAction
	}
	value := any(map[string]any(a.Params))
	if a.Params == nil {
		value = map[string]any{}
	}
	if len(args) == 1 && args[0] != "" {
		for part := range strings.SplitSeq(args[0], ".") {
			within, _ := value.(map[string]any)
			value = within[part]
		}
	}
	return out.print(plain(value))
}

func actionSet(i *invocation) error {
	args, err := i.parse()
	if err != nil {
		return err
	}
	type setting struct {
		key   []string
		value string
	}
	var all []setting
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			return usagef("argument %q must be of the form key...=value", arg)
		}
		parts := strings.Split(key, ".")
		for _, part := range parts {
			if slices.Contains(reservedKeys, part) {
				return usagef("cannot set reserved action key %q", part)
			}
			if !keyPart.MatchString(part) {
				return usagef("key %q must start and end with lowercase alphanumeric, and contain only lowercase alphanumeric and hyphens", part)
			}
		}
		all = append(all, setting{parts, value})
	}
	if i.run.action() == nil {
		return errNoAction
	}
	if i.run.results == nil {
		i.run.results = map[string]any{}
	}
	for _, s := range all {
		core.SetNested(i.run.results, s.key, s.value)
	}
	return nil
}

func actionFail(i *invocation) error {
	args, err := i.parse()
	if err != nil {
		return err
	}
	message := "action failed without reason given, check action for errors"
	if len(args) > 0 {
		message, args = args[0], args[1:]
	}
	if err := noMore(args); err != nil {
		return err
	}
	if i.run.action() == nil {
		return errNoAction
	}
	i.run.failure = &message
	return nil
}

func actionLog(i *invocation) error {
	args, err := i.parse()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usageError("no message specified")
	}
	if i.run.action() == nil {
		return errNoAction
	}
	// The number is used up even if nobody knows whether the message arrived.
	i.run.logged++
	return i.run.host.LogAction(i.run.logged, strings.Join(args, " "))
}

// Ending is how the process of a task came to its end.
type Ending struct {
	// Missing: the charm has nothing to run for the action.
	Missing bool
	// Failed is why the process was no success, as "exit status 3"; empty if it was.
	Failed string
	// Aborted, TimedOut and Interrupted say that it was killed, and on whose behalf: an
	// operator's, by its own limit, or because the agent ends.
	Aborted, TimedOut, Interrupted bool
	// Output is nil if no process ran.
	Output *core.Output
}

// NewOutput is the output of a process, in the form in which it is kept.
func NewOutput(code int, stdout, stderr []byte) *core.Output {
	o := &core.Output{Code: code}
	o.Stdout, o.StdoutEncoding = text(stdout)
	o.Stderr, o.StderrEncoding = text(stderr)
	return o
}

// text is output as it can be stored, with its encoding if it is no text.
func text(data []byte) (value, encoding string) {
	if utf8.Valid(data) {
		return string(data), ""
	}
	return base64.StdEncoding.EncodeToString(data), "base64"
}

// Outcome is what the task of this run came to (section 3.6): what an action has
// set is kept however it ended; what it wrote elsewhere commits only if its process
// succeeded. A command commits whatever its exit status.
func (r *Run) Outcome(e Ending) core.TaskOutcome {
	o := core.TaskOutcome{Status: core.TaskFailed, Values: r.results, Output: e.Output}
	if len(r.results) == 0 {
		o.Values = nil
	}
	command := r.ctx.Task != nil && r.ctx.Task.Command != nil
	switch {
	case e.Aborted:
		o.Status, o.Message = core.TaskAborted, "terminated"
	case e.Interrupted:
		o.Message = "action terminated"
	case e.TimedOut:
		o.Message = "command timed out"
	case e.Missing:
		o.Message = "action not implemented on unit \"" + string(r.ctx.Unit) + "\""
	case e.Failed != "" && !(command && e.Output != nil):
		o.Message = e.Failed
	case r.failure != nil:
		o.Message, o.Effects = *r.failure, r.Effects()
	default:
		o.Status, o.Effects = core.TaskCompleted, r.Effects()
	}
	return o
}
