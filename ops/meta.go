package ops

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"kith"
)

// CharmMeta is what a charm says about itself, as far as it can matter to it while it
// runs. The host has checked it when the charm was deployed, so nothing is checked here;
// package kith/charm does that. What the charm does not say is empty.
type CharmMeta struct {
	Name        string     `yaml:"name"`
	Summary     string     `yaml:"summary"`
	Description string     `yaml:"description"`
	Maintainers []string   `yaml:"maintainers"` // "Name <address>"
	Links       CharmLinks `yaml:"-"`
	Tags        []string   `yaml:"tags"`
	Terms       []string   `yaml:"terms"`
	Series      []string   `yaml:"series"` // charms of the first format only
	Subordinate bool       `yaml:"subordinate"`
	// Assumes is what the charm wants of its host, as the file has it: texts such as
	// "juju >= 3.6", and maps any-of and all-of of such lists.
	Assumes   []any  `yaml:"assumes"`
	CharmUser string `yaml:"charm-user"` // root, sudoer or non-root

	Provides map[kith.EndpointName]RelationMeta `yaml:"provides"`
	Requires map[kith.EndpointName]RelationMeta `yaml:"requires"`
	Peers    map[kith.EndpointName]RelationMeta `yaml:"peers"`

	Storages   map[string]StorageMeta   `yaml:"storage"`
	Resources  map[string]ResourceMeta  `yaml:"resources"`
	Containers map[string]ContainerMeta `yaml:"containers"`
	Payloads   map[string]PayloadMeta   `yaml:"payloads"`
	Actions    map[string]ActionMeta    `yaml:"actions"`
	Options    map[string]OptionMeta    `yaml:"-"`
	// ExtraBindings are names for [Model.GetBinding] beside those of the endpoints.
	ExtraBindings map[kith.EndpointName]struct{} `yaml:"extra-bindings"`
}

// CharmLinks are pages about a charm.
type CharmLinks struct {
	Websites, Sources, Issues []string
	Documentation             string
}

// RelationMeta is an endpoint of a charm.
type RelationMeta struct {
	Name      kith.EndpointName `yaml:"-"`
	Role      kith.Role         `yaml:"-"`
	Interface string            `yaml:"interface"`
	Limit     int               `yaml:"limit"` // 0: none
	Scope     kith.Scope        `yaml:"scope"`
	Optional  bool              `yaml:"optional"`
}

// UnmarshalYAML reads the short form too, where an endpoint is but its interface.
func (r *RelationMeta) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&r.Interface)
	}
	type long RelationMeta
	return n.Decode((*long)(r))
}

// StorageMeta is a storage of a charm.
type StorageMeta struct {
	Type        string       `yaml:"type"` // filesystem or block
	Description string       `yaml:"description"`
	Location    string       `yaml:"location"`
	Shared      bool         `yaml:"shared"`
	ReadOnly    bool         `yaml:"read-only"`
	MinimumSize string       `yaml:"minimum-size"` // "10G"
	Properties  []string     `yaml:"properties"`
	Count       StorageCount `yaml:"multiple"`
}

// UnmarshalYAML knows how many there are where nothing is said.
func (s *StorageMeta) UnmarshalYAML(n *yaml.Node) error {
	type plain StorageMeta
	s.Count = StorageCount{1, 1}
	return n.Decode((*plain)(s))
}

// StorageCount is how many instances of a storage a unit can have: 1 and 1 where the charm does not say.
type StorageCount struct {
	Min int
	Max int // 0: any number
}

// UnmarshalYAML reads "3", "0-3", "1-" and "1+" under the key range.
func (c *StorageCount) UnmarshalYAML(n *yaml.Node) error {
	var multiple struct {
		Range string `yaml:"range"`
	}
	if err := n.Decode(&multiple); err != nil {
		return err
	}
	low, high := multiple.Range, multiple.Range
	if i := strings.IndexAny(low, "-+"); i >= 0 {
		low, high = low[:i], low[i+1:]
	}
	c.Min, _ = strconv.Atoi(low)  // what is no number counts as 0: the host has accepted it
	c.Max, _ = strconv.Atoi(high) // and no number is any number
	return nil
}

// ResourceMeta is a resource of a charm.
type ResourceMeta struct {
	Type        string `yaml:"type"` // file or oci-image
	Filename    string `yaml:"filename"`
	Description string `yaml:"description"`
}

// PayloadMeta is a payload of a charm, which no host does anything with any more.
type PayloadMeta struct {
	Type string `yaml:"type"`
}

// ContainerMeta is a workload container of a charm.
type ContainerMeta struct {
	Resource string           `yaml:"resource"`
	Mounts   []ContainerMount `yaml:"mounts"`
}

// ContainerMount is where a container sees a storage.
type ContainerMount struct {
	Storage  string `yaml:"storage"`
	Location string `yaml:"location"`
}

// ActionMeta is an action of a charm.
type ActionMeta struct {
	Title       string         `yaml:"title"`
	Description string         `yaml:"description"`
	Params      map[string]any `yaml:"params"` // a JSON schema for each parameter
	Required    []string       `yaml:"required"`
	// AdditionalProperties says whether parameters that are not in Params are accepted; nil
	// leaves it to the host: Juju before 4 does.
	AdditionalProperties *bool `yaml:"additionalProperties"`
}

// OptionMeta is a configuration option of a charm.
type OptionMeta struct {
	Type        string `yaml:"type"` // string, int, float, boolean or secret
	Description string `yaml:"description"`
	Default     any    `yaml:"default"` // nil: none
}

