package hooktool

import (
	"errors"
	"maps"
	"path"
	"slices"
	"time"

	"kith"
	"kith/internal/core"
)

// Host is what a run needs from outside. The agent, the test harness and the
// simulator implement it. The errors of the first group reach the charm: a
// *kith.Error whose message is Juju's.
type Host interface {
	Controller
	Files
	// Resource brings a resource to the machine and returns the path of its file.
	Resource(core.ResourceContext) (path string, err error)
	// EndHook has the process of the hook ended; it may be called more than once, and
	// does not wait.
	EndHook()
	// NewSecretID draws an id nobody has used.
	NewSecretID() kith.SecretID
	// Now is the time, for what is said relative to it.
	Now() time.Time
	// Log writes a record under the unit's juju-log logger.
	Log(level Level, message string)
}

// Controller is asked while the hook runs, with the unit's identity. It decides what
// the unit may read and write.
type Controller interface {
	// Bag reads the databag of a unit or an application in a relation. The caller does
	// not modify what it returns.
	Bag(id kith.RelationID, owner string) (map[string]string, error)
	// IsLeader reports whether the unit leads; true is a promise for 30 seconds.
	IsLeader() (bool, error)
	UnitStatus() (core.Status, error)
	AppStatus() (AppStatus, error)
	SetStatus(app bool, status kith.Status, message string) error
	SetVersion(version string) error
	LeaderSettings() (map[string]string, error)
	SetLeaderSettings(set map[string]string) error
	GoalState() (GoalState, error)
	// LogAction adds a message to the log of the running action, at once. Number counts
	// the messages of the run from 1.
	LogAction(number int, message string) error
	// Secret reads the content of a secret. The caller does not modify it.
	Secret(core.SecretQuery) (core.SecretValue, error)
	// OwnedSecrets lists the secrets of the unit and of its application, in order of id.
	OwnedSecrets() ([]core.SecretInfo, error)
}

// Files are the files of the machine the charm runs on. Paths are absolute; errors
// read as those of package os: "open /x: no such file or directory".
type Files interface {
	// ReadFile reads a file, but no more than limit bytes of it.
	ReadFile(path string, limit int64) ([]byte, error)
	WriteFile(path string, data []byte) error
}

// AppStatus is an application's status and those of its units. Data is what is known of
// units in error beside the message (section 3.4).
type AppStatus struct {
	Status core.Status
	Units  map[kith.UnitName]core.Status
	Data   map[kith.UnitName]map[string]any
}

// GoalState says who will be there once everything asked for has happened: the
// units of the unit's own application, and for each of its endpoints the other
// applications and their units, by name.
type GoalState struct {
	Units     map[string]core.Status
	Relations map[string]map[string]core.Status
}

// Level is how important a log record is.
type Level string

// The levels juju-log knows.
const (
	Trace    Level = "TRACE"
	Debug    Level = "DEBUG"
	Info     Level = "INFO"
	Warning  Level = "WARNING"
	Error    Level = "ERROR"
	Critical Level = "CRITICAL"
)

// Valid reports whether juju-log knows the level.
func (l Level) Valid() bool {
	switch l {
	case Trace, Debug, Info, Warning, Error, Critical:
		return true
	}
	return false
}

// Call is one call of one tool.
type Call struct {
	Tool string
	Args []string
	// Dir is the caller's working directory, absolute.
	Dir string
	// StdinSupplied says that Stdin holds all of standard input.
	StdinSupplied bool
	Stdin         []byte
}

// Result is what a call answered.
type Result struct {
	Code   uint8
	Stdout []byte
	Stderr []byte
	// NeedStdin asks for the same call with standard input; nothing has happened yet.
	NeedStdin bool
}

// The exit statuses (section 6.2).
const (
	exitFailed = 1
	exitUsage  = 2
)

type bagKey struct {
	relation kith.RelationID
	owner    string
}

// Run is one run of one hook. See the package documentation.
type Run struct {
	ctx  *core.HookContext
	hook core.Hook
	host Host

	// What was read, so that it reads the same to the end of the hook.
	bags       map[bagKey]map[string]string
	notLeader  bool
	unitStatus *core.Status
	leaderData map[string]string // nil: not read, or changed since
	owned      []core.SecretInfo // nil: not read
	secrets    map[kith.SecretID]core.SecretValue

	// What was written and commits with the hook. The maps are made with the first write.
	written []core.BagWrite // by relation, the unit's own bag before its application's
	ports   []core.PortWrite
	state   map[string]*string
	// secretWrites are in the order of the first call about each secret.
	secretWrites []*core.SecretWrite
	storageAdds  []core.StorageAdd
	fetched      map[string]string // contents of resources, by name
	reboot       bool
	rebootNow    bool

	// What an action has come to.
	results map[string]any
	failure *string // of action-fail
	logged  int     // messages of action-log
}

// NewRun starts a run of hook, which sees ctx: it does not change while the run lasts.
func NewRun(ctx *core.HookContext, hook core.Hook, host Host) *Run {
	return &Run{ctx: ctx, hook: hook, host: host}
}

// put sets a key of a map that may have to be made.
func put[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}

// Effects is everything written so far that commits with the hook.
func (r *Run) Effects() core.Effects {
	e := core.Effects{Bags: slices.Clone(r.written), Ports: slices.Clone(r.ports)}
	if len(r.state) > 0 {
		e.State = maps.Clone(r.state)
	}
	for _, removes := range []bool{true, false} { // first what is removed: it lets go of its label
		for _, w := range r.secretWrites {
			if w.Remove == removes {
				e.Secrets = append(e.Secrets, *w)
			}
		}
	}
	e.Storage = slices.Clone(r.storageAdds)
	e.Reboot = r.reboot
	if len(r.fetched) > 0 {
		e.Fetched = maps.Clone(r.fetched)
	}
	return e
}

// Exec makes one call. It never fails as such: a failure is a Result with an exit
// status and a line on standard error, as the charm sees it.
func (r *Run) Exec(call Call) Result {
	t, ok := find(call.Tool)
	if !ok {
		return Result{Code: exitFailed, Stderr: []byte("ERROR bad request: unknown command: " + call.Tool + "\n")}
	}
	i := &invocation{run: r, tool: t, call: call}
	err := t.run(i)
	var usage usageError
	switch {
	case err == nil:
		return Result{Stdout: i.stdout, Stderr: i.stderr}
	case errors.Is(err, errHelp):
		return Result{Stdout: []byte(i.help())}
	case errors.Is(err, errNeedStdin):
		return Result{NeedStdin: true}
	case errors.As(err, &usage):
		return i.failure(exitUsage, err)
	}
	return i.failure(exitFailed, err)
}

// invocation is one call while it is being served.
type invocation struct {
	run     *Run
	tool    *tool
	call    Call
	options []*option
	stdout  []byte
	stderr  []byte
}

func (i *invocation) failure(code uint8, err error) Result {
	text := "ERROR " + err.Error() + "\n"
	if hint := kith.HintOf(err); hint != "" {
		text += "hint: " + hint + "\n"
	}
	return Result{Code: code, Stderr: append(i.stderr, text...)}
}

// path resolves a path of the caller's (section 6.1).
func (i *invocation) path(p string) string {
	if path.IsAbs(p) {
		return p
	}
	return path.Join(i.call.Dir, p)
}
