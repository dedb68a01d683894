package dispatch

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"os"
	"strconv"
	"strings"

	"kith"
	"kith/internal/core"
	"kith/internal/hookwire"
)

// HostEnv is what a hook's environment takes from the host. It is read once.
type HostEnv struct {
	path         string // the agent's own PATH
	ubuntu       bool
	kubernetes   []string // NAME=value
	apiAddresses string
}

// Ubuntu reports whether the host says that it is Ubuntu, which hooks are told.
func (h HostEnv) Ubuntu() bool { return h.ubuntu }

// defaultPath serves an agent that was started without a PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// ReadHostEnv looks at the agent's surroundings.
func ReadHostEnv(apiAddresses []string) HostEnv {
	h := HostEnv{path: cmp.Or(os.Getenv("PATH"), defaultPath), apiAddresses: strings.Join(apiAddresses, " ")}
	if release, err := os.ReadFile("/etc/os-release"); err == nil {
		h.ubuntu = isUbuntu(string(release))
	}
	for _, name := range kubernetesVariables {
		if v, ok := os.LookupEnv(name); ok {
			h.kubernetes = append(h.kubernetes, name+"="+v)
		}
	}
	return h
}

// kubernetesVariables are passed through if the agent has them.
var kubernetesVariables = []string{
	"KUBERNETES_PORT", "KUBERNETES_PORT_443_TCP", "KUBERNETES_PORT_443_TCP_ADDR", "KUBERNETES_PORT_443_TCP_PORT",
	"KUBERNETES_PORT_443_TCP_PROTO", "KUBERNETES_SERVICE", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT",
	"KUBERNETES_SERVICE_PORT_HTTPS",
}

// isUbuntu reads the content of an os-release file.
func isUbuntu(release string) bool {
	for line := range strings.Lines(release) {
		if key, value, _ := strings.Cut(strings.TrimSpace(line), "="); key == "ID" {
			return strings.Trim(value, `"'`) == "ubuntu"
		}
	}
	return false
}

// Places are the paths a hook is told.
type Places struct {
	Charm  string // the charm directory: also the working directory
	Tools  string // first on PATH
	Socket string
	// Stay offers the charm to keep its process for the events to come: see [Runner].
	Stay bool
}

