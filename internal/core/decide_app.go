package core

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"time"

	"kith"
	"kith/charm"
)

// DefaultHost is the host of units that were not placed.
const DefaultHost = "local"

// DefaultUnits asks Deploy for what the charm calls for: one unit, or none for a subordinate.
const DefaultUnits = -1

// MaxUnits bounds the units one command may add; a typing error should not fill the disk.
const MaxUnits = 10000

func (t *txn) deploy(op Deploy) error {
	if err := t.requireAlive(); err != nil {
		return err
	}
	if _, err := kith.ParseAppName(string(op.App)); err != nil {
		return err // whoever asked has not read it with ParseAppName
	}
	if t.m.App(op.App) != nil {
		return kith.Errorf(kith.Conflict, "cannot add application %q: application already exists", op.App).
			WithHint("deploy it under another name, or use remove-application first")
	}
	c := t.m.Charm(op.Charm)
	if c == nil {
		return kith.Errorf(kith.NotFound, "charm %q not found", op.Charm)
	}
	if err := offered(c, op.Force); err != nil {
		return err
	}
	units, err := initialUnits(op.Units, c.Charm.Meta.Subordinate)
	if err != nil {
		return err
	}
	config, err := readConfig(&c.Charm, op.Config)
	if err != nil {
		return err
	}
	if err := t.checkNewStorage(op, &c.Charm, units); err != nil {
		return err
	}
	app := App{
		Name: op.App, Charm: c.ID, CharmRev: t.rev, Life: kith.Alive, Subordinate: c.Charm.Meta.Subordinate,
		Config: config, ConfigRev: t.rev, Trust: op.Trust, Base: op.Base, LeaderRev: t.rev, Created: t.now,
		NextUnit: t.m.Info().UnitNumbers[op.App], Storage: maps.Clone(op.Storage),
	}
	if err := t.giveResources(&app, &c.Charm, op.Resources); err != nil {
		return err
	}
	if app.Base == "" && len(c.Charm.Bases) > 0 {
		app.Base = c.Charm.Bases[0].Name + "@" + c.Charm.Bases[0].Channel
	}
	put(t, app)
	for _, e := range c.Charm.Meta.Endpoints() {
		if e.Role == kith.Peer {
			t.addRelation(e.Interface, kith.Global, End{App: app.Name, Endpoint: e.Name, Role: kith.Peer})
		}
	}
	for range units {
		t.addUnit(app.Name, op.Host, "", op.AttachStorage...)
	}
	return nil
}

func initialUnits(asked int, subordinate bool) (int, error) {
	switch {
	case asked == DefaultUnits && subordinate:
		return 0, nil
	case asked == DefaultUnits:
		return 1, nil
	case asked > 0 && subordinate:
		return 0, kith.Errorf(kith.Invalid, "cannot use --num-units or --to with subordinate application")
	case asked < 0 || asked > MaxUnits:
		return 0, kith.Errorf(kith.Invalid, "--num-units must be a positive integer").WithHint("got %d; at most %d", asked, MaxUnits)
	}
	return asked, nil
}

func (t *txn) addUnits(op AddUnits) error {
	if err := t.requireAlive(); err != nil {
		return err
	}
	app, err := t.app(op.App)
	if err != nil {
		return err
	}
	if op.Units < 1 || op.Units > MaxUnits {
		return kith.Errorf(kith.Invalid, "--num-units must be a positive integer").WithHint("got %d; at most %d", op.Units, MaxUnits)
	}
	const refusal = "cannot add unit 1/%d to application %q: cannot add unit to application %q: "
	if app.Subordinate {
		return kith.Errorf(kith.Conflict, refusal+"application is a subordinate", op.Units, op.App, op.App).
			WithHint("integrate it with a principal application; each of its units gets one")
	}
	if app.Life != kith.Alive {
		return kith.Errorf(kith.Conflict, refusal+"application is not alive", op.Units, op.App, op.App)
	}
	for range op.Units {
		if err := t.checkAttachNew(op.AttachStorage, &t.m.Charm(app.Charm).Charm, op.Host, op.Units); err != nil {
			return err
		}
		t.addUnit(op.App, op.Host, "", op.AttachStorage...)
	}
	return nil
}

