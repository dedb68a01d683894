package cli

import (
	"regexp"
	"strings"
)

// controllerName is what the one controller of a home is called, in status and
// in front of model names.
const controllerName = "kith"

// reference is a model as people name it: [controller:][user/]model, or a UUID.
type reference struct {
	controller string // empty: the current one
	model      string // empty: the controller's current one; may be qualified
}

// parseReference reads one of the forms of the CLI reference, section 2.3.
func parseReference(s string) reference {
	if ctl, model, ok := strings.Cut(s, ":"); ok {
		return reference{ctl, model}
	}
	return reference{"", s}
}

// uuidPrefix matches what may be the beginning of a UUID.
var uuidPrefix = regexp.MustCompile(`^[0-9a-f]{6}[0-9a-f-]*$`)

// names reports whether ref means a model with this owner, name and UUID.
func (ref reference) names(owner, name, uuid, user string) bool {
	if u, m, ok := strings.Cut(ref.model, "/"); ok {
		return u == owner && m == name
	}
	return ref.model == name && owner == user || uuidPrefix.MatchString(ref.model) && strings.HasPrefix(uuid, ref.model)
}

// qualified is the model's name with its owner, as errors show it.
func (ref reference) qualified(user string) string {
	if strings.Contains(ref.model, "/") {
		return ref.model
	}
	return user + "/" + ref.model
}

// chosen is which model a command works on: -m, then JUJU_MODEL, then the
// current one (section 2.3). A controller that does not exist is a usage error.
func (x *call) chosen(flag string) (reference, error) {
	ref := parseReference(flag)
	env, err := x.environment()
	if err != nil {
		return ref, err
	}
	if flag == "" {
		ref = env
	}
	if ref.controller == "" {
		ref.controller = env.controller
	}
	if ref.controller == "" {
		ref.controller = controllerName
	}
	if ref.controller != controllerName {
		return ref, usagef("controller %s not found", ref.controller)
	}
	return ref, nil
}

// environment is what JUJU_MODEL and JUJU_CONTROLLER choose (section 2.3).
func (x *call) environment() (reference, error) {
	ref := parseReference(x.getenv("JUJU_MODEL"))
	ctl := x.getenv("JUJU_CONTROLLER")
	if ref.controller != "" && ctl != "" && ref.controller != ctl {
		return ref, usagef("controller name from JUJU_MODEL (%s) conflicts with value in JUJU_CONTROLLER (%s)", ref.controller, ctl)
	}
	if ref.controller == "" {
		ref.controller = ctl
	}
	return ref, nil
}
