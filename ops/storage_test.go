package ops_test

import (
	"context"
	"testing"

	"kith"
	"kith/ops"
)

// storageBackend has two instances of data and one resource.
type storageBackend struct {
	ops.Backend
	asked, added []string
	forgotten    bool
	state        map[string]string
}

func (b *storageBackend) StorageList(name string) ([]string, error) {
	b.asked = append(b.asked, "list "+name)
	return []string{"data/0", "data/10", "data/3"}, nil
}

func (b *storageBackend) StorageGet(id string) (kind, location string, err error) {
	b.asked = append(b.asked, "get "+id)
	if b.forgotten {
		return "", "", ops.NewModelError("storage-get", 2, "ERROR invalid value \""+id+"\" for option -s: storage not found")
	}
	return "filesystem", "/srv/" + id, nil
}

func (b *storageBackend) StorageAdd(name string, _ int) error {
	b.added = append(b.added, name)
	return nil
}

func (b *storageBackend) StateGet() (map[string]string, error) { return b.state, nil }

func (b *storageBackend) StateSet(set map[string]string, _ []string) error {
	b.state = set
	return nil
}

func (b *storageBackend) ResourceGet(name string) (string, error) {
	b.asked = append(b.asked, "resource "+name)
	return "/res/" + name, nil
}

