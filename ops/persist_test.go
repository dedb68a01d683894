package ops_test

import (
	"fmt"
	"reflect"
	"testing"

	"kith"
	"kith/internal/core"
	"kith/ops"
)

// remembering is a host that keeps states and knows of nothing else any more.
type remembering struct {
	ops.Backend
	state map[string]string
}

func (b *remembering) StateGet() (map[string]string, error) { return b.state, nil }

func (b *remembering) StateSet(set map[string]string, deleted []string) error {
	b.state = set
	return nil
}

func (b *remembering) RelationUnits(r ops.RelationRef) ([]kith.UnitName, error) {
	return losing{}.RelationUnits(r)
}

func (b *remembering) StorageGet(id string) (kind, location string, err error) {
	return "", "", ops.NewModelError("storage-get", 2, "ERROR invalid value \""+id+"\" for option -s: storage not found")
}

// Ops reference, section 4, the column of what is persisted: an event that was deferred has all it
// had, whatever has become of what it is about.
func TestWhatIsKeptOfEvents(t *testing.T) {
	t.Parallel()
	meta, err := ops.ParseCharmMeta(map[string][]byte{"metadata.yaml": []byte(metadata + "containers:\n  app: {}\n")})
	if err != nil {
		t.Fatal(err)
	}
	about := ops.EventEnv{
		Relation: "db", RelationID: 4, RemoteApp: "pg", RemoteUnit: "pg/7", DepartingUnit: "web/0",
		StorageID: "data/3", StorageLocation: "/srv", StorageKind: "block", SecretID: "secret:x", SecretLabel: "l", SecretRevision: 5,
		WorkloadName: "app", NoticeID: "1", NoticeType: "custom", NoticeKey: "k", CheckName: "up",
	}
	kept := 0
	for _, name := range []string{
		"install", "start", "config-changed", "upgrade-charm", "leader-elected", "leader-settings-changed", "pre-series-upgrade", "post-series-upgrade",
		"db-relation-created", "db-relation-joined", "db-relation-changed", "db-relation-departed", "db-relation-broken",
		"data-storage-attached", "data-storage-detaching", "secret-changed", "secret-remove",
		"app-pebble-ready", "app-pebble-custom-notice", "app-pebble-check-failed", "app-pebble-check-recovered",
	} {
		host := &remembering{}
		var first, second string
		deferring := func(what any, e interface {
			Defer() error
			Name() string
		}) error {
			text := fmt.Sprintf("%s %+v", e.Name(), what)
			if first == "" {
				first = text
				return e.Defer()
			}
			second = text
			return nil
		}
		relation := func(e ops.RelationEvent) []any { return []any{e.Relation.String(), e.App} }
		setup := func(f *ops.Framework) (struct{}, error) {
			f.Observe(
				ops.OnInstall(func(e *ops.InstallEvent) error { return deferring(nil, e) }).Named("a"),
				ops.OnStart(func(e *ops.StartEvent) error { return deferring(nil, e) }).Named("a"),
				ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error { return deferring(nil, e) }).Named("a"),
				ops.OnUpgradeCharm(func(e *ops.UpgradeCharmEvent) error { return deferring(nil, e) }).Named("a"),
				ops.OnLeaderElected(func(e *ops.LeaderElectedEvent) error { return deferring(nil, e) }).Named("a"),
				ops.OnLeaderSettingsChanged(func(e *ops.LeaderSettingsChangedEvent) error { return deferring(nil, e) }).Named("a"),
				ops.OnPreSeriesUpgrade(func(e *ops.PreSeriesUpgradeEvent) error { return deferring(nil, e) }).Named("a"),
				ops.OnPostSeriesUpgrade(func(e *ops.PostSeriesUpgradeEvent) error { return deferring(nil, e) }).Named("a"),
				ops.OnRelationCreated("db", func(e *ops.RelationCreatedEvent) error { return deferring(relation(e.RelationEvent), e) }).Named("a"),
				ops.OnRelationJoined("db", func(e *ops.RelationJoinedEvent) error {
					return deferring(append(relation(e.RelationEvent), e.Unit), e)
				}).Named("a"),
				ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
					return deferring(append(relation(e.RelationEvent), e.Unit), e)
				}).Named("a"),
				ops.OnRelationDeparted("db", func(e *ops.RelationDepartedEvent) error {
					return deferring(append(relation(e.RelationEvent), e.Unit, e.DepartingUnit), e)
				}).Named("a"),
				ops.OnRelationBroken("db", func(e *ops.RelationBrokenEvent) error { return deferring(relation(e.RelationEvent), e) }).Named("a"),
				ops.OnStorageAttached("data", func(e *ops.StorageAttachedEvent) error { return deferring(*e.Storage, e) }).Named("a"),
				ops.OnStorageDetaching("data", func(e *ops.StorageDetachingEvent) error { return deferring(*e.Storage, e) }).Named("a"),
				ops.OnSecretChanged(func(e *ops.SecretChangedEvent) error {
					id, err := e.Secret.ID()
					return deferring([]any{id, err, e.Secret.Label()}, e)
				}).Named("a"),
				ops.OnSecretRemove(func(e *ops.SecretRemoveEvent) error {
					id, err := e.Secret.ID()
					return deferring([]any{id, err, e.Secret.Label(), e.Revision}, e)
				}).Named("a"),
				ops.OnPebbleReady("app", func(e *ops.PebbleReadyEvent) error { return deferring(e.Workload, e) }).Named("a"),
				ops.OnPebbleCustomNotice("app", func(e *ops.PebbleCustomNoticeEvent) error {
					return deferring([]any{e.Workload, e.NoticeID, e.NoticeType, e.NoticeKey}, e)
				}).Named("a"),
				ops.OnPebbleCheckFailed("app", func(e *ops.PebbleCheckFailedEvent) error {
					return deferring([]any{e.Workload, e.Check}, e)
				}).Named("a"),
				ops.OnPebbleCheckRecovered("app", func(e *ops.PebbleCheckRecoveredEvent) error {
					return deferring([]any{e.Workload, e.Check}, e)
				}).Named("a"),
			)
			return struct{}{}, nil
		}
		for _, env := range []ops.Env{
			{DispatchPath: "hooks/" + name, Unit: "web/0", Event: about},
			{DispatchPath: "hooks/update-status", Unit: "web/0"},
		} {
			if _, err := ops.Run(t.Context(), ops.Dispatch{Env: env, Meta: meta, Backend: host}, setup); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if first == "" || first != second || len(host.state) != 0 {
			t.Errorf("%s was\n%s, and came back as\n%s, with the state %v", name, first, second, host.state)
		}
		kept++
	}
	if fields := reflect.TypeFor[ops.EventEnv]().NumField(); fields != 18 || kept != 21 {
		t.Errorf("%d events were looked at, and there are %d fields to keep", kept, fields)
	}
}

