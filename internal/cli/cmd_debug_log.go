package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kith/internal/api"
	"kith/internal/client"
)

// firstLines is how many records debug-log starts with if it is not told.
const firstLines = 10

// debugLogFlags are the flags of debug-log (CLI reference, section 10.1).
type debugLogFlags struct {
	since              time.Time // older records are not shown
	filter             api.LogFilter
	level, format      string
	lines, limit       uint
	output             string
	replay, tail       bool
	noTail, retry      bool
	retryDelay         time.Duration
	date, ms, utc      bool
	color, location    bool
	limitSet, linesSet func() bool
}

func debugLogCommand() *command {
	var o debugLogFlags
	return &command{
		name: "debug-log", group: groupWatch, scope: modelScope,
		summary: "Shows the log of a model",
		details: `Shows what charms log with juju-log, what their hooks print, and which hooks run.
Without flags: the last ten records, and on a terminal those that come.

An entity is a unit (web/0), an application (web), a machine (0), or a pattern
(unit-web-*). What a hook prints on stdout has level DEBUG, on stderr WARNING.`,
		examples: []example{
			{"debug-log --replay --no-tail", "The whole log, once"},
			{"debug-log --tail --include web/0", "Follow one unit"},
			{"debug-log --level WARNING -n 50", "The last 50 warnings and errors"},
			{"debug-log --limit 20", "The last 20 records, once"},
		},
		seeAlso: []string{"show-status-log", "status"},
		flags:   o.flags,
		check:   o.check,
		completeFlag: map[string]proposer{
			"include": completeEntities, "exclude": completeEntities,
			"level": func(context.Context, *call, []string) []string {
				return []string{"TRACE", "DEBUG", "INFO", "WARNING", "ERROR"}
			},
		},
		run: o.run,
	}
}

func (o *debugLogFlags) flags(f *pflag.FlagSet) {
	f.StringArrayVarP(&o.filter.Include, "include", "i", nil, "Only these entities")
	f.StringArrayVarP(&o.filter.Exclude, "exclude", "x", nil, "Not these entities")
	f.StringArrayVar(&o.filter.IncludeModule, "include-module", nil, "Only these modules and those below them")
	f.StringArrayVar(&o.filter.ExcludeModule, "exclude-module", nil, "Not these modules nor those below them")
	f.StringVarP(&o.level, "level", "l", "", "Only this level and more severe ones: TRACE, DEBUG, INFO, WARNING, ERROR")
	f.UintVarP(&o.lines, "lines", "n", firstLines, "Start with so many of the newest records")
	f.UintVar(&o.limit, "limit", 0, "Show so many of the newest records and stop; 0 means all")
	f.BoolVar(&o.replay, "replay", false, "Start at the beginning")
	f.BoolVar(&o.tail, "tail", false, "Wait for new records")
	f.BoolVar(&o.noTail, "no-tail", false, "Stop after the records that are there")
	f.BoolVar(&o.retry, "retry", false, "Connect again if the controller goes away")
	f.DurationVar(&o.retryDelay, "retry-delay", time.Second, "How long to wait before connecting again")
	f.BoolVar(&o.date, "date", false, "Show dates")
	f.BoolVar(&o.ms, "ms", false, "Show milliseconds")
	f.BoolVar(&o.utc, "utc", false, "Show times in UTC")
	f.BoolVar(&o.color, "color", false, "Use colours even if the output is no terminal")
	f.BoolVar(&o.location, "location", false, "Accepted for Juju's sake; does nothing")
	f.Var(&formatValue{&o.format, []string{"text", formatJSON}}, "format", "Format of the output: text, json")
	for _, name := range []string{"include-label", "exclude-label", "include-labels", "exclude-labels"} {
		f.StringArray(name, nil, "Accepted for Juju's sake; does nothing")
	}
	f.Bool("firehose", false, "Accepted for Juju's sake; does nothing")
	f.StringVarP(&o.output, "output", "o", "", "Write the records to this file")
	o.limitSet = func() bool { return f.Changed("limit") }
	o.linesSet = func() bool { return f.Changed("lines") }
}

