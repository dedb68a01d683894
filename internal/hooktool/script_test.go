package hooktool_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"kith"
	"kith/internal/core"
	"kith/internal/hooktool"
)

// The scripts in testdata read as the specification, section by section; run the test
// with -rewrite to write what the tools print now, and review the difference.
//
// A block names the hook, with "follower" if the unit does not lead, and lists the
// calls of one run of it. Besides tool calls a line can be "effects" (what will commit
// with the hook), "ended N" (what a task whose process exits so comes to), "log" (what took effect at once), "asked" (what the controller was
// asked), "files" or, between them, a change of the world: "depose", "elect",
// "break" (the controller stops answering), "remote KEY=VALUE" (pg/0 writes).
func TestScripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return runBlock(t, d)
		})
	})
}

func runBlock(t *testing.T, d *datadriven.TestData) string {
	h, ctx, name := newHost(), context(), d.Cmd
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "follower":
			h.leader = false
		case "unit":
			name += " " + arg.Vals[0]
		case "state":
			ctx.State = map[string]string{"kept": "1", "other": "two words"}
		case "ports":
			ctx.Ports = []core.Port{{Protocol: "tcp", From: 85, To: 95}, {Protocol: "udp", From: 53, To: 53, Endpoint: "db"}}
		case "alone": // everybody has departed
			ctx.Relations[2].Members = nil
		case "trusted":
			ctx.Trust = true
		case "no-storage":
			ctx.Storage = nil
		case "no-address":
			ctx.Address = ""
		default:
			t.Fatalf("%s: what is %q?", d.Pos, arg.Key)
		}
	}
	ctx.Task = taskOf(name).sees
	run := hooktool.NewRun(ctx, hookOf(name), h)
	lines := strings.Split(d.Input, "\n")
	var out strings.Builder
	for _, line := range lines {
		if len(lines) > 1 {
			out.WriteString("$ " + line + "\n")
		}
		text := h.aside(run, line)
		if out.WriteString(text); text != "" && !strings.HasSuffix(text, "\n") {
			out.WriteString("(no newline)\n")
		}
	}
	return out.String()
}

// aside carries out a line that may be a tool call, and returns what it shows.
func (h *host) aside(run *hooktool.Run, line string) string {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "effects":
		text, err := json.MarshalIndent(run.Effects(), "", " ")
		if err != nil {
			return err.Error()
		}
		return string(text) + "\n"
	case "ended": // as the process of a task does, with this exit status
		e := hooktool.Ending{Output: hooktool.NewOutput(0, []byte("out\n"), nil)}
		if rest != "" {
			e.Failed, e.Output.Code = "exit status "+rest, int(rest[0]-'0')
		}
		text, err := json.MarshalIndent(run.Outcome(e), "", " ")
		if err != nil {
			return err.Error()
		}
		return string(text) + "\n"
	case "log":
		return strings.Join(append(h.log, ""), "\n")
	case "asked":
		return strings.Join(append(h.asked, ""), "\n")
	case "files":
		return fmt.Sprintf("%q\n", h.files[rest])
	case "depose", "elect":
		h.leader = word == "elect"
	case "fails": // the other unit of the application
		h.app.Units["web/1"] = core.Status{Current: kith.Errored, Message: `hook failed: "db-relation-changed"`}
		h.app.Data = map[kith.UnitName]map[string]any{"web/1": {"hook": "db-relation-changed", "relation-id": 4, "remote-unit": "pg/0"}}
	case "break":
		h.broken = kith.Errorf(kith.Unavailable, "connection refused").WithHint("start the controller with 'kith up'")
	case "break-plainly":
		h.broken = errors.New("connection refused")
	case "remote":
		k, v, _ := strings.Cut(rest, "=")
		h.bags["4 pg/0"] = map[string]string{k: v}
	default:
		return show(run.Exec(split(line)))
	}
	return ""
}

func show(r hooktool.Result) string {
	text := string(r.Stdout) + string(r.Stderr)
	if r.NeedStdin {
		text += "(wants standard input)\n"
	}
	if r.Code != 0 {
		text += fmt.Sprintf("(exit %d)\n", r.Code)
	}
	return text
}
