package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// modelOptions are the options every model has and their defaults (CLI
// reference, section 5.7). A default's Go type is the option's type.
var modelOptions = map[string]any{
	"agent-metadata-url": "", "agent-stream": "released", "apt-ftp-proxy": "", "apt-http-proxy": "", "apt-https-proxy": "",
	"apt-mirror": "", "apt-no-proxy": "", "automatically-retry-hooks": true, "backup-dir": "",
	"charmhub-url": "https://api.charmhub.io", "cloudinit-userdata": "", "container-networking-method": "",
	"default-base": "", "default-space": "", "development": false, "disable-network-management": false, "egress-subnets": "",
	"enable-os-refresh-update": true, "enable-os-upgrade": true, "extra-info": "", "firewall-mode": "instance", "ftp-proxy": "",
	"http-proxy": "", "https-proxy": "", "ignore-machine-addresses": false, "image-metadata-url": "", "image-stream": "released",
	"juju-ftp-proxy": "", "juju-http-proxy": "", "juju-https-proxy": "", "juju-no-proxy": "127.0.0.1,localhost,::1",
	"logging-config": "<root>=INFO", "lxd-snap-channel": "5.0/stable", "max-action-results-age": "336h",
	"max-action-results-size": "5G", "max-status-history-age": "336h", "max-status-history-size": "5G",
	"mode": "requires-prompts", "net-bond-reconfigure-delay": 17, "no-proxy": "127.0.0.1,localhost,::1", "num-container-provision-workers": 4,
	"num-provision-workers": 16, "provisioner-harvest-mode": "destroyed", "proxy-ssh": false, "resource-tags": map[string]any{},
	"secret-backend": "auto", "snap-http-proxy": "", "snap-https-proxy": "", "snap-store-assertions": "", "snap-store-proxy": "",
	"snap-store-proxy-url": "", "ssl-hostname-verification": true, "test-mode": false, "transmit-vendor-metrics": true,
	"update-status-hook-interval": "5m",
}

// modelOption is a model option as text: what was set, else its default.
func modelOption(mc api.ModelConfig, key string) string {
	if v, ok := mc.Set[key]; ok {
		return v
	}
	if d, ok := modelOptions[key]; ok {
		return fmt.Sprint(d)
	}
	return ""
}

func modelConfigCommand() *command {
	var file string
	var reset []string
	return &command{
		name: "model-config", args: "[<key>[=<value>] ...]", group: groupModel, scope: modelScope,
		summary: "Shows or changes the options of a model",
		details: `Without a key all options are shown, with one key its value alone. kith acts on
automatically-retry-hooks, update-status-hook-interval, mode, egress-subnets and
the proxies; the others are kept and shown.`,
		examples: []example{
			{"model-config", "Show all options"},
			{"model-config update-status-hook-interval=10m", "Change an option"},
			{"model-config --reset mode", "Go back to the default"},
		},
		seeAlso: []string{"config", "add-model"},
		formats: []string{formatTabular, formatJSON, formatYAML},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&file, "file", "", "YAML file with options; - is stdin")
			f.StringArrayVar(&reset, "reset", nil, "Options to set back to their defaults: KEY[,KEY...]")
			f.Bool("ignore-read-only-fields", false, "Accepted for Juju's sake; does nothing")
			colorFlags(f)
		},
		check: func(_ *call, args []string) error {
			_, _, err := getOrSet(args, reset)
			return err
		},
		complete: func(context.Context, *call, []string) []string { return slices.Sorted(maps.Keys(modelOptions)) },
		run: func(ctx context.Context, x *call, args []string) error {
			keys, sets, err := getOrSet(args, reset)
			if err != nil {
				return err
			}
			if len(sets)+len(reset) > 0 || file != "" {
				return x.setModelConfig(ctx, file, sets, reset)
			}
			mc, err := x.api.ModelConfig(ctx, x.modelID())
			if err != nil {
				return err
			}
			return x.showModelConfig(mc, keys)
		},
	}
}

// modelOptionDoc is one option; JSON has capitals, YAML has not.
type (
	modelOptionDoc struct {
		Value  any
		Source string
	}
	modelOptionYAML struct {
		Value  any    `json:"value"`
		Source string `json:"source"`
	}
)