// jujuInfo is the endpoint every charm provides without saying so.
const jujuInfo = "juju-info"

// Endpoint finds an endpoint, the implicit juju-info among them.
func (c *CharmMeta) Endpoint(name kith.EndpointName) (RelationMeta, bool) {
	for _, side := range []struct {
		role  kith.Role
		among map[kith.EndpointName]RelationMeta
	}{{kith.Provider, c.Provides}, {kith.Requirer, c.Requires}, {kith.Peer, c.Peers}} {
		if r, ok := side.among[name]; ok {
			r.Name, r.Role = name, side.role
			if r.Scope == "" {
				r.Scope = kith.Global
			}
			return r, true
		}
	}
	if name == jujuInfo {
		return RelationMeta{Name: name, Role: kith.Provider, Interface: jujuInfo, Scope: kith.Global}, true
	}
	return RelationMeta{}, false
}

// subject is what some events are about: it has a name, which the charm's metadata has to name.
type subject string

const (
	anEndpoint subject = "endpoint"
	aStorage   subject = "storage"
	anAction   subject = "action"
	aContainer subject = "container"
)

// has reports whether the charm has a subject of that name.
func (c *CharmMeta) has(s subject, name string) (ok bool) {
	switch s {
	case anEndpoint:
		_, ok = c.Endpoint(kith.EndpointName(name))
	case aStorage:
		_, ok = c.Storages[name]
	case anAction:
		_, ok = c.Actions[name]
	case aContainer:
		_, ok = c.Containers[name]
	}
	return ok
}

// Endpoints are those the charm declares, by name.
func (c *CharmMeta) Endpoints() []RelationMeta {
	names := slices.Concat(slices.Collect(maps.Keys(c.Provides)), slices.Collect(maps.Keys(c.Requires)), slices.Collect(maps.Keys(c.Peers)))
	slices.Sort(names)
	all := make([]RelationMeta, len(names))
	for i, name := range names {
		all[i], _ = c.Endpoint(name)
	}
	return all
}

// ReadCharmMeta reads what [ParseCharmMeta] does from a charm's folder. Errors: NotFound for a
// folder without a charm, Unavailable for files that cannot be read, and those of ParseCharmMeta.
func ReadCharmMeta(dir string) (*CharmMeta, error) {
	files := map[string][]byte{}
	for _, name := range []string{metadataFile, charmcraftFile, actionsFile, configFile} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, kith.Errorf(kith.Unavailable, "cannot read what the charm says about itself: %v", err)
		default:
			files[name] = data
		}
	}
	if files[metadataFile] == nil && files[charmcraftFile] == nil {
		return nil, kith.Errorf(kith.NotFound, "charm not found: %s", dir).
			WithHint("the folder has neither metadata.yaml nor charmcraft.yaml")
	}
	return ParseCharmMeta(files)
}

const (
	metadataFile   = "metadata.yaml"
	charmcraftFile = "charmcraft.yaml"
	actionsFile    = "actions.yaml"
	configFile     = "config.yaml"
)

// ParseCharmMeta reads the files of a charm by name: metadata.yaml, actions.yaml and
// config.yaml as they are where a charm runs, or, without metadata.yaml, charmcraft.yaml
// as it is where one is written. Errors: Invalid for what is no YAML.
func ParseCharmMeta(files map[string][]byte) (*CharmMeta, error) {
	main := metadataFile
	if files[main] == nil {
		main = charmcraftFile
	}
	var c struct {
		CharmMeta `yaml:",inline"`
		Config    options `yaml:"config"`

		Maintainer string `yaml:"maintainer"`
		running    `yaml:",inline"`
		Links      written `yaml:"links"`
	}
	err := decodeYAML(main, files[main], &c)
	if main == metadataFile { // it has neither of the two itself
		c.Actions = nil
		err = errors.Join(err, decodeYAML(actionsFile, files[actionsFile], &c.Actions), decodeYAML(configFile, files[configFile], &c.Config))
	}
	c.Options = c.Config.Options
	c.CharmMeta.Links = CharmLinks{
		slices.Concat(c.Website, c.Links.Website), slices.Concat(c.Source, c.Links.Source), slices.Concat(c.Issues, c.Links.Issues),
		cmp.Or(c.Docs, c.Links.Documentation),
	}
	c.Maintainers = slices.Concat(c.Maintainers, c.Links.Contact)
	if c.Maintainer != "" {
		c.Maintainers = append(c.Maintainers, c.Maintainer)
	}
	return &c.CharmMeta, err
}

// running and written are the links in metadata.yaml and in charmcraft.yaml.
type (
	running struct {
		Website, Source, Issues oneOrMore
		Docs                    string
	}
	written struct {
		Website, Source, Issues, Contact oneOrMore
		Documentation                    string
	}
)

// oneOrMore is a text or a list of such.
type oneOrMore []string

// UnmarshalYAML reads either.
func (o *oneOrMore) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*o = oneOrMore{n.Value}
		return nil
	}
	return n.Decode((*[]string)(o))
}

// options is the form of config.yaml.
type options struct {
	Options map[string]OptionMeta `yaml:"options"`
}

// decodeYAML reads a file of the charm. A field of another type than we know is left
// empty: the host has accepted it.
func decodeYAML(name string, data []byte, into any) error {
	err := yaml.Unmarshal(data, into)
	var odd *yaml.TypeError
	if err == nil || errors.As(err, &odd) {
		return nil
	}
	return kith.Errorf(kith.Invalid, "cannot read %s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
}
