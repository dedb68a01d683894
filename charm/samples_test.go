package charm

import (
	"strings"
	"testing"
)

// samples is the table of the charm format reference, section 22, row by row.
// A row of metadata is completed by the fields it does not have and by a
// manifest with one Ubuntu base; "!name" is a row without a name. want is the error, or empty for valid; where
// Juju's lines differ it is that of 3.6. Rows 124 to 130 are about bundles,
// which this package does not read.
var samples = []struct {
	row   int
	file  string // M, C, A, F, L as in the table; m is metadata without a manifest
	input string
	want  string
	check func(*Charm) bool // of a valid row, if it says what must come out
}{
	{1, "M", ``, "", nil},
	{2, "M", `!name`, `metadata: name: expected string, got nothing`, nil},
	{3, "M", `!summary`, `metadata: summary: expected string, got nothing`, nil},
	{4, "M", `!description`, `metadata: description: expected string, got nothing`, nil},
	{5, "M", `name: 77`, `metadata: name: expected string, got int(77)`, nil},
	{6, "M", `summary: ""`, "", nil},
	{7, "M", `colour: blue`, "", nil},
	{8, "M", `provides: {web: http}`, "", isWebHTTP},
	{9, "M", `provides: {web: {interface: http}}`, "", isWebHTTP},
	{10, "M", `provides:`, `metadata: provides: expected map, got nothing`, nil},
	{11, "M", `provides: {}`, "", nil},
	{12, "M", `provides: [web]`, `metadata: provides: expected map, got []interface {}([]interface {}{"web"})`, nil},
	{13, "M", `provides: {web: }`, `metadata: provides.web: expected map, got nothing`, nil},
	{14, "M", `provides: {web: 42}`, `metadata: provides.web: expected map, got int(42)`, nil},
	{15, "M", `provides: {web: {}}`, `metadata: provides.web.interface: expected string, got nothing`, nil},
	{16, "M", `provides: {web: {interface: 9}}`, `metadata: provides.web.interface: expected string, got int(9)`, nil},
	{17, "M", `requires: {db: {interface: pgsql, limit: 2}}`, "", limit(2)},
	{18, "M", `requires: {db: {interface: pgsql, limit: }}`, "", limit(0)},
	{19, "M", `requires: {db: {interface: pgsql, limit: lots}}`, `metadata: requires.db.limit: unexpected value "lots"`, nil},
	{20, "M", `requires: {db: {interface: pgsql, limit: "2"}}`, "", limit(2)},
	{21, "M", `requires: {db: {interface: pgsql, limit: -1}}`, "", limit(0)},
	{22, "M", `requires: {db: {interface: pgsql, scope: container}}`, "", func(c *Charm) bool { return c.Meta.Requires["db"].Scope == "container" }},
	{23, "M", `requires: {db: {interface: pgsql, scope: local}}`, `metadata: requires.db.scope: unexpected value "local"`, nil},
	{24, "M", `requires: {db: {interface: pgsql, optional: "true"}}`, "", func(c *Charm) bool { return c.Meta.Requires["db"].Optional }},
	{25, "M", `requires: {db: {interface: pgsql, optional: 1}}`, `metadata: requires.db.optional: expected bool, got int(1)`, nil},
	{26, "M", `requires: {db: {interface: pgsql, colour: red}}`, "", nil},
	{27, "M", `peers: {ring: ring-peer}`, "", func(c *Charm) bool { return c.Meta.Peers["ring"].Role == "peer" }},
	// Rows 28 and 29 have the "y" in quotes: without, it is a boolean (section 4.1).
	{28, "M", "provides: {db: x}\nrequires: {db: \"y\"}", `charm "frobnitz" using a duplicated relation name: "db"`, nil},
	{29, "M", "requires: {db: x}\npeers: {db: \"y\"}", `charm "frobnitz" using a duplicated relation name: "db"`, nil},
	{30, "M", `provides: {juju-web: http}`, `charm "frobnitz" using a reserved relation name: "juju-web"`, nil},
	{31, "M", `provides: {juju: http}`, `charm "frobnitz" using a reserved relation name: "juju"`, nil},
	{32, "M", `provides: {web: juju-web}`, `charm "frobnitz" relation "web" using a reserved interface: "juju-web"`, nil},
	{33, "M", `peers: {ring: juju-ring}`, `charm "frobnitz" relation "ring" using a reserved interface: "juju-ring"`, nil},
	{34, "M", `requires: {info: juju-info}`, "", nil},
	{35, "M", `requires: {juju-info: juju-info}`, `charm "frobnitz" using a reserved relation name: "juju-info"`, nil},
	{36, "M", "subordinate: true\nrequires: {juju-info: {interface: juju-info, scope: container}}", "", nil},
	{37, "M", "name: juju-frob\nprovides: {juju-web: juju-x}", "", nil},
	{38, "M", `subordinate: true`, `subordinate charm "frobnitz" lacks "requires" relation with container scope`, nil},
	{39, "M", "subordinate: true\nprovides: {a: {interface: b, scope: container}}", `subordinate charm "frobnitz" lacks "requires" relation with container scope`, nil},
	{40, "M", `subordinate: perhaps`, `metadata: subordinate: expected bool, got string("perhaps")`, nil},
	{41, "M", `subordinate: "false"`, "", func(c *Charm) bool { return !c.Meta.Subordinate }},
	{42, "M", `tags: x`, `metadata: tags: expected list, got string("x")`, nil},
	{43, "M", `tags: [ok, 1]`, `metadata: tags[1]: expected string, got int(1)`, nil},
	{44, "M", `extra-bindings: {admin: }`, "", nil},
	{45, "M", `extra-bindings: {admin: 42}`, `metadata: extra-bindings.admin: expected empty value, got int(42)`, nil},
	{46, "M", `extra-bindings: {}`, `charm "frobnitz" has invalid extra bindings: extra bindings cannot be empty when specified`, nil},
	{47, "M", "extra-bindings: {db: }\nrequires: {db: x}", `charm "frobnitz" has invalid extra bindings: relation names (db) cannot be used in extra bindings`, nil},
	{48, "M", `storage: {data: {type: filesystem}}`, "", count(1, 1)},
	{49, "M", `storage: {data: {}}`, `metadata: storage.data.type: unexpected value <nil>`, nil},
	{50, "M", `storage: {data: {type: tape}}`, `metadata: storage.data.type: unexpected value "tape"`, nil},
	{51, "M", `storage: {data: {type: block, location: /srv}}`, `charm "frobnitz" storage "data": location may not be specified for "type: block"`, nil},
	{52, "M", `storage: {data: {type: block, multiple: {range: 0}}}`, `metadata: storage.data.multiple.range: invalid count 0`, nil},
	{53, "M", `storage: {data: {type: block, multiple: {range: 0-3}}}`, "", count(0, 3)},
	{54, "M", `storage: {data: {type: block, multiple: {range: 1+}}}`, "", count(1, -1)},
	{55, "M", `storage: {data: {type: block, multiple: {range: few}}}`, `metadata: storage.data.multiple.range: value "few" does not match 'm', 'm-n', or 'm+'`, nil},
	{56, "M", `storage: {data: {type: block, multiple: {}}}`, `metadata: storage.data.multiple.range: unexpected value <nil>`, nil},
	{57, "M", `storage: {data: {type: block, multiple: {range: 0-0}}}`, `charm "frobnitz" storage "data": invalid maximum count 0`, nil},
	{58, "M", `storage: {data: {type: block, minimum-size: 10}}`, `metadata: storage.data.minimum-size: expected string, got int(10)`, nil},
	{59, "M", `storage: {data: {type: block, minimum-size: 10G}}`, "", func(c *Charm) bool { return c.Meta.Storage["data"].MinimumSize == 10240 }},
	{60, "M", `storage: {data: {type: block, minimum-size: 10Q}}`, `metadata: invalid multiplier suffix "Q", expected one of MGTPEZY`, nil},
	{61, "M", `storage: {data: {type: block, properties: [fast]}}`, `metadata: storage.data.properties[0]: unexpected value "fast"`, nil},
	{62, "M", `devices: {gpu: {type: gpu, countmin: 2}}`, `charm "frobnitz" device "gpu": maximum count 1 can not be smaller than minimum count 2`, nil},
	{63, "M", `devices: {gpu: {}}`, `metadata: devices.gpu.type: expected string, got nothing`, nil},
	{64, "M", `devices: {gpu: {type: gpu, countmax: -1}}`, `metadata: invalid device count -1`, nil},
	{65, "M", `resources: {blob: {type: file, filename: b.tgz}}`, "", nil},
	{66, "M", `resources: {blob: {}}`, `resource missing filename`, nil},
	{67, "M", `resources: {blob: {filename: a/b.tgz}}`, `filename cannot contain "/" (got "a/b.tgz")`, nil},
	{68, "M", `resources: {img: {type: docker}}`, `unsupported resource type "docker"`, nil},
	{69, "M", `resources: {img: {type: oci-image}}`, "", nil},
	{70, "M", "containers: {app: {resource: img}}\nresources: {img: {type: oci-image}}", "", nil},
	{71, "M", `containers: {app: {resource: nope}}`, `parsing containers: referenced resource "nope" not found`, nil},
	{72, "M", "containers: {app: {resource: blob}}\nresources: {blob: {type: file, filename: b.tgz}}", `parsing containers: referenced resource "blob" is not a oci-image`, nil},
	{73, "M", `containers: {app: {mounts: [{location: /srv}]}}`, `parsing containers: container "app": storage must be specified on mount`, nil},
	{74, "M", "containers: {app: {mounts: [{storage: data}]}}\nstorage: {data: {type: filesystem}}", `parsing containers: container "app": location must be specified on mount`, nil},
	{75, "M", `containers: {app: {mounts: [{storage: nope, location: /srv}]}}`, `parsing containers: container "app": storage "nope" not valid`, nil},
	{76, "M", `containers: {app: {uid: 1500}}`, `parsing containers: container "app" has invalid uid 1500: uid cannot be in reserved range 1000-9999`, nil},
	{77, "M", `containers: {app: {uid: 10000, gid: 999}}`, "", func(c *Charm) bool {
		return *c.Meta.Containers["app"].UID == 10000 && *c.Meta.Containers["app"].GID == 999
	}},
	{78, "M", "containers: {app: {}}\nseries: [jammy]", `ambiguous metadata: keys "series" cannot be used with "containers"`, nil},
	{79, "M", `assumes: [juju >= 3.1]`, "", nil},
	{80, "M", `assumes: juju`, `metadata: assumes: expected list, got string("juju")`, nil},
	{81, "M", `assumes: [juju > 3]`, `parsing expression 1 in top level "assumes" block: malformed feature expression "juju > 3"`, nil},
	{82, "M", `assumes: [k8s-api, {some-of: [juju]}]`, `parsing expression 2 in top level "assumes" block: malformed composite expression; expected an "any-of" or "all-of" block`, nil},
	{83, "M", `assumes: [{any-of: juju}]`, `parsing expression 1 in top level "assumes" block: malformed "any-of" expression; expected a list of sub-expressions`, nil},
	{84, "M", `assumes: [{any-of: [juju, 5]}]`, `parsing expression 1 in top level "assumes" block: parsing "any-of" expression: expected a feature, "any-of" or "all-of" expression`, nil},
	// Juju refuses row 85; we accept charms without a manifest, as section 3
	// recommends, and then assumes has to be accepted too.
	{85, "m", `assumes: [juju]`, "", nil},
	{86, "M", `charm-user: boss`, `parsing charm-user: invalid charm-user "boss" expected one of root, sudoer or non-root`, nil},
	{87, "m", `min-juju-version: soon`, `invalid min-juju-version: invalid version "soon"`, nil},
	{88, "M", `min-juju-version: 3.1.0`, `min-juju-version in metadata v2 not valid`, nil},
	{89, "M", `terms: [Licence]`, `wrong term name format "Licence"`, nil},
	{90, "M", `terms: [a/b/c/d]`, `unknown term id format "a/b/c/d"`, nil},
	{91, "C", ``, `invalid config: empty configuration`, nil},
	{92, "C", `{}`, `invalid config: empty configuration`, nil},
	{93, "C", `options:`, "", nil},
	{94, "C", `options: {p: {type: int, default: 80}}`, "", defaultIs("p", int64(80))},
	{95, "C", `options: {p: {type: int, default: "80"}}`, "", defaultIs("p", int64(80))},
	{96, "C", `options: {p: {type: int, default: many}}`, `invalid config default: option "p" expected int, got "many"`, nil},
	{97, "C", `options: {p: {type: int, default: 1.5}}`, `invalid config default: option "p" expected int, got 1.5`, nil},
	{98, "C", `options: {s: {type: string, default: 5}}`, `invalid config default: option "s" expected string, got 5`, nil},
	{99, "C", `options: {s: {default: x}}`, "", func(c *Charm) bool { return c.Config["s"] == Option{Type: StringOption, Default: "x"} }},
	{100, "C", `options: {b: {type: boolean, default: 1}}`, `invalid config default: option "b" expected boolean, got 1`, nil},
	{101, "C", `options: {b: {type: boolean, default: "t"}}`, "", defaultIs("b", true)},
	{102, "C", `options: {f: {type: float, default: "1"}}`, `invalid config default: option "f" expected float, got "1"`, nil},
	{103, "C", `options: {x: {type: list}}`, `invalid config: option "x" has unknown type "list"`, nil},
	{104, "C", `options: {k: {type: secret, default: abc}}`, `invalid config default: option "k" expected secret, got "abc"`, nil},
	{105, "C", `options: {k: {type: secret, default: ""}}`, "", defaultIs("k", "")},
	{106, "A", ``, "", nil},
	{107, "A", `backup:`, "", func(c *Charm) bool { return c.Actions["backup"].Description == "No description" }},
	{108, "A", `Backup: {}`, `bad action name Backup`, nil},
	{109, "A", `back_up: {}`, `bad action name back_up`, nil},
	{110, "A", `juju-go: {}`, `cannot use action name juju-go: the "juju-" prefix is reserved`, nil},
	{111, "A", `go: {description: 5}`, `value for schema key "description" must be a string`, nil},
	{112, "A", `go: {required: target}`, `value for schema key "required" must be a YAML list`, nil},
	{113, "A", `go: {parallel: "yes"}`, `value for schema key "parallel" must be a bool`, nil},
	{114, "A", `go: {params: }`, `params failed to parse as a map`, nil},
	{115, "A", `go: {params: {a: {$ref: "#/x"}}}`, `schema key "$ref" not compatible with this version of juju`, nil},
	{116, "A", `go: {params: {5: {type: string}}}`, `map keyed with non-string value`, nil},
	// Row 117 is about the parameters of a run: see TestValidateParams.
	{118, "F", `bases: [{name: ubuntu, channel: "24.04"}]`, "", func(c *Charm) bool { return c.Bases[0].Channel == "24.04/stable" }},
	{119, "F", `{}`, `manifest: coerce: expected list, got nothing`, nil},
	{120, "F", `bases: [{name: "", channel: "24.04"}]`, `manifest: base without name not valid`, nil},
	{121, "F", `bases: [{name: ubuntu, channel: 24.04/wild}]`, `manifest: parsing channel "24.04/wild": risk in channel "24.04/wild" not valid`, nil},
	{122, "L", `devices: {root: {type: disk}}`, `invalid lxd-profile.yaml: contains device type "disk"`, nil},
	{123, "L", `config: {limits.memory: 1GB}`, `invalid lxd-profile.yaml: contains config value "limits.memory"`, nil},
}

