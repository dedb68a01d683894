package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"kith/ops"
)

// newShelfCharm looks at all that a charm has of its computer, and logs it.
func newShelfCharm(f *ops.Framework) (struct{}, error) {
	m, log := f.Model(), f.Logger()
	attached := func(e *ops.StorageAttachedEvent) error {
		base := filepath.Base(filepath.Dir(e.Storage.Location)) + "/" + filepath.Base(e.Storage.Location)
		log.Info("attached", "storage", e.Storage.ID, "name", e.Storage.Name, "index", e.Storage.Index, "at", base)
		return os.WriteFile(filepath.Join(e.Storage.Location, "mark"), []byte(f.Env().Unit), 0o600)
	}
	f.Observe(
		ops.OnStorageAttached("data", attached),
		ops.OnStorageAttached("logs", attached),
		ops.OnStorageDetaching("data", func(e *ops.StorageDetachingEvent) error {
			mark, err := os.ReadFile(filepath.Join(e.Storage.Location, "mark"))
			log.Info("detaching", "storage", e.Storage.ID, "mark", string(mark))
			return err
		}),
		ops.OnInstall(func(*ops.InstallEvent) error { return m.RequestStorage("logs", 2) }),
		ops.OnStart(func(*ops.StartEvent) error {
			for _, name := range []string{"data", "logs"} {
				all, err := m.Storages(name)
				if err != nil {
					return err
				}
				for _, s := range all {
					log.Info("has", "storage", s.ID, "kind", s.Kind, "there", isFolder(s.Location))
				}
			}
			path, err := m.Resource("software")
			if err != nil {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			_, missing := m.Resource("unused")
			var refused *ops.ModelError
			log.Info("resource", "file", filepath.Base(path), "content", string(content), "missing", errors.As(missing, &refused))
			return m.RequestStorage("data", 1) // there may be one only
		}),
		ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error {
			spec, err := m.GetCloudSpec()
			log.Info("cloud", "type", spec.Type, "name", spec.Name, "denied", errors.Is(err, ops.ErrPermission))
			secret, err := m.Unit().AddSecret(map[string]string{"password": "xyz-1"}, ops.SecretSpec{Label: "pw"})
			if err != nil {
				return err
			}
			_, err = secret.ID()
			log.Info("secret", "label", secret.Label(), "error", fmt.Sprint(err))
			return m.Unit().SetPorts(ops.TCP(80))
		}),
		ops.OnUpdateStatus(func(*ops.UpdateStatusEvent) error { return nil }),
	)
	return struct{}{}, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