// Ops reference, section 7, storage and resources: asked once, unknown names refused.
func TestStorageAndResources(t *testing.T) {
	t.Parallel()
	b := &storageBackend{}
	env := ops.Env{DispatchPath: "hooks/data-storage-attached", Unit: "web/0", Event: ops.EventEnv{StorageID: "data/3", StorageLocation: "/mnt", StorageKind: "block"}}
	run := func(setup func(f *ops.Framework)) {
		t.Helper()
		_, err := ops.Run(context.Background(), ops.Dispatch{Env: env, Meta: newWorld().meta, Backend: b}, func(f *ops.Framework) (struct{}, error) {
			setup(f)
			return struct{}{}, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	run(func(f *ops.Framework) {
		f.Observe(
			ops.OnStorageAttached("data", func(e *ops.StorageAttachedEvent) error {
				if *e.Storage != (ops.Storage{Name: "data", Index: 3, ID: "data/3", Kind: "block", Location: "/mnt"}) {
					t.Errorf("the event's storage is %+v", e.Storage)
				}
				return nil
			}),
			ops.OnStorageDetaching("data", func(*ops.StorageDetachingEvent) error { t.Error("detaching"); return nil }),
		)
		m := f.Model()
		for range 2 {
			all, err := m.Storages("data")
			if err != nil || len(all) != 3 || all[1].Index != 3 || all[2].Index != 10 || *all[0] != (ops.Storage{Name: "data", ID: "data/0", Kind: "filesystem", Location: "/srv/data/0"}) {
				t.Errorf("storages %+v, %v", all, err)
			}
			if path, err := m.Resource("image"); path != "/res/image" || err != nil {
				t.Errorf("resource %q, %v", path, err)
			}
		}
		if _, err := m.Storages("nosuch"); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("an unknown storage: %v", err)
		}
		if _, err := m.Resource("nosuch"); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("an unknown resource: %v", err)
		}
		if err := m.RequestStorage("nosuch", 1); kith.CodeOf(err) != kith.Invalid || len(b.added) != 0 {
			t.Errorf("requesting an unknown storage: %v", err)
		}
		if err := m.RequestStorage("data", 1); err != nil || len(b.added) != 1 {
			t.Errorf("requested %v, %v", b.added, err)
		}
	})
	if len(b.asked) != 5 {
		t.Errorf("asked %q", b.asked)
	}
	env.Event.StorageLocation, env.Event.StorageKind = "", "" // some hosts do not say
	run(func(f *ops.Framework) {
		f.Observe(ops.OnStorageAttached("data", func(e *ops.StorageAttachedEvent) error {
			if e.Storage.Location != "/srv/data/3" {
				t.Errorf("the event's storage is %+v", e.Storage)
			}
			return nil
		}))
	})
	env.DispatchPath = "hooks/data-storage-detaching"
	late := false
	detaching := func(f *ops.Framework) {
		f.Observe(ops.OnStorageDetaching("data", func(e *ops.StorageDetachingEvent) error {
			if !late {
				return e.Defer()
			}
			if *e.Storage != (ops.Storage{Name: "data", Index: 3, ID: "data/3"}) {
				t.Errorf("the storage of a deferred event is %+v", e.Storage)
			}
			late = false
			return nil
		}).Named("detach"))
	}
	run(detaching)
	env.DispatchPath, late, b.forgotten = "hooks/update-status", true, true
	run(detaching)
	if late {
		t.Error("the deferred event did not come")
	}
}

// The events of workload containers carry what their environment says.
func TestWorkloadEvents(t *testing.T) {
	t.Parallel()
	meta, err := ops.ParseCharmMeta(map[string][]byte{"metadata.yaml": []byte("name: web\ncontainers:\n  app: {}\n")})
	if err != nil {
		t.Fatal(err)
	}
	var d diary
	for _, kind := range []string{"ready", "custom-notice", "check-failed", "check-recovered"} {
		env := ops.Env{DispatchPath: "hooks/app-pebble-" + kind, Unit: "web/0",
			Event: ops.EventEnv{WorkloadName: "app", NoticeID: "3", NoticeType: "custom", NoticeKey: "example.com/x", CheckName: "up"}}
		_, err := ops.Run(context.Background(), ops.Dispatch{Env: env, Meta: meta}, func(f *ops.Framework) (struct{}, error) {
			f.Observe(
				ops.OnPebbleReady("app", func(e *ops.PebbleReadyEvent) error { d.write("ready " + e.Workload); return nil }),
				ops.OnPebbleCustomNotice("app", func(e *ops.PebbleCustomNoticeEvent) error {
					d.write("notice " + e.NoticeID + e.NoticeType + e.NoticeKey)
					return nil
				}),
				ops.OnPebbleCheckFailed("app", func(e *ops.PebbleCheckFailedEvent) error { d.write("failed " + e.Check); return nil }),
				ops.OnPebbleCheckRecovered("app", func(e *ops.PebbleCheckRecoveredEvent) error { d.write("recovered " + e.Check); return nil }),
			)
			return struct{}{}, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	d.want(t, "pebble", "ready app", "notice 3customexample.com/x", "failed up", "recovered up")
}

// Ops reference, section 4: what the secret events carry.
func TestSecretEvents(t *testing.T) {
	t.Parallel()
	var d diary
	b := &removing{}
	for _, kind := range []string{"changed", "rotate", "expired", "remove"} {
		env := ops.Env{DispatchPath: "hooks/secret-" + kind, Unit: "web/0", Event: ops.EventEnv{SecretID: "secret:x", SecretLabel: "l", SecretRevision: 3}}
		_, err := ops.Run(context.Background(), ops.Dispatch{Env: env, Meta: newWorld().meta, Backend: b}, func(f *ops.Framework) (struct{}, error) {
			f.Observe(
				ops.OnSecretChanged(func(e *ops.SecretChangedEvent) error { d.write("changed " + e.Secret.Label()); return nil }),
				ops.OnSecretRotate(func(e *ops.SecretRotateEvent) error { d.write("rotate " + e.Secret.Label()); return nil }),
				ops.OnSecretExpired(func(e *ops.SecretExpiredEvent) error { return e.RemoveRevision() }),
				ops.OnSecretRemove(func(e *ops.SecretRemoveEvent) error { return e.RemoveRevision() }),
			)
			return struct{}{}, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	d.want(t, "secrets", "changed l", "rotate l")
	if len(b.removed) != 2 || b.removed[0] != "secret:x" || b.revision != 3 {
		t.Errorf("removed %q, revision %d", b.removed, b.revision)
	}
}

type removing struct {
	ops.Backend
	removed  []string
	revision int
}

func (b *removing) SecretRemove(id string, revision int) error {
	b.removed, b.revision = append(b.removed, id), revision
	return nil
}
