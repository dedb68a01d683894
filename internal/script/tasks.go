package script

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"kith"
	"kith/charm"
	"kith/internal/core"
	"kith/internal/hooktool"
	"kith/internal/resolve"
)

// declareAction adds one action to a charm: NAME, with :parallel, :group=G, :needs=KEY or
// :default=KEY after it.
func declareAction(c *charm.Charm, spec string) error {
	name, rest, _ := strings.Cut(spec, ":")
	a := charm.Action{Title: name}
	properties, required := map[string]any{}, []any{}
	for part := range strings.SplitSeq(rest, ":") {
		word, value, _ := strings.Cut(part, "=")
		switch word {
		case "":
		case "parallel":
			a.Parallel = true
		case "group":
			a.ExecutionGroup = value
		case "needs":
			properties[value] = map[string]any{"type": "string"}
			required = append(required, value)
		case "default":
			properties[value] = map[string]any{"type": "string", "default": "usual"}
		default:
			return fmt.Errorf("unknown attribute %q of an action", part)
		}
	}
	a.Params = map[string]any{"type": "object", "properties": properties}
	if len(required) > 0 {
		a.Params["required"] = required
	}
	if c.Actions == nil {
		c.Actions = map[string]charm.Action{}
	}
	c.Actions[name] = a
	return nil
}

// cmdRun is run UNIT... ACTION [KEY=VALUE...].
func (w *World) cmdRun(args []string) error {
	op := core.RunAction{}
	for _, a := range args {
		key, value, isParam := strings.Cut(a, "=")
		switch {
		case isParam:
			if op.Params == nil {
				op.Params = core.Settings{}
			}
			op.Params[key] = value
		case strings.Contains(a, "/"):
			op.Receivers = append(op.Receivers, a)
		default:
			op.Action = a
		}
	}
	return w.queue(op)
}

// cmdCommand is command [UNIT...] [app=APP] [machine=ID] [all] [serial] [group=G] [relation=ID] [remote=UNIT] [force].
func (w *World) cmdCommand(args []string) error {
	op := core.RunCommand{Command: "true", Serial: takeFlag(&args, "serial"), All: takeFlag(&args, "all"), Force: takeFlag(&args, "force"),
		Group: takeValue(&args, "group", ""), RemoteUnit: takeValue(&args, "remote", "")}
	if app := takeValue(&args, "app", ""); app != "" {
		op.Apps = []kith.AppName{kith.AppName(app)}
	}
	if id := takeValue(&args, "machine", ""); id != "" {
		op.Machines = []kith.MachineID{kith.MachineID(id)}
	}
	if n := takeValue(&args, "relation", ""); n != "" {
		ids, err := relationIDs([]string{n})
		if err != nil {
			return err
		}
		op.Relation = &ids[0]
	}
	op.Units = args
	return w.queue(op)
}

// queue prints what became of a request.
func (w *World) queue(op core.Op) error {
	last := w.model.Info().LastTask
	if err := w.Do(admin, op); err != nil {
		return w.answer(err)
	}
	whole := w.model.Operation(kith.OperationID(last + 1))
	for _, line := range whole.Refused {
		w.printf("operation %d refused: %s", whole.ID, line)
	}
	for id := range whole.Tasks() {
		w.printf("task %d of operation %d for %s", id, whole.ID, receiver(w.model.Task(id)))
	}
	return nil
}

func receiver(t *core.Task) string {
	if t.Machine != "" {
		return "machine " + string(t.Machine)
	}
	return string(t.Unit)
}

func (w *World) cmdCancel(args []string) error {
	var op core.CancelTasks
	for _, a := range args {
		n, err := strconv.Atoi(a)
		if err != nil {
			return err
		}
		op.Tasks = append(op.Tasks, kith.TaskID(n))
	}
	return w.do(op)
}

// cmdTasks prints operations and their tasks, with what came of them.
func (w *World) cmdTasks([]string) error {
	for _, op := range w.model.Operations() {
		w.printf("operation %d %s: %s", op.ID, op.Status, op.Summary)
		for id := range op.Tasks() {
			t := w.model.Task(id)
			line := fmt.Sprintf("  task %d %s %s", id, receiver(t), t.Status)
			if t.Message != "" {
				line += ": " + t.Message
			}
			if r := t.Results(); len(r) > 0 {
				text, err := json.Marshal(r)
				if err != nil {
					return err
				}
				line += " " + string(text)
			}
			w.printf("%s", line)
			for part := range w.model.Log(id) {
				for _, m := range part.Messages {
					w.printf("    %s %s", m.Time.Format("15:04:05"), m.Text)
				}
			}
		}
	}
	return nil
}

// finishTask runs the task that has begun: as scripted, or as one that does nothing.
func (w *World) finishTask(name kith.UnitName, step resolve.Step, s *shell) error {
	end := hooktool.Ending{Output: hooktool.NewOutput(0, nil, nil)}
	if !s.play(step.Hook) || w.faulty(name, step.Hook) {
		end.Failed, end.Output.Code = "exit status 1", 1
	}
	return w.endTask(name, step, s, end)
}

// endTask tells the model how a task has ended; if what it wrote is refused, that too.
func (w *World) endTask(name kith.UnitName, step resolve.Step, s *shell, end hooktool.Ending) error {
	line := w.describeStep(name, step)
	o := s.run.Outcome(end)
	op := core.FinishTask{Unit: name, Task: step.Hook.Task.ID, TaskOutcome: o, Epoch: w.epochOf(name)}
	err := w.Do(core.UnitActor(name), op)
	if refusal, ok := err.(*kith.Error); ok { // Do does not wrap
		op.TaskOutcome = o.CommitRefused(refusal)
		err = w.Do(core.UnitActor(name), op)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	if op.Status != core.TaskCompleted {
		line += " -> " + string(op.Status)
		if op.Message != "" {
			line += ": " + op.Message
		}
	}
	w.told(line, s)
	w.observe(Event{Unit: name, Step: step, Failed: op.Status == core.TaskFailed, Killed: op.Status == core.TaskAborted, Began: s.began, Retry: s.retry})
	return nil
}

// killTask ends the task that runs from outside: for an operator if it is being
// aborted, else for no reason the model knows.
func (w *World) killTask(name kith.UnitName, step resolve.Step, s *shell) error {
	end := hooktool.Ending{Failed: "signal: killed", Output: hooktool.NewOutput(-1, nil, nil)}
	if t := w.model.Task(step.Hook.Task.ID); t.Status == core.TaskAborting {
		end.Aborted = true
	}
	return w.endTask(name, step, s, end)
}

// scriptName is what on, fail and mend call what runs: an action is actions/NAME.
func scriptName(h core.Hook) string {
	if h.Kind == core.Action {
		return "actions/" + h.Name()
	}
	return h.Name()
}
