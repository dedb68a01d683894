package cli

import (
	"context"
	"slices"
	"strings"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// defaultMode is what people call [core.ContractsDefault].
const defaultMode = "default"

func contractModeCommand() *command {
	return &command{
		name: "contract mode", args: "[off|warn|enforce|default [<application>:<endpoint> ...]]", group: groupContract, scope: modelScope,
		summary: "Shows or sets what contracts do",
		details: `With warn, which is where every model begins, what breaks a contract is shown by
'status --relations', show-unit and debug-log, and stored with the history; charms
notice nothing. With enforce a hook that writes a value the contract does not allow
fails, and nothing it wrote is kept. With off nothing is checked.

The mode is the model's, or with endpoints that of what their application writes there.
An endpoint set to default goes by the model again.`,
		examples: []example{
			{"contract mode", "See the modes"},
			{"contract mode enforce", "Have hooks fail that break a contract"},
			{"contract mode enforce web:database", "Only those of one application, at one endpoint"},
			{"contract mode default web:database", "Take that back"},
		},
		seeAlso: []string{"contract list", "status", "resolved"},
		formats: []string{formatTabular, formatYAML, formatJSON},
		check:   checkModeArgs,
		complete: func(ctx context.Context, x *call, args []string) []string {
			if len(args) == 0 {
				return modeWords()
			}
			return slices.DeleteFunc(completeEndpoints(ctx, x, nil), func(s string) bool { return !strings.Contains(s, ":") })
		},
		run: func(ctx context.Context, x *call, args []string) error {
			if len(args) > 0 {
				return x.setContractMode(ctx, args[0], args[1:])
			}
			c, err := x.api.Contracts(ctx, x.modelID())
			if err != nil {
				return err
			}
			return x.answer(modesDocument(c), func() string { return modesTable(c) })
		},
	}
}

// modeWords are the modes as people write them.
func modeWords() []string {
	var words []string
	for _, mode := range core.ContractModes() {
		words = append(words, string(mode))
	}
	return append(words, defaultMode)
}

func checkModeArgs(_ *call, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !slices.Contains(modeWords(), args[0]) {
		return &usageError{kith.Errorf(kith.Invalid, "mode %q is none of %s", args[0], strings.Join(modeWords(), ", ")).
			WithHint("to have hooks fail that break a contract: 'kith contract mode %s'; see 'kith help contract mode'", core.ContractsEnforce)}
	}
	for _, a := range args[1:] {
		if _, err := endpointArg(a); err != nil {
			return err
		}
	}
	return nil
}

// endpointArg reads "application:endpoint".
func endpointArg(s string) (kith.Endpoint, error) {
	e, err := kith.ParseEndpoint(s)
	if err != nil || e.Name == "" {
		return kith.Endpoint{}, usagef("%q is no endpoint: expected <application>:<endpoint>", s)
	}
	return e, nil
}

func (x *call) setContractMode(ctx context.Context, word string, endpoints []string) error {
	mode := core.ContractMode(word)
	if word == defaultMode {
		mode = core.ContractsDefault
	}
	if len(endpoints) == 0 {
		_, err := x.do(ctx, core.SetContractMode{Mode: mode})
		return err
	}
	for _, name := range endpoints {
		e, err := endpointArg(name)
		if err != nil {
			return err
		}
		if _, err := x.do(ctx, core.SetContractMode{Mode: mode, App: e.App, Endpoint: e.Name}); err != nil {
			return err
		}
	}
	return nil
}

// modesDoc is what contract mode prints as JSON and YAML.
type modesDoc struct {
	Model     core.ContractMode            `json:"model"`
	Endpoints map[string]core.ContractMode `json:"endpoints,omitempty"`
}

func modesDocument(c api.Contracts) modesDoc {
	d := modesDoc{Model: c.Mode}
	for _, e := range c.Endpoints {
		if d.Endpoints == nil {
			d.Endpoints = map[string]core.ContractMode{}
		}
		d.Endpoints[string(e.App)+":"+string(e.Endpoint)] = e.Mode
	}
	return d
}

func modesTable(c api.Contracts) string {
	var t table
	t.add("Endpoint", "Mode")
	t.add("(model)", string(c.Mode))
	for _, e := range c.Endpoints {
		t.add(string(e.App)+":"+string(e.Endpoint), string(e.Mode))
	}
	return t.String()
}
