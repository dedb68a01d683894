package hooktool_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kith"
	"kith/internal/core"
	"kith/internal/hooktool"
)

// host is the outside of a run: a few fixed answers, and a record of what was asked.
type host struct {
	bags     map[string]map[string]string // "4 pg/0"
	leader   bool
	broken   error // what every question about leadership and status fails with
	status   core.Status
	app      hooktool.AppStatus
	settings map[string]string
	goal     hooktool.GoalState
	files    map[string]string
	log      []string // immediate effects and log records, in order
	asked    []string // bags read and leadership questions, in order
	secrets  *core.Model
	now      time.Time
	ids      int // of secrets
}

func (h *host) Bag(id kith.RelationID, owner string) (map[string]string, error) {
	key := id.String() + " " + owner
	h.asked = append(h.asked, "bag "+key)
	if key == "4 web" && !h.leader { // the one rule of core's that a test here looks at
		return nil, kith.Errorf(kith.Forbidden, "permission denied")
	}
	if data, ok := h.bags[key]; ok {
		return data, nil
	}
	if owner == "pg/9" {
		return nil, kith.Errorf(kith.NotFound, `cannot read settings for unit "pg/9" in relation "web:db pg:db": unit "pg/9": settings not found`)
	}
	return nil, kith.Errorf(kith.Forbidden, "permission denied")
}

func (h *host) IsLeader() (bool, error) {
	h.asked = append(h.asked, "leader")
	return h.leader, h.broken
}

func (h *host) UnitStatus() (core.Status, error) {
	h.asked = append(h.asked, "status")
	return h.status, h.broken
}

func (h *host) AppStatus() (hooktool.AppStatus, error) { return h.app, h.broken }

func (h *host) SetStatus(app bool, status kith.Status, message string) error {
	if !app {
		h.status = core.Status{Current: status, Message: message}
	}
	h.log = append(h.log, fmt.Sprintf("status app=%v %s %q", app, status, message))
	return h.broken
}

func (h *host) SetVersion(v string) error {
	h.log = append(h.log, fmt.Sprintf("version %q", v))
	return h.broken
}

func (h *host) LeaderSettings() (map[string]string, error) {
	h.asked = append(h.asked, "settings")
	return h.settings, h.broken
}

func (h *host) SetLeaderSettings(set map[string]string) error {
	h.log = append(h.log, fmt.Sprintf("settings %q", set)) // fmt sorts the keys
	for k, v := range set {                                // any order: keys are distinct
		if h.settings[k] = v; v == "" {
			delete(h.settings, k)
		}
	}
	return h.broken
}

func (h *host) GoalState() (hooktool.GoalState, error) { return h.goal, h.broken }

func (h *host) LogAction(number int, message string) error {
	h.log = append(h.log, fmt.Sprintf("action %d %q", number, message))
	return h.broken
}

func (h *host) ReadFile(path string, limit int64) ([]byte, error) {
	text, ok := h.files[path]
	if !ok {
		return nil, errors.New("open " + path + ": no such file or directory")
	}
	return []byte(text[:min(int64(len(text)), limit)]), nil
}

func (h *host) WriteFile(path string, data []byte) error {
	if strings.HasPrefix(path, "/no/") {
		return errors.New("open " + path + ": no such file or directory")
	}
	h.files[path] = string(data)
	return nil
}

func (h *host) Log(level hooktool.Level, message string) {
	h.log = append(h.log, string(level)+" "+message)
}

// Resource finds every resource but the one that is broken.
func (h *host) Resource(r core.ResourceContext) (string, error) {
	h.asked = append(h.asked, "resource "+r.Name)
	if h.broken != nil {
		return "", h.broken
	}
	return "/agents/unit-web-0/resources/" + r.Name + "/" + r.Filename, nil
}

// EndHook notes that the hook's process is to end.
func (h *host) EndHook() { h.log = append(h.log, "the hook is ended") }

// newHost is the host of the model of section 18.
func newHost() *host {
	at := time.Date(2025, 1, 31, 10, 20, 30, 0, time.FixedZone("", 3600))
	address := func(ip string) map[string]string {
		return map[string]string{"egress-subnets": ip + "/32", "ingress-address": ip, "private-address": ip}
	}
	pg0 := address("10.0.0.5")
	pg0["ready"] = "yes"
	return &host{
		leader: true,
		bags: map[string]map[string]string{
			"4 web/0": address("127.0.1.1"), "4 pg/0": pg0, "4 pg/1": address("10.0.0.6"), "4 pg": {}, "4 web": {},
			"1 web/0": address("127.0.1.1"), "1 web/1": address("127.0.1.2"), "1 web": {"primary": "web/0"},
		},
		status: core.Status{Current: kith.Active, Message: "ok"},
		app: hooktool.AppStatus{Status: core.Status{Current: kith.Active},
			Units: map[kith.UnitName]core.Status{"web/0": {Current: kith.Active}, "web/1": {}}},
		settings: map[string]string{"owner": "web/0"},
		goal: hooktool.GoalState{
			Units: map[string]core.Status{"web/0": {Current: kith.Active, Since: at}, "web/1": {Current: kith.Allocating}},
			Relations: map[string]map[string]core.Status{"db": {
				"pg": {Current: kith.Joined, Since: at}, "pg/0": {Current: kith.Active, Since: at}}},
		},
		secrets: secretModel(), now: at.UTC(),
		files: map[string]string{
			"/charm/secret.yaml": "username: admin\npassword#base64: czNjcmV0\n", "/charm/key.pem": "PEM\n", "/charm/list.yaml": "- s3cret\n",
			"/charm/value.yaml": "password: from the file\n",
			"/charm/good.yaml":  "a: 1\nb: yes\nc: two words\n", "/charm/bad.yaml": "foo bar\n",
			"/charm/nested.yaml": "a: {b: c}\n", "/charm/empty.yaml": "", "/etc/abs.json": `{"a": "json"}`,
		},
	}
}

