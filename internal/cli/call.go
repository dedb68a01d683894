package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kith"
	"kith/internal/api"
	"kith/internal/client"
	"kith/internal/core"
)

// jujuVersion is the Juju version we stand in for.
const jujuVersion = kith.JujuVersion

// call is one run of the program: what it was given, and what it has found out.
type call struct {
	program string // kith or juju
	in      io.Reader
	out     *counted
	err     io.Writer
	getenv  func(string) string

	outColor, errColor palette
	options

	// asCommand is true for juju-exec: the process is to look like the command it runs.
	asCommand bool

	home  home
	state state
	api   *client.Client
	// model is the model the command works on. Set in modelScope only.
	target api.Model
}

func newCall(args []string, s Streams) *call {
	if s.Getenv == nil {
		s.Getenv = os.Getenv
	}
	return &call{
		program: programName(args[0]), in: s.In, out: &counted{w: s.Out}, err: s.Err, getenv: s.Getenv,
		outColor: paletteFor(s.Out, s.Getenv), errColor: paletteFor(s.Err, s.Getenv),
	}
}

// runCommand checks the arguments, finds what the command works on, and runs it.
func (x *call) runCommand(ctx context.Context, c *command, args []string) error {
	if x.quiet && x.verbose {
		return usagef(`"verbose" and "quiet" flags clash, please use one or the other, not both`)
	}
	if c.check != nil {
		if err := c.check(x, args); err != nil {
			return err
		}
	}
	if err := x.open(ctx, c); err != nil {
		return err
	}
	return c.run(ctx, x, args)
}

// open makes ready what a command of that scope needs.
func (x *call) open(ctx context.Context, c *command) error {
	if c.scope == noScope {
		return nil
	}
	var err error
	if x.home, err = findHome(x.program, x.getenv); err != nil {
		return &usageError{err}
	}
	if x.state, err = x.home.load(); err != nil {
		return err
	}
	x.api = client.Unix(x.socket())
	switch c.scope {
	case controllerScope, argumentScope:
		if err := x.checkController(x.controller); err != nil {
			return err
		}
		if !x.hasController() {
			return x.noController()
		}
	case modelScope:
		if err := x.openModel(ctx); err != nil && !(c.modelOptional && x.options.model == "") {
			return err
		}
	}
	return nil
}

// checkController refuses a controller that is not the one of this home: flag names it, or
// else the environment (section 2.3).
func (x *call) checkController(flag string) error {
	env, err := x.environment()
	if err != nil {
		return err
	}
	if ctl := cmp.Or(flag, env.controller, controllerName); ctl != controllerName {
		return kith.Errorf(kith.NotFound, "controller %s not found", ctl)
	}
	return nil
}

// hasModel reports whether there is a model to work on; a command says with modelOptional that there
// may be none.
func (x *call) hasModel() bool { return x.target.UUID != "" }

// hasController reports whether a controller was ever started in this home and
// has not been taken down. Whether it answers, the first request tells.
func (x *call) hasController() bool {
	_, err := os.Lstat(x.socket())
	return err == nil
}

// socket is where the controller of this home listens.
func (x *call) socket() string { return filepath.Join(x.home.data(x.state), socketName) }

// noController is the refusal of every command that needs a controller when
// there is none (CLI reference, section 2.4).
func (x *call) noController() error {
	message := "No controllers registered."
	if x.program == "juju" {
		message += "\n\nPlease either create a new controller using \"juju bootstrap\" or connect to\n" +
			"another controller that you have been given access to using \"juju register\"."
	}
	return kith.Errorf(kith.Unavailable, "%s", message).
		WithHint("no controller runs for %s; start one with '%s up'", x.home.dir, x.program)
}

