package sim

import (
	"encoding/json"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/hooktool"
)

// hookRun is one run of one hook by a scripted charm. What the charm does is a
// program of small parts, each a tool call or two; it can crash between any of them.
//
// Charms are made so that they come to rest. Events that end by themselves
// write something new: a number and a token nobody else writes. relation-changed,
// which others' writes cause, only repeats what it has read.
type hookRun struct {
	u       *unit
	a       *api.Assignment
	run     *hooktool.Run
	token   string // unit, number and attempt: nobody else writes it
	missing bool
	copied  bool // its report was repeated by the network
	program []part
	at      int
	// read is what relation-get returned for the remote the hook is about, as JSON; empty if it did not ask.
	read string
	// shared is the secret that the remote's bag names; empty if it names none.
	shared string
	// listed is what relation-list returned; nil if it was not asked.
	listed []kith.UnitName
	// stored is what storage-list returned; nil if it was not asked.
	stored []kith.StorageID
	// ending is set when the hook has asked to be ended.
	ending bool
}

// part is a piece of a charm's hook. It returns why the hook fails, or "".
type part func(*hookRun) string

func newHook(u *unit, a *api.Assignment, token string) *hookRun {
	h := &hookRun{u: u, a: a, token: token, program: []part{(*hookRun).count}}
	h.run = hooktool.NewRun(&a.Context, a.Hook, h)
	if a.Hook.Task != nil {
		h.program = taskProgram()
		return h
	}
	switch a.Hook.Kind {
	case core.RelationCreated:
		h.program = append(h.program, (*hookRun).list, (*hookRun).publish, (*hookRun).share)
	case core.RelationJoined, core.RelationDeparted:
		h.program = append(h.program, (*hookRun).list, (*hookRun).publish, (*hookRun).renew)
	case core.RelationBroken:
		h.program = append(h.program, (*hookRun).publish)
	case core.RelationChanged:
		h.program = append(h.program, (*hookRun).list, (*hookRun).echo, (*hookRun).learn)
	case core.LeaderElected:
		h.program = append(h.program, (*hookRun).proclaim)
	case core.ConfigChanged:
		h.program = append(h.program, (*hookRun).configure, (*hookRun).renew, (*hookRun).wantStorage, (*hookRun).fetch, (*hookRun).restart)
	case core.Install, core.Start, core.UpdateStatus:
		h.program = append(h.program, (*hookRun).report, (*hookRun).ports, (*hookRun).gossip, (*hookRun).renew, (*hookRun).useStorage, (*hookRun).wantStorage, (*hookRun).restart)
	case core.SecretExpired, core.SecretRotate, core.SecretChanged, core.SecretRemove:
		h.program = append(h.program, (*hookRun).secretHook)
	case core.StorageAttached, core.StorageDetaching:
		if a.Hook.Kind == core.StorageAttached {
			u.agent.makeStorage(a.Hook.Storage.ID)
		}
		h.program = append(h.program, (*hookRun).useStorage, (*hookRun).report, (*hookRun).restart)
	case core.UpgradeCharm:
		h.program = append(h.program, (*hookRun).fetch, (*hookRun).useStorage)
	case core.Stop, core.Remove, core.LeaderSettingsChanged:
		h.program = append(h.program, (*hookRun).report, (*hookRun).useStorage)
	}
	return h
}

// tool calls one tool.
func (h *hookRun) tool(words ...string) (out string, ok bool) {
	r := h.run.Exec(hooktool.Call{Tool: words[0], Args: words[1:], Dir: "/"})
	return strings.TrimRight(string(r.Stdout), "\n"), r.Code == 0
}

// must calls tools of which none may fail, as under "set -e".
func (h *hookRun) must(calls ...[]string) string {
	for _, words := range calls {
		if _, ok := h.tool(words...); !ok {
			return "exit status 1" // of words[0]
		}
	}
	return ""
}

// count keeps how many hooks of the unit have run, and which was the last: what
// is committed twice, or lost, shows.
func (h *hookRun) count() string {
	was, ok := h.tool("state-get", "count")
	if !ok {
		return "exit status 1"
	}
	n, _ := strconv.Atoi(was)
	return h.must([]string{"state-set", "count=" + strconv.Itoa(n+1), "tok=" + h.token})
}

// list asks who is in the relation.
func (h *hookRun) list() string {
	out, ok := h.tool("relation-list", "--format", "json")
	if !ok || json.Unmarshal([]byte(out), &h.listed) != nil {
		return "exit status 1"
	}
	if h.listed == nil {
		h.listed = []kith.UnitName{}
	}
	return ""
}

