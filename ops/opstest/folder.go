package opstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"

	"kith"
	"kith/charm"
	"kith/internal/api"
	"kith/internal/dispatch"
	"kith/internal/hooktool"
	"kith/internal/hookwire"
)

// Folder is the charm in a folder, in whatever language, for [NewHarness] and [Model.Deploy]: each of its
// events runs as a process, with the hook tools on its PATH, as under kith. Whatever the
// processes do to databags, statuses and so on happens in the test's model; whatever
// else they do, they do to this machine. Each unit has a copy of the folder, which is gone when the
// test ends.
//
// An event takes milliseconds, or what the charm's interpreter takes, and real time is
// seen by the charm. The first test builds the hook tools, with the go command, unless the environment has
// KITH_HOOK, the path of a program kith-hook.
func Folder(path string) *Charm {
	meta, err := charm.ReadDir(path)
	if err != nil {
		return &Charm{Metadata: unreadable(err)}
	}
	if err := charm.CheckRunnable(path); err != nil {
		return &Charm{Metadata: Metadata{err: notRunnable(path, err)}}
	}
	var packed bytes.Buffer
	if err := charm.Pack(path, &packed); err != nil {
		return &Charm{Metadata: unreadable(err)}
	}
	return &Charm{Metadata: Metadata{meta: meta}, packed: packed.Bytes()}
}

// notRunnable is why a folder's charm can run nothing: as a rule, it has not been built yet.
func notRunnable(path string, err error) error {
	e := kith.Errorf(kith.Invalid, "cannot run the charm in %q: %v", path, err)
	if hint := kith.HintOf(err); hint != "" {
		return e.WithHint("%s", hint)
	}
	var wrong *charm.Error
	if errors.As(err, &wrong) {
		return e.WithHint("%s", wrong.Hint)
	}
	return e
}

// hookTool is the program behind the hook tools, built once in the life of a test program.
var hookTool = sync.OnceValues(func() ([]byte, error) {
	path := os.Getenv("KITH_HOOK")
	if path == "" {
		dir, err := os.MkdirTemp("", "opstest-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // in a folder that is swept
		path = filepath.Join(dir, "kith-hook")
		build := exec.Command("go", "build", "-buildvcs=false", "-o", path, "kith/cmd/kith-hook")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, kith.Errorf(kith.NotFound, "cannot build the hook tools: %v\n%s", err, out).
				WithHint("set KITH_HOOK to the path of a program kith-hook")
		}
	}
	return os.ReadFile(path)
})

// processes is what a world has in order to run charms as processes.
type processes struct {
	dir   string // of units and tools
	host  dispatch.HostEnv
	units map[kith.UnitName]*processUnit
}

// processUnit is a unit whose charm runs as processes.
type processUnit struct {
	dir    string // with charm/ in it
	charm  string // the id of the charm that is unpacked
	runner dispatch.Runner
}

// processes makes ready what the first process needs.
func (w *world) processes() (*processes, error) {
	if w.procs != nil {
		return w.procs, nil
	}
	tool, err := hookTool()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "opst") // short: sockets are in it
	if err != nil {
		return nil, err
	}
	w.tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	program := filepath.Join(dir, "kith-hook")
	if err := os.WriteFile(program, tool, 0o755); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, "tools"), 0o755); err != nil {
		return nil, err
	}
	for _, name := range hooktool.Names() {
		if err := os.Symlink(program, filepath.Join(dir, "tools", name)); err != nil {
			return nil, err
		}
	}
	p := &processes{dir: dir, host: dispatch.ReadHostEnv(nil), units: map[kith.UnitName]*processUnit{}}
	w.procs = p
	return p, nil
}

// unit makes ready the folder of a unit: its charm is unpacked, over an older one if there is.
func (p *processes) unit(w *world, u kith.UnitName, id string) (*processUnit, error) {
	unit := p.units[u]
	if unit == nil {
		unit = &processUnit{dir: filepath.Join(p.dir, string(u.App())+"-"+strconv.Itoa(u.Number()))}
		if err := os.Mkdir(unit.dir, 0o700); err != nil {
			return nil, err
		}
		p.units[u] = unit
	}
	if unit.charm == id {
		return unit, nil
	}
	archive, err := p.archive(id, w.charms[id])
	if err == nil && unit.charm == "" {
		err = charm.Extract(archive, unit.charmDir())
	} else if err == nil {
		err = p.upgrade(unit, archive, w.charms[unit.charm])
	}
	if err == nil {
		unit.charm = id
	}
	return unit, err
}

func (u *processUnit) charmDir() string { return filepath.Join(u.dir, "charm") }

// archive is the file of a charm.
func (p *processes) archive(id string, c *Charm) (string, error) {
	path := filepath.Join(p.dir, id+".charm")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, os.WriteFile(path, c.packed, 0o600)
}

