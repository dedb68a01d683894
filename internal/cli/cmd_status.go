package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kith/internal/api"
)

// statusFlags are the flags of status (CLI reference, section 6).
type statusFlags struct {
	relations, storage  bool
	utc, color, noColor bool
	watch               time.Duration
}

func statusCommand() *command {
	var o statusFlags
	return &command{
		name: "status", args: "[<selector> [...]]", group: groupWatch, scope: modelScope,
		summary: "Shows how a model is",
		details: `Shows applications, units and machines, and with --relations the integrations. A
selector narrows it to an application, a unit or a machine, by name, with
wildcards, by status word, by port, or by "exposed" and "not exposed".

Units marked with * lead their application. While a unit runs a hook, the hook's
name stands before its message.

With --watch the status is shown anew at that interval until Ctrl-C.`,
		examples: []example{
			{"status", "Show the model"},
			{"status --relations", "And its integrations"},
			{"status web 'db/*'", "One application, and all units of another"},
			{"status --watch 1s", "Look every second"},
			{"status --format json", "For programs"},
		},
		seeAlso: []string{"show-unit", "show-application", "settle", "debug-log"},
		formats: []string{formatTabular, formatJSON, formatYAML, "line", "oneline", "short", "summary"},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&o.relations, "relations", false, "Show the integrations")
			f.BoolVar(&o.relations, "integrations", false, "The same as --relations")
			f.BoolVar(&o.storage, "storage", false, "Show the storage")
			f.BoolVar(&o.utc, "utc", false, "Show times in UTC")
			f.BoolVar(&o.color, "color", false, "Use colours even if the output is no terminal")
			f.BoolVar(&o.noColor, "no-color", false, "Use no colours")
			f.DurationVar(&o.watch, "watch", 0, "Show it again and again, at this interval")
			f.Int("retry-count", 3, "Accepted for Juju's sake; does nothing")
			f.Duration("retry-delay", 100*time.Millisecond, "Accepted for Juju's sake; does nothing")
		},
		check: func(*call, []string) error {
			if o.color && o.noColor {
				return usagef("cannot mix --no-color and --color")
			}
			return nil
		},
		complete: completeEntities,
		run:      func(ctx context.Context, x *call, args []string) error { return o.run(ctx, x, args) },
	}
}

func (o *statusFlags) run(ctx context.Context, x *call, selectors []string) error {
	if iso := x.getenv("JUJU_STATUS_ISO_TIME"); iso != "" && !o.utc {
		utc, err := strconv.ParseBool(iso)
		if err != nil {
			return usagef("invalid JUJU_STATUS_ISO_TIME env var, expected true|false: %v", err)
		}
		o.utc = utc
	}
	o.noteAlways(x)
	if o.watch <= 0 {
		return o.show(ctx, x, selectors, "")
	}
	return o.again(ctx, x, selectors)
}

// noteAlways says that documents have relations and storage anyway.
func (o *statusFlags) noteAlways(x *call) {
	var always []string
	if o.relations {
		always = append(always, "relations")
	}
	if o.storage {
		always = append(always, "storage")
	}
	switch {
	case x.format == formatTabular || len(always) == 0:
	case len(always) == 1:
		x.say("provided %s option is always enabled in non tabular formats", always[0])
	default:
		x.say("provided %s options are always enabled in non tabular formats", strings.Join(always, ", "))
	}
}

// clearScreen moves a terminal's cursor to the top of an empty screen.
const clearScreen = "\x1b[H\x1b[2J"