// publish writes the unit's bag, the application's if the unit leads, both or none.
func (h *hookRun) publish() string { return h.write(nil) }

// write writes into a relation: the hook's own, or the one named by extra arguments.
func (h *hookRun) write(which []string) string {
	what, n := h.u.w.pick(4), strconv.Itoa(1+h.u.w.pick(4))
	if what&1 != 0 {
		if bad := h.must(append(append([]string{"relation-set"}, which...), "n="+n, "tok="+h.token)); bad != "" {
			return bad
		}
	}
	if what&2 != 0 && h.leads() {
		return h.must(append(append([]string{"relation-set", "--app"}, which...), "n="+n, "tok=app."+h.token))
	}
	return ""
}

func (h *hookRun) leads() bool {
	out, _ := h.tool("is-leader")
	return out == "True"
}

// echo reads what has changed and repeats a part of it in the unit's own bag.
func (h *hookRun) echo() string {
	about, args := string(h.a.Hook.Relation.RemoteUnit), []string{"relation-get", "--format", "json", "-", string(h.a.Hook.Relation.RemoteUnit)}
	if about == "" {
		about, args = string(h.a.Hook.Relation.RemoteApp), []string{"relation-get", "--format", "json", "--app", "-", string(h.a.Hook.Relation.RemoteApp)}
	}
	out, ok := h.tool(args...)
	if !ok {
		return "exit status 1"
	}
	h.read = out
	data := map[string]string{}
	if err := json.Unmarshal([]byte(out), &data); err != nil {
		return "exit status 1"
	}
	h.shared = data["secret"]
	return h.must([]string{"relation-set", "echo-" + strings.ReplaceAll(about, "/", "-") + "=" + data["n"]})
}

// proclaim tells everybody who leads now.
func (h *hookRun) proclaim() string {
	if h.u.w.pick(3) == 1 {
		h.tool("leader-set", "who="+string(h.u.name))
	}
	for _, r := range h.a.Context.Relations {
		if h.leads() {
			h.tool("relation-set", "--app", "-r", r.ID.String(), "leader="+string(h.u.name), "tok=app."+h.token+"."+r.ID.String())
		}
	}
	return ""
}

// configure passes the configuration on to the others.
func (h *hookRun) configure() string {
	x, ok := h.tool("config-get", "x")
	if !ok {
		return "exit status 1"
	}
	for _, r := range h.a.Context.Relations {
		if bad := h.must([]string{"relation-set", "-r", r.ID.String(), "x=" + x}); bad != "" {
			return bad
		}
	}
	return ""
}

// report sets the status, which takes effect at once.
func (h *hookRun) report() string {
	if h.u.w.pick(3) == 1 {
		h.tool("status-set", "active", h.token)
	}
	if h.u.w.pick(4) == 1 && h.leads() {
		h.tool("status-set", "--application", "active", "led by "+string(h.u.name))
	}
	return ""
}

// ports opens and closes ports.
func (h *hookRun) ports() string {
	switch h.u.w.pick(4) {
	case 1:
		return h.must([]string{"open-port", strconv.Itoa(80 + h.u.w.pick(3))})
	case 2:
		return h.must([]string{"close-port", strconv.Itoa(80 + h.u.w.pick(3))})
	}
	return ""
}

// gossip writes into some relation, out of nothing.
func (h *hookRun) gossip() string {
	if all := h.a.Context.Relations; len(all) > 0 {
		return h.write([]string{"-r", all[h.u.w.pick(len(all))].ID.String()})
	}
	return ""
}

// The methods below make a hookRun the [hooktool.Host] of its run: reads are answered by
// the controller the agent is connected to, from what is durable there.

var errAway = kith.Errorf(kith.Unavailable, "cannot reach the controller")

func (h *hookRun) model() (*core.Model, error) {
	p := h.u.agent.controller()
	if p == nil || p.engine.Down() != nil {
		return nil, errAway
	}
	m := p.engine.Snapshot()
	if m.Unit(h.u.name) == nil {
		return nil, errAway
	}
	return m, nil
}

func (h *hookRun) do(op core.Op) error {
	return h.u.w.callNow(h.u.agent.controller(), core.UnitActor(h.u.name), op)
}