// Ops reference, section 6.4: what was deferred comes back in an action, too, and in none of the two hooks
// in which tools are refused.
func TestDeferredInAnAction(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var d diary
	setup := func(f *ops.Framework) {
		f.Observe(
			ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error { d.write("config"); return e.Defer() }).Named("a"),
			ops.OnAction("backup", func(*ops.ActionEvent) error { d.write("backup"); return nil }),
		)
	}
	w.run(t, configure, setup)
	d = nil
	w.run(t, backup, setup)
	d.want(t, "an action", "config", "backup")
	w.run(t, core.Hook{Kind: "collect-metrics"}, setup)
	d.want(t, "a restricted hook")
}

// listing is a host that lists a relation while its relation-broken runs, as some do.
type listing struct{ knowing }

func (listing) RelationIDs(kith.EndpointName) ([]kith.RelationID, error) {
	return []kith.RelationID{9, 4}, nil
}

// Ops reference, section 5.2: in relation-broken the relation is left out, whatever the host lists.
func TestBrokenIsLeftOut(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]int{"hooks/db-relation-broken": 1, "hooks/db-relation-departed": 2} {
		env := ops.Env{DispatchPath: path, Unit: "web/0", Event: ops.EventEnv{Relation: "db", RelationID: 4, RemoteApp: "pg"}}
		_, err := ops.Run(t.Context(), ops.Dispatch{Env: env, Meta: newWorld().meta, Backend: listing{}}, func(f *ops.Framework) (struct{}, error) {
			all, err := f.Model().Relations("db")
			if err != nil || len(all) != want || all[len(all)-1].ID != 9 {
				t.Errorf("%s: %v, %v", path, all, err)
			}
			one, err := f.Model().GetRelationByID("db", 4)
			if err != nil || one.Active != (want == 2) || one.App == "" {
				t.Errorf("%s: %+v, %v", path, one, err)
			}
			return struct{}{}, err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
