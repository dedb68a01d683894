package api

import (
	"path"
	"slices"
	"strings"
	"time"

	"kith"
)

// Level is the severity of a log record.
type Level string

// The levels, in order of severity.
const (
	LevelTrace    Level = "TRACE"
	LevelDebug    Level = "DEBUG"
	LevelInfo     Level = "INFO"
	LevelWarning  Level = "WARNING"
	LevelError    Level = "ERROR"
	LevelCritical Level = "CRITICAL"
)

// levels is the order of severity.
var levels = []Level{LevelTrace, LevelDebug, LevelInfo, LevelWarning, LevelError, LevelCritical}

// ParseLevel reads a level in any case. Errors: Invalid, in the words of the
// CLI reference, section 10.1.
func ParseLevel(s string) (Level, error) {
	l := Level(strings.ToUpper(s))
	if l == "WARN" {
		return LevelWarning, nil
	}
	if slices.Contains(levels, l) {
		return l, nil
	}
	return "", kith.Errorf(kith.Invalid, `level value %q is not one of "TRACE", "DEBUG", "INFO", "WARNING", "ERROR"`, s)
}

// AtLeast reports whether l is as severe as low. An unknown level counts as INFO.
func (l Level) AtLeast(low Level) bool { return l.rank() >= low.rank() }

func (l Level) rank() int {
	if i := slices.Index(levels, l); i >= 0 {
		return i
	}
	return slices.Index(levels, LevelInfo)
}

// LogRecord is one record of a model's log (CLI reference, section 10.1).
type LogRecord struct {
	Time    time.Time `json:"time"`
	Entity  string    `json:"entity"` // a tag: unit-web-0, machine-0, controller-0
	Level   Level     `json:"level"`
	Module  string    `json:"module"` // unit.web/0.juju-log
	Message string    `json:"message"`
}

// LogFilter chooses records. The zero value takes all of them. An entity is a
// tag, a unit, an application or a machine number, or a pattern with *.
type LogFilter struct {
	Include       []string `json:"include,omitempty"`
	Exclude       []string `json:"exclude,omitempty"`
	IncludeModule []string `json:"include-module,omitempty"` // prefixes
	ExcludeModule []string `json:"exclude-module,omitempty"`
	Level         Level    `json:"level,omitempty"` // and more severe ones
}

// LogQuery asks for records, oldest first.
type LogQuery struct {
	LogFilter
	// Last is how many of the records that are there come first: the newest so many
	// that match; -1 for all, 0 for none.
	Last int `json:"last,omitempty"`
	// Follow goes on with the records that come later.
	Follow bool `json:"follow,omitempty"`
}

// Match reports whether f takes r.
func (f LogFilter) Match(r LogRecord) bool {
	if f.Level != "" && !r.Level.AtLeast(f.Level) {
		return false
	}
	entity := func(p string) bool { return matchEntity(p, r.Entity) }
	module := func(p string) bool { return matchModule(p, r.Module) }
	switch {
	case len(f.Include) > 0 && !slices.ContainsFunc(f.Include, entity):
		return false
	case slices.ContainsFunc(f.Exclude, entity):
		return false
	case len(f.IncludeModule) > 0 && !slices.ContainsFunc(f.IncludeModule, module):
		return false
	case slices.ContainsFunc(f.ExcludeModule, module):
		return false
	}
	return true
}

// UnitTag is the tag of a unit: unit-web-0.
func UnitTag(u kith.UnitName) string { return "unit-" + strings.ReplaceAll(string(u), "/", "-") }

// matchEntity reports whether pattern names the entity with that tag.
func matchEntity(pattern, tag string) bool {
	if pattern == tag {
		return true
	}
	if app, number, ok := strings.Cut(pattern, "/"); ok {
		pattern = "unit-" + app + "-" + number
	}
	if strings.ContainsRune(pattern, '*') {
		ok, err := path.Match(strings.ReplaceAll(pattern, "/", "-"), tag)
		return err == nil && ok
	}
	if pattern == tag || "machine-"+pattern == tag || "application-"+pattern == tag {
		return true
	}
	// An application stands for all of its units.
	i := strings.LastIndexByte(tag, '-')
	return i > 0 && tag[:i] == "unit-"+pattern
}

// matchModule reports whether prefix is module or one of its parents.
func matchModule(prefix, module string) bool {
	return strings.HasPrefix(module, prefix) &&
		(len(module) == len(prefix) || module[len(prefix)] == '.' || strings.HasSuffix(prefix, "."))
}