// Bag implements hooktool.Controller.
func (h *hookRun) Bag(id kith.RelationID, owner string) (map[string]string, error) {
	m, err := h.model()
	if err != nil {
		return nil, err
	}
	return core.ReadBag(m, core.UnitActor(h.u.name), id, owner)
}

// IsLeader implements hooktool.Controller: yes is a promise for 30 seconds.
func (h *hookRun) IsLeader() (bool, error) {
	m, err := h.model()
	if err != nil {
		return false, err
	}
	now := h.u.w.now()
	leads := m.IsLeader(h.u.name, now.Add(core.LeaseTerm-core.LeaseRenewal))
	if h.u.w.defect.leads {
		leads = true
	}
	if leads {
		h.u.w.checks.leads(h.u.name, now, m.Revision)
	}
	return leads, nil
}

// UnitStatus implements hooktool.Controller.
func (h *hookRun) UnitStatus() (core.Status, error) {
	m, err := h.model()
	if err != nil {
		return core.Status{}, err
	}
	return m.Unit(h.u.name).Workload, nil
}

// AppStatus implements hooktool.Controller.
func (h *hookRun) AppStatus() (hooktool.AppStatus, error) {
	m, err := h.model()
	if err != nil {
		return hooktool.AppStatus{}, err
	}
	return hooktool.AppStatus{Status: m.App(h.u.name.App()).Status}, nil
}

// SetStatus implements hooktool.Controller.
func (h *hookRun) SetStatus(app bool, status kith.Status, message string) error {
	return h.do(core.SetStatus{Unit: h.u.name, App: app, Status: status, Message: message})
}

// SetVersion implements hooktool.Controller.
func (h *hookRun) SetVersion(version string) error {
	return h.do(core.SetWorkloadVersion{Unit: h.u.name, Version: version})
}

// LeaderSettings implements hooktool.Controller.
func (h *hookRun) LeaderSettings() (map[string]string, error) {
	m, err := h.model()
	if err != nil {
		return nil, err
	}
	return m.App(h.u.name.App()).LeaderSettings, nil
}

// SetLeaderSettings implements hooktool.Controller.
func (h *hookRun) SetLeaderSettings(set map[string]string) error {
	return h.do(core.SetLeaderSettings{Unit: h.u.name, Set: set})
}

// GoalState implements hooktool.Controller; no charm of the cast asks for it.
func (h *hookRun) GoalState() (hooktool.GoalState, error) { return hooktool.GoalState{}, errAway }

// LogAction implements hooktool.Controller.
func (h *hookRun) LogAction(number int, message string) error {
	return h.do(core.LogTask{Unit: h.u.name, Task: h.a.Hook.Task.ID, Number: number, Message: message})
}

// Secret implements hooktool.Controller.
func (h *hookRun) Secret(q core.SecretQuery) (core.SecretValue, error) {
	m, err := h.model()
	if err != nil {
		return core.SecretValue{}, err
	}
	u := h.u.name
	if h.u.w.defect.leaky {
		u = ownerOf(m, q.ID, u)
	}
	v, err := core.ReadSecret(m, u, q, h.u.w.now())
	h.u.w.checks.readSecret(secretRead{h.u.name, q, v, err, m.Revision})
	return v, err
}

// OwnedSecrets implements hooktool.Controller.
func (h *hookRun) OwnedSecrets() ([]core.SecretInfo, error) {
	m, err := h.model()
	if err != nil {
		return nil, err
	}
	return core.OwnedSecrets(m, h.u.name), nil
}

// Resource implements hooktool.Host.
func (h *hookRun) Resource(r core.ResourceContext) (string, error) {
	h.u.w.checks.fetched(h, r)
	return "/resources/" + r.Name, nil
}

// EndHook implements hooktool.Host.
func (h *hookRun) EndHook() { h.ending = true }

// NewSecretID implements hooktool.Host: ids count, so that a schedule can be repeated.
func (h *hookRun) NewSecretID() kith.SecretID { return h.u.w.newSecretID() }

// Now implements hooktool.Host.
func (h *hookRun) Now() time.Time { return h.u.w.now() }

// ReadFile implements hooktool.Files: there are none.
func (h *hookRun) ReadFile(string, int64) ([]byte, error) { return nil, fs.ErrNotExist }

// WriteFile implements hooktool.Files: there are none.
func (h *hookRun) WriteFile(string, []byte) error { return fs.ErrPermission }

// Log implements hooktool.Host; nobody reads it.
func (h *hookRun) Log(hooktool.Level, string) {}
