package ops

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kith"
)

// Caller makes hook tool calls. Three ways to do so are known: as processes, as under
// any Juju host; over the socket of a kith agent; and by a hook run inside a test.
type Caller interface {
	// Call makes one call and waits for its end. The error is for a call that could not
	// be made; a tool that refuses says so in the result.
	Call(c ToolCall) (ToolResult, error)
}

// ToolCall is one call of a hook tool.
type ToolCall struct {
	Tool string
	Args []string
	// Private are arguments KEY#base64=VALUE of a secret's content. Where others on the
	// machine can see arguments, a Caller writes them into a file that only this user can
	// read, and passes --file.
	Private []string
	// Stdin is standard input; nil means none.
	Stdin []byte
}

// ToolResult is what a hook tool answered.
type ToolResult struct {
	Status         int
	Stdout, Stderr []byte
}

// NewToolBackend is a Backend that makes hook tool calls: the same ones for every
// Caller, in the forms of section 16.1 of the hook protocol reference.
func NewToolBackend(c Caller) Backend { return &toolBackend{c} }

type toolBackend struct{ caller Caller }

// do makes a call and turns a refusal into an error.
func (b *toolBackend) do(c ToolCall) ([]byte, error) {
	r, err := b.caller.Call(c)
	if err != nil {
		return nil, err
	}
	if r.Status != 0 {
		return nil, NewModelError(c.Tool, r.Status, string(r.Stderr))
	}
	return r.Stdout, nil
}

// run makes a call whose output does not matter.
func (b *toolBackend) run(tool string, args ...string) error {
	_, err := b.do(ToolCall{Tool: tool, Args: args})
	return err
}

// query makes a call and reads its JSON output.
func (b *toolBackend) query(into any, tool string, args ...string) error {
	out, err := b.do(ToolCall{Tool: tool, Args: args})
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(out))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return kith.Errorf(kith.Internal, "cannot read the output of %s: %v", tool, err)
	}
	return nil
}

const jsonFormat = "--format=json"

func (b *toolBackend) RelationIDs(endpoint kith.EndpointName) ([]kith.RelationID, error) {
	var names []string
	if err := b.query(&names, "relation-ids", string(endpoint), jsonFormat); err != nil {
		return nil, err
	}
	ids := make([]kith.RelationID, len(names))
	for i, name := range names {
		n, err := strconv.Atoi(name[strings.LastIndexByte(name, ':')+1:])
		if err != nil {
			return nil, kith.Errorf(kith.Internal, "cannot read the relation id %q", name)
		}
		ids[i] = kith.RelationID(n)
	}
	return ids, nil
}

func (b *toolBackend) RelationUnits(r RelationRef) ([]kith.UnitName, error) {
	var units []kith.UnitName
	err := b.query(&units, "relation-list", jsonFormat, "-r", r.String())
	slices.Sort(units)
	return units, err
}

func (b *toolBackend) RelationApp(r RelationRef) (kith.AppName, error) {
	var app kith.AppName
	err := b.query(&app, "relation-list", jsonFormat, "--app", "-r", r.String())
	return app, err
}

func (b *toolBackend) RelationGet(r RelationRef, app bool, owner string) (map[string]string, error) {
	args := []string{jsonFormat, "-r", r.String(), "-", owner}
	if app {
		args = slices.Insert(args, 3, "--app")
	}
	var bag map[string]string
	err := b.query(&bag, "relation-get", args...)
	return bag, err
}

func (b *toolBackend) RelationSet(r RelationRef, app bool, set map[string]string) error {
	args := []string{"-r", r.String()}
	if app {
		args = append(args, "--app")
	}
	return b.runWith(set, "relation-set", append(args, "--file", "-")...)
}

// runWith makes a call with a JSON object on standard input.
func (b *toolBackend) runWith(input map[string]string, tool string, args ...string) error {
	data, err := json.Marshal(input)
	if err != nil {
		return err
	}
	_, err = b.do(ToolCall{Tool: tool, Args: args, Stdin: data})
	return err
}

func (b *toolBackend) RelationModel(r RelationRef) (kith.ModelUUID, error) {
	var m struct {
		UUID kith.ModelUUID `json:"uuid"`
	}
	err := b.query(&m, "relation-model-get", jsonFormat, "-r", r.String())
	return m.UUID, err
}

