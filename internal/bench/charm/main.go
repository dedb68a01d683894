// Command charm is the charm in Go that package bench measures: each of its events reads
// its configuration and a databag, writes the databag, and collects its status. It notes
// when it starts and ends an event in the file that the file "log" of its folder names, and
// stays if the folder has a file "stay".
package main

import (
	"fmt"
	"os"
	"time"

	"kith/ops"
)

func main() {
	var opts []ops.Option
	if _, err := os.Stat("stay"); err == nil {
		opts = append(opts, ops.Resident())
	}
	ops.Main(newCharm, opts...)
}

type charm struct {
	env   ops.Env
	model *ops.Model
}

func newCharm(f *ops.Framework) (*charm, error) {
	c := &charm{f.Env(), f.Model()}
	f.Observe(ops.OnReconcile(c.reconcile), ops.OnCollectUnitStatus(c.status))
	return c, c.note("start")
}

func (c *charm) reconcile(*ops.ReconcileEvent) error {
	config, err := c.model.Config()
	if err != nil {
		return err
	}
	rel, err := c.model.GetRelation("ring")
	if err != nil || rel == nil { // install comes before the relation
		return err
	}
	return rel.Data(c.model.Unit()).Set("value", fmt.Sprint(config["value"]))
}

// status is the last that an event does.
func (c *charm) status(e *ops.CollectStatusEvent) error {
	e.AddStatus(ops.ActiveStatus("ready"))
	return c.note("end")
}

// note writes a line as the charms in bash do.
func (c *charm) note(what string) error {
	path, err := os.ReadFile("log")
	if err != nil {
		return err
	}
	log, err := os.OpenFile(string(path), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	now := time.Now()
	_, err = fmt.Fprintf(log, "%d.%06d %s %s %s \n", now.Unix(), now.Nanosecond()/1000, what, c.env.Unit, c.env.Name())
	if closed := log.Close(); err == nil {
		err = closed
	}
	return err
}
