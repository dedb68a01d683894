package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/charm"
	"kith/contract"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/shipped"
)

// contractTestFlags say what of a charm is tested, and how.
type contractTestFlags struct {
	contract, endpoint string
	config             []string
	timeout            time.Duration
	partial            bool
	host               hostFlags
}

func contractTestCommand() *command {
	var o contractTestFlags
	return &command{
		name: "contract test", args: "<charm>", group: groupContract, scope: noScope,
		summary: "Runs a charm against the examples of a contract",
		details: `Deploys the charm, a folder or a .charm file, into a controller of its own and relates
it to a stand-in that writes what the contract's examples for the other side say: one
example after the other, each in a model of its own, with real hooks and real secrets.
Once the model has settled, what the charm has written is looked at.

A charm passes if none of its hooks fails and nothing it wrote breaks the contract, at
any time; and, where the other side wrote all it must, if nothing is missing in what the
charm wrote. --partial lets things be missing: for charms that wait for something else.

A peer relation has no other party to stand in for, and is refused: its bags can be
looked at with contract check, and in tests with several units.

The contract is that of the endpoint's interface that comes with kith, unless
--contract names another. The exit status is 1 if an example is not passed.`,
		examples: []example{
			{"contract test ./web --endpoint ingress", "Against the contract that comes with kith"},
			{"contract test ./web --contract greeting.yaml", "Against a contract of one's own"},
		},
		seeAlso: []string{"contract check", "contract show", "charm lint"},
		formats: []string{formatTabular, formatYAML, formatJSON},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&o.contract, "contract", "", "The contract: a file, a folder or the name of one that comes with kith")
			f.StringVar(&o.endpoint, "endpoint", "", "Which endpoint of the charm")
			f.StringArrayVar(&o.config, "config", nil, "Option key=value, or a YAML file with options")
			f.DurationVar(&o.timeout, "timeout", time.Minute, "How long a model may take to settle")
			f.BoolVar(&o.partial, "partial", false, "Let something be missing in what the charm writes")
			o.host.declare(f)
		},
		check: func(x *call, args []string) error {
			if o.timeout <= 0 {
				return usagef("--timeout must be more than nothing")
			}
			return oneArg("a charm")(x, args)
		},
		run: o.run,
	}
}