func isWebHTTP(c *Charm) bool {
	return c.Meta.Provides["web"] == Relation{Name: "web", Role: "provider", Interface: "http", Scope: "global"}
}

func limit(n int) func(*Charm) bool {
	return func(c *Charm) bool { return c.Meta.Requires["db"].Limit == n }
}

func count(least, most int) func(*Charm) bool {
	return func(c *Charm) bool {
		s := c.Meta.Storage["data"]
		return s.CountMin == least && s.CountMax == most
	}
}

func defaultIs(name string, want any) func(*Charm) bool {
	return func(c *Charm) bool { return c.Config[name].Default == want }
}

// sampleFiles builds the charm of a row.
func sampleFiles(file, input string) map[string][]byte {
	files := map[string][]byte{
		"manifest.yaml": []byte(`bases: [{name: ubuntu, channel: "22.04"}]`),
		"metadata.yaml": []byte("name: frobnitz\nsummary: s\ndescription: d\n"),
	}
	switch file {
	case "m":
		delete(files, "manifest.yaml")
		fallthrough
	case "M":
		meta := ""
		if !strings.HasPrefix(input, "!") {
			meta = input + "\n"
		}
		for _, f := range []string{"name: frobnitz", "summary: s", "description: d"} {
			if key, _, _ := strings.Cut(f, ":"); input != "!"+key && !strings.Contains("\n"+input, "\n"+key+":") {
				meta += f + "\n"
			}
		}
		files["metadata.yaml"] = []byte(meta)
	default:
		files[sampleNames[file]] = []byte(input)
	}
	return files
}

