package charm

import (
	"fmt"
	"regexp"
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
