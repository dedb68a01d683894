package cli

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
)

// statusTypes are the values of --type that kith keeps statuses of, and what they stand for.
var statusTypes = map[string][]api.StatusType{
	"unit":        {api.StatusAgent, api.StatusWorkload},
	"juju-unit":   {api.StatusAgent},
	"workload":    {api.StatusWorkload},
	"application": {api.StatusApp},
	"model":       {api.StatusModel},
}

// otherStatusTypes are those of Juju that have no history here.
var otherStatusTypes = []string{"saas", "machine", "juju-machine", "container", "juju-container", "filesystem", "volume", "task"}

// defaultBacklog is how many statuses are shown if nothing else is said.
const defaultBacklog = 20

func showStatusLogCommand() *command {
	var kind, from string
	var n, days int
	var utc bool
	return &command{
		name: "show-status-log", args: "[<entity name>]", group: groupWatch, scope: modelScope,
		summary: "Shows the past statuses of a unit, an application or the model",
		details: `The oldest comes first. For a unit both what its charm said (workload) and what its
agent did (juju-unit) are shown, unless --type chooses one.`,
		examples: []example{
			{"show-status-log web/0", "The last 20 statuses of a unit"},
			{"show-status-log web/0 --type workload -n 100", "What its charm said"},
			{"show-status-log --type application web", "An application"},
		},
		seeAlso: []string{"status", "debug-log"},
		formats: []string{formatTabular, formatJSON, formatYAML},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&kind, "type", "unit", "Whose status: unit, juju-unit, workload, application, model")
			f.IntVarP(&n, "n", "n", 0, "How many statuses (20)")
			f.IntVar(&days, "days", 0, "Only those of so many past days")
			f.StringVar(&from, "from-date", "", "Only those from that day on: YYYY-MM-DD")
			f.BoolVar(&utc, "utc", false, "Show times in UTC")
		},
		check: func(_ *call, args []string) error {
			_, err := statusLogQuery(args, kind, n, days, from)
			return err
		},
		complete: firstArg(completeEntities),
		completeFlag: map[string]proposer{"type": func(context.Context, *call, []string) []string {
			return []string{"unit", "juju-unit", "workload", "application", "model"}
		}},
		run: func(ctx context.Context, x *call, args []string) error {
			q, err := statusLogQuery(args, kind, n, days, from)
			if err != nil {
				return err
			}
			if err := checkEntity(q.Entity, kind); err != nil {
				return err
			}
			log, err := x.api.StatusLog(ctx, x.modelID(), q)
			if err != nil {
				return err
			}
			if len(log) == 0 {
				return kith.Errorf(kith.NotFound, "no status history available")
			}
			return x.showStatusLog(log, clock{utc})
		},
	}
}

// statusLogQuery reads the arguments and flags (CLI reference, section 10.2).
func statusLogQuery(args []string, kind string, n, days int, from string) (api.StatusLogQuery, error) {
	var q api.StatusLogQuery
	types, ok := statusTypes[kind]
	switch {
	case !ok && !slices.Contains(otherStatusTypes, kind):
		return q, usagef("unexpected status type %q", kind)
	case len(args) == 0 && kind != "model":
		return q, usagef("entity name is missing.")
	case len(args) > 1:
		return q, usagef("unexpected arguments after entity name.")
	case n > 0 && days > 0 || n > 0 && from != "" || days > 0 && from != "":
		return q, usagef("backlog size, backlog date and backlog days back cannot be specified together")
	}
	q.Types = types
	if len(args) > 0 && kind != "model" {
		q.Entity = args[0]
	}
	q.Limit = n
	if n == 0 {
		q.Limit = defaultBacklog
	}
	switch {
	case days > 0:
		q.Since, q.Limit = time.Now().AddDate(0, 0, -days), maxBacklog
	case from != "":
		t, err := time.ParseInLocation(time.DateOnly, from, time.Local)
		if err != nil {
			return q, usagef("parsing backlog date: %v", err)
		}
		q.Since, q.Limit = t, maxBacklog
	}
	return q, nil
}

// maxBacklog is how many statuses a time span may hold.
const maxBacklog = 100_000

// checkEntity refuses a name that cannot be of that kind.
func checkEntity(entity, kind string) error {
	switch kind {
	case "unit", "juju-unit", "workload":
		if _, err := kith.ParseUnitName(entity); err != nil {
			return kith.Errorf(kith.Invalid, "%q is not a valid name for a %s", entity, "unit")
		}
	case "application":
		if !kith.ValidAppName(entity) {
			return kith.Errorf(kith.Invalid, "%q is not a valid name for a %s", entity, kind)
		}
	case "model":
	default:
		return kith.Errorf(kith.NotFound, "no status history available").WithHint("kith keeps no statuses of type %q", kind)
	}
	return nil
}

// statusLogDoc is one line of the log as a document.
type statusLogDoc struct {
	Status  kith.Status    `json:"status"`
	Message string         `json:"message,omitempty"`
	Data    map[string]any `json:"data,omitempty"`
	Since   string         `json:"since"`
	Type    string         `json:"type"`
}

func (x *call) showStatusLog(log []api.StatusLogEntry, c clock) error {
	docs := make([]statusLogDoc, len(log))
	for i, e := range log {
		docs[i] = statusLogDoc{e.Current, e.Message, e.Data, c.since(e.Since), string(e.Type)}
	}
	return x.answer(docs, func() string {
		tb := &table{}
		tb.add("Time", "Type", "Status", "Message")
		for _, d := range docs {
			tb.addCells(cell{text: d.Since}, cell{text: d.Type}, cell{text: string(d.Status), paint: x.outColor.status}, cell{text: d.Message})
		}
		return tb.String()
	})
}