// addUnit makes the application's next unit: on a machine of its own, or beside its
// principal. Storage that it is to have goes to it.
func (t *txn) addUnit(name kith.AppName, host string, principal kith.UnitName, storage ...kith.StorageID) kith.UnitName {
	app, info := *t.m.App(name), *t.m.Info()
	u := Unit{
		Name: kith.UnitOf(name, app.NextUnit), App: name, Host: host, Principal: principal,
		Life: kith.Alive, LifeRev: t.rev, Created: t.now, Address: unitAddress(info),
		Workload: Status{Current: kith.Waiting, Message: "waiting for machine", Since: t.now},
	}
	app.NextUnit++
	info.NextAddress++
	if principal == "" {
		if u.Host == "" {
			u.Host = DefaultHost
		}
		u.Machine = kith.MachineID(strconv.Itoa(info.NextMachine))
		info.NextMachine++
		put(t, Machine{ID: u.Machine, Host: u.Host, Created: t.now})
	} else {
		p := *t.m.Unit(principal)
		u.Machine, u.Host = p.Machine, p.Host
		p.Subordinates = append(slices.Clone(p.Subordinates), u.Name)
		put(t, p)
	}
	put(t, app)
	put(t, info)
	put(t, u)
	put(t, Progress{Unit: u.Name})
	t.giveStorage(u.Name, storage)
	return u.Name
}

// The addresses of units: all of 127.0.0.0/8 but its first and last 65,536,
// where people's own services live.
const (
	firstAddress = 127<<24 + 1<<16
	addressCount = 1<<24 - 2<<16
)

// unitAddress is the model's next unit address.
func unitAddress(info ModelInfo) string {
	n := firstAddress + (info.AddressBase+info.NextAddress)%addressCount
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String()
}

// readConfig reads the values of a command. Those of a command line are text, and a
// command does not say which: text is read as what the option wants, a float too,
// which as a charm's default has to be a number (charm format reference, section 13).
func readConfig(c *charm.Charm, given map[string]any) (map[string]any, error) {
	values := maps.Clone(given)
	for name, v := range given { // any order: each by itself, and what is wrong ValidateConfig finds
		if text, ok := v.(string); ok && c.Config[name].Type == charm.FloatOption {
			if f, err := c.ParseConfigValue(name, text); err == nil {
				values[name] = f
			}
		}
	}
	return c.ValidateConfig(values)
}

// expose follows the CLI reference, section 8.5. An application that is exposed by
// all endpoints stays so when some are named to be taken back.
func (t *txn) expose(op Expose) error {
	app, err := t.app(op.App)
	if err != nil {
		return err
	}
	for _, name := range op.Endpoints {
		if !slices.Contains(t.m.bindings(app.Charm), string(name)) {
			return kith.Errorf(kith.Invalid, "endpoint %q not found", name)
		}
	}
	before := app
	switch {
	case op.Remove && len(op.Endpoints) == 0:
		app.Exposed, app.ExposedEndpoints = false, nil
	case op.Remove:
		app.ExposedEndpoints = slices.DeleteFunc(slices.Clone(app.ExposedEndpoints), func(e kith.EndpointName) bool {
			return slices.Contains(op.Endpoints, e)
		})
		if len(app.ExposedEndpoints) == 0 && len(before.ExposedEndpoints) > 0 {
			app.Exposed, app.ExposedEndpoints = false, nil
		}
	case len(op.Endpoints) == 0:
		app.Exposed, app.ExposedEndpoints = true, nil
	case !app.Exposed || len(app.ExposedEndpoints) > 0:
		app.Exposed = true
		app.ExposedEndpoints = append(slices.Clone(app.ExposedEndpoints), op.Endpoints...)
		slices.Sort(app.ExposedEndpoints)
		app.ExposedEndpoints = slices.Compact(app.ExposedEndpoints)
	}
	if app.Exposed != before.Exposed || !slices.Equal(app.ExposedEndpoints, before.ExposedEndpoints) {
		put(t, app)
	}
	return nil
}

// bindings are the endpoint and extra-binding names of a charm, sorted.
func (m *Model) bindings(charm string) []string {
	info := m.Charm(charm)
	if info == nil {
		return nil
	}
	_, bindings := m.charmNames(info)
	return bindings
}

