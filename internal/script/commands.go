package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
	"kith/internal/core"
	"kith/internal/resolve"
)

// admin is who types the operator's commands.
var admin = core.Actor{Kind: core.ActorUser, Name: "admin"}

// commands is the table of what a line may start with. Arguments come without it.
var commands = map[string]func(*World, []string) error{
	"model-config":       (*World).cmdModelConfig,
	"charm":              (*World).addCharm,
	"deploy":             (*World).cmdDeploy,
	"add-unit":           (*World).cmdAddUnit,
	"remove-unit":        (*World).cmdRemoveUnit,
	"remove-application": (*World).cmdRemoveApp,
	"integrate":          (*World).cmdIntegrate,
	"remove-relation":    (*World).cmdRemoveRelation,
	"suspend":            func(w *World, a []string) error { return w.cmdSuspend(a, false) },
	"resume":             func(w *World, a []string) error { return w.cmdSuspend(a, true) },
	"config":             (*World).cmdConfig,
	"refresh":            (*World).cmdRefresh,
	"resolved":           (*World).cmdResolved,
	"run":                (*World).cmdRun,
	"command":            (*World).cmdCommand,
	"cancel":             (*World).cmdCancel,
	"tasks":              (*World).cmdTasks,
	"on":                 (*World).cmdOn,
	"off":                (*World).cmdOff,
	"fail":               (*World).cmdFail,
	"mend":               (*World).cmdMend,
	"exec":               (*World).cmdExec,
	"settle":             (*World).cmdSettle,
	"step":               (*World).cmdStep,
	"next":               (*World).cmdNext,
	"begin":              (*World).cmdBegin,
	"commit":             one((*World).finish),
	"kill":               one((*World).kill),
	"hello":              one((*World).hello),
	"elect":              one((*World).elect),
	"crash":              (*World).cmdCrash,
	"down":               (*World).cmdDown,
	"up":                 (*World).cmdUp,
	"advance":            (*World).cmdAdvance,
	"sleep":              one((*World).sleep),
	"add-secret":         (*World).cmdAddSecret,
	"update-secret":      (*World).cmdUpdateSecret,
	"grant-secret":       func(w *World, a []string) error { return w.cmdGrantSecret(a, false) },
	"revoke-secret":      func(w *World, a []string) error { return w.cmdGrantSecret(a, true) },
	"attach-resource":    (*World).cmdAttachResource,
	"destroy-model":      (*World).cmdDestroyModel,
	"reboot":             (*World).cmdReboot,
	"add-storage":        (*World).cmdAddStorage,
	"attach-storage":     (*World).cmdAttachStorage,
	"detach-storage":     (*World).cmdDetachStorage,
	"remove-storage":     (*World).cmdRemoveStorage,
	"storage":            (*World).cmdStorage,
	"remove-secret":      (*World).cmdRemoveSecret,
	"secrets":            (*World).cmdSecrets,
	"contract":           (*World).cmdContract,
	"verdict":            (*World).cmdVerdict,
	"status":             (*World).cmdStatus,
	"relations":          (*World).cmdRelations,
	"members":            (*World).cmdMembers,
	"bags":               (*World).cmdBags,
	"leader":             (*World).cmdLeader,
	"wake":               (*World).cmdWake,
}

// arity is the least number of arguments; commands that are not here take none or any.
var arity = map[string]int{
	"charm": 1, "deploy": 1, "add-unit": 1, "integrate": 2, "remove-relation": 1, "config": 1, "refresh": 1, "on": 2, "off": 2,
	"fail": 2, "mend": 2, "exec": 2, "step": 1, "next": 1, "begin": 1, "commit": 1, "kill": 1, "hello": 1, "elect": 1,
	"add-secret": 1, "update-secret": 1, "grant-secret": 2, "revoke-secret": 2, "remove-secret": 1,
	"run": 2, "cancel": 1, "down": 1, "up": 1, "advance": 1, "sleep": 1, "members": 1, "bags": 1, "leader": 1, "wake": 1, "attach-resource": 2, "add-storage": 2, "attach-storage": 2, "detach-storage": 1, "remove-storage": 1, "contract": 1, "verdict": 1,
}