func (o *debugLogFlags) check(_ *call, args []string) error {
	if o.level != "" {
		l, err := api.ParseLevel(o.level)
		if err != nil {
			return &usageError{err}
		}
		o.filter.Level = l
	}
	for _, clash := range []struct {
		both  bool
		names string
	}{
		{o.tail && o.noTail, "--tail and --no-tail"},
		{o.noTail && o.retry, "--no-tail and --retry"},
		{o.noTail && o.linesSet(), "--no-tail and --lines"},
		{o.tail && o.limitSet(), "--tail and --limit"},
		{o.limitSet() && o.linesSet(), "--limit and --lines"},
		{o.replay && o.linesSet(), "--replay and --lines"},
	} {
		if clash.both {
			return usagef("setting %s not valid", clash.names)
		}
	}
	if o.retryDelay < 0 {
		return usagef("negative retry delay not valid")
	}
	return noArgs(nil, args)
}

// query is what to ask the controller for.
func (o *debugLogFlags) query(terminal bool) api.LogQuery {
	q := api.LogQuery{LogFilter: o.filter, Last: int(o.lines), Follow: o.tail || terminal && !o.noTail && !o.limitSet()}
	if o.replay {
		q.Last = -1
	}
	if o.limitSet() {
		if q.Last = int(o.limit); o.limit == 0 {
			q.Last = -1
		}
	}
	return q
}

func (o *debugLogFlags) run(ctx context.Context, x *call, _ []string) error {
	p := x.outColor || palette(o.color)
	q := o.query(o.output == "" && isTerminal(x.out.w))
	if o.output != "" {
		f, err := os.OpenFile(o.output, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o666)
		if err != nil {
			return fmt.Errorf("cannot write the output: %w", err)
		}
		defer f.Close()
		return o.show(ctx, x, f, q, palette(o.color))
	}
	return o.show(ctx, x, x.out, q, p)
}

// show prints what the query asks for, and asks again as long as --retry wants it.
func (o *debugLogFlags) show(ctx context.Context, x *call, out io.Writer, q api.LogQuery, p palette) error {
	for {
		err := o.read(ctx, x, out, q, p)
		if ctx.Err() != nil {
			return nil // Ctrl-C is how one stops looking
		}
		if err == nil || !o.retry && !client.IsResync(err) {
			return err
		}
		if client.IsResync(err) {
			x.warn("records came faster than they could be shown; some are missing here")
		}
		q.Last = 0
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(o.retryDelay):
		}
	}
}

// read prints records until the stream ends.
func (o *debugLogFlags) read(ctx context.Context, x *call, out io.Writer, q api.LogQuery, p palette) error {
	for r, err := range x.api.Logs(ctx, x.modelID(), q) {
		if err != nil {
			return err
		}
		if r.Time.Before(o.since) {
			continue
		}
		text := o.line(r, p)
		if o.format == formatJSON {
			if text, err = jsonText(r); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(out, text); err != nil {
			return err
		}
	}
	return nil
}

// line is one record as text: "ENTITY: TIME LEVEL MODULE MESSAGE".
func (o *debugLogFlags) line(r api.LogRecord, p palette) string {
	layout := "15:04:05"
	if o.date {
		layout = "2006-01-02 15:04:05"
	}
	if o.ms {
		layout += ".000"
	}
	t := r.Time.Local()
	if o.utc {
		t = r.Time.UTC()
	}
	return fmt.Sprintf("%s: %s %s %s %s\n", r.Entity, t.Format(layout), p.level(r.Level), r.Module, strings.TrimRight(r.Message, "\n"))
}

// level colours a log level.
func (p palette) level(l api.Level) string {
	switch s := string(l); l {
	case api.LevelWarning:
		return p.yellow(s)
	case api.LevelError, api.LevelCritical:
		return p.red(s)
	case api.LevelInfo:
		return p.green(s)
	default:
		return s
	}
}
