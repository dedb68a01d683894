package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kith/internal/api"
)

func operationsCommand() *command {
	var q api.OperationQuery
	var utc bool
	return &command{
		name: "operations", aliases: []string{"list-operations"}, group: groupRun, scope: modelScope,
		summary: "Lists what was run, and what became of it",
		details: `Each run and each exec is an operation, with a task for each unit. Old ones are dropped:
see the model options max-action-results-age and max-action-results-size.`,
		examples: []example{
			{"operations", "Everything that is kept"},
			{"operations --apps db --status failed,running", "Some of it"},
		},
		seeAlso: []string{"show-operation", "show-task", "run", "exec"},
		formats: []string{formatPlain, formatJSON, formatYAML},
		flags: func(f *pflag.FlagSet) {
			f.StringSliceVar(&q.Apps, "applications", nil, "Only those for units of these applications")
			f.StringSliceVar(&q.Apps, "apps", nil, "The same as --applications")
			f.StringSliceVar(&q.Units, "units", nil, "Only those for these units")
			f.StringSliceVar(&q.Machines, "machines", nil, "Only those for these machines")
			f.StringSliceVar(&q.Actions, "actions", nil, "Only those of these actions")
			f.StringSliceVar(&q.Statuses, "status", nil, "Only those with these statuses")
			f.IntVar(&q.Limit, "limit", 0, "At most so many; 0: all")
			f.IntVar(&q.Offset, "offset", 0, "Leave out the first so many")
			f.BoolVar(&utc, "utc", false, "Show times in UTC")
		},
		check: func(x *call, args []string) error {
			if q.Limit < 0 || q.Offset < 0 {
				return usagef("--limit and --offset must not be negative")
			}
			return noArgs(x, args)
		},
		completeFlag: map[string]proposer{"applications": completeApps, "apps": completeApps, "units": completeUnits},
		run: func(ctx context.Context, x *call, _ []string) error {
			r, err := x.api.Operations(ctx, x.modelID(), q)
			if err != nil {
				return err
			}
			if len(r.Operations) == 0 {
				x.say("no matching operations")
				if !x.document() {
					return nil
				}
			}
			docs := map[string]operationDoc{}
			for _, op := range r.Operations {
				docs[op.ID.String()] = operationDocument(op, utc)
			}
			if err := x.answer(docs, func() string { return operationsTable(r.Operations, utc) }); err != nil {
				return err
			}
			if r.More {
				x.say("there are more: --offset %d shows the next", q.Offset+q.Limit)
			}
			return nil
		},
	}
}

// operationsTable is one line for each operation.
func operationsTable(all []api.Operation, utc bool) string {
	t := &table{right: map[int]bool{0: true}}
	t.add("ID", "Status", "Started", "Finished", "Task IDs", "Summary")
	zone := clockOf(utc)
	at := func(when time.Time) string {
		if when.IsZero() {
			return ""
		}
		return zone(when).Format("2006-01-02T15:04:05")
	}
	for _, op := range all {
		t.add(op.ID.String(), string(op.Status), at(op.Started), at(op.Completed), taskIDs(op), op.Summary)
	}
	return t.String()
}

// maxShownTasks is how many task ids the table has room for.
const maxShownTasks = 5

func taskIDs(op api.Operation) string {
	var ids []string
	for i, t := range op.Tasks {
		if i == maxShownTasks {
			return strings.Join(ids, ",") + "..."
		}
		ids = append(ids, t.ID.String())
	}
	return strings.Join(ids, ",")
}

// The record of an operation (CLI reference, section 9.4).
type (
	operationDoc struct {
		Summary string                      `json:"summary"`
		Status  string                      `json:"status"`
		Fail    string                      `json:"fail,omitempty"`
		Action  *actionDoc                  `json:"action,omitempty"`
		Timing  timesDoc                    `json:"timing,omitzero"`
		Tasks   map[string]operationTaskDoc `json:"tasks,omitempty"`
	}
	actionDoc struct {
		Name       string         `json:"name"`
		Parameters map[string]any `json:"parameters"`
	}
	timesDoc struct {
		Enqueued  string `json:"enqueued,omitempty"`
		Started   string `json:"started,omitempty"`
		Completed string `json:"completed,omitempty"`
	}
	operationTaskDoc struct {
		Host    string         `json:"host"`
		Status  string         `json:"status"`
		Timing  timesDoc       `json:"timing,omitzero"`
		Log     []string       `json:"log,omitempty"`
		Message string         `json:"message,omitempty"`
		Results map[string]any `json:"results,omitempty"`
	}
)

func timesDocument(enqueued, started, completed time.Time, utc bool) timesDoc {
	times := timingDoc(enqueued, started, completed, utc)
	return timesDoc{times["enqueued"], times["started"], times["completed"]}
}

func operationDocument(op api.Operation, utc bool) operationDoc {
	d := operationDoc{Summary: op.Summary, Status: string(op.Status), Fail: op.Failure(),
		Timing: timesDocument(op.Enqueued, op.Started, op.Completed, utc)}
	params := op.Params
	if len(op.Tasks) > 0 { // with what the charm's defaults have added
		params = op.Tasks[0].Params
	}
	if params == nil {
		params = map[string]any{}
	}
	d.Action = &actionDoc{op.Action, params}
	for _, t := range op.Tasks {
		if d.Tasks == nil {
			d.Tasks = map[string]operationTaskDoc{}
		}
		d.Tasks[t.ID.String()] = operationTaskDoc{Host: t.Receiver(), Status: string(t.Status), Message: t.Message,
			Timing: timesDocument(t.Enqueued, t.Started, t.Completed, utc), Log: logLines(t.Log, utc), Results: resultsDoc(t.Results)}
	}
	return d
}