// setConfig changes options and trust; config-changed follows only if something did change.
func (t *txn) setConfig(op SetConfig) error {
	app, err := t.app(op.App)
	if err != nil {
		return err
	}
	set, err := readConfig(&t.m.Charm(app.Charm).Charm, op.Set)
	if err != nil {
		return err
	}
	for _, key := range op.Reset {
		if _, ok := t.m.Charm(app.Charm).Charm.Config[key]; !ok {
			return kith.Errorf(kith.Invalid, "unknown option %q", key)
		}
		if _, both := op.Set[key]; both {
			return kith.Errorf(kith.Invalid, "cannot set and reset key %q simultaneously", key)
		}
	}
	before, trust := t.m.EffectiveConfig(&app), app.Trust
	config := maps.Clone(app.Config)
	if config == nil {
		config = map[string]any{}
	}
	maps.Copy(config, set)
	for _, key := range op.Reset {
		delete(config, key)
	}
	stored := app.Config
	app.Config = config
	if op.Trust != nil {
		app.Trust = *op.Trust
	}
	if !reflect.DeepEqual(before, t.m.EffectiveConfig(&app)) || app.Trust != trust {
		app.ConfigVersion, app.ConfigRev = app.ConfigVersion+1, t.rev
	} else if maps.EqualFunc(stored, config, func(a, b any) bool { return reflect.DeepEqual(a, b) }) {
		return nil
	}
	put(t, app)
	return nil
}

// EffectiveConfig is what config-get shows: the charm's defaults under what the
// operator set. Options without a value are not in it.
func (m *Model) EffectiveConfig(app *App) map[string]any {
	c := m.Charm(app.Charm)
	if c == nil {
		return map[string]any{}
	}
	config := make(map[string]any, len(c.Charm.Config))
	for name, o := range c.Charm.Config { // any order: into a map
		config[name] = o.Default
	}
	maps.Copy(config, app.Config)
	maps.DeleteFunc(config, func(_ string, v any) bool { return v == nil })
	for name, v := range config { // any order: each key once
		// A float option that holds a whole number is read back from the store as one.
		if n, ok := v.(int64); ok && c.Charm.Config[name].Type == charm.FloatOption {
			config[name] = float64(n)
		}
	}
	return config
}

// offered refuses a charm that assumes what there is not (charm format reference, section 10;
// hook protocol reference, end of section 17).
func offered(c *CharmInfo, force bool) error {
	if force {
		return nil
	}
	return c.Charm.Meta.CheckAssumes(Features())
}

// Features are what charms may assume, with their versions: Juju's, as charms are told it.
func Features() map[string]string { return map[string]string{"juju": kith.JujuVersion} }

// refresh gives the application another charm (relations reference, end of section 1.5).
func (t *txn) refresh(op Refresh) error {
	app, err := t.app(op.App)
	if err != nil {
		return err
	}
	c := t.m.Charm(op.Charm)
	if c == nil {
		return kith.Errorf(kith.NotFound, "charm %q not found", op.Charm)
	}
	if app.Charm == c.ID {
		return t.refreshExtras(app, &c.Charm, op)
	}
	if err := offered(c, op.Force); err != nil {
		return err
	}
	prefix := fmt.Sprintf("cannot upgrade application %q to charm %q: ", app.Name, c.URL)
	if c.Charm.Meta.Subordinate != app.Subordinate {
		return kith.Errorf(kith.Conflict, "%scannot change an application's subordinacy", prefix)
	}
	for r := range t.m.RelationsOf(app.Name) {
		if r.Peer() {
			continue
		}
		if err := t.keeps(r, app.Name, c.Charm.Meta, op.Force); err != nil {
			return err.Prefix("%s", prefix)
		}
	}
	if err := t.keepsStorage(&app, &c.Charm); err != nil {
		return err.Prefix("%s", prefix)
	}
	app.Storage = mergeDirectives(app.Storage, op.Storage, &c.Charm)
	if err := checkStorage(&app, &c.Charm); err != nil {
		return err.Prefix("%s", prefix)
	}
	app.Contracts = keepModes(app.Contracts, c.Charm.Meta)
	app.Resources = keepResources(app.Resources, &c.Charm)
	if err := t.giveResources(&app, &c.Charm, op.Resources); err != nil {
		return err
	}
	app.Charm, app.CharmRev = c.ID, t.rev
	app.Config, err = keepConfig(app.Config, c.Charm)
	if err != nil {
		return err
	}
	put(t, app)
	t.refreshPeers(app.Name, c.Charm.Meta)
	if op.ForceUnits {
		t.upgradeFailed(app.Name, c.ID)
	}
	t.completeStorage(&app)
	return nil
}

// refreshExtras is a refresh to the charm the application has: only what comes with it changes.
func (t *txn) refreshExtras(app App, c *charm.Charm, op Refresh) error {
	version, storage := app.ResourceVersion, app.Storage
	if err := t.giveResources(&app, c, op.Resources); err != nil {
		return err
	}
	app.Storage = mergeDirectives(app.Storage, op.Storage, c)
	if err := checkStorage(&app, c); err != nil {
		return err.Prefix("cannot upgrade application %q to charm %q: ", app.Name, t.m.Charm(app.Charm).URL)
	}
	if app.ResourceVersion != version || !maps.Equal(storage, app.Storage) {
		put(t, app)
	}
	return nil
}

