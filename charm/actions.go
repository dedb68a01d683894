package charm

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
)

var actionPattern = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)

// ParseActions reads actions.yaml (section 14). The charm's name matters because
// charms named juju-* may use reserved action names. An empty file has no
// actions. Errors: Invalid, as [*Error].
func ParseActions(file, charmName string, data []byte) (map[string]Action, error) {
	root, err := parseYAML(&document{file, ""}, data)
	if err != nil {
		return nil, err
	}
	return actionsFromNode(root, charmName)
}

func actionsFromNode(root *node, charmName string) (map[string]Action, error) {
	actions := map[string]Action{}
	if root.kind == nullKind {
		return actions, nil
	}
	if root.kind != mapKind {
		return nil, notAMap(root)
	}
	for _, f := range root.fields {
		if err := checkActionName(f.name, charmName, f.val); err != nil {
			return nil, err
		}
		a, err := parseAction(f.name, f.val)
		if err != nil {
			return nil, err
		}
		actions[f.name] = a
	}
	return actions, nil
}

// notAMap is the YAML library's complaint, as charm authors know it.
func notAMap(n *node) *Error {
	tag := "!!seq"
	if n.kind == scalarKind {
		tag = map[string]string{"bool": "!!bool", "int": "!!int", "float64": "!!float"}[fmt.Sprintf("%T", n.scalar)]
		if tag == "" {
			tag = "!!str"
		}
		tag += " `" + clip(n.raw) + "`"
	}
	return n.refuse("an action is a map of its properties, or empty",
		"yaml: unmarshal errors: line %d: cannot unmarshal %s into map[string]interface {}", n.line, tag)
}

func checkActionName(name, charmName string, n *node) error {
	const rule = "an action name is lower-case letters, digits and dashes, and neither begins nor ends with a dash"
	if !actionPattern.MatchString(name) {
		err := n.refuse(rule, "bad action name %s", clip(name))
		if fixed := strings.ToLower(strings.ReplaceAll(name, "_", "-")); actionPattern.MatchString(fixed) {
			err.Hint = fmt.Sprintf("call it %q", clip(fixed))
		}
		return err
	}
	if strings.HasPrefix(charmName, "juju-") || !reserved(name) {
		return nil
	}
	if name == "juju" {
		return n.refuse("the name belongs to Juju", "cannot use action name juju: \"juju\" is a reserved name")
	}
	return n.refuse("names that begin with juju- belong to Juju", "cannot use action name %s: the \"juju-\" prefix is reserved", name)
}

// parseAction reads one action into its fields and into the JSON schema of its
// parameters, which also takes every key that has no meaning of its own.
func parseAction(name string, n *node) (Action, error) {
	a := Action{Title: name, Description: "No description"}
	if n.kind != mapKind && n.kind != nullKind {
		return a, notAMap(n)
	}
	schema := map[string]any{"type": "object", "properties": map[string]any{}}
	for _, f := range n.fields {
		var err error
		switch f.name {
		case "description":
			a.Description, err = schemaString(f)
		case "title":
			a.Title, err = schemaString(f)
		case "execution-group":
			a.ExecutionGroup, err = schemaString(f)
		case "parallel":
			var ok bool
			if a.Parallel, ok = f.val.scalar.(bool); !ok {
				err = f.val.refuse("parallel is true or false", "value for schema key \"parallel\" must be a bool")
			}
		case "required":
			if f.val.kind != listKind {
				err = f.val.refuse("required is a list of parameter names", "value for schema key \"required\" must be a YAML list")
			} else {
				schema["required"], err = jsonValue(f.val)
			}
		case "params":
			if f.val.kind != mapKind {
				err = f.val.refuse("params is a map of parameters", "params failed to parse as a map")
			} else {
				schema["properties"], err = jsonValue(f.val)
			}
		default:
			if err = checkSchemaKey(f); err == nil {
				schema[f.name], err = jsonValue(f.val)
			}
		}
		if err != nil {
			return a, err
		}
	}
	schema["title"], schema["description"] = a.Title, a.Description
	a.Params = asDecoded(schema)
	if reason := schemaProblem(a.Params); reason != "" {
		return a, n.refuse("params is a JSON schema (draft 4)", "invalid params schema for action schema %s: %s", name, reason)
	}
	return a, nil
}

func schemaString(f field) (string, error) {
	s, err := f.val.asString()
	if err != nil {
		e := f.val.refuse("the value must be a string", "value for schema key %q must be a string", f.name)
		e.Hint = err.(*Error).Hint
		return "", e
	}
	return s, nil
}

func checkSchemaKey(f field) error {
	if !f.key.isString() {
		return f.key.refuse("every key must be a string", "map keyed with non-string value")
	}
	if f.name == "$ref" || f.name == "$schema" {
		return f.val.refuse("schemas stand alone", "schema key %q not compatible with this version of juju", f.name)
	}
	return nil
}

// jsonValue is a node as JSON knows it.
func jsonValue(n *node) (any, error) {
	switch n.kind {
	case listKind:
		list := make([]any, 0, len(n.list))
		for _, item := range n.list {
			v, err := jsonValue(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case mapKind:
		m := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			if err := checkSchemaKey(f); err != nil {
				return nil, err
			}
			v, err := jsonValue(f.val)
			if err != nil {
				return nil, err
			}
			m[f.name] = v
		}
		return m, nil
	default:
		if f, ok := n.scalar.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
			return nil, n.refuse("JSON has no such number", "value %s cannot be written as JSON", n.raw)
		}
		return n.scalar, nil
	}
}

// asDecoded gives a schema the Go types it will have when it has been stored as
// JSON and read again, so that both compare equal. The schema holds JSON values
// only, so neither step can fail.
func asDecoded(schema map[string]any) map[string]any {
	data, err := json.Marshal(schema)
	if err != nil {
		panic(fmt.Sprintf("charm: schema of an action is not JSON: %v", err))
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		panic(fmt.Sprintf("charm: schema of an action does not decode: %v", err))
	}
	return out
}
