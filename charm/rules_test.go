package charm

import (
	"testing"
)

// rules are the messages of the charm format reference that its sample table
// does not repeat, by section. Conventions as in samples.
var rules = []struct {
	section string
	file    string
	input   string
	want    string
	check   func(*Charm) bool
}{
	{"3", "M", "assumes: [juju]\nseries: [jammy]", `ambiguous metadata: keys "series" cannot be used with "assumes"`, nil},
	{"3", "M", "charm-user: root\ndeployment: {}", `ambiguous metadata: keys "deployment" cannot be used with "charm-user"`, nil},
	{"3", "M", "assumes: [juju]\nseries: [jammy]\nmin-juju-version: 3.0.0", `ambiguous metadata: keys "min-juju-version", "series" cannot be used with "assumes"`, nil},
	{"3", "M", `series: [jammy]`, `metadata v2 manifest.yaml with series slice not valid`, nil},
	{"3", "M", `deployment: {}`, `deployment in metadata v2 not valid`, nil},
	{"3", "m", "containers: {app: {}}\nplatforms: [kubernetes]\nbases: [{name: ubuntu, channel: 18.04/stable}]", `containers without a manifest.yaml not valid`, nil},
	{"3", "m", `containers: {app: {}}`, "", nil},
	{"4.1", "M", `provides: {web: on}`, `metadata: provides.web: expected map, got bool(true)`, nil},
	{"4.1", "M", "provides: {web: http}\nprovides: {site: http}", "", func(c *Charm) bool { return len(c.Meta.Provides) == 1 && c.Meta.Provides["site"].Interface == "http" }},
	{"4.1", "M", `provides: {5: http}`, `metadata: provides: expected map[string], got map[interface {}]interface {}(map[interface {}]interface {}{5:"http"})`, nil},
	{"4.2", "M", `tags:`, `metadata: tags: expected list, got nothing`, nil},
	{"4.2", "M", `storage:`, `metadata: storage: expected map, got nothing`, nil},
	{"4.2", "M", `subordinate:`, `metadata: subordinate: expected bool, got nothing`, nil},
	{"4.2", "M", `subordinate: 1`, `metadata: subordinate: expected bool, got int(1)`, nil},
	{"4.2", "M", `subordinate: "F"`, "", nil},
	{"4.2", "M", `revision: "0x1f"`, "", nil},
	{"4.2", "M", `revision: 1.5`, `metadata: revision: expected int, got float64(1.5)`, nil},
	{"5", "M", `provides: {web: {interface: {a: 1}}}`, `metadata: provides.web.interface: expected string, got map[interface {}]interface {}(map[interface {}]interface {}{"a":1})`, nil},
	{"6.1", "M", `requires: {db: }`, `metadata: requires.db: expected map, got nothing`, nil},
	{"6.1", "M", `requires: {db: {limit: 1}}`, `metadata: requires.db.interface: expected string, got nothing`, nil},
	{"6.1", "M", `requires: {db: {interface: ""}}`, "", nil},
	{"6.1", "M", `requires: {db: {interface: pgsql, scope: }}`, `metadata: requires.db.scope: unexpected value <nil>`, nil},
	{"6.1", "M", `requires: {db: {interface: pgsql, limit: 1.5}}`, `metadata: requires.db.limit: unexpected value 1.5`, nil},
	{"6.2", "M", `requires: {Db: pgsql}`, `metadata: requires.Db: endpoint name "Db" not valid`, nil},
	{"6.2", "M", `requires: {a--b: pgsql}`, `metadata: requires.a--b: endpoint name "a--b" not valid`, nil},
	{"6.2", "M", `requires: {my_db-2: pgsql}`, "", nil},
	{"6.3", "M", `provides: {juju-info: juju-info}`, `charm "frobnitz" using a reserved relation name: "juju-info"`, nil},
	{"6.3", "M", "subordinate: true\nrequires: {juju-x: y1, ok: {interface: z, scope: container}}", `charm "frobnitz" using a reserved relation name: "juju-x"`, nil},
	{"7.1", "M", `extra-bindings: {admin: , public: }`, "", func(c *Charm) bool { return len(c.Meta.ExtraBindings) == 2 }},
	{"7.1", "M", `extra-bindings:`, `metadata: extra-bindings: expected map, got nothing`, nil},
	{"7.1", "M", `extra-bindings: {"": }`, `metadata: extra-bindings: expected non-empty binding name, got string("")`, nil},
	{"7.1", "M", "extra-bindings: {db: , cache: }\nrequires: {db: x}\nprovides: {cache: x}", `charm "frobnitz" has invalid extra bindings: relation names (cache, db) cannot be used in extra bindings`, nil},
	{"8.1", "M", `storage: {data: }`, `metadata: storage.data: expected map, got nothing`, nil},
	{"8.1", "M", `storage: {data: {type: block, shared: maybe}}`, `metadata: storage.data.shared: expected bool, got string("maybe")`, nil},
	{"8.1", "M", `storage: {data: {type: block, multiple: {range: 3}}}`, "", count(3, 3)},
	{"8.1", "M", `storage: {data: {type: block, multiple: {range: "3"}}}`, "", count(3, 3)},
	{"8.1", "M", `storage: {data: {type: block, multiple: {range: 2-}}}`, "", count(2, -1)},
	{"8.1", "M", `storage: {data: {type: block, multiple: {range: 3-1}}}`, "", count(3, 1)},
	{"8.1", "M", `storage: {data: {type: block, multiple: {range: "0"}}}`, `metadata: storage.data.multiple.range: invalid count 0`, nil},
	{"8.1", "M", `storage: {data: {type: block, multiple: {range: -2}}}`, `metadata: storage.data.multiple.range: invalid count -2`, nil},
	{"8.1", "M", `storage: {data: {type: block, minimum-size: 1.5GiB}}`, "", size(1536)},
	{"8.1", "M", `storage: {data: {type: block, minimum-size: 0.3M}}`, "", size(1)},
	{"8.1", "M", `storage: {data: {type: block, minimum-size: "7"}}`, "", size(7)},
	{"8.1", "M", `storage: {data: {type: block, minimum-size: 2TB}}`, "", size(2 << 20)},
	{"8.1", "M", `storage: {data: {type: block, minimum-size: 10g}}`, `metadata: invalid multiplier suffix "g", expected one of MGTPEZY`, nil},
	{"8.1", "M", `storage: {data: {type: block, minimum-size: tiny}}`, `metadata: expected a non-negative number, got "tiny"`, nil},
	{"8.1", "M", `storage: {a_b: {type: block}}`, `metadata: storage.a_b: storage name "a_b" not valid`, nil},
	{"8.2", "M", `devices: {gpu: {type: ""}}`, `charm "frobnitz" device "gpu": type must be specified`, nil},
	{"8.2", "M", `devices: {gpu: {type: nvidia.com/gpu, countmin: 1, countmax: 4}}`, "", nil},
	{"9.1", "M", `resources: {blob: }`, `metadata: resources.blob: expected map, got nothing`, nil},
	{"9.2", "M", `containers: {app: {mounts: x}}`, `metadata: containers.app.mounts: expected list, got string("x")`, nil},
	{"9.2", "M", `containers: {app: {gid: 9999}}`, `parsing containers: container "app" has invalid gid 9999: gid cannot be in reserved range 1000-9999`, nil},
	// Juju refuses the next one; ops accepts it and its own test charms have it.
	{"9.2", "M", `containers: {app: }`, "", nil},
	{"10", "M", `assumes: [X]`, `parsing expression 1 in top level "assumes" block: malformed feature expression "X"`, nil},
	{"10", "M", `assumes: [{any-of: [X]}]`, `parsing expression 1 in top level "assumes" block: parsing "any-of" expression: malformed feature expression "X"`, nil},
	{"10", "M", `assumes: [{any-of: [juju], all-of: [juju]}]`, `parsing expression 1 in top level "assumes" block: malformed composite expression`, nil},
	{"10", "M", `assumes: [{any-of: }]`, `parsing expression 1 in top level "assumes" block: malformed composite expression; expected an "any-of" or "all-of" block`, nil},
	{"10", "M", `assumes: [5]`, `parsing expression 1 in top level "assumes" block: expected a feature, "any-of" or "all-of" expression`, nil},
	{"10", "M", `assumes: ["juju>=3.1", {any-of: [{all-of: [juju >= 3.6, juju < 4]}, k8s-api]}]`, "", func(c *Charm) bool {
		a := c.Meta.Assumes
		return a.Of[0].Feature == "juju" && a.Of[0].Operator == ">=" && a.Of[0].Version == "3.1" && a.Of[1].Kind == AnyOfAssumption && a.Of[1].Of[0].Of[1].Version == "4"
	}},
	{"11", "M", `terms: [-x-/licence]`, `wrong owner format "-x-"`, nil},
	{"11", "M", `terms: [licence/0, ten:own/licence/3]`, "", nil},
	{"11", "M", `terms: [licence/-1]`, `negative term revision`, nil},
	{"11", "M", `terms: [licence/12a]`, `wrong term name format "12a"`, nil},
	{"11", "M", `terms: [own/licence/12a]`, `invalid revision number "12a" strconv.Atoi: parsing "12a": invalid syntax`, nil},
	{"11", "M", `terms: ["X:own/licence/1"]`, `wrong term tenant format "X"`, nil},
	{"12", "m", `series: [Jammy!]`, `charm "frobnitz" declares invalid series: "Jammy!"`, nil},
	{"12", "m", `series: [jammy, kubernetes]`, "", func(c *Charm) bool { return len(c.Bases) == 1 && c.Bases[0].Channel == "22.04/stable" }},
	{"12", "M", `payloads: {x: }`, `metadata: payloads.x: expected map, got nothing`, nil},
	{"12", "M", `payloads: {x: {}}`, `payload class missing type`, nil},
	{"13", "C", `options: {port: {type: number}}`, `invalid config: option "port" has unknown type "number"`, nil},
	{"13", "C", `options: {port: {type: int, default: ""}}`, `invalid config default: option "port" expected int, got ""`, nil},
	{"13", "C", `options: {port: {type: integer, default: 5}}`, "", func(c *Charm) bool { return c.Config["port"] == Option{Type: IntOption, Default: int64(5)} }},
	{"13", "C", `options: {f: {type: float, default: 3}}`, "", defaultIs("f", 3.0)},
	{"13", "C", `options: {f: {type: float, default: .inf}}`, `invalid config default: option "f" expected float, got +Inf`, nil},
	{"13", "C", `options: {i: {type: int, default: 80.0}}`, `invalid config default: option "i" expected int, got 80`, nil},
	{"13", "C", `options: {k: {type: secret, default: "secret:abc"}}`, "", defaultIs("k", "secret:abc")},
	{"13", "C", `options: {s: {default: ""}}`, "", defaultIs("s", "")},
	{"13", "C", `options: {s: {default: [a]}}`, `invalid config default: option "s" expected string, got []interface {}{"a"}`, nil},
	{"13", "C", `options: {s: {type: null, description: null}}`, "", func(c *Charm) bool { return c.Config["s"] == Option{Type: StringOption} }},
	{"13", "C", `options: {s: {type: string, description: yes}}`, "", func(c *Charm) bool { return c.Config["s"].Description == "yes" }},
	{"13", "C", `options: {s: }`, "", func(c *Charm) bool { return c.Config["s"] == Option{Type: StringOption} }},
	{"13", "C", `options: {s: {type: int, default: }}`, "", func(c *Charm) bool { return c.Config["s"] == Option{Type: IntOption} }},
	{"14", "A", `juju: {}`, `cannot use action name juju: "juju" is a reserved name`, nil},
	{"14", "A", `go: {title: 5}`, `value for schema key "title" must be a string`, nil},
	{"14", "A", `go: {execution-group: [a]}`, `value for schema key "execution-group" must be a string`, nil},
	{"14", "A", `go: {params: {a: {type: sausage}}}`, `invalid params schema for action schema go: sausage is not a valid type`, nil},
	{"14", "A", `go: {definitions: 5}`, `invalid params schema for action schema go: definitions must be of type array of schemas`, nil},
	{"14", "A", `go: {params: {a: {$schema: x}}}`, `schema key "$schema" not compatible with this version of juju`, nil},
	{"14", "A", `go: {params: {a: {default: .nan}}}`, `value .nan cannot be written as JSON`, nil},
	{"14", "A", `go: 5`, "yaml: unmarshal errors: line 1: cannot unmarshal !!int `5` into map[string]interface {}", nil},
	{"15", "F", `bases: [{name: ubuntu, channel: 24.04}]`, `manifest: coerce: [0].channel: expected string, got float64(24.04)`, nil},
	{"15", "F", `bases: [{name: ubuntu, channel: ""}]`, `manifest: parsing channel "": empty channel not valid`, nil},
	{"15", "F", `bases: [{name: ubuntu, channel: a/b/c/d}]`, `manifest: parsing channel "a/b/c/d": channel is malformed and has too many components "a/b/c/d"`, nil},
	{"15", "F", `bases: [{name: plan9, channel: "4"}]`, `manifest: os "plan9" not valid`, nil},
	{"15", "F", `bases: [{name: ubuntu, channel: "24.04", architectures: [pdp11]}]`, `manifest: architecture "pdp11" not valid`, nil},
	{"15", "F", `bases: []`, "", nil},
	{"15", "F", ``, "", nil},
	{"16", "L", `devices: {gpu: {type: gpu}}`, "", nil},
	{"16", "L", `config: {boot.autostart: "true"}`, `invalid lxd-profile.yaml: contains config value "boot.autostart"`, nil},
}

func size(mib uint64) func(*Charm) bool {
	return func(c *Charm) bool { return c.Meta.Storage["data"].MinimumSize == mib }
}

// TestRules holds the parsers to the sections of the charm format reference.
func TestRules(t *testing.T) {
	t.Parallel()
	for i, r := range rules {
		c, err := Parse(sampleFiles(r.file, r.input))
		switch {
		case r.want == "" && err != nil:
			t.Errorf("section %s: %s: %v, want it valid", r.section, r.input, err)
		case r.want == "":
			if r.check != nil && !r.check(c) {
				t.Errorf("section %s: %s: read as %+v", r.section, r.input, c)
			}
		case err == nil:
			t.Errorf("section %s: %s: valid, want %s", r.section, r.input, r.want)
		default:
			checkError(t, i, err, sampleNames[r.file], r.want)
		}
	}
}