// upgradeFailed gives the units in error a charm beside the order of their hooks
// (relations reference, section 8). If the hook that failed came with a charm, it comes with this one now.
func (t *txn) upgradeFailed(app kith.AppName, charm string) {
	for u := range t.m.UnitsOf(app) {
		past := *t.m.Progress(u.Name)
		if past.Failed == nil {
			continue
		}
		if past.Installed {
			past.Charm = charm
		}
		if past.Failed.Hook.Charm != "" {
			again := *past.Failed
			again.Hook.Charm = charm
			past.Failed = &again
		}
		put(t, past)
	}
}

// keeps refuses a charm that cannot carry on relation r.
func (t *txn) keeps(r *Relation, app kith.AppName, meta charm.Meta, force bool) *kith.Error {
	own := r.end(app)
	e, ok := meta.Endpoint(own.Endpoint)
	if !ok || e.Role != own.Role || e.Interface != r.Interface || e.Scope == kith.Container && r.Scope != kith.Container {
		return kith.Errorf(kith.Conflict, "would break relation %q", r.RelationKey()).
			WithHint("remove the relation first, or give the charm an endpoint %q that %ss interface %q", own.Endpoint, own.Role[:len(own.Role)-1], r.Interface)
	}
	if n := t.countRelations(app, e.Name); e.Limit > 0 && n > e.Limit && !force {
		return kith.Errorf(kith.Conflict, "new charm version imposes a maximum relation limit of %d for %s:%s which cannot be satisfied by the number of already established relations (%d)",
			e.Limit, app, e.Name, n).WithHint("remove relations first, or use --force")
	}
	return nil
}

// keepConfig carries over the settings the new charm still has, with types that fit.
func keepConfig(old map[string]any, c charm.Charm) (map[string]any, error) {
	kept := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(old)) {
		if _, ok := c.Config[key]; !ok {
			continue
		}
		if v, err := c.ValidateConfig(map[string]any{key: old[key]}); err == nil {
			maps.Copy(kept, v)
		}
	}
	return kept, nil
}

// refreshPeers drops the peer relations the charm no longer has and adds the new ones. An application that
// is dying gets none: all its relations are dying (section 2.3).
func (t *txn) refreshPeers(app kith.AppName, meta charm.Meta) {
	have := map[kith.EndpointName]bool{}
	var stale []*Relation
	for r := range t.m.RelationsOf(app) {
		if !r.Peer() {
			continue
		}
		if e, ok := meta.Endpoint(r.Ends[0].Endpoint); ok && e.Role == kith.Peer && e.Interface == r.Interface {
			have[e.Name] = true
		} else {
			stale = append(stale, r)
		}
	}
	for _, r := range stale {
		t.evict(r.ID)
	}
	if t.m.App(app).Life != kith.Alive {
		return
	}
	for _, e := range meta.Endpoints() {
		if e.Role == kith.Peer && !have[e.Name] {
			t.addRelation(e.Interface, kith.Global, End{App: app, Endpoint: e.Name, Role: kith.Peer})
		}
	}
}

func (t *txn) removeApps(op RemoveApps) error {
	for _, name := range op.Apps {
		if _, err := t.app(name); err != nil {
			return err
		}
	}
	for _, name := range op.Apps {
		if op.DestroyStorage && t.m.App(name) != nil {
			for _, u := range slices.Collect(t.m.UnitsOf(name)) {
				t.doomStorage(u.Name, DestroyStorage)
			}
		}
		t.removeApp(name, op.Force, op.Wait)
	}
	return nil
}

// removeApp sets the application dying, then all its relations, then its units
// (section 2.3). What has nothing left to do goes at once.
func (t *txn) removeApp(name kith.AppName, force bool, wait time.Duration) {
	app := *t.m.App(name)
	if app.Life == kith.Alive {
		app.Life = kith.Dying
		put(t, app)
	}
	for _, r := range slices.Collect(t.m.RelationsOf(name)) {
		t.endRelation(r.ID, time.Time{})
	}
	for _, u := range slices.Collect(t.m.UnitsOf(name)) {
		t.endUnit(u.Name, force, wait)
	}
	t.reapApp(name)
}

