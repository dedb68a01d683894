package core

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
)

// option is a model option: its default, and what a value must be.
type option struct {
	fallback string
	check    func(string) error
}

// options are the model options kith knows (CLI reference, section 8.2). Others are kept and shown, and do nothing.
var options = map[string]option{
	"automatically-retry-hooks":   {"true", checkBool},
	"update-status-hook-interval": {"5m", checkInterval},
	"logging-config":              {"<root>=INFO", nil},
	"egress-subnets":              {"", nil},
	"juju-http-proxy":             {"", nil},
	"juju-https-proxy":            {"", nil},
	"juju-ftp-proxy":              {"", nil},
	"juju-no-proxy":               {"127.0.0.1,localhost,::1", nil},
	"default-space":               {"alpha", nil},
	"max-charm-state-size":        {"2097152", checkSize},
	"max-action-results-age":      {"336h", checkAge},
	"max-action-results-size":     {"5G", checkVolume},
}

// The bounds of update-status-hook-interval. Juju's pages speak of one minute to one hour;
// test suites set 10s, and are heard (CLI reference, section 8.2). A second keeps a
// typing error from eating the machine.
const (
	minInterval = time.Second
	maxInterval = time.Hour
)

func checkBool(s string) error {
	if _, err := strconv.ParseBool(s); err != nil {
		return fmt.Errorf("expected true or false")
	}
	return nil
}

func checkInterval(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < minInterval || d > maxInterval {
		return fmt.Errorf("expected a duration from %s to %s", minInterval, maxInterval)
	}
	return nil
}

func checkSize(s string) error {
	if n, err := strconv.Atoi(s); err != nil || n < 0 {
		return fmt.Errorf("expected a number of bytes")
	}
	return nil
}

func checkAge(s string) error {
	if d, err := time.ParseDuration(s); err != nil || d <= 0 {
		return fmt.Errorf("expected a duration, such as 336h")
	}
	return nil
}

func checkVolume(s string) error {
	_, err := parseVolume(s)
	return err
}

// parseVolume reads a size such as "5G": a number, in MiB unless it has another unit.
func parseVolume(s string) (int64, error) {
	number, shift := s, 20
	if s != "" {
		if i := strings.IndexByte("BKMGTP", s[len(s)-1]); i >= 0 {
			number, shift = s[:len(s)-1], 10*i
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("expected a size, such as 5G")
	}
	return n << shift, nil
}

// ModelOption is a model option's value: what was set, else its default.
func (m *Model) ModelOption(key string) string { return m.Info().option(key) }

func (i *ModelInfo) option(key string) string {
	if i != nil {
		if v, ok := i.Config[key]; ok {
			return v
		}
	}
	return options[key].fallback
}

// ModelOptions lists every option with a default or a value, sorted.
func (m *Model) ModelOptions() []string {
	keys := slices.Sorted(maps.Keys(options))
	for key := range m.Info().Config { // any order: sorted below
		if _, known := options[key]; !known {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (t *txn) createModel(op CreateModel) error {
	if info := t.m.Info(); info != nil {
		return kith.Errorf(kith.Conflict, "model %q already exists", info.Name)
	}
	if !kith.ValidModelName(op.ModelName) {
		return kith.Errorf(kith.Invalid, "%q is not a valid name: model names may only contain lowercase letters, digits and hyphens", op.ModelName)
	}
	if err := checkOptions(op.Config); err != nil {
		return err
	}
	put(t, ModelInfo{
		UUID: op.UUID, Name: op.ModelName, Owner: op.Owner, Life: kith.Alive, Created: t.now,
		Config: maps.Clone(op.Config), AddressBase: op.AddressBase,
	})
	return nil
}

// destroyModel sets everything dying; the model is dead when nothing is left.
func (t *txn) destroyModel(op DestroyModel) error {
	if err := t.destroyStorage(op); err != nil {
		return err
	}
	info := *t.m.Info()
	if info.Life == kith.Alive {
		info.Life = kith.Dying
		put(t, info)
	}
	var apps []kith.AppName
	for a := range t.m.Apps() {
		apps = append(apps, a.Name)
	}
	for _, name := range apps {
		t.removeApp(name, op.Force, 0)
	}
	t.reapModel()
	return nil
}

// reapModel marks a dying model dead once its last application and its last storage are
// gone. The controller then deletes it from the store.
func (t *txn) reapModel() {
	info := *t.m.Info()
	if info.Life != kith.Dying {
		return
	}
	for range t.m.Apps() {
		return
	}
	for range t.m.Storages() {
		return
	}
	info.Life = kith.Dead
	put(t, info)
}

func (t *txn) setModelConfig(op SetModelConfig) error {
	if err := checkOptions(op.Set); err != nil {
		return err
	}
	info := *t.m.Info()
	config := maps.Clone(info.Config)
	if config == nil {
		config = map[string]string{}
	}
	maps.Copy(config, op.Set)
	for _, key := range op.Reset {
		delete(config, key)
	}
	if maps.Equal(config, info.Config) {
		return nil
	}
	info.Config = config
	put(t, info)
	return nil
}

func checkOptions(set map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if check := options[key].check; check != nil {
			if err := check(set[key]); err != nil {
				return kith.Errorf(kith.Invalid, "cannot set model option %s to %q: %s", key, set[key], err)
			}
		}
	}
	return nil
}

// addCharm gives the charm the next local revision of its name (CLI reference, section 7.1).
func (t *txn) addCharm(op AddCharm) error {
	if t.m.Charm(op.ID) != nil {
		return nil
	}
	info := *t.m.Info()
	name := op.Charm.Meta.Name
	rev := info.CharmRevisions[name]
	info.CharmRevisions = maps.Clone(info.CharmRevisions)
	if info.CharmRevisions == nil {
		info.CharmRevisions = map[string]int{}
	}
	info.CharmRevisions[name] = rev + 1
	put(t, info)
	put(t, CharmInfo{ID: op.ID, URL: fmt.Sprintf("local:%s-%d", name, rev), Rev: rev, Path: op.Path, Charm: op.Charm})
	return nil
}

// requireAlive refuses to add anything to a model on its way out.
func (t *txn) requireAlive() error {
	if info := t.m.Info(); info.Life != kith.Alive {
		return kith.Errorf(kith.Conflict, "model %q is no longer alive", info.Name)
	}
	return nil
}