func (w *World) line(line string) error {
	fields := strings.Fields(line)
	run, ok := commands[fields[0]]
	if !ok {
		return fmt.Errorf("unknown command %q", fields[0])
	}
	if least := arity[fields[0]]; len(fields)-1 < least {
		return fmt.Errorf("%s takes at least %d arguments", fields[0], least)
	}
	return run(w, fields[1:])
}

// one makes a command of a method that takes a unit.
func one(f func(*World, kith.UnitName) error) func(*World, []string) error {
	return func(w *World, args []string) error { return f(w, kith.UnitName(args[0])) }
}

// answer prints a refusal and passes any other error on.
func (w *World) answer(err error) error {
	refusal, ok := err.(*kith.Error) // Do does not wrap
	if !ok {
		return err
	}
	w.printf("error: %s", shortIDs(refusal.Message))
	return nil
}

func (w *World) do(op core.Op) error { return w.answer(w.Do(admin, op)) }

// takeFlag removes a word from args and reports whether it was there.
func takeFlag(args *[]string, word string) bool {
	i := slices.Index(*args, word)
	if i < 0 {
		return false
	}
	*args = slices.Delete(slices.Clone(*args), i, i+1)
	return true
}

// takeValue removes NAME=VALUE from args and returns the value, or fallback.
func takeValue(args *[]string, name, fallback string) string {
	i := slices.IndexFunc(*args, func(a string) bool { return strings.HasPrefix(a, name+"=") })
	if i < 0 {
		return fallback
	}
	value := strings.TrimPrefix((*args)[i], name+"=")
	*args = slices.Delete(slices.Clone(*args), i, i+1)
	return value
}

func takeInt(args *[]string, name, fallback string) (int, error) {
	return strconv.Atoi(takeValue(args, name, fallback))
}

func unitNames(args []string) []kith.UnitName {
	var all []kith.UnitName
	for _, a := range args {
		all = append(all, kith.UnitName(a))
	}
	return all
}

func relationIDs(args []string) ([]kith.RelationID, error) {
	var all []kith.RelationID
	for _, a := range args {
		id, err := strconv.Atoi(a)
		if err != nil {
			return nil, err
		}
		all = append(all, kith.RelationID(id))
	}
	return all, nil
}

func (w *World) cmdModelConfig(args []string) error {
	set, err := pairs(args)
	if err != nil {
		return err
	}
	return w.do(core.SetModelConfig{Set: set})
}

func (w *World) cmdDeploy(args []string) error {
	storage, err := directives(&args)
	if err != nil {
		return w.answer(err)
	}
	attach, given := storageIDs(takeValue(&args, "attach", "")), resources(&args)
	units, err := takeInt(&args, "units", "")
	hostName := takeValue(&args, "host", "local")
	name := args[len(args)-1]
	c := w.model.Charm(w.charms[name])
	if c == nil {
		return fmt.Errorf("no charm %q", name)
	}
	if err != nil { // not said: one, or none for a subordinate
		units = 1
		if c.Charm.Meta.Subordinate {
			units = 0
		}
	}
	if err := w.known(hostName); err != nil {
		return err
	}
	return w.do(core.Deploy{App: kith.AppName(args[0]), Charm: c.ID, Units: units, Host: hostName,
		Storage: storage, AttachStorage: attach, Resources: given})
}

// known makes a host's agent say hello when the script first names the host, unless it said that it is down.
func (w *World) known(name string) error {
	h := w.host(name)
	if w.model.Host(name) != nil || h.down {
		return nil
	}
	return w.Do(h.actor(), core.HostHello{Host: name, Epoch: h.epochName()})
}

func (w *World) cmdAddUnit(args []string) error {
	units, err := takeInt(&args, "units", "1")
	if err != nil {
		return err
	}
	hostName := takeValue(&args, "host", "local")
	attach := storageIDs(takeValue(&args, "attach", ""))
	if err := w.known(hostName); err != nil {
		return err
	}
	return w.do(core.AddUnits{App: kith.AppName(args[0]), Units: units, Host: hostName, AttachStorage: attach})
}

