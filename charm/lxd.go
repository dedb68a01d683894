package charm

import "strings"

// CheckLXDProfile checks lxd-profile.yaml, which is otherwise not used (section
// 16). Errors: Invalid, as [*Error].
func CheckLXDProfile(file string, data []byte) error {
	const lead = "failed to unmarshall lxd-profile.yaml: "
	root, err := parseYAML(&document{file, lead}, data)
	if err != nil {
		e := err.(*Error)
		e.Reason = lead + e.Reason
		return e
	}
	if root.kind == nullKind {
		return nil
	}
	if _, err := root.asMap(); err != nil {
		return err
	}
	for _, d := range root.get("devices").fields {
		switch t := d.val.get("type"); t.raw {
		case "unix-char", "unix-block", "gpu", "usb":
		default:
			return t.refuse("the type is unix-char, unix-block, gpu or usb",
				"invalid lxd-profile.yaml: contains device type %q", clip(t.raw))
		}
	}
	for _, c := range root.get("config").fields {
		for _, prefix := range []string{"boot", "limits", "migration"} {
			if strings.HasPrefix(c.name, prefix) {
				return c.val.refuse("keys that begin with boot, limits or migration belong to Juju",
					"invalid lxd-profile.yaml: contains config value %q", clip(c.name))
			}
		}
	}
	return nil
}