// context is what unit web/0 sees (section 18), with two more relations for orders.
func context() *core.HookContext {
	return &core.HookContext{
		Model: "deadbeef-0bad-400d-8000-4b1d0d06f00d", ModelName: "prod", Unit: "web/0", Address: "127.0.1.1",
		Config: map[string]any{"port": float64(8080)}, Options: []string{"name", "port"},
		Bindings: []string{"cluster", "db", "juju-info", "logs"}, Leader: true,
		Relations: []*core.RelationContext{
			{ID: 1, Endpoint: "cluster", RemoteApp: "web", Role: kith.Peer, Members: []kith.UnitName{"web/1"}},
			{ID: 2, Endpoint: "logs", RemoteApp: "loki", Role: kith.Requirer},
			{ID: 4, Endpoint: "db", RemoteApp: "pg", Key: "web:db pg:db", Role: kith.Requirer, Members: []kith.UnitName{"pg/0", "pg/1"}},
			{ID: 10, Endpoint: "logs", RemoteApp: "loki2", Role: kith.Requirer},
		},
		Storage: []core.StorageContext{
			{StorageHook: core.StorageHook{ID: "data/2", Kind: "filesystem", Location: "/srv/data/2"}},
			{StorageHook: core.StorageHook{ID: "data/10", Kind: "filesystem", Location: "/srv/data/10"}},
			{StorageHook: core.StorageHook{ID: "logs/0", Kind: "filesystem", Location: "/srv/logs/0"}},
		},
		Payloads:  map[string]string{"app": "docker"},
		Resources: []core.ResourceContext{{Name: "software", Filename: "software.tgz", ResourceFile: core.ResourceFile{SHA256: "abc", Size: 3}}},
	}
}

// hookOf is a hook by name: "rel" and "other" are those of section 18; "joined pg/2"
// and the like are about relation 4.
func hookOf(name string) core.Hook {
	kind, unit, _ := strings.Cut(name, " ")
	if kind == "action" || kind == "command" {
		return taskOf(kind).hook
	}
	if kind == "attached" || kind == "detaching" {
		return core.Hook{Kind: core.HookKind("storage-" + kind), Storage: &core.StorageHook{ID: "data/2", Kind: "filesystem", Location: "/srv/data/2"}}
	}
	kinds := map[string]core.HookKind{"rel": core.RelationChanged, "created": core.RelationCreated, "joined": core.RelationJoined,
		"changed": core.RelationChanged, "departed": core.RelationDeparted, "broken": core.RelationBroken}
	k, ok := kinds[kind]
	if !ok {
		return core.Hook{Kind: core.ConfigChanged}
	}
	if kind == "rel" {
		unit = "pg/0"
	}
	return core.Hook{Kind: k, Relation: &core.RelationHook{ID: 4, Endpoint: "db", RemoteApp: "pg", RemoteUnit: kith.UnitName(unit)}}
}

// task is a task, as a hook and as what it sees.
type task struct {
	hook core.Hook
	sees *core.TaskContext
}

// taskOf is the action backup with parameters of every kind, or a command; nothing for a hook.
func taskOf(kind string) task {
	switch kind {
	case "action":
		return task{core.Hook{Kind: core.Action, Task: &core.TaskHook{ID: 2, Action: "backup"}},
			&core.TaskContext{ID: 2, Action: "backup", Params: core.Settings{
				"target": "/srv", "level": int64(9), "ratio": 0.5, "quick": true, "empty": "", "nothing": nil,
				"list": []any{"a", float64(2)}, "to": map[string]any{"host": "backup.example", "port": float64(2222)}}}}
	case "command":
		return task{core.Hook{Kind: core.Exec, Task: &core.TaskHook{ID: 3, Action: core.ExecAction}},
			&core.TaskContext{ID: 3, Action: core.ExecAction, Command: &core.ShellCommand{Text: "true"}}}
	}
	return task{}
}

// split reads a command line: words between blanks, single quotes around blanks, and
// after "<<<" the text of standard input, in which \n is a newline and \\ a backslash.
func split(line string) hooktool.Call {
	line, stdin, given := strings.Cut(line, "<<<")
	call := hooktool.Call{Dir: "/charm", StdinSupplied: given}
	if given {
		call.Stdin = []byte(strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(strings.TrimSpace(stdin)))
	}
	var words []string
	word, quoted, open := "", false, false
	for _, r := range line + " " {
		switch {
		case r == '\'':
			quoted, open = true, !open
		case r == ' ' && !open:
			if word != "" || quoted {
				words = append(words, word)
			}
			word, quoted = "", false
		default:
			word += string(r)
		}
	}
	call.Tool, call.Args = words[0], words[1:]
	return call
}

// shell runs a command line, or several with "; " between, as one hook would.
func shell(r *hooktool.Run, line string) (last hooktool.Result) {
	for _, part := range slices.Collect(strings.SplitSeq(line, "; ")) {
		last = r.Exec(split(part))
	}
	return last
}
