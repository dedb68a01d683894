package hooktool

import (
	"slices"
	"strings"
)

// tool is one row of the table: everything about a hook tool but its options, which
// its function declares before it parses them.
type tool struct {
	name    string
	args    string // the arguments after the options, as help shows them
	summary string
	details string
	run     func(*invocation) error
}

// tools is the table, in order of name. A tool is its row here and its function.
var tools = []tool{
	{"action-fail", "[<message>]", "Make the running action fail.",
		"The action goes on, and what it has set is kept.", actionFail},
	{"action-get", "[<key>[.<key> ...]]", "Print the parameters of the running action.",
		"Without a key, all of them are printed. A key that is not there prints nothing\n(null in JSON).", actionGet},
	{"action-log", "<message> ...", "Write a message to the log of the running action.",
		"Who waits for the action sees it at once.", actionLog},
	{"action-set", "<key>[.<key> ...]=<value> ...", "Set results of the running action.",
		"Keys with dots make maps within maps.", actionSet},
	{"application-version-set", "<version>", "Set the version of the workload, shown for the application.",
		"It takes effect at once. Any unit may set it, and the last one wins.", applicationVersionSet},
	{"close-port", portArgs, "Close a port or a range of ports.",
		"The port is closed when the hook succeeds. Closing a range that is not open does nothing.", closePort},
	{"config-get", "[<key>]", "Print the application's configuration.",
		"Without a key, every option that has a value is printed. An option without a\nvalue, and one that does not exist, prints nothing (null in JSON).", configGet},
	{"credential-get", "", "Print the cloud this unit runs in, and the credential for it.",
		"Only the charm of a trusted application may see it.", credentialGet},
	{"goal-state", "", "Print which units and relations there will be.",
		"", goalState},
	{"is-leader", "", "Print whether this unit leads its application.",
		"True is a promise for at least 30 seconds.", isLeader},
	{"juju-log", "<message> ...", "Write a message to the log.",
		"Levels are TRACE, DEBUG, INFO, WARNING, ERROR and CRITICAL.", jujuLog},
	{"juju-reboot", "", "Reboot the machine when the hook has succeeded.",
		"Here only the units of the machine are affected: when the hook has succeeded, they\nrun their start hook once more.", jujuReboot},
	{"k8s-raw-get", "", "Print the Kubernetes specification: refused, as there is no Kubernetes here.", "", podSpecGet},
	{"k8s-raw-set", "", "Set the Kubernetes specification: refused, as there is no Kubernetes here.", "", podSpecSet},
	{"k8s-spec-get", "", "Print the Kubernetes specification: refused, as there is no Kubernetes here.", "", podSpecGet},
	{"k8s-spec-set", "", "Set the Kubernetes specification: refused, as there is no Kubernetes here.", "", podSpecSet},
	{"leader-get", "[<key>|-]", "Print the application's leader settings.",
		"Superseded by application data in a peer relation: see relation-get --app.", leaderGet},
	{"leader-set", "<key>=<value> ...", "Write the application's leader settings.",
		"Only the leader may. It takes effect at once, and an empty value deletes its key.", leaderSet},
	{"network-get", "<binding>", "Print the addresses of an endpoint or an extra binding.",
		"Without a selecting option everything is printed.", networkGet},
	{"open-port", portArgs, "Open a port or a range of ports.",
		"The port is opened when the hook succeeds. The protocol is tcp unless it is given.", openPort},
	{"opened-ports", "", "Print the port ranges this unit has opened.",
		"Ranges opened and closed in the running hook are taken into account.", openedPorts},
	{"payload-register", "<type> <class> <id> [<tag> ...]", "Say that a payload runs on this unit.",
		payloadDetails, payloadRegister},
	{"payload-status-set", "<class> <id> <status>", "Set the status of a payload.",
		"The status is one of running, starting, stopped and stopping. " + payloadDetails, payloadStatusSet},
	{"payload-unregister", "<class> <id>", "Say that a payload does not run any more.",
		payloadDetails, payloadUnregister},
	{"pod-spec-get", "", "Print the pod specification: refused, as there is no Kubernetes here.", "", podSpecGet},
	{"pod-spec-set", "", "Set the pod specification: refused, as there is no Kubernetes here.", "", podSpecSet},
	{"relation-get", "[<key>|-] [<unit>|<app>]", "Print settings of a unit or an application in a relation.",
		"Without a key, or with -, all settings are printed. Without a unit, the remote\nunit of the running hook is meant, or the remote application if there is none.\nA key that is not set prints nothing (null in JSON).", relationGet},
	{"relation-ids", "[<endpoint>]", "Print the ids of the relations of an endpoint.",
		"Without an endpoint, that of the running relation hook is meant.", relationIDs},
	{"relation-list", "", "Print the remote units of a relation.",
		"With --app, the name of the remote application is printed.", relationList},
	{"relation-model-get", "", "Print the model on the other side of a relation.",
		"", relationModelGet},
	{"relation-set", "[<key>=<value> ...]", "Write settings of this unit, or of its application, in a relation.",
		"An empty value deletes its key. The others see the settings when the hook\nsucceeds. Arguments win over equal keys in a file. Only the leader may write the\napplication's settings.", relationSet},
	{"resource-get", "<name>", "Print the path of a resource's file.",
		"The file is fetched when it is first asked for, and when another one was given.", resourceGet},
	{"secret-add", "<key>[#base64|#file]=<value> ...", "Make a secret, and print its URI.",
		secretArgs + "The secret is there for others when the hook succeeds. An application's secret\nis its leader's to make.", secretAdd},
	{"secret-get", "[<id>] [<key>[#base64]]", "Print the content of a secret.",
		"A reader goes on seeing the revision it has read first, until it asks for\n--refresh. With an id, --label is what this unit calls the secret from now on.", secretGet},
	{"secret-grant", "<id>", "Let the application on the other side of a relation read a secret.",
		"The grant lasts as long as the relation, or until it is taken back.", secretGrant},
	{"secret-ids", "", "Print the ids of the secrets this unit manages.",
		"The leader manages those of its application, too.", secretIDs},
	{"secret-info-get", "[<id>]", "Print what is known of a secret this unit manages, but for its content.",
		"", secretInfoGet},
	{"secret-remove", "<id>", "Remove a secret, or one revision of it.",
		"It is removed when the hook succeeds.", secretRemove},
	{"secret-revoke", "<id>", "Take back what secret-grant has given.",
		"Name the relation, the application or the unit it was given to.", secretRevoke},
	{"secret-set", "<id> [<key>[#base64|#file]=<value> ...]", "Change a secret.",
		secretArgs + "New content replaces all of the old, and becomes a new revision if it differs.\nWithout content, only what the options name changes.", secretSet},
	{"state-delete", "[<key>]", "Delete an entry of the charm's state.",
		"A key that is not there is no error.", stateDelete},
	{"state-get", "[<key>|-]", "Print the charm's state.",
		"Without a key, or with -, all entries are printed.", stateGet},
	{"state-set", "[<key>=<value> ...]", "Write the charm's state.",
		"The entries belong to this unit and are kept when the hook succeeds. An empty\nvalue is a value. Arguments win over equal keys in a file.", stateSet},
	{"status-get", "", "Print the status of this unit, or of the application.",
		"", statusGet},
	{"status-set", "<status> [<message>]", "Set the status of this unit, or of the application.",
		"The status is one of maintenance, blocked, waiting and active. It takes effect at\nonce and outlasts a failure of the hook. Only the leader may set the\napplication's.", statusSet},
	{"storage-add", "<name>[=<count>] ...", "Ask for more storage.",
		"The storage is made when the hook succeeds; each instance then has a\nstorage-attached hook.", storageAdd},
	{"storage-get", "[kind|location]", "Print what and where a storage is.",
		"Without a key, both are printed. Without -s, the storage of the running hook is\nmeant.", storageGet},
	{"storage-list", "[<name>]", "Print the ids of this unit's storage.",
		"", storageList},
	{"unit-get", "public-address|private-address", "Print an address of this unit.",
		"Superseded by network-get.", unitGet},
}

const secretArgs = "A value after #base64= is encoded already; after #file= stands the absolute path\nof a file that holds it. Keys in a file given with --file win over arguments.\n"

const payloadDetails = "Superseded: it is\nchecked and logged, and kept nowhere."

const portArgs = "<port>[/<protocol>]|<from>-<to>[/<protocol>]|icmp"

// Names are the names of all tools, sorted: the links a charm needs on its PATH.
func Names() []string {
	var names []string
	for _, t := range tools {
		names = append(names, t.name)
	}
	return names
}

func find(name string) (t *tool, ok bool) {
	i, ok := slices.BinarySearchFunc(tools, name, func(t tool, name string) int { return strings.Compare(t.name, name) })
	if !ok {
		return nil, false
	}
	return &tools[i], true
}