func (w *World) cmdRemoveUnit(args []string) error {
	force, destroy := takeFlag(&args, "force"), takeFlag(&args, "destroy-storage")
	return w.do(core.RemoveUnits{Units: unitNames(args), Force: force, DestroyStorage: destroy})
}

func (w *World) cmdRemoveApp(args []string) error {
	force, destroy := takeFlag(&args, "force"), takeFlag(&args, "destroy-storage")
	var apps []kith.AppName
	for _, a := range args {
		apps = append(apps, kith.AppName(a))
	}
	return w.do(core.RemoveApps{Apps: apps, Force: force, DestroyStorage: destroy})
}

func (w *World) cmdIntegrate(args []string) error {
	ends, err := endpoints(args)
	if err != nil || len(ends) != 2 {
		return w.answer(err)
	}
	return w.do(core.Integrate{A: ends[0], B: ends[1]})
}

func endpoints(args []string) ([]kith.Endpoint, error) {
	var ends []kith.Endpoint
	for _, a := range args {
		e, err := kith.ParseEndpoint(a)
		if err != nil {
			return nil, err
		}
		ends = append(ends, e)
	}
	return ends, nil
}

func (w *World) cmdRemoveRelation(args []string) error {
	op := core.RemoveRelation{Force: takeFlag(&args, "force")}
	wait, err := time.ParseDuration(takeValue(&args, "wait", "0s"))
	if err != nil {
		return err
	}
	op.Wait = wait
	if n, err := strconv.Atoi(args[0]); err == nil {
		id := kith.RelationID(n)
		op.ID = &id
		return w.do(op)
	}
	if op.Endpoints, err = endpoints(args); err != nil {
		return w.answer(err)
	}
	return w.do(op)
}

func (w *World) cmdSuspend(args []string, resume bool) error {
	unforced := takeFlag(&args, "unforced")
	ids, err := relationIDs(args)
	if err != nil {
		return err
	}
	return w.do(core.Suspend{IDs: ids, Resume: resume, Force: !unforced})
}

func (w *World) cmdConfig(args []string) error {
	set, err := pairs(args[1:])
	if err != nil {
		return err
	}
	op := core.SetConfig{App: kith.AppName(args[0]), Set: map[string]any{}}
	for k, v := range set { // any order: into a map
		op.Set[k] = v
	}
	return w.do(op)
}

func (w *World) cmdRefresh(args []string) error {
	force, units := takeFlag(&args, "force"), takeFlag(&args, "force-units")
	storage, err := directives(&args)
	if err != nil {
		return w.answer(err)
	}
	given := resources(&args)
	return w.do(core.Refresh{App: kith.AppName(args[0]), Charm: w.charms[args[len(args)-1]], Force: force,
		ForceUnits: units, Storage: storage, Resources: given})
}

func (w *World) cmdResolved(args []string) error {
	noRetry := takeFlag(&args, "no-retry")
	all := takeFlag(&args, "all")
	return w.do(core.Resolved{Units: unitNames(args), All: all, NoRetry: noRetry})
}

// pairs reads KEY=VALUE arguments.
func pairs(args []string) (map[string]string, error) {
	set := map[string]string{}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not KEY=VALUE", arg)
		}
		set[key] = value
	}
	return set, nil
}

func (w *World) cmdOn(args []string) error {
	hook, ok := strings.CutSuffix(args[1], ":")
	if !ok {
		return fmt.Errorf("no colon after %q", args[1])
	}
	w.handlers = append(w.handlers, handler{args[0], hook, tools(args[2:])})
	return nil
}

func tools(words []string) []string {
	var all []string
	for _, t := range strings.Split(strings.Join(words, " "), ";") {
		all = append(all, strings.TrimSpace(t))
	}
	return all
}

func (w *World) cmdOff(args []string) error {
	n := len(w.handlers)
	w.handlers = slices.DeleteFunc(w.handlers, func(h handler) bool { return h.unit == args[0] && h.hook == args[1] })
	if len(w.handlers) == n {
		return fmt.Errorf("nothing was scripted for %s %s", args[0], args[1])
	}
	return nil
}

