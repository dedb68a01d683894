package cli

import (
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"time"

	"kith/internal/api"
	"kith/internal/core"
)

// formatPlain is the format of commands that print what an action gave.
const formatPlain = "plain"

// longTime is how task documents write times (CLI reference, section 5.9).
const longTime = "2006-01-02 15:04:05 -0700 MST"

// clockOf is the zone times are shown in.
func clockOf(utc bool) func(time.Time) time.Time {
	if utc {
		return time.Time.UTC
	}
	return time.Time.Local
}

// taskDoc is the document of a task. Its keys are sorted, as those of Juju's are.
func taskDoc(t api.Task, utc bool) map[string]any {
	doc := map[string]any{"id": t.ID.String(), "status": string(t.Status)}
	if t.Machine != "" {
		doc["machine"] = string(t.Machine)
	} else {
		doc["unit"] = string(t.Unit)
	}
	if t.Message != "" {
		doc["message"] = t.Message
	}
	if log := logLines(t.Log, utc); len(log) > 0 {
		doc["log"] = log
	}
	if r := resultsDoc(t.Results); len(r) > 0 {
		doc["results"] = r
	}
	if timing := timingDoc(t.Enqueued, t.Started, t.Completed, utc); len(timing) > 0 {
		doc["timing"] = timing
	}
	return doc
}

func timingDoc(enqueued, started, completed time.Time, utc bool) map[string]string {
	timing, zone := map[string]string{}, clockOf(utc)
	for key, at := range map[string]time.Time{"enqueued": enqueued, "started": started, "completed": completed} { // any order: a map is made
		if !at.IsZero() {
			timing[key] = zone(at).Format(longTime)
		}
	}
	return timing
}

func logLines(log []core.LogMessage, utc bool) []string {
	var lines []string
	for _, m := range log {
		lines = append(lines, clockOf(utc)(m.Time).Format(longTime)+" "+m.Text)
	}
	return lines
}

// resultsDoc is a task's results; lines of its output end as they do here.
func resultsDoc(results core.Settings) map[string]any {
	doc := maps.Clone(map[string]any(results))
	for _, key := range []string{"stdout", "stderr"} {
		if text, ok := doc[key].(string); ok {
			doc[key] = strings.ReplaceAll(text, "\r\n", "\n")
		}
	}
	return doc
}

// returnCode is the exit status of the task's process; 0 if none has run.
func returnCode(t api.Task) int64 {
	n, _ := t.Results["return-code"].(int64)
	return n
}

// printed is one output stream of a task, as text.
func printed(t api.Task, key string) string {
	text, _ := t.Results[key].(string)
	if t.Results[key+"-encoding"] == "base64" {
		if data, err := base64.StdEncoding.DecodeString(text); err == nil {
			text = string(data)
		}
	}
	return strings.ReplaceAll(text, "\r\n", "\n")
}

// taskText is what run prints of one task: why it failed, the values it has set, and its output.
func taskText(t api.Task) (string, error) {
	values := maps.Clone(map[string]any(t.Results))
	for _, key := range []string{"return-code", "stdout", "stdout-encoding", "stderr", "stderr-encoding"} {
		delete(values, key)
	}
	var b strings.Builder
	if t.Status == core.TaskFailed {
		fmt.Fprintf(&b, "Action id %s failed: %s\n", t.ID, t.Message)
	}
	if len(values) > 0 {
		text, err := yamlText(values)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	for _, key := range []string{"stdout", "stderr"} {
		if text := strings.Trim(printed(t, key), "\n"); text != "" {
			b.WriteString(text + "\n")
		}
	}
	if b.Len() == 0 {
		return fmt.Sprintf("Task %s %s\n", t.ID, t.Status), nil
	}
	return b.String(), nil
}

// tasksText is what run prints of several tasks: a document of what each has printed.
func tasksText(tasks []api.Task) (string, error) {
	type entry struct {
		ID      string `json:"id"`
		Output  string `json:"output"`
		Status  string `json:"status"`
		Message string `json:"message,omitempty"`
	}
	all := map[string]entry{}
	for _, t := range tasks {
		text, err := taskText(t)
		if err != nil {
			return "", err
		}
		all[t.Receiver()] = entry{t.ID.String(), text, string(t.Status), t.Message}
	}
	return yamlText(all)
}

// commandText is what exec prints of one task: its output as it came.
func commandText(t api.Task) string {
	text := printed(t, "stdout")
	if errs := printed(t, "stderr"); errs != "" {
		text = lineEnd(text) + errs
	}
	if text == "" && t.Status != core.TaskCompleted {
		return fmt.Sprintf("Task %s %s: %s\n", t.ID, t.Status, t.Message)
	}
	return lineEnd(text)
}

func lineEnd(s string) string {
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}

// commandsText is what exec prints of several.
func commandsText(tasks []api.Task) string {
	var b strings.Builder
	for _, t := range tasks {
		b.WriteString(t.Receiver() + ":\n" + commandText(t) + "\n")
	}
	return b.String()
}
