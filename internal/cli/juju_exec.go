package cli

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"kith"
	"kith/internal/api"
)

// jujuExecName is the third name of the program: under it, people on the computer run commands in a unit's
// context, as `juju-exec` does on a machine of Juju's (hook protocol reference, section 3.11).
const jujuExecName = "juju-exec"

const jujuExecUsage = `Usage: juju-exec [options] [-u] <unit> <command> [...]

Summary:
Runs a command in the hook context of a unit.

Options:
-u, --unit UNIT
    the unit; otherwise the first argument is
-r, --relation ID
    the context of this relation
--remote-unit UNIT
    and of this unit on its other side
--force-remote-unit
    take the remote unit though it is not known
-m, --model MODEL
    the model, if not the current one

It is "kith exec" for one unit: its output and exit status are the command's.
`

// calledJujuExec reports whether the program was called by that name.
func calledJujuExec(arg0 string) bool {
	return strings.TrimSuffix(filepath.Base(arg0), ".exe") == jujuExecName
}

// asExec makes the words of juju-exec those of exec. Options come before the command: all that
// follows the unit is its.
func (x *call) asExec(args []string) ([]string, error) {
	if id := x.getenv("JUJU_CONTEXT_ID"); id != "" {
		return nil, kith.Errorf(kith.Invalid, "juju-exec cannot be called from within a hook, have context %q", id)
	}
	words, unit := []string{"exec"}, ""
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "--" {
		option, value, given := strings.Cut(args[0], "=")
		args = args[1:]
		switch {
		case option == "--force-remote-unit" || option == "--operator":
			words = append(words, option)
			continue
		case option == "-h" || option == "--help":
			x.print(jujuExecUsage)
			return nil, nil
		case !slices.Contains([]string{"-u", "--unit", "-r", "--relation", "--remote-unit", "-m", "--model"}, option):
			return nil, usagef("option provided but not defined: %s", option)
		case given:
		case len(args) == 0:
			return nil, usagef("option needs an argument: %s", option)
		default:
			value, args = args[0], args[1:]
		}
		if option == "-u" || option == "--unit" {
			unit = value
			continue
		}
		words = append(words, option, value)
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if unit == "" {
		if len(args) == 0 {
			return nil, usagef("missing unit-name")
		}
		unit, args = args[0], args[1:]
		if len(args) > 0 && args[0] == "--" {
			args = args[1:]
		}
	}
	if len(args) == 0 {
		return nil, usagef("missing commands")
	}
	x.asCommand = true
	return slices.Concat(words, []string{"--unit", untagged(unit), "--"}, args), nil
}

// standFor waits for the one task of an operation, and then prints what it has printed and exits as it has.
func (x *call) standFor(ctx context.Context, op api.Operation, o waiting) error {
	if len(op.Tasks) != 1 {
		return kith.Errorf(kith.NotFound, "%s", strings.Join(op.Refused, "; "))
	}
	op, err := x.await(ctx, op, o, noTime)
	if err != nil {
		return err
	}
	t := op.Tasks[0]
	code, ended := t.Results["return-code"].(int64)
	if !ended || code < 0 {
		return kith.Errorf(kith.Unavailable, "the command has no result: %s", t.Message)
	}
	if _, err := io.WriteString(x.out, printed(t, "stdout")); err != nil {
		return err
	}
	if _, err := io.WriteString(x.err, printed(t, "stderr")); err != nil {
		return err
	}
	if code != 0 {
		return &silentError{int(code)}
	}
	return nil
}

// untagged is a unit by its name, which may be given as the tag that agents have: unit-web-0.
func untagged(unit string) string {
	rest, tagged := strings.CutPrefix(unit, "unit-")
	at := strings.LastIndexByte(rest, '-')
	if !tagged || at < 0 || strings.Contains(unit, "/") {
		return unit
	}
	return rest[:at] + "/" + rest[at+1:]
}