// reapApp removes a dying application whose last unit and last relation are gone.
func (t *txn) reapApp(name kith.AppName) {
	app := t.m.App(name)
	if app == nil || app.Life == kith.Alive {
		return
	}
	for range t.m.UnitsOf(name) {
		return
	}
	for r := range t.m.RelationsOf(name) {
		if !r.Peer() {
			return
		}
	}
	for _, r := range slices.Collect(t.m.RelationsOf(name)) {
		t.evict(r.ID)
	}
	info := *t.m.Info()
	info.UnitNumbers = maps.Clone(info.UnitNumbers)
	if info.UnitNumbers == nil {
		info.UnitNumbers = map[kith.AppName]int{}
	}
	info.UnitNumbers[name] = app.NextUnit
	put(t, info)
	t.endSecretsOf(AppOwner(name))
	t.drop(Key{KindLease, string(name)})
	t.drop(app.Key())
	t.reapModel()
}

func (t *txn) removeUnits(op RemoveUnits) error {
	for _, name := range op.Units {
		u := t.m.Unit(name)
		if u == nil {
			return kith.Errorf(kith.NotFound, "unit %q does not exist", name)
		}
		if u.Principal != "" {
			return kith.Errorf(kith.Conflict, "unit %q is a subordinate, to remove use remove-relation. Note: this will remove all units of %q", name, u.App)
		}
	}
	for _, name := range op.Units {
		if op.DestroyStorage && t.m.Unit(name) != nil {
			t.doomStorage(name, DestroyStorage)
		}
		t.endUnit(name, op.Force, op.Wait)
	}
	return nil
}

// endUnit sets a unit dying. The others see it as departed at once (section 3.4);
// its subordinates start dying with it. Forced and out of time, or never taken
// up by an agent, it is removed outright.
func (t *txn) endUnit(name kith.UnitName, force bool, wait time.Duration) {
	u := t.m.Unit(name)
	if u == nil {
		return
	}
	if u.Life == kith.Alive {
		dying := *u
		dying.Life, dying.LifeRev = kith.Dying, t.rev
		put(t, dying)
		t.markDeparting(name)
	}
	if force {
		dying := *t.m.Unit(name)
		dying.EvictAt = t.now.Add(wait)
		put(t, dying)
	}
	for _, sub := range u.Subordinates {
		t.endUnit(sub, force, wait)
	}
	if force && wait <= 0 || !u.Present {
		t.removeUnit(name)
	}
}

func (t *txn) markDeparting(name kith.UnitName) {
	for _, r := range slices.Collect(t.m.RelationsOf(name.App())) {
		if m := t.m.Member(r.ID, name); m != nil && !m.Departing {
			leaving := *m
			leaving.Departing, leaving.DepartingRev = true, t.rev
			put(t, leaving)
		}
	}
}

func (t *txn) removeDeadUnit(op RemoveDeadUnit) error {
	u := t.m.Unit(op.Unit)
	if u == nil {
		return nil
	}
	p := t.m.Progress(op.Unit)
	if u.Life == kith.Alive || len(u.Subordinates) > 0 || p.Installed && !p.Removed || p.Running != nil {
		return kith.Errorf(kith.Conflict, "cannot remove unit %q: it is not done", op.Unit)
	}
	t.removeUnit(op.Unit)
	return nil
}

// removeUnit takes a unit out of everything, and out of the model. Subordinates go with it.
func (t *txn) removeUnit(name kith.UnitName) {
	u := t.m.Unit(name)
	if u == nil {
		return
	}
	for _, sub := range u.Subordinates {
		t.removeUnit(sub)
	}
	for _, r := range slices.Collect(t.m.RelationsOf(u.App)) {
		if t.m.Member(r.ID, name) != nil {
			t.leave(r.ID, name)
		}
	}
	if p := t.m.Unit(u.Principal); p != nil {
		principal := *p
		principal.Subordinates = slices.DeleteFunc(slices.Clone(p.Subordinates), func(s kith.UnitName) bool { return s == name })
		put(t, principal)
	} else {
		t.drop(Key{KindMachine, string(u.Machine)})
	}
	for _, s := range t.m.StorageOf(name) {
		t.detached(s.ID)
	}
	t.dropTasks(name)
	t.endConsumer(name)
	t.endSecretsOf(UnitOwner(name))
	t.drop(Key{KindProgress, string(name)})
	t.drop(Key{KindState, string(name)})
	t.drop(u.Key())
	t.succeed(u.App, name)
	t.reapApp(u.App)
}