// Environment is the complete environment of a hook; nothing else is inherited
// (hook protocol reference, sections 5.1 to 5.3 and 5.5, and 3.11 for commands). KITH_UNIT_ADDRESS is ours: the
// loopback address that belongs to the unit alone, for shell charms that start servers.
// So is KITH_HOOKWIRE, by which a Go charm knows that it can use the socket itself, and
// KITH_RESIDENT, by which it knows that its process may stay.
func Environment(h HostEnv, p Places, c *core.HookContext, hook core.Hook, contextID string) []string {
	env := make([]string, 0, 48)
	set := func(pairs ...string) {
		for i := 0; i < len(pairs); i += 2 {
			env = append(env, pairs[i]+"="+pairs[i+1])
		}
	}
	switch t := hook.Task; {
	case t == nil:
		set("JUJU_HOOK_NAME", hook.Name(), "JUJU_DISPATCH_PATH", "hooks/"+hook.Name())
	case hook.Kind == core.Exec:
		set("JUJU_HOOK_NAME", "") // and no dispatch path
	default:
		set("JUJU_HOOK_NAME", "", "JUJU_DISPATCH_PATH", "actions/"+t.Action,
			"JUJU_ACTION_NAME", t.Action, "JUJU_ACTION_UUID", t.ID.String(), "JUJU_ACTION_TAG", "action-"+t.ID.String())
	}
	set("CHARM_DIR", p.Charm,
		"JUJU_CHARM_DIR", p.Charm,
		"JUJU_CONTEXT_ID", contextID,
		"JUJU_AGENT_SOCKET_ADDRESS", p.Socket,
		"JUJU_AGENT_SOCKET_NETWORK", "unix",
		"JUJU_UNIT_NAME", string(c.Unit),
		"JUJU_MODEL_NAME", c.ModelName,
		"JUJU_MODEL_UUID", string(c.Model),
		"JUJU_API_ADDRESSES", h.apiAddresses,
		"JUJU_MACHINE_ID", string(c.Machine),
		"JUJU_PRINCIPAL_UNIT", string(c.Principal),
		"JUJU_AVAILABILITY_ZONE", "",
		"JUJU_VERSION", kith.JujuVersion,
		"CLOUD_API_VERSION", "",
		"JUJU_CHARM_HTTP_PROXY", c.Proxy.HTTP,
		"JUJU_CHARM_HTTPS_PROXY", c.Proxy.HTTPS,
		"JUJU_CHARM_FTP_PROXY", c.Proxy.FTP,
		"JUJU_CHARM_NO_PROXY", c.Proxy.No,
		"JUJU_SLA", "unsupported",
		"PATH", p.Tools+":"+h.path,
		"LANG", "C.UTF-8",
		"KITH_UNIT_ADDRESS", c.Address,
		hookwire.VersionVariable, strconv.Itoa(hookwire.Version),
	)
	if p.Stay {
		set(hookwire.ResidentVariable, strconv.Itoa(hookwire.ResidentVersion))
	}
	if h.ubuntu {
		set("DEBIAN_FRONTEND", "noninteractive", "APT_LISTCHANGES_FRONTEND", "none", "TERM", "tmux-256color")
	} else {
		set("TERM", "screen")
	}
	for _, proxy := range [...][2]string{{"http_proxy", c.HostProxy.HTTP}, {"https_proxy", c.HostProxy.HTTPS},
		{"ftp_proxy", c.HostProxy.FTP}, {"no_proxy", c.HostProxy.No}} {
		if name, value := proxy[0], proxy[1]; value != "" { // only those that are configured
			set(name, value, strings.ToUpper(name), value)
		}
	}
	env = append(env, h.kubernetes...)
	if s := hook.Storage; s != nil { // section 5.6
		set("JUJU_STORAGE_ID", string(s.ID), "JUJU_STORAGE_LOCATION", s.Location, "JUJU_STORAGE_KIND", s.Kind)
	}
	if r := hook.Relation; r != nil {
		set("JUJU_RELATION", string(r.Endpoint),
			"JUJU_RELATION_ID", string(r.Endpoint)+":"+r.ID.String(),
			"JUJU_REMOTE_UNIT", string(r.RemoteUnit), // set, if empty
			"JUJU_REMOTE_APP", string(r.RemoteApp))
		if hook.Kind == core.RelationDeparted {
			set("JUJU_DEPARTING_UNIT", string(cmp.Or(r.Departing, r.RemoteUnit)))
		}
	}
	if s := hook.Secret; s != nil { // section 5.5
		set("JUJU_SECRET_ID", s.ID.URI(), "JUJU_SECRET_LABEL", s.Label)
		if hook.Kind == core.SecretExpired || hook.Kind == core.SecretRemove {
			set("JUJU_SECRET_REVISION", strconv.Itoa(s.Revision))
		}
	}
	return env
}

// MachineEnvironment is what a command for a machine gets: it runs in no unit's context.
func MachineEnvironment(h HostEnv) []string {
	return []string{"PATH=" + h.path, "HOME=" + HomeFolder(), "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
}

// ContextName is the part of a context id that says what runs (hook protocol reference, section 5.1).
func ContextName(h core.Hook) string {
	if h.Kind == core.Exec {
		return "run-commands"
	}
	return h.Name()
}

// NewContextID names one run of one hook. Who knows it may act as the unit while
// the hook runs, so it cannot be guessed.
func NewContextID(u kith.UnitName, hook string) string {
	var secret [16]byte
	_, _ = rand.Read(secret[:]) // never fails: crypto/rand crashes the program instead
	return string(u) + "-" + hook + "-" + hex.EncodeToString(secret[:])
}

// HomeFolder is where commands for a machine run: the user's home, if there is one.
func HomeFolder() string {
	dir, err := os.UserHomeDir()
	if info, statErr := os.Stat(dir); err != nil || statErr != nil || !info.IsDir() {
		return "/"
	}
	return dir
}
