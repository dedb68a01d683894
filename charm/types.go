package charm

import "kith"

// Charm is everything kith reads from a charm's files, in one stable JSON form.
type Charm struct {
	Meta    Meta              `json:"meta"`
	Config  map[string]Option `json:"config,omitempty"`
	Actions map[string]Action `json:"actions,omitempty"`
	// Revision is what the charm's revision file says; 0 if it has none.
	Revision int `json:"revision"`
	// Version is the first line of the charm's version file: free text.
	Version string `json:"version,omitempty"`
	// Bases the charm supports, from manifest.yaml, charmcraft.yaml or series.
	Bases []Base `json:"bases,omitempty"`
}

// Base is an operating system and its channel: ubuntu, 24.04/stable.
type Base struct {
	Name          string   `json:"name"`
	Channel       string   `json:"channel"`
	Architectures []string `json:"architectures,omitempty"`
}

// Meta is the content of metadata.yaml, or of the same fields of charmcraft.yaml.
type Meta struct {
	Name           string               `json:"name"`
	Summary        string               `json:"summary,omitempty"`
	Description    string               `json:"description,omitempty"`
	Subordinate    bool                 `json:"subordinate,omitempty"`
	Provides       map[string]Relation  `json:"provides,omitempty"`
	Requires       map[string]Relation  `json:"requires,omitempty"`
	Peers          map[string]Relation  `json:"peers,omitempty"`
	ExtraBindings  []string             `json:"extra-bindings,omitempty"`
	Storage        map[string]Storage   `json:"storage,omitempty"`
	Devices        map[string]Device    `json:"devices,omitempty"`
	Resources      map[string]Resource  `json:"resources,omitempty"`
	Containers     map[string]Container `json:"containers,omitempty"`
	Assumes        *Assumption          `json:"assumes,omitempty"`
	Terms          []string             `json:"terms,omitempty"`
	Tags           []string             `json:"tags,omitempty"`
	Categories     []string             `json:"categories,omitempty"`
	Series         []string             `json:"series,omitempty"`
	MinJujuVersion string               `json:"min-juju-version,omitempty"`
	CharmUser      string               `json:"charm-user,omitempty"`
	// Payloads are the types of payload classes, which only charms of 3.6 and older have.
	Payloads map[string]string `json:"payloads,omitempty"`
}

// Relation is one endpoint as a charm declares it (charm format reference, section 6).
type Relation struct {
	Name      kith.EndpointName `json:"name"`
	Role      kith.Role         `json:"role"`
	Interface string            `json:"interface"`
	Optional  bool              `json:"optional,omitempty"`
	// Limit is the most relations the endpoint may have; 0 means no limit.
	Limit int        `json:"limit,omitempty"`
	Scope kith.Scope `json:"scope"`
}

// JujuInfo is the name and the interface of the endpoint every application
// provides without declaring it (relations reference, section 1.3).
const JujuInfo = "juju-info"

// IsImplicit reports whether r is the endpoint nobody declares: a provider whose
// name and interface are both juju-info.
func (r Relation) IsImplicit() bool {
	return r.Name == JujuInfo && r.Interface == JujuInfo && r.Role == kith.Provider
}

// Storage is one store the charm asks for (section 8.1).
type Storage struct {
	Name        string `json:"name"`
	Type        string `json:"type"` // block or filesystem
	Description string `json:"description,omitempty"`
	Shared      bool   `json:"shared,omitempty"`
	ReadOnly    bool   `json:"read-only,omitempty"`
	// CountMin and CountMax bound the number of instances; a CountMax of -1 has no bound.
	CountMin int `json:"count-min"`
	CountMax int `json:"count-max"`
	// MinimumSize is in MiB; 0 if the charm does not say.
	MinimumSize uint64   `json:"minimum-size,omitempty"`
	Location    string   `json:"location,omitempty"`
	Properties  []string `json:"properties,omitempty"`
}

// Device is a piece of hardware the charm asks for (section 8.2).
type Device struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Description string `json:"description,omitempty"`
	CountMin    int    `json:"count-min"`
	CountMax    int    `json:"count-max"`
}

// Resource is a file or an image that is delivered beside the charm (section 9.1).
type Resource struct {
	Name        string `json:"name"`
	Type        string `json:"type"` // file or oci-image
	Filename    string `json:"filename,omitempty"`
	Description string `json:"description,omitempty"`
}

// Container is a workload container of a Kubernetes charm (section 9.2).
type Container struct {
	Name     string  `json:"name"`
	Resource string  `json:"resource,omitempty"`
	Mounts   []Mount `json:"mounts,omitempty"`
	UID      *int    `json:"uid,omitempty"`
	GID      *int    `json:"gid,omitempty"`
}

// Mount puts a storage of the charm at a place inside a container.
type Mount struct {
	Storage  string `json:"storage"`
	Location string `json:"location"`
}

// Assumption is a tree of what the charm assumes about the model (section 10).
// Exactly one of Feature, AllOf and AnyOf is meant by Kind.
type Assumption struct {
	Kind AssumptionKind `json:"kind"`
	// Feature, with Operator (">=" or "<") and Version if the charm names a version.
	Feature  string       `json:"feature,omitempty"`
	Operator string       `json:"operator,omitempty"`
	Version  string       `json:"version,omitempty"`
	Of       []Assumption `json:"of,omitempty"`
}

// AssumptionKind says whether an assumption is a leaf or a list.
type AssumptionKind string

// The kinds of assumption.
const (
	FeatureAssumption AssumptionKind = "feature"
	AllOfAssumption   AssumptionKind = "all-of"
	AnyOfAssumption   AssumptionKind = "any-of"
)

// OptionType is the type of a configuration option.
type OptionType string

// The option types (section 13). "integer" is read as int.
const (
	StringOption  OptionType = "string"
	IntOption     OptionType = "int"
	FloatOption   OptionType = "float"
	BooleanOption OptionType = "boolean"
	SecretOption  OptionType = "secret"
)

// Option is one configuration option (section 13).
type Option struct {
	Type        OptionType `json:"type"`
	Description string     `json:"description,omitempty"`
	// Default is a string, int64, float64 or bool as Type says, or nil if there is none.
	Default any `json:"default,omitempty"`
}

// Action is one action a charm offers (section 14).
type Action struct {
	Title          string `json:"title,omitempty"`
	Description    string `json:"description,omitempty"`
	Parallel       bool   `json:"parallel,omitempty"`
	ExecutionGroup string `json:"execution-group,omitempty"`
	// Params is the JSON schema (draft 4, an object) of the whole set of parameters,
	// as show-action prints it.
	Params map[string]any `json:"params,omitempty"`
}
