package agent

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/hooktool"
)

// toolPatience is how long a hook tool waits for a controller that is away: long
// enough for it to restart, short enough that a charm does not seem to hang.
const toolPatience = time.Minute

// toolHost answers what the tools of one hook run ask of the outside. It
// implements hooktool.Host. Its context ends with the hook.
type toolHost struct {
	osFiles
	ctx   context.Context
	end   context.CancelFunc // of ctx
	unit  *unit
	model string
	token string
	task  kith.TaskID // of an action; 0 in a hook
	// members says whose bags may be kept for later hooks.
	members map[bagKey]bool
	// begun is closed when the controller has been told that the hook runs.
	begun chan struct{}
	// statusHolds is true of hooks whose beginning changes no status, and of tasks.
	statusHolds bool
	// kill, once closed, ends the process of the hook.
	kill     chan struct{}
	killOnce sync.Once
}

func (u *unit) toolHost(ctx context.Context, a *api.Assignment) *toolHost {
	h := &toolHost{ctx: ctx, unit: u, model: string(a.Model), token: a.Token, members: announced(&a.Context),
		begun: make(chan struct{}), kill: make(chan struct{})}
	if t := a.Hook.Task; t != nil {
		h.task = t.ID
	}
	switch a.Hook.Kind {
	case core.Install, core.Stop, core.Remove: // with their beginning the status changes
	default:
		h.statusHolds = true
	}
	return h
}

// awaitStatus waits for the status that the beginning of the hook gives the unit, so that the
// charm sees it, and sets its own after it (hook protocol reference, section 3.9).
func (h *toolHost) awaitStatus() {
	if h.statusHolds {
		return
	}
	select {
	case <-h.begun:
	case <-h.ctx.Done():
	}
}

// EndHook has the hook's process killed, with all of its group.
//
// Juju: the process alone, again and again for 30 s (section 3.8). Its children would have
// ended with the machine, which in kith goes on.
func (h *toolHost) EndHook() { h.killOnce.Do(func() { close(h.kill) }) }

// ask asks the controller with the unit's credential, and is patient. Every
// question may be repeated, and so may the writes: they set something to a value.
func ask[T any](h *toolHost, question func(context.Context, UnitController) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(h.ctx, toolPatience)
	defer cancel()
	way := h.unit.agent.Controller.Unit(h.token)
	answer, err := insist(ctx, func(ctx context.Context) (T, error) { return question(ctx, way) })
	if err != nil && ctx.Err() != nil {
		err = kith.Errorf(kith.Unavailable, "the controller did not answer in time")
	}
	return answer, err
}

func (h *toolHost) do(op core.Op) error {
	_, err := ask(h, func(ctx context.Context, c UnitController) (api.CommandReply, error) { return c.Do(ctx, h.model, op) })
	return err
}

func (h *toolHost) live(units bool) (api.UnitLive, error) {
	return ask(h, func(ctx context.Context, c UnitController) (api.UnitLive, error) {
		return c.Live(ctx, h.model, h.unit.ref.Unit, units)
	})
}

// Bag reads a databag: from what earlier hooks have read, as long as nothing was
// announced since, or from the controller (relations reference, section 6.5).
func (h *toolHost) Bag(id kith.RelationID, owner string) (map[string]string, error) {
	key := bagKey{id, owner}
	if data, ok := h.unit.bags.get(key); ok {
		return data, nil
	}
	bag, err := ask(h, func(ctx context.Context, c UnitController) (api.BagReply, error) {
		return c.Bag(ctx, h.model, id, owner)
	})
	if err == nil && h.members[key] {
		h.unit.bags.put(key, bag.Data)
	}
	return bag.Data, err
}

// IsLeader is asked anew each time: the answer is a promise from now on.
func (h *toolHost) IsLeader() (bool, error) {
	l, err := h.live(false)
	return l.Leader, err
}

// UnitStatus is the unit's workload status.
func (h *toolHost) UnitStatus() (core.Status, error) {
	h.awaitStatus()
	l, err := h.live(false)
	return l.Workload, err
}

// AppStatus is the application's status and those of its units.
func (h *toolHost) AppStatus() (hooktool.AppStatus, error) {
	h.awaitStatus()
	l, err := h.live(true)
	if err != nil || l.App == nil {
		return hooktool.AppStatus{}, err
	}
	return hooktool.AppStatus{Status: *l.App, Units: l.Units, Data: l.Failures}, nil
}

// LeaderSettings are what the leader has set with leader-set.
func (h *toolHost) LeaderSettings() (map[string]string, error) {
	l, err := h.live(false)
	return l.LeaderSettings, err
}

// SetStatus takes effect at once, as do SetVersion and SetLeaderSettings (hook
// protocol reference, section 15).
func (h *toolHost) SetStatus(app bool, status kith.Status, message string) error {
	h.awaitStatus()
	return h.do(core.SetStatus{Unit: h.unit.ref.Unit, App: app, Status: status, Message: message})
}

// SetVersion sets the version of the workload.
func (h *toolHost) SetVersion(version string) error {
	return h.do(core.SetWorkloadVersion{Unit: h.unit.ref.Unit, Version: version})
}

// SetLeaderSettings changes the leader settings.
func (h *toolHost) SetLeaderSettings(set map[string]string) error {
	return h.do(core.SetLeaderSettings{Unit: h.unit.ref.Unit, Set: set})
}

// LogAction adds to the log of the running action, at once.
func (h *toolHost) LogAction(number int, message string) error {
	return h.do(core.LogTask{Unit: h.unit.ref.Unit, Task: h.task, Number: number, Message: message})
}

// GoalState is where the unit's application and those it is related to are going.
func (h *toolHost) GoalState() (hooktool.GoalState, error) {
	g, err := ask(h, func(ctx context.Context, c UnitController) (api.GoalState, error) {
		return c.GoalState(ctx, h.model, h.unit.ref.Unit)
	})
	if err != nil {
		return hooktool.GoalState{}, err
	}
	units, relations := g.Statuses()
	return hooktool.GoalState{Units: units, Relations: relations}, nil
}

// Secret reads the content of a secret.
func (h *toolHost) Secret(q core.SecretQuery) (core.SecretValue, error) {
	return ask(h, func(ctx context.Context, c UnitController) (core.SecretValue, error) {
		return c.UnitSecret(ctx, h.model, h.unit.ref.Unit, q)
	})
}

// OwnedSecrets lists the secrets of the unit and its application.
func (h *toolHost) OwnedSecrets() ([]core.SecretInfo, error) {
	return ask(h, func(ctx context.Context, c UnitController) ([]core.SecretInfo, error) {
		return c.UnitSecrets(ctx, h.model, h.unit.ref.Unit)
	})
}

// NewSecretID draws an id.
func (*toolHost) NewSecretID() kith.SecretID { return api.NewSecretID(time.Now()) }

// Now is the time.
func (*toolHost) Now() time.Time { return time.Now() }

// Log writes under the logger of juju-log.
func (h *toolHost) Log(level hooktool.Level, message string) {
	h.unit.log(api.Level(level), "unit."+string(h.unit.ref.Unit)+".juju-log", message)
}

// osFiles are the files of this machine, as the agent may read and write them.
type osFiles struct{}

// ReadFile reads at most limit bytes.
func (osFiles) ReadFile(path string, limit int64) (data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, limit))
}

// WriteFile writes a file, for --output.
func (osFiles) WriteFile(path string, data []byte) error {
	return os.WriteFile(path, data, 0o644) // as Juju: umask applies
}
