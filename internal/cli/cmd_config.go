package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// trustKey is the one option every application has of its own.
const trustKey = "trust"

func configCommand() *command {
	var file string
	var reset []string
	return &command{
		name: "config", args: "<application> [<key>[=<value>] ...]", group: groupApp, scope: modelScope,
		summary: "Shows or changes the configuration of an application",
		details: `Without a key all options are shown, with one key its value alone. Settings are
given as key=value; key=@FILE takes the value from a file. --file reads a YAML
file with the options below the application's name.

The units of the application run config-changed when a value has changed.`,
		examples: []example{
			{"config web", "Show all options"},
			{"config web port", "Show one value"},
			{"config web port=8080 title=@title.txt", "Change two options, one from a file"},
			{"config web --reset port,title", "Go back to the charm's defaults"},
		},
		seeAlso: []string{"deploy", "model-config", "trust"},
		formats: []string{formatYAML, formatJSON},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&file, "file", "", "YAML file with options; - is stdin")
			f.StringArrayVar(&reset, "reset", nil, "Options to set back to their defaults: KEY[,KEY...]")
			colorFlags(f)
		},
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("no application name specified")
			}
			if _, err := appArg(args[0]); err != nil {
				return err
			}
			keys, _, err := getOrSet(args[1:], reset)
			if err == nil && len(keys) > 0 && file != "" {
				err = usagef("cannot get value and set key=value pairs simultaneously")
			}
			return err
		},
		complete: firstArg(completeApps),
		run: func(ctx context.Context, x *call, args []string) error {
			app := kith.AppName(args[0])
			keys, sets, err := getOrSet(args[1:], reset)
			if err != nil {
				return err
			}
			if len(keys) == 0 && len(sets)+len(reset) == 0 && file == "" {
				return x.showConfig(ctx, app)
			}
			if len(keys) > 0 {
				return x.showOption(ctx, app, keys[0])
			}
			return x.setConfig(ctx, app, file, sets, reset)
		},
	}
}

// colorFlags accepts the flags that force or forbid colours where there are none.
func colorFlags(f *pflag.FlagSet) {
	f.Bool("color", false, "Accepted for Juju's sake; does nothing here")
	f.Bool("no-color", false, "Accepted for Juju's sake; does nothing here")
}

// The document of config (section 5.6).
type (
	configDoc struct {
		App       kith.AppName         `json:"application"`
		AppConfig map[string]optionDoc `json:"application-config"`
		Charm     string               `json:"charm"`
		Settings  map[string]optionDoc `json:"settings"`
	}
	optionDoc struct {
		Default     any    `json:"default,omitempty"`
		Description string `json:"description"`
		Source      string `json:"source"`
		Type        string `json:"type"`
		Value       any    `json:"value,omitempty"`
	}
)

// showConfig prints all options.
func (x *call) showConfig(ctx context.Context, app kith.AppName) error {
	c, err := x.api.AppConfig(ctx, x.modelID(), app)
	if err != nil {
		return whole(err)
	}
	return x.answer(configDocument(c), nil)
}

func configDocument(c api.AppConfig) configDoc {
	d := configDoc{App: c.App, Charm: c.Charm, Settings: map[string]optionDoc{}}
	source := "default"
	if c.Trust {
		source = "user"
	}
	d.AppConfig = map[string]optionDoc{trustKey: {
		Default: false, Description: "Does this application have access to trusted credentials",
		Source: source, Type: "bool", Value: c.Trust,
	}}
	for _, o := range c.Options {
		d.Settings[o.Name] = optionDoc{o.Default, o.Description, o.Source, string(o.Type), o.Value}
	}
	return d
}

// showOption prints the bare value of one option.
func (x *call) showOption(ctx context.Context, app kith.AppName, key string) error {
	c, err := x.api.AppConfig(ctx, x.modelID(), app)
	if err != nil {
		return whole(err)
	}
	if key == trustKey {
		return x.output(strconv.FormatBool(c.Trust) + "\n")
	}
	for _, o := range c.Options {
		switch {
		case o.Name != key:
		case o.Value == nil:
			return x.output("\n")
		default:
			return x.output(fmt.Sprintln(o.Value))
		}
	}
	return kith.Errorf(kith.NotFound, "key %q not found in %q application config or charm settings.", key, app)
}

// setConfig changes options: the file first, then what was named on the command line.
func (x *call) setConfig(ctx context.Context, app kith.AppName, file string, sets, reset []string) error {
	op := core.SetConfig{App: app, Set: map[string]any{}}
	if file != "" {
		settings, err := x.appSettings(file, string(app))
		if err != nil {
			return err
		}
		op.Set = settings
	}
	for _, s := range sets {
		p, err := x.parsePair(s)
		if err != nil {
			return err
		}
		op.Set[p.key] = p.value
	}
	keys, err := splitKeys(reset)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key == trustKey {
			op.Trust = new(bool)
			continue
		}
		op.Reset = append(op.Reset, key)
	}
	if op.Trust, err = takeTrust(op.Set, op.Trust); err != nil {
		return err
	}
	_, err = x.do(ctx, op)
	return settingsError(err)
}

// settingsError says of a refused option what was being done (section 8.1).
func settingsError(err error) error {
	var e *kith.Error
	if errors.As(err, &e) && e.Code == kith.Invalid {
		return e.Prefix("parsing settings for application: ")
	}
	return whole(err)
}

// takeTrust moves the key trust from the charm's options to the application's own.
func takeTrust(set map[string]any, otherwise *bool) (*bool, error) {
	v, ok := set[trustKey]
	if !ok {
		return otherwise, nil
	}
	delete(set, trustKey)
	trust, err := strconv.ParseBool(fmt.Sprint(v))
	if err != nil {
		return nil, kith.Errorf(kith.Invalid, "parsing settings for application: option %q expected bool, got %q", trustKey, fmt.Sprint(v))
	}
	return &trust, nil
}
