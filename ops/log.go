package ops

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
)

// logHandler writes records to the unit's log: the message, then the attributes as
// key=value. The host adds time and unit.
type logHandler struct {
	backend UnitBackend
	prefix  string // of keys: the groups
	attrs   string
}

func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, h.prefix, a)
		return true
	})
	return h.backend.Log(levelName(r.Level), b.String())
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		writeAttr(&b, h.prefix, a)
	}
	c := *h
	c.attrs += b.String()
	return &c
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	c := *h
	c.prefix += name + "."
	return &c
}

func writeAttr(b *strings.Builder, prefix string, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		for _, inner := range value.Group() {
			writeAttr(b, prefix+a.Key+".", inner)
		}
		return
	}
	text := value.String()
	if strings.ContainsAny(text, " \t\n\"=") || text == "" {
		text = strconv.Quote(text)
	}
	for _, part := range [...]string{" ", prefix, a.Key, "=", text} {
		b.WriteString(part)
	}
}

// levelName is juju-log's name of a level.
func levelName(l slog.Level) string {
	switch {
	case l < slog.LevelDebug:
		return "TRACE"
	case l < slog.LevelInfo:
		return "DEBUG"
	case l < slog.LevelWarn:
		return "INFO"
	case l < slog.LevelError:
		return "WARNING"
	case l <= slog.LevelError+3:
		return "ERROR"
	}
	return "CRITICAL"
}
