package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// scope says what a command works on, and so which of -m and -c it takes
// (CLI reference, section 16).
type scope int

const (
	noScope         scope = iota // needs nothing
	homeScope                    // works on the home, whether or not a controller runs
	controllerScope              // takes -c/--controller
	modelScope                   // takes -m/--model
	argumentScope                // talks to a controller and names what it works on as an argument
)

// group is the heading a command is listed under in the overview.
type group string

const (
	groupController group = "Controller"
	groupModel      group = "Models"
	groupApp        group = "Applications and units"
	groupStorage    group = "Storage"
	groupRun        group = "Actions"
	groupRelation   group = "Integrations"
	groupSecret     group = "Secrets"
	groupCharm      group = "Writing charms"
	groupContract   group = "Contracts"
	groupWatch      group = "Looking"
	groupOther      group = "Other"
)

// command is everything there is to say about one command. Each cmd_NAME.go
// holds one.
type command struct {
	name    string // one word, or two: that of a family and its own
	aliases []string
	args    string // as shown in the usage line
	group   group
	scope   scope

	summary  string // one line, no full stop
	details  string // paragraphs
	examples []example
	seeAlso  []string

	// formats are the names --format takes, the default first; none: no --format.
	formats []string
	// flags declares the command's own flags.
	flags func(f *pflag.FlagSet)
	// check refuses arguments that make no sense: exit status 2.
	check func(x *call, args []string) error
	// run does the work: an error is exit status 1.
	run func(ctx context.Context, x *call, args []string) error
	// complete proposes values for the next argument.
	complete func(ctx context.Context, x *call, args []string) []string
	// completeFlag proposes values for flags, by name.
	completeFlag map[string]func(ctx context.Context, x *call, args []string) []string

	// modelOptional lets a command of modelScope run without a model if none was asked for.
	modelOptional bool
	// stopAtArgs ends flag parsing at the first argument.
	stopAtArgs bool
	hidden     bool
}

// word is the command's name as one word: "contract check" is contract-check.
func (c *command) word() string { return strings.ReplaceAll(c.name, " ", "-") }

// example is one use of a command and what it is for.
type example struct{ line, says string }

// usageError is a command that was not understood: exit status 2.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef makes a [usageError].
func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// silentError is a failure that has been reported already.
type silentError struct{ status int }

func (e *silentError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// errFailed is a command that has said itself what went wrong.
var errFailed = &silentError{1}

// options are the flags that follow from a command's kind.
type options struct {
	model, controller string
	format, outFile   string
	debug, quiet      bool
	verbose           bool
}

// addGlobals declares the flags every command takes (CLI reference, section 1.5).
func addGlobals(f *pflag.FlagSet, o *options) {
	f.BoolVar(&o.debug, "debug", false, "Show more of what happens, on stderr")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "Say nothing but errors")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "Say more")
	f.Bool("show-log", false, "Accepted for Juju's sake; does nothing")
	f.String("log-file", "", "Accepted for Juju's sake; does nothing")
	f.String("logging-config", "", "Accepted for Juju's sake; does nothing")
}

// isGlobal reports whether a flag is one that every command takes.
func isGlobal(name string) bool {
	switch name {
	case "debug", "quiet", "verbose", "show-log", "log-file", "logging-config", "help", "no-browser-login":
		return true
	}
	return false
}

// cobra builds the parser of c for one call.
func (c *command) cobra(x *call) *cobra.Command {
	cc := &cobra.Command{
		Use:                   strings.TrimSpace(c.word() + " " + c.args),
		Aliases:               c.aliases,
		Short:                 c.summary,
		Hidden:                c.hidden || c.word() != c.name, // a word of a family is no word of its own
		SilenceErrors:         true,
		SilenceUsage:          true,
		DisableFlagsInUseLine: true,
		// Arguments are checked by the command itself.
		Args: cobra.ArbitraryArgs,
	}
	f := cc.Flags()
	f.SetInterspersed(!c.stopAtArgs)
	o := c.declare(f)
	cc.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	cc.SetHelpFunc(func(*cobra.Command, []string) { fmt.Fprint(x.out, helpText(x.program, c)) })
	cc.RunE = func(cc *cobra.Command, args []string) error {
		x.options = *o
		return x.runCommand(cc.Context(), c, args)
	}
	c.addCompletion(cc, x, o)
	return cc
}

// declare adds the flags that every command has, those that follow from the
// command's kind, and its own. The options hold the values once f has parsed.
func (c *command) declare(f *pflag.FlagSet) *options {
	o := &options{}
	addGlobals(f, o)
	f.BoolP("help", "h", false, "Show help on this command")
	switch c.scope {
	case modelScope:
		f.StringVarP(&o.model, "model", "m", "", "Model to work on: [controller:][user/]name, or a UUID")
	case controllerScope:
		f.StringVarP(&o.controller, "controller", "c", "", "Controller to work on")
	}
	if c.scope > homeScope {
		f.BoolP("no-browser-login", "B", false, "Accepted for Juju's sake; does nothing")
	}
	if len(c.formats) > 0 {
		o.format = c.formats[0]
		f.Var(&formatValue{&o.format, c.formats}, "format", "Format of the output: "+strings.Join(c.formats, ", "))
		f.StringVarP(&o.outFile, "output", "o", "", "Write the output to this file")
	}
	if c.flags != nil {
		c.flags(f)
	}
	return o
}

// flagError puts a parsing error into Juju's words (section 1.5).
func flagError(err error) error {
	var unknown *pflag.NotExistError
	var needs *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			name = "-" + unknown.GetSpecifiedName()
		}
		return usagef("option provided but not defined: %s", name)
	case errors.As(err, &needs):
		name := "--" + needs.GetSpecifiedName()
		if needs.GetSpecifiedShortnames() != "" {
			name = "-" + needs.GetSpecifiedName()
		}
		return usagef("option needs an argument: %s", name)
	case errors.As(err, &bad):
		return usagef("invalid value %q for option --%s: %v", bad.GetValue(), bad.GetFlag().Name, errors.Unwrap(bad))
	}
	return &usageError{err}
}

// formatValue is the flag --format: one of a few names.
type formatValue struct {
	name  *string
	names []string
}

func (v *formatValue) String() string { return *v.name }
func (v *formatValue) Type() string   { return "name" }
func (v *formatValue) Set(s string) error {
	for _, n := range v.names {
		if n == s {
			*v.name = s
			return nil
		}
	}
	return fmt.Errorf("unknown format %q", s)
}

// noArgs refuses any argument.
func noArgs(x *call, args []string) error { return atMost(0)(x, args) }

// atMost refuses more than n arguments, in Juju's words.
func atMost(n int) func(*call, []string) error {
	return func(_ *call, args []string) error {
		if len(args) <= n {
			return nil
		}
		quoted := make([]string, 0, len(args)-n)
		for _, a := range args[n:] {
			quoted = append(quoted, fmt.Sprintf("%q", a))
		}
		return usagef("unrecognized args: [%s]", strings.Join(quoted, " "))
	}
}