func (w *World) cmdFail(args []string) error {
	times, err := takeInt(&args, "times", "-1")
	if err != nil {
		return err
	}
	w.faults = append(w.faults, fault{args[0], args[1], times})
	return nil
}

func (w *World) cmdMend(args []string) error {
	w.faults = slices.DeleteFunc(w.faults, func(f fault) bool { return f.unit == args[0] && f.hook == args[1] })
	return nil
}

// cmdExec runs tools in a unit: in the hook that has begun, or else in an
// update-status of its own, the one hook that stands in nobody's way.
func (w *World) cmdExec(args []string) error {
	name, ok := strings.CutSuffix(args[0], ":")
	if !ok {
		return fmt.Errorf("no colon after %q", args[0])
	}
	unit, calls := kith.UnitName(name), tools(args[1:])
	if s := w.shells[unit]; s != nil {
		said := len(s.said)
		s.all(calls)
		for _, line := range s.said[said:] {
			w.printf("  %s", line)
		}
		s.said = s.said[:said]
		return nil
	}
	if err := w.begin(unit, core.Hook{Kind: core.UpdateStatus}); err != nil {
		return w.answer(err)
	}
	w.handlers = append(w.handlers, handler{name, string(core.UpdateStatus), calls})
	err := w.finish(unit)
	w.handlers = w.handlers[:len(w.handlers)-1]
	return err
}

func (w *World) cmdSettle(args []string) error {
	w.quiet, w.why = takeFlag(&args, "quiet"), takeFlag(&args, "why")
	defer func() { w.quiet, w.why = false, false }()
	return w.Settle(unitNames(args)...)
}

func (w *World) cmdStep(args []string) error {
	n := 1
	if len(args) > 1 {
		var err error
		if n, err = strconv.Atoi(args[1]); err != nil {
			return err
		}
	}
	for range n {
		did, err := w.Step(kith.UnitName(args[0]))
		if err != nil {
			return err
		}
		if !did {
			w.printf("%s has nothing to do", args[0])
			break
		}
	}
	return nil
}

func (w *World) cmdNext(args []string) error {
	name := kith.UnitName(args[0])
	if step, ok := w.Next(name); ok {
		w.printf("%s", w.describeStep(name, step))
	} else {
		w.printf("%s has nothing to do", name)
	}
	return nil
}

func (w *World) cmdBegin(args []string) error {
	name := kith.UnitName(args[0])
	if err := w.hello(name); err != nil {
		return err
	}
	step, ok := w.Next(name)
	if !ok || step.Kind != resolve.Run {
		return fmt.Errorf("%s has no hook to run", name)
	}
	if err := w.begin(name, step.Hook); err != nil {
		return err
	}
	w.printf("%s ...", w.describeStep(name, step))
	return nil
}

func (w *World) elect(name kith.UnitName) error {
	return w.answer(w.Do(core.System, core.Elect{Unit: name}))
}

func (w *World) cmdCrash(args []string) error {
	if len(args) == 0 {
		args = []string{"local"}
	}
	return w.crash(args[0])
}

func (w *World) cmdDown(args []string) error {
	w.host(args[0]).down = true
	return nil
}

func (w *World) cmdUp(args []string) error {
	w.host(args[0]).down = false
	return w.crash(args[0])
}

func (w *World) cmdAdvance(args []string) error {
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	return w.Advance(d)
}

// sleep lets time pass until a unit wakes by itself, and says how long that was.
func (w *World) sleep(name kith.UnitName) error {
	v, ok := core.ViewOf(&w.model, name)
	if !ok {
		return fmt.Errorf("no unit %q", name)
	}
	at, ok := resolve.Wake(v)
	if !ok || at.Before(w.now) {
		return fmt.Errorf("%s does not sleep", name)
	}
	d := at.Sub(w.now)
	w.printf("%s sleeps %s", name, d)
	return w.Advance(d)
}