// run tests the charm and tells what came of it.
func (o *contractTestFlags) run(ctx context.Context, x *call, args []string) error {
	path := args[0]
	if _, err := os.Stat(path); err == nil && !isCharmPath(path) {
		path = "." + string(filepath.Separator) + path // nothing else can be meant here
	}
	c, err := x.openCharm(path)
	if err != nil {
		return err
	}
	defer c.close()
	t, err := o.trial(x, c)
	if err != nil {
		return err
	}
	report := contractReport{Charm: c.charm.Meta.Name, Endpoint: t.endpoint.Name, Role: t.endpoint.Role,
		Interface: t.checker.Contract().Interface, Version: t.checker.Contract().Version, Results: []vectorResult{}}
	err = x.privately(ctx, o.host, func(ctx context.Context, x *call) error {
		for i, v := range vectorsOf(t.checker.Contract(), contract.OtherRole(t.endpoint.Role)) {
			result, err := t.vector(ctx, x, i, v)
			if err != nil {
				return err
			}
			report.Results = append(report.Results, result)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return x.sayReport(report)
}

// trial is a charm being tested at an endpoint.
type trial struct {
	o        *contractTestFlags
	charm    *localCharm
	endpoint charm.Relation
	checker  *contract.Checker
	config   map[string]any
}

// trial finds the endpoint and the contract.
func (o *contractTestFlags) trial(x *call, c *localCharm) (*trial, error) {
	t := &trial{o: o, charm: c}
	var named *contract.Contract
	var err error
	if o.contract != "" {
		if named, err = x.findContract(o.contract); err != nil {
			return nil, err
		}
	}
	if t.endpoint, err = chooseEndpoint(c.charm, o.endpoint, named); err != nil {
		return nil, err
	}
	if named == nil {
		if named, err = shipped.Find(t.endpoint.Interface); err != nil {
			return nil, kith.Errorf(kith.NotFound, "kith has no contract of interface %q, which endpoint %q has", t.endpoint.Interface, t.endpoint.Name).
				WithHint("name one with --contract")
		}
	}
	if len(vectorsOf(named, contract.OtherRole(t.endpoint.Role))) == 1 {
		x.warn("the contract has no example of what the %s writes", contract.OtherRole(t.endpoint.Role))
	}
	if t.config, err = x.deployConfig(o.config, c.charm.Meta.Name); err != nil {
		return nil, err
	}
	t.checker, err = named.Compile()
	return t, err
}

// The outcome of a test, as it is told.
type (
	contractReport struct {
		Charm     string            `json:"charm"`
		Endpoint  kith.EndpointName `json:"endpoint"`
		Role      kith.Role         `json:"role"`
		Interface string            `json:"interface"`
		Version   int               `json:"version"`
		Results   []vectorResult    `json:"results"`
	}
	vectorResult struct {
		Vector string `json:"vector"`
		// Given is the state of what the other side wrote.
		Given contract.State `json:"given"`
		Pass  bool           `json:"pass"`
		// Problems say why it is not passed.
		Problems []string     `json:"problems,omitempty"`
		Written  []writtenBag `json:"written"`
	}
	// writtenBag is a bag of the charm's, with values as they may be shown.
	writtenBag struct {
		Owner string            `json:"owner"`
		Bag   contract.BagKind  `json:"bag"`
		Data  map[string]string `json:"data"`
		contract.Verdict
	}
)

// vector tries one vector in a model of its own.
func (t *trial) vector(ctx context.Context, x *call, number int, v vector) (vectorResult, error) {
	result := vectorResult{Vector: v.name, Given: v.state, Written: []writtenBag{}}
	m, err := x.api.CreateModel(ctx, api.CreateModel{Name: fmt.Sprintf("vector-%d", number)})
	if err != nil {
		return result, err
	}
	inside := *x
	inside.target = m
	x = &inside
	app, err := t.deploy(ctx, x, v)
	if err != nil {
		return result, err
	}
	// What is there before the relation has failed is no matter of the contract, and is told.
	if ok, err := t.settle(ctx, x, &result); err != nil || !ok {
		return result, err
	}
	integrate := core.Integrate{A: kith.Endpoint{App: app, Name: t.endpoint.Name}, B: kith.Endpoint{App: standInName, Name: t.endpoint.Name}}
	if _, err := x.do(ctx, integrate); err != nil {
		return result, err
	}
	if _, err := t.settle(ctx, x, &result); err != nil {
		return result, err
	}
	if err := t.look(ctx, x, app, v, &result); err != nil {
		return result, err
	}
	result.Pass = len(result.Problems) == 0
	return result, nil
}

// deploy puts the charm and its stand-in into the model. Failed hooks stay failed.
func (t *trial) deploy(ctx context.Context, x *call, v vector) (kith.AppName, error) {
	app, err := kith.ParseAppName(t.charm.charm.Meta.Name)
	if err != nil || app == standInName {
		app = "charm"
	}
	standIn, err := x.standIn(t.endpoint, t.charm.charm.Meta.Subordinate, v)
	if err != nil {
		return "", err
	}
	defer standIn.close()
	for _, c := range []*localCharm{t.charm, standIn} {
		if err := c.send(ctx, x); err != nil {
			return "", err
		}
	}
	for _, op := range []core.Op{
		core.SetModelConfig{Set: map[string]string{"automatically-retry-hooks": "false"}},
		core.AddContract{Text: string(t.checker.Contract().YAML())},
		core.Deploy{App: app, Charm: t.charm.id, Units: core.DefaultUnits, Config: t.config},
		core.Deploy{App: standInName, Charm: standIn.id, Units: core.DefaultUnits},
	} {
		if _, err := x.do(ctx, op); err != nil {
			return "", settingsError(err)
		}
	}
	return app, nil
}

// standIn makes the charm that writes a vector.
func (x *call) standIn(e charm.Relation, subordinate bool, v vector) (c *localCharm, err error) {
	dir, err := os.MkdirTemp("", "kith-")
	if err != nil {
		return nil, kith.Errorf(kith.Unavailable, "cannot make a folder to work in: %v", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	files := standInFiles(e, subordinate, v)
	for _, name := range sortedNames(files) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(files[name]), 0o700); err != nil {
			return nil, err
		}
	}
	return x.openCharm(dir)
}

// settle waits until nothing is left to do. What does not come to rest, and hooks that
// failed, are problems; false if there are any.
func (t *trial) settle(ctx context.Context, x *call, result *vectorResult) (bool, error) {
	reply, err := x.api.Settle(ctx, x.modelID(), t.o.timeout)
	if err != nil {
		return false, err
	}
	if !reply.Settled {
		result.Problems = append(result.Problems, fmt.Sprintf("it has not settled within %v", t.o.timeout))
	}
	for _, e := range reply.Errors {
		problem := fmt.Sprintf("%s: hook %q failed: %s", e.Unit, e.Hook, e.Message)
		for r, err := range x.api.Logs(ctx, x.modelID(), api.LogQuery{LogFilter: api.LogFilter{Include: []string{string(e.Unit)}}, Last: 3}) {
			if err == nil {
				problem += "\n    " + strings.TrimSpace(r.Message)
			}
		}
		if e.Unit.App() == standInName {
			return false, kith.Errorf(kith.Internal, "cannot stand in for the other party: %s", problem)
		}
		result.Problems = append(result.Problems, problem)
	}
	return len(result.Problems) == 0, nil
}

// look says what the charm has written, and what the contract says of it: as it is in the end,
// and of what was wrong on the way.
func (t *trial) look(ctx context.Context, x *call, app kith.AppName, v vector, result *vectorResult) error {
	status, err := x.api.Status(ctx, x.modelID())
	if err != nil {
		return err
	}
	for _, rel := range status.Relations {
		if rel.Provider.App == rel.Requirer.App || rel.Provider.App != standInName && rel.Requirer.App != standInName {
			continue
		}
		bags, err := t.bags(ctx, x, rel.ID, app, status)
		if err != nil {
			return err
		}
		result.Written = append(result.Written, bags...)
	}
	for _, b := range result.Written {
		for _, found := range b.Violations {
			result.Problems = append(result.Problems, fmt.Sprintf("%s broke the contract: %s", b.Owner, found))
		}
		if v.state == contract.Valid && !t.o.partial && len(b.Missing) > 0 {
			result.Problems = append(result.Problems, fmt.Sprintf("the model has settled, and %s has not written: %s", b.Owner, strings.Join(b.Missing, ", ")))
		}
	}
	return t.onTheWay(ctx, x, app, result)
}

// bags are the charm's bags in a relation, with the verdicts on them.
func (t *trial) bags(ctx context.Context, x *call, id kith.RelationID, app kith.AppName, status api.Status) ([]writtenBag, error) {
	data, err := x.bag(ctx, id, string(app))
	if err != nil {
		return nil, err
	}
	side := t.checker.Contract().Side(t.endpoint.Role)
	bag := func(owner string, kind contract.BagKind, data map[string]string, verdict contract.Verdict) writtenBag {
		shown := map[string]string{}
		for key, value := range data { // any order: each key once
			if !slices.Contains(contract.EngineKeys(), key) {
				shown[key] = describedIn(side, kind).Shown(key, value)
			}
		}
		return writtenBag{owner, kind, shown, verdict}
	}
	out := []writtenBag{bag(string(app), contract.AppBag, data, t.checker.CheckBag(t.endpoint.Role, contract.AppBag, data))}
	for _, u := range status.Units {
		if u.App != app {
			continue
		}
		own, err := x.bag(ctx, id, string(u.Name))
		if err != nil {
			return nil, err
		}
		_, verdict, either := t.checker.CheckSide(t.endpoint.Role, data, own)
		verdict.Missing = append(verdict.Missing, either.Missing...) // what may be in either bag, and is in none
		out = append(out, bag(string(u.Name), contract.UnitBag, own, verdict))
	}
	return out, nil
}

// describedIn is the description of a bag, or of what may be in either.
func describedIn(s *contract.Side, kind contract.BagKind) *contract.Bag {
	if b := s.Bag(kind); b != nil {
		return b
	}
	return s.Bag(contract.EitherBag)
}

// bag reads a databag; one that nobody made is empty.
func (x *call) bag(ctx context.Context, id kith.RelationID, owner string) (map[string]string, error) {
	reply, err := x.api.Bag(ctx, x.modelID(), id, owner)
	if kith.CodeOf(err) == kith.NotFound {
		return nil, nil
	}
	return reply.Data, err
}

// onTheWay adds what the charm wrote wrong and has put right since.
func (t *trial) onTheWay(ctx context.Context, x *call, app kith.AppName, result *vectorResult) error {
	history, err := x.api.History(ctx, x.modelID(), api.HistoryQuery{})
	if err != nil {
		return err
	}
	for _, raw := range history.Entries {
		var e core.Entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return kith.Errorf(kith.Internal, "cannot read the history: %v", err)
		}
		if e.Hook == nil || e.Hook.Unit.App() != app {
			continue
		}
		for _, v := range e.Hook.Verdicts {
			for _, found := range v.Violations {
				problem := fmt.Sprintf("%s broke the contract: %s", v.Owner, found)
				if v.Endpoint == t.endpoint.Name && !slices.ContainsFunc(result.Problems, func(p string) bool { return strings.HasPrefix(p, problem) }) {
					result.Problems = append(result.Problems, problem+", in "+e.Hook.Hook.Title())
				}
			}
		}
	}
	return nil
}

// sayReport prints what came of the vectors, and fails if one was not passed.
func (x *call) sayReport(r contractReport) error {
	if err := x.answer(r, func() string { return reportLines(r) }); err != nil {
		return err
	}
	failed := 0
	for _, v := range r.Results {
		if !v.Pass {
			failed++
		}
	}
	if failed > 0 {
		x.warn("%s of %d not passed", plural(failed, "example"), len(r.Results))
		return errFailed
	}
	x.say("%s passed", plural(len(r.Results), "example"))
	return nil
}

// reportLines is the report for people.
func reportLines(r contractReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, endpoint %s: %s of %s, version %d\n", r.Charm, r.Endpoint, r.Role, r.Interface, r.Version)
	for _, v := range r.Results {
		word := "PASS"
		if !v.Pass {
			word = "FAIL"
		}
		fmt.Fprintf(&b, "\n%s  the %s: %s\n", word, contract.OtherRole(r.Role), v.Vector)
		for _, bag := range v.Written {
			fmt.Fprintf(&b, "    %s, %s bag: %s\n", bag.Owner, bag.Bag, bag.State)
			for _, key := range sortedNames(bag.Data) {
				fmt.Fprintf(&b, "        %s: %s\n", key, strings.Join(strings.Fields(bag.Data[key]), " "))
			}
		}
		for _, p := range v.Problems {
			fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(p, "\n", "\n    "))
		}
	}
	return b.String()
}