func (x *call) showModelConfig(mc api.ModelConfig, keys []string) error {
	all := typedOptions(mc)
	if len(keys) > 0 {
		o, ok := all[keys[0]]
		if !ok {
			return kith.Errorf(kith.NotFound, "%q is not a key of the currently targeted model: %q", keys[0], x.target.Name)
		}
		if !x.document() {
			return x.output(fmt.Sprintln(o.Value))
		}
		all = map[string]modelOptionDoc{keys[0]: o}
	}
	if x.format == formatYAML {
		lower := map[string]modelOptionYAML{}
		for key, o := range all { // any order: a map again
			lower[key] = modelOptionYAML(o)
		}
		return x.answer(lower, nil)
	}
	return x.answer(all, func() string {
		tb := &table{}
		tb.add("Attribute", "From", "Value")
		for _, key := range slices.Sorted(maps.Keys(all)) {
			tb.add(key, all[key].Source, optionText(all[key].Value))
		}
		return tb.String()
	})
}

// optionText is a value in a table.
func optionText(v any) string {
	switch v := v.(type) {
	case string:
		return cmp.Or(v, `""`)
	case map[string]any:
		return "{}"
	}
	return fmt.Sprint(v)
}

// typedOptions are all options with their types.
func typedOptions(mc api.ModelConfig) map[string]modelOptionDoc {
	all := map[string]modelOptionDoc{}
	for key, d := range modelOptions { // any order: a map again
		all[key] = modelOptionDoc{d, "default"}
	}
	for key, v := range mc.Set { // any order: a map again
		all[key] = modelOptionDoc{typed(v, modelOptions[key]), "model"}
	}
	return all
}

// typed reads a value as the type of the default.
func typed(v string, like any) any {
	switch like.(type) {
	case bool:
		if b, err := strconv.ParseBool(v); err == nil {
			return b
		}
	case int:
		if n, err := strconv.Atoi(v); err == nil {
			return n
		}
	}
	return v
}

func (x *call) setModelConfig(ctx context.Context, file string, sets, reset []string) error {
	op := core.SetModelConfig{Set: map[string]string{}}
	if file != "" {
		var err error
		if op.Set, err = x.modelSettings(file); err != nil {
			return err
		}
	}
	for _, s := range sets {
		p, err := x.parsePair(s)
		if err != nil {
			return err
		}
		op.Set[p.key] = p.value
	}
	var err error
	if op.Reset, err = splitKeys(reset); err != nil {
		return err
	}
	if err := x.checkModelOptions(op); err != nil {
		return err
	}
	_, err = x.do(ctx, op)
	return whole(err)
}

// modelSettings reads a YAML file of model options.
func (x *call) modelSettings(path string) (map[string]string, error) {
	text, err := x.readFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot read the configuration in %s: %v", path, err)
	}
	set := map[string]string{}
	for key, v := range values { // any order: a map again
		set[key] = fmt.Sprint(v)
	}
	return set, nil
}

// checkModelOptions refuses what Juju refuses and warns of what it warns of (section 8.2).
func (x *call) checkModelOptions(op core.SetModelConfig) error {
	for _, key := range slices.Sorted(maps.Keys(op.Set)) {
		like, known := modelOptions[key]
		if key == "agent-version" {
			return kith.Errorf(kith.Invalid, `"agent-version" must be set via "upgrade-model"`)
		}
		if !known {
			x.warn("key %q is not defined in the current model configuration: possible misspelling", key)
			continue
		}
		if err := checkType(key, op.Set[key], like); err != nil {
			return err
		}
	}
	for _, key := range op.Reset {
		if key == "agent-version" {
			return kith.Errorf(kith.Invalid, "%q cannot be reset", key)
		}
	}
	return nil
}

func checkType(key, v string, like any) error {
	var err error
	var want string
	switch like.(type) {
	case bool:
		_, err = strconv.ParseBool(v)
		want = "bool"
	case int:
		_, err = strconv.Atoi(v)
		want = "number"
	}
	if err != nil {
		return kith.Errorf(kith.Invalid, "%s: expected %s, got string(%q)", key, want, v)
	}
	return nil
}