// networkOutput is the form of section 9.1.
type networkOutput struct {
	Bind []struct {
		MAC       string `json:"mac-address"`
		Name      string `json:"interface-name"`
		Addresses []struct {
			Hostname string  `json:"hostname"`
			Value    Address `json:"value"`
			CIDR     string  `json:"cidr"`
		} `json:"addresses"`
	} `json:"bind-addresses"`
	Egress  []Subnet  `json:"egress-subnets"`
	Ingress []Address `json:"ingress-addresses"`
}

func (b *toolBackend) NetworkGet(binding string, r *RelationRef) (Network, error) {
	args := []string{jsonFormat}
	if r != nil {
		args = append(args, "-r", r.ID.String())
	}
	var out networkOutput
	if err := b.query(&out, "network-get", append(args, binding)...); err != nil {
		return Network{}, err
	}
	n := Network{IngressAddresses: out.Ingress, EgressSubnets: out.Egress}
	for _, i := range out.Bind {
		for _, a := range i.Addresses {
			n.Interfaces = append(n.Interfaces, NetworkInterface{
				Name: i.Name, MAC: i.MAC, Address: a.Value, Hostname: a.Hostname, Subnet: subnetOf(a.Value, a.CIDR),
			})
		}
	}
	return n, nil
}

func (b *toolBackend) IsLeader() (bool, error) {
	var leads bool
	err := b.query(&leads, "is-leader", jsonFormat)
	return leads, err
}

func (b *toolBackend) ConfigGet() (map[string]any, error) {
	var c map[string]any
	if err := b.query(&c, "config-get", jsonFormat); err != nil {
		return nil, err
	}
	for k, v := range c { // any order: each value alone
		c[k] = plainNumbers(v)
	}
	return c, nil
}

// plainNumbers makes int64 or float64 of the numbers in a JSON value.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // what JSON has as a number is one
		return f
	case map[string]any:
		for k, inner := range v { // any order: each value alone
			v[k] = plainNumbers(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = plainNumbers(inner)
		}
	}
	return v
}

func (b *toolBackend) StatusGet(app bool) (Status, error) {
	type status struct {
		Name    kith.Status `json:"status"`
		Message string      `json:"message"`
	}
	var out struct {
		status
		App status `json:"application-status"`
	}
	err := b.query(&out, "status-get", "--include-data", jsonFormat, fmt.Sprintf("--application=%v", app))
	if app {
		return Status(out.App), err
	}
	return Status(out.status), err
}

func (b *toolBackend) StatusSet(app bool, s Status) error {
	return b.run("status-set", fmt.Sprintf("--application=%v", app), string(s.Name), "--", s.Message)
}

func (b *toolBackend) GoalState() (GoalState, error) {
	type status struct {
		Status kith.Status `json:"status"`
		Since  string      `json:"since"`
	}
	var out struct {
		Units     map[kith.UnitName]status                `json:"units"`
		Relations map[kith.EndpointName]map[string]status `json:"relations"`
	}
	if err := b.query(&out, "goal-state", jsonFormat); err != nil {
		return GoalState{}, err
	}
	goal := GoalState{Units: map[kith.UnitName]GoalStatus{}, Relations: map[kith.EndpointName]map[string]GoalStatus{}}
	for unit, s := range out.Units { // any order: into a map
		goal.Units[unit] = GoalStatus{s.Status, parseTime(s.Since)}
	}
	for endpoint, remotes := range out.Relations { // any order: into a map
		goal.Relations[endpoint] = map[string]GoalStatus{}
		for remote, s := range remotes { // any order: into a map
			goal.Relations[endpoint][remote] = GoalStatus{s.Status, parseTime(s.Since)}
		}
	}
	return goal, nil
}

// maxLog is the longest message in one call: an argument of a process is not longer
// (hook protocol reference, section 16.1).
const maxLog = 131071

func (b *toolBackend) Log(level, message string) error {
	message = printable(message)
	for {
		part := head(message, maxLog)
		if err := b.run("juju-log", "--log-level", level, "--", part); err != nil {
			return err
		}
		if message = message[len(part):]; message == "" {
			return nil
		}
	}
}

