// Command go-web-app is a charm in Go that uses a database: see README.md.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"kith/ops"
	"kith/ops/lib/database"
)

func main() { ops.Main(newCharm) }

// charm is made anew for each event.
type charm struct {
	model    *ops.Model
	database *database.Requirer
	file     string // what the application reads
}

func newCharm(f *ops.Framework) (*charm, error) {
	c := &charm{model: f.Model(), file: filepath.Join(f.Env().CharmDir, "database.conf")}
	var config struct{ DatabaseName string }
	if err := c.model.LoadConfig(&config); err != nil {
		return nil, err
	}
	var err error
	if c.database, err = database.NewRequirer(f, "database", database.Request{Database: config.DatabaseName}); err != nil {
		return nil, err
	}
	f.Observe(
		c.database.OnCreated(func(e *database.CreatedEvent) error { return c.connect(e.Connection) }),
		c.database.OnChanged(func(e *database.ChangedEvent) error { return c.connect(e.Connection) }),
		c.database.OnRemoved(func(e *database.RemovedEvent) error { return c.disconnect() }),
		ops.OnCollectUnitStatus(c.status),
	)
	return c, nil
}

// connect writes the application's configuration.
func (c *charm) connect(db database.Connection) error {
	text := fmt.Sprintf("postgres://%s:%s@%s/%s\n", db.Username, db.Password, strings.Join(db.Endpoints, ","), db.Database)
	return os.WriteFile(c.file, []byte(text), 0o600)
}

func (c *charm) disconnect() error {
	if err := os.Remove(c.file); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

func (c *charm) status(e *ops.CollectStatusEvent) error {
	rel, err := c.model.GetRelation("database")
	if err != nil {
		return err
	}
	if rel == nil {
		e.AddStatus(ops.BlockedStatus(fmt.Sprintf("needs a database: integrate %s with one", c.model.App().Name())))
		return nil
	}
	db, err := c.database.ConnectionOf(rel)
	switch {
	case err != nil:
		return err
	case db == nil:
		e.AddStatus(ops.WaitingStatus(fmt.Sprintf("waiting for %s to make a database", rel.App)))
	default:
		e.AddStatus(ops.ActiveStatus(fmt.Sprintf("database %s at %s", db.Database, strings.Join(db.Endpoints, ","))))
	}
	return nil
}