func (p *processes) upgrade(u *processUnit, archive string, old *Charm) error {
	if old.packed == nil { // it ran in process, and has no files
		return charm.Extract(archive, u.charmDir())
	}
	before, err := p.archive(u.charm, old)
	if err != nil {
		return err
	}
	files, err := charm.List(before)
	if err != nil {
		return err
	}
	return charm.Upgrade(archive, u.charmDir(), files)
}

// runProcess runs the hook as a process of the charm.
func (r *hookRun) runProcess() error {
	p, err := r.w.processes()
	if err != nil {
		return err
	}
	unit, err := p.unit(r.w, r.unit, r.ctx.Charm)
	if err != nil {
		return err
	}
	find := dispatch.FindHook
	if r.hook.Task != nil {
		find = dispatch.FindAction
	}
	s, err := find(unit.charmDir(), r.hook.Name())
	if err != nil {
		return dispatch.Reason(err)
	}
	if s.Path == "" {
		r.missing = true
		return nil
	}
	if err := r.fault(beforeHook); err != nil {
		return err
	}
	if err := r.attend(p, unit, s); err != nil {
		return err
	}
	return r.fault(afterHook)
}

// toolCall is a call of a tool on its way to the goroutine of the test, which alone may touch
// the world.
type toolCall struct {
	request hookwire.Request
	answer  chan hookwire.Response
}

// attend runs a script and answers its tools until it has ended.
func (r *hookRun) attend(p *processes, unit *processUnit, s dispatch.Script) error {
	ctx, cancel := context.WithCancel(context.Background())
	calls := make(chan toolCall)
	id := dispatch.NewContextID(r.unit, dispatch.ContextName(r.hook))
	tools, err := dispatch.ListenTools(filepath.Join(unit.dir, "s"), id, cancel, func(q hookwire.Request) hookwire.Response {
		c := toolCall{q, make(chan hookwire.Response, 1)}
		select {
		case calls <- c:
			return <-c.answer
		case <-ctx.Done():
			return hookwire.BadRequest("the hook is over")
		}
	})
	if err != nil {
		cancel()
		return err
	}
	printed := &printed{}
	places := dispatch.Places{Charm: unit.charmDir(), Tools: filepath.Join(p.dir, "tools"), Socket: tools.Path}
	e := dispatch.Event{Script: s, Dir: places.Charm, Env: dispatch.Environment(p.host, places, &r.ctx, r.hook, id), Tools: tools,
		Output: dispatch.NewOutput(printed.line), Stdout: &printed.stdout, Stderr: &printed.stderr}
	kill := make(chan struct{})
	r.kill, e.Kill = sync.OnceFunc(func() { close(kill) }), kill
	over := make(chan ended, 1)
	go func() {
		exit, err := unit.runner.Run(ctx, e)
		over <- ended{exit, err}
	}()
	var end *ended
	defer func() {
		if end == nil { // the test ends here
			r.kill()
			cancel() // whoever waits for an answer gets none
			<-over
		}
		tools.Close()
	}()
	for end == nil {
		select {
		case c := <-calls:
			c.answer <- r.answer(c)
		case e := <-over:
			end = &e
		}
	}
	e.Output.Finish()
	for _, l := range printed.lines {
		r.w.logs = append(r.w.logs, LogRecord{r.unit, string(l.level), l.text})
	}
	return r.ended(end, printed)
}

// ended is how a process came to its end.
type ended struct {
	exit dispatch.Exit
	err  error
}

func (r *hookRun) ended(e *ended, p *printed) error {
	r.output = hooktool.NewOutput(e.exit.Code, p.stdout.Bytes(), p.stderr.Bytes())
	switch {
	case r.crashed:
		return errCrash
	case r.faulted != nil:
		return r.faulted
	case e.err != nil:
		return dispatch.Reason(e.err)
	case !e.exit.Success():
		return fmt.Errorf("%s", e.exit.Text)
	}
	return nil
}

// answer answers one call. What an exploration does to it ends the process.
func (r *hookRun) answer(c toolCall) (p hookwire.Response) {
	p = hookwire.BadRequest("the hook has ended")
	answered := false
	defer func() {
		if !answered { // a panic of the test's: nobody is to wait for ever
			c.answer <- p
		}
	}()
	if r.crashed || r.faulted != nil {
		answered = true
		return p
	}
	if err := r.fault(atCall); err != nil {
		r.faulted = err
		r.kill()
		answered = true
		return p
	}
	q := c.request
	res := r.run.Exec(hooktool.Call{Tool: q.Tool, Args: q.Args, Dir: q.Dir, StdinSupplied: q.StdinSupplied, Stdin: q.Stdin})
	answered = true
	return hookwire.Response(res)
}

// printed is what a process printed: the two streams are read by goroutines of their own.
type printed struct {
	mu             sync.Mutex
	lines          []printedLine
	stdout, stderr bytes.Buffer // each has one writer
}

type printedLine struct {
	level api.Level
	text  string
}

func (p *printed) line(level api.Level, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, printedLine{level, text})
}