// printable is a message as a process can be given it: without bytes of 0.
func printable(message string) string { return strings.ReplaceAll(message, "\x00", `\x00`) }

// head is the beginning of a text, of at most so many bytes, and not cut within a letter.
func head(text string, most int) string {
	part := text[:min(len(text), most)]
	for n := len(part); n > 0 && n < len(text) && len(part)-n < utf8.UTFMax; n-- {
		if utf8.RuneStart(text[n]) {
			return part[:n]
		}
	}
	return part
}

func (b *toolBackend) VersionSet(version string) error {
	return b.run("application-version-set", "--", version)
}

func (b *toolBackend) OpenPort(p Port, endpoints []kith.EndpointName) error {
	return b.run("open-port", portArgs(p, endpoints)...)
}

func (b *toolBackend) ClosePort(p Port, endpoints []kith.EndpointName) error {
	return b.run("close-port", portArgs(p, endpoints)...)
}

func portArgs(p Port, endpoints []kith.EndpointName) []string {
	if len(endpoints) == 0 {
		return []string{p.String()}
	}
	names := make([]string, len(endpoints))
	for i, e := range endpoints {
		names[i] = string(e)
	}
	return []string{"--endpoints", strings.Join(names, ","), p.String()}
}

func (b *toolBackend) OpenedPorts() ([]Port, error) {
	var names []string
	if err := b.query(&names, "opened-ports", jsonFormat); err != nil {
		return nil, err
	}
	ports := make([]Port, len(names))
	for i, name := range names {
		p, err := parsePort(name)
		if err != nil {
			return nil, err
		}
		ports[i] = p
	}
	return ports, nil
}

func (b *toolBackend) ResourceGet(name string) (string, error) {
	out, err := b.do(ToolCall{Tool: "resource-get", Args: []string{name}})
	return strings.TrimSpace(string(out)), err
}

func (b *toolBackend) CredentialGet() (CloudSpec, error) {
	var c CloudSpec
	err := b.query(&c, "credential-get", jsonFormat)
	return c, err
}

func (b *toolBackend) Reboot(now bool) error {
	if now {
		return b.run("juju-reboot", "--now")
	}
	return b.run("juju-reboot")
}

func (b *toolBackend) StateGet() (map[string]string, error) {
	var state map[string]string
	err := b.query(&state, "state-get", jsonFormat)
	return state, err
}

func (b *toolBackend) StateSet(set map[string]string, deleted []string) error {
	if len(set) > 0 {
		if err := b.runWith(set, "state-set", "--file", "-"); err != nil {
			return err
		}
	}
	for _, key := range deleted {
		if err := b.run("state-delete", key); err != nil {
			return err
		}
	}
	return nil
}

func (b *toolBackend) ActionGet() (map[string]any, error) {
	var params map[string]any
	if err := b.query(&params, "action-get", jsonFormat); err != nil {
		return nil, err
	}
	plainNumbers(params)
	return params, nil
}

func (b *toolBackend) ActionSet(results map[string]string) error {
	var args []string
	for _, k := range slices.Sorted(maps.Keys(results)) {
		args = append(args, k+"="+results[k])
	}
	return b.run("action-set", args...)
}

func (b *toolBackend) ActionLog(message string) error {
	return b.run("action-log", "--", printable(message))
}

func (b *toolBackend) ActionFail(message string) error {
	return b.run("action-fail", "--", printable(message))
}

func (b *toolBackend) StorageList(name string) ([]string, error) {
	var ids []string
	err := b.query(&ids, "storage-list", jsonFormat, name)
	slices.Sort(ids)
	return ids, err
}

func (b *toolBackend) StorageGet(id string) (kind, location string, err error) {
	var out struct {
		Kind     string `json:"kind"`
		Location string `json:"location"`
	}
	err = b.query(&out, "storage-get", jsonFormat, "-s", id)
	return out.Kind, out.Location, err
}

func (b *toolBackend) StorageAdd(name string, count int) error {
	return b.run("storage-add", fmt.Sprintf("%s=%d", name, count))
}
