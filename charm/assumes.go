package charm

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kith"
)

var featurePattern = regexp.MustCompile(`^([a-z][a-z0-9-]*?[a-z0-9]+)(?:\s*(>=|<)\s*([0-9]{1,9}(?:\.[0-9]{1,9}){0,2}(?:-[a-z]+[0-9.]*)?))?$`)

// parseAssumes reads the assumes section (section 10): a list that is an all-of.
func parseAssumes(n *node) (*Assumption, error) {
	items, err := n.asList()
	if err != nil {
		return nil, err
	}
	top := &Assumption{Kind: AllOfAssumption}
	for i, item := range items {
		a, err := parseAssumption(item, fmt.Sprintf("parsing expression %d in top level \"assumes\" block: ", i+1))
		if err != nil {
			return nil, err
		}
		top.Of = append(top.Of, a)
	}
	return top, nil
}

// parseAssumption reads one expression. The lead says where it stands, from the outside in.
func parseAssumption(n *node, lead string) (Assumption, error) {
	const rule = `an expression is a feature such as "juju >= 3.1", or any-of or all-of with a list`
	if n.isString() {
		s, _ := n.asString()
		m := featurePattern.FindStringSubmatch(s)
		if m == nil {
			return Assumption{}, n.refuse(rule+`; the operators are >= and <`, "%smalformed feature expression %q", lead, clip(s))
		}
		return Assumption{Kind: FeatureAssumption, Feature: m[1], Operator: m[2], Version: m[3]}, nil
	}
	if n.kind != mapKind {
		return Assumption{}, n.refuse(rule, "%sexpected a feature, \"any-of\" or \"all-of\" expression", lead)
	}
	if len(n.fields) != 1 {
		return Assumption{}, n.refuse(rule, "%smalformed composite expression", lead)
	}
	f := n.fields[0]
	kind := AssumptionKind(f.name)
	if kind != AnyOfAssumption && kind != AllOfAssumption || f.val.isNothing() {
		return Assumption{}, n.refuse(rule, "%smalformed composite expression; expected an \"any-of\" or \"all-of\" block", lead)
	}
	if f.val.kind != listKind {
		return Assumption{}, f.val.refuse(rule, "%smalformed %q expression; expected a list of sub-expressions", lead, f.name)
	}
	out := Assumption{Kind: kind}
	for _, item := range f.val.list {
		a, err := parseAssumption(item, fmt.Sprintf("%sparsing %q expression: ", lead, f.name))
		if err != nil {
			return Assumption{}, err
		}
		out.Of = append(out.Of, a)
	}
	return out, nil
}

// CheckAssumes refuses a charm whose assumptions a model does not meet. The
// features are what the model offers, with their versions; a feature that is
// offered or wanted without a version is met by being there (section 10).
// Errors: Conflict.
func (m Meta) CheckAssumes(features map[string]string) error {
	if m.Assumes == nil {
		return nil
	}
	unmet := m.Assumes.unmet(features)
	if len(unmet) == 0 {
		return nil
	}
	return kith.Errorf(kith.Conflict, "Charm cannot be deployed because:\n  - %s", strings.Join(unmet, "\n  - ")).
		WithHint("assumes in the charm's metadata says what it needs; --force does without")
}

// unmet returns a sentence for everything that is missing; sentences about what
// lies deeper follow on lines of their own, indented.
func (a Assumption) unmet(features map[string]string) []string {
	if a.Kind == FeatureAssumption {
		return a.unmetFeature(features)
	}
	var out []string
	for _, part := range a.Of {
		missing := part.unmet(features)
		if len(missing) == 0 && a.Kind == AnyOfAssumption {
			return nil
		}
		if len(missing) > 0 && part.Kind != FeatureAssumption {
			lead := "charm requires all of the following:"
			if part.Kind == AnyOfAssumption {
				lead = "charm requires at least one of the following:"
			}
			nested := strings.Join(append([]string{lead}, missing...), "\n  - ")
			missing = []string{strings.ReplaceAll(nested, "\n", "\n  ")}
		}
		out = append(out, missing...)
	}
	return out
}

func (a Assumption) unmetFeature(features map[string]string) []string {
	has, offered := features[a.Feature]
	switch {
	case !offered && a.Feature == "k8s-api":
		return []string{"charm must be deployed on a Kubernetes cloud"}
	case !offered:
		return []string{fmt.Sprintf("charm requires feature %q but model does not support it", a.Feature)}
	case a.Version == "" || has == "":
		return nil
	}
	want, got := threeParts(a.Version), threeParts(has)
	if c := slices.Compare(got[:], want[:]); c >= 0 == (a.Operator == ">=") {
		return nil
	}
	wanted, running := fmt.Sprintf("%s %d.%d.%d", a.Operator, want[0], want[1], want[2]), fmt.Sprintf("%d.%d.%d", got[0], got[1], got[2])
	switch a.Feature {
	case "juju":
		return []string{fmt.Sprintf("charm requires Juju version %s, model has version %s", wanted, running)}
	case "k8s-api":
		return []string{fmt.Sprintf("charm requires Kubernetes version %s, model is running on version %s", wanted, running)}
	}
	return []string{fmt.Sprintf("charm requires feature %q (version %s) but model currently supports version %s", a.Feature, wanted, running)}
}

// threeParts are the numbers of a version; what follows a dash does not count.
func threeParts(version string) (out [3]int) {
	number, _, _ := strings.Cut(version, "-")
	for i, part := range strings.SplitN(number, ".", 4) {
		if i < len(out) {
			out[i], _ = strconv.Atoi(part)
		}
	}
	return out
}