// openModel finds the model a command works on. That nothing was chosen is a
// usage error; that the chosen model does not exist is not (section 1.1).
func (x *call) openModel(ctx context.Context) error {
	ref, err := x.chosen(x.options.model)
	if err != nil {
		return err
	}
	if !x.hasController() {
		return &usageError{x.noController()}
	}
	if ref.model == "" && x.state.CurrentModel == "" {
		if strings.HasSuffix(x.options.model, ":") {
			return usagef("current model for controller %s not found", controllerName)
		}
		return x.noModel(ctx)
	}
	current := ref.model == ""
	if current {
		ref.model = x.state.CurrentModel
	}
	x.target, err = x.findModel(ctx, ref)
	if kith.CodeOf(err) == kith.NotFound && current {
		return kith.Errorf(kith.NotFound, "model %q has been removed from the controller, run '%s models' and switch to one of them.",
			ref.model, x.program)
	}
	return err
}

// findModel looks a model up by any of the forms of its name.
func (x *call) findModel(ctx context.Context, ref reference) (api.Model, error) {
	models, err := x.api.Models(ctx)
	if err != nil {
		return api.Model{}, err
	}
	i := slices.IndexFunc(models, func(m api.Model) bool { return ref.names(m.Owner, m.Name, string(m.UUID), userName) })
	if i < 0 {
		return api.Model{}, kith.Errorf(kith.NotFound, "model %s:%s not found", controllerName, ref.qualified(userName)).
			WithHint("'%s models' lists them", x.program)
	}
	return models[i], nil
}

// userName is who works on the controller of one's own home.
const userName = "admin"

// noModel says that no model is chosen, and which ones there are (section 2.4).
func (x *call) noModel(ctx context.Context) error {
	models, err := x.api.Models(ctx)
	if err != nil {
		return err
	}
	if len(models) == 0 {
		return &usageError{kith.Errorf(kith.NotFound, "No selected model.\n\n"+
			"Only the controller model exists. Use \"%s add-model\" to create an initial model.", x.program)}
	}
	text := fmt.Sprintf("No selected model.\n\nUse \"%s switch\" to select one of the following models:\n", x.program)
	for _, m := range models {
		text += "\n  - " + controllerName + ":" + m.Owner + "/" + m.Name
	}
	return &usageError{errors.New(text)}
}

// modelID is how requests name the model the command works on.
func (x *call) modelID() string { return string(x.target.UUID) }

// do sends a command to the model.
func (x *call) do(ctx context.Context, op core.Op) (api.CommandReply, error) {
	return x.api.Do(ctx, x.modelID(), op)
}

// say tells people how it goes: on stderr, unless --quiet.
func (x *call) say(format string, args ...any) {
	if !x.quiet {
		fmt.Fprintf(x.err, format+"\n", args...)
	}
}

// warn says something that is wrong but does not stop the command.
func (x *call) warn(format string, args ...any) {
	fmt.Fprintln(x.err, x.errColor.yellow("WARNING")+" "+fmt.Sprintf(format, args...))
}

// complain reports the failure of one of several things to do.
func (x *call) complain(format string, args ...any) {
	fmt.Fprintln(x.err, x.errColor.red("ERROR")+" "+fmt.Sprintf(format, args...))
}

// whole puts the category behind an error that concerns the whole request, as
// Juju does (section 1.4): the sentences that end in "not found" have it.
func whole(err error) error {
	var e *kith.Error
	if !errors.As(err, &e) || e.Code != kith.NotFound || !strings.HasSuffix(e.Message, " not found") {
		return err
	}
	return categorized(e, "not found")
}

// categorized is e with its category in parentheses.
func categorized(e *kith.Error, category string) error {
	c := *e
	c.Message += " (" + category + ")"
	return &c
}

// print writes a part of the answer to stdout.
func (x *call) print(text string) { io.WriteString(x.out, text) }

// endpointsOf lists the endpoints of an application as APP:ENDPOINT, for completion.
func (x *call) endpointsOf(ctx context.Context, app string) []string {
	a, err := x.api.App(ctx, x.modelID(), kith.AppName(app))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range a.Endpoints {
		if e.Role != kith.Peer {
			names = append(names, app+":"+string(e.Name))
		}
	}
	return names
}