// again shows the status at an interval until ctx ends, which is no failure.
func (o *statusFlags) again(ctx context.Context, x *call, selectors []string) error {
	tick := time.NewTicker(o.watch)
	defer tick.Stop()
	before := ""
	if isTerminal(x.out.w) {
		before = clearScreen
	}
	for {
		err := o.show(ctx, x, selectors, before)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// show prints the status as it is now, and what there is to say of it.
func (o *statusFlags) show(ctx context.Context, x *call, selectors []string, before string) error {
	all, err := o.status(ctx, x)
	if err != nil {
		return err
	}
	s := filterStatus(&all, selectors)
	text, err := o.render(x, s)
	if err == nil {
		err = x.output(before + text)
	}
	switch {
	case err != nil:
	case len(all.Apps)+len(all.Machines) == 0:
		x.say("\nModel %q is empty.", all.Model.Owner+"/"+all.Model.Name)
	case len(s.Apps)+len(s.Machines) == 0 && len(selectors) == 1:
		x.say("Nothing matched specified filter.")
	case len(s.Apps)+len(s.Machines) == 0:
		x.say("Nothing matched specified filters.")
	}
	return err
}

// status asks for what will be shown: what contracts say costs a look at every databag.
func (o *statusFlags) status(ctx context.Context, x *call) (api.Status, error) {
	if o.relations || x.document() {
		return x.api.StatusWithContracts(ctx, x.modelID())
	}
	return x.api.Status(ctx, x.modelID())
}

func (o *statusFlags) render(x *call, s *api.Status) (string, error) {
	c := clock{o.utc}
	switch x.format {
	case formatJSON:
		return jsonText(statusDocument(s, c))
	case formatYAML:
		return yamlText(statusDocument(s, c))
	case formatTabular:
		p := x.outColor
		if o.color || o.noColor {
			p = palette(o.color)
		}
		return (&statusTable{s: s, clock: c, palette: p, relations: o.relations, storage: o.storage}).String(), nil
	case "summary":
		return statusSummary(s), nil
	}
	return statusLines(s), nil
}

// statusLines is one line for each unit, subordinates below their principals (section 6.3).
func statusLines(s *api.Status) string {
	var b strings.Builder
	line := func(u *api.UnitStatus, indent string) {
		text := fmt.Sprintf("%s- %s: %s (agent:%s, workload:%s) %s", indent, u.Name, u.Address, u.Agent.Current, u.Workload.Current,
			portSummary(u.Ports))
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	for i := range s.Units {
		u := &s.Units[i]
		if u.Principal != "" && s.UnitOf(u.Principal) != nil {
			continue
		}
		line(u, "")
		for _, name := range u.Subordinates {
			if sub := s.UnitOf(name); sub != nil {
				line(sub, "  ")
			}
		}
	}
	return b.String()
}

// statusSummary counts machines, units and applications (section 6.3).
func statusSummary(s *api.Status) string {
	tb := &table{right: map[int]bool{0: true}}
	var ports []string
	machines, units := map[string]int{}, map[string]int{}
	for _, u := range s.Units {
		ports = append(ports, portList(u.Ports)...)
		units[string(u.Workload.Current)]++
	}
	for _, m := range s.Machines {
		machines[string(m.Agent.Current)]++
	}
	slices.SortFunc(ports, api.Natural)
	tb.add("Running on subnets:", "127.0.0.0/8")
	tb.add("Utilizing ports:", strings.Join(slices.Compact(ports), " "))
	tb.add("# Machines:", fmt.Sprintf("(%d)", len(s.Machines)))
	addCounts(tb, machines)
	tb.add("# Units:", fmt.Sprintf("(%d)", len(s.Units)))
	addCounts(tb, units)
	tb.add("# Applications:", fmt.Sprintf("(%d)", len(s.Apps)))
	for _, a := range s.Apps {
		exposed := 0
		if a.Exposed {
			exposed = 1
		}
		tb.add(string(a.Name), fmt.Sprintf("%d/1", exposed), "exposed")
	}
	return tb.String()
}

func addCounts(tb *table, counts map[string]int) {
	words := make([]string, 0, len(counts))
	for w := range counts { // any order: sorted below
		words = append(words, w)
	}
	slices.Sort(words)
	for _, w := range words {
		tb.add(w+":", strconv.Itoa(counts[w]))
	}
}