var sampleNames = map[string]string{
	"M": "metadata.yaml", "m": "metadata.yaml", "C": "config.yaml", "A": "actions.yaml", "F": "manifest.yaml", "L": "lxd-profile.yaml",
}

// TestSamples holds the parser to the charm format reference, section 22.
func TestSamples(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for _, s := range samples {
		seen[s.row] = true
		c, err := Parse(sampleFiles(s.file, s.input))
		switch {
		case s.want == "" && err != nil:
			t.Errorf("row %d: %s: %v, want it valid", s.row, s.input, err)
		case s.want == "":
			if s.check != nil && !s.check(c) {
				t.Errorf("row %d: %s: read as %+v", s.row, s.input, c)
			}
		case err == nil:
			t.Errorf("row %d: %s: valid, want %s", s.row, s.input, s.want)
		default:
			checkError(t, s.row, err, sampleNames[s.file], s.want)
		}
	}
	for row := 1; row <= 123; row++ {
		if !seen[row] && row != 117 {
			t.Errorf("row %d of the table is not tested", row)
		}
	}
}

// checkError wants an *Error of Juju's exact wording that says where and why.
func checkError(t *testing.T, row int, err error, file, want string) {
	t.Helper()
	e, ok := err.(*Error)
	if !ok {
		t.Errorf("row %d: error is %T, want *Error", row, err)
		return
	}
	if e.Reason != want {
		t.Errorf("row %d: reason\n got %s\nwant %s", row, e.Reason, want)
	}
	if e.File != file || e.Line == 0 || e.Rule == "" {
		t.Errorf("row %d: file %q, line %d, rule %q: want file %q, a line and a rule", row, e.File, e.Line, e.Rule, file)
	}
	if !strings.HasPrefix(err.Error(), want+" ("+file+":") {
		t.Errorf("row %d: text %q does not begin with Juju's words followed by the place", row, err)
	}
}
