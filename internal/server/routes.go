package server

import (
	"net/http"

	"kith/internal/api"
	"kith/internal/core"
)

// route is one row of the table: a path, who may use it, what it takes and gives,
// and what answers.
type route struct {
	method, path string
	who          who
	id           string // of the operation, in the OpenAPI document
	summary      string
	query        []parameter
	in, out      any  // zero values of the JSON; nil: none
	stream       bool // out is a line of NDJSON
	handle       handler
}

// name is what tells a route from any other: its method and path.
func (r route) name() string { return r.method + " " + r.path }

// parameter is one of the query.
type parameter struct{ name, kind, about string }

// routes is the table of everything that is served, but for the commands' rows,
// which come from the table of commands.
func routes() []route {
	get, post := http.MethodGet, http.MethodPost
	table := []route{
		{get, api.PathInfo, anybody, "info", "What the controller says about itself.", nil, nil, api.Info{}, false, (*Server).info},
		{post, api.PathShutdown, users, "shutdown", "Ends the controller.", nil, nil, nil, false, (*Server).shutdown},
		{get, api.PathModels, users, "list-models", "Lists the models.", nil, nil, []api.Model{}, false, (*Server).listModels},
		{post, api.PathModels, users, "create-model", "Creates a model.", nil, api.CreateModel{}, api.Model{}, false, (*Server).createModel},
		{get, api.PathModel, users | hosts, "get-model", "Finds a model by name or UUID.", nil, nil, api.Model{}, false, (*Server).getModel},
		{get, api.PathStatus, users, "status", "The whole model as people look at it.",
			[]parameter{{"contracts", "boolean", "With what contracts say of each relation."}}, nil, api.Status{}, false, (*Server).status},
		{get, api.PathSettle, users, "settle", "Waits until the model is settled.",
			[]parameter{{"timeout", "string", "How long to wait at most, such as 30s; 0 asks only."}}, nil, api.SettleReply{}, false, (*Server).settle},
		{get, api.PathWatch, users, "watch", "Follows the model's revision.",
			[]parameter{{"entries", "boolean", "With the history entries of each change."}}, nil, api.WatchEvent{}, true, (*Server).watch},
		{get, api.PathUnit, users, "get-unit", "A unit with its relations and their data.",
			nil, nil, api.ShowUnit{}, false, (*Server).getUnit},
		{get, api.PathGoalState, units, "goal-state", "Where a unit's application and the related ones are heading.",
			nil, nil, api.GoalState{}, false, (*Server).goalState},
		{get, api.PathUnitLive, units, "unit-live", "What is true of a unit now, for its hook tools.",
			[]parameter{{"units", "boolean", "With the application and all its units."}}, nil, api.UnitLive{}, false, (*Server).unitLive},
		{get, api.PathUnitSecrets, units, "unit-secrets", "What a unit and its application own, without any content.",
			nil, nil, []core.SecretInfo{}, false, (*Server).unitSecrets},
		{get, api.PathUnitSecret, units, "unit-secret", "The content of a secret, as a unit may read it.", []parameter{
			{"id", "string", "The secret."}, {"label", "string", "What the unit calls it; with an id, will call it."},
			{"reader", "boolean", "The label is the unit's own as a reader."}, {"refresh", "boolean", "The newest revision."}, {"peek", "boolean", "The newest revision, once."}},
			nil, core.SecretValue{}, false, (*Server).unitSecret},
		{get, api.PathSecrets, users, "list-secrets", "Lists secrets, without any content.",
			[]parameter{{"owner", "string", "Only those of this application, this unit or the model."}}, nil, []api.Secret{}, false, (*Server).listSecrets},
		{get, api.PathSecret, users, "get-secret", "A secret, named by id or name.", []parameter{
			{"reveal", "boolean", "With its content."}, {"revision", "integer", "This revision's; 0 is the newest."}},
			nil, api.Secret{}, false, (*Server).getSecret},
		{get, api.PathContracts, users, "list-contracts", "The contracts that apply in the model.", nil, nil, api.Contracts{}, false, (*Server).listContracts},
		{get, api.PathContract, users, "get-contract", "The contract of an interface.", nil, nil, api.Contract{}, false, (*Server).getContract},
		{get, api.PathApp, users, "get-application", "An application.", nil, nil, api.ShowApp{}, false, (*Server).getApp},
		{get, api.PathAppConfig, users, "get-config", "An application's configuration.", nil, nil, api.AppConfig{}, false, (*Server).appConfig},
		{get, api.PathModelConfig, users, "get-model-config", "The model's options that were set.",
			nil, nil, api.ModelConfig{}, false, (*Server).modelConfig},
		{get, api.PathBag, users | units, "get-bag", "A databag, as who asks may see it.",
			[]parameter{{"owner", "string", "An application or a unit."}}, nil, api.BagReply{}, false, (*Server).bag},
		{get, api.PathHistory, users, "history", "What was done to the model.", []parameter{
			{"from", "integer", "The first revision."}, {"to", "integer", "The last revision."},
			{"limit", "integer", "At most so many entries."}, {"newest", "boolean", "The newest first."}},
			nil, api.HistoryReply{}, false, (*Server).history},
		{get, api.PathStatusLog, users, "status-log", "Past statuses of an entity.", []parameter{
			{"entity", "string", "A unit or an application; none for the model."}, {"type", "string", "A type of status; may be repeated."},
			{"limit", "integer", "The newest so many."}, {"since", "string", "Nothing older, in RFC 3339."}},
			nil, []api.StatusLogEntry{}, false, (*Server).statusLog},
		{get, api.PathActions, users, "get-actions", "The actions an application's charm has.", nil, nil, api.AppActions{}, false, (*Server).actions},
		{get, api.PathOperations, users, "list-operations", "What was asked to be run, oldest first.", []parameter{
			{"application", "string", "Only those with a task for one of its units; may be repeated."}, {"unit", "string", "Only those with a task for it."},
			{"machine", "string", "Only those with a task for it."}, {"action", "string", "Only those of an action."},
			{"status", "string", "Only those with a status."}, {"limit", "integer", "At most so many."}, {"offset", "integer", "Leave out the first so many."}},
			nil, api.OperationsReply{}, false, (*Server).operations},
		{get, api.PathOperation, users, "get-operation", "An operation with its tasks and their logs.", nil, nil, api.Operation{}, false, (*Server).operation},
		{get, api.PathOpWatch, users, "watch-operation", "Follows an operation until it is over.", nil, nil, api.OperationEvent{}, true, (*Server).watchOperation},
		{get, api.PathTask, users, "get-task", "A task with its log.", nil, nil, api.Task{}, false, (*Server).task},
		{get, api.PathLogs, users, "read-logs", "The model's log.", []parameter{
			{"include", "string", "Entities to take; may be repeated."}, {"exclude", "string", "Entities to leave out."},
			{"include-module", "string", "Modules to take, with those below."}, {"exclude-module", "string", "Modules to leave out."},
			{"level", "string", "The lowest level."}, {"last", "integer", "Begin with the newest so many; -1 for all."},
			{"follow", "boolean", "Go on with what comes later."}},
			nil, api.LogRecord{}, true, (*Server).readLogs},
		{post, api.PathLogs, hosts | units, "append-logs", "Adds records to the model's log; a unit its own.",
			nil, []api.LogRecord{}, nil, false, (*Server).appendLogs},
		{http.MethodPut, api.PathBlob, users, "put-blob", "Stores a charm archive under the SHA-256 of its bytes.", nil, nil, nil, false, (*Server).putBlob},
		{get, api.PathBlob, anybody, "get-blob", "A charm archive. HEAD asks whether it is there.", nil, nil, nil, false, (*Server).getBlob},
		{get, api.PathHost, hosts, "host-stream", "What a host's agent holds and runs, in all models.",
			[]parameter{{"epoch", "string", "The agent's life; a new one fences the old out."}}, nil, api.HostEvent{}, true, (*Server).hostStream},
		{get, api.PathOpenAPIJSON, anybody, "", "", nil, nil, nil, false, (*Server).openAPIJSON},
		{get, api.PathOpenAPIYAML, anybody, "", "", nil, nil, nil, false, (*Server).openAPIYAML},
		{get, api.PathMetrics, users, "", "", nil, nil, nil, false, (*Server).prometheus},
		{post, api.PathCommand, anybody, "", "", nil, nil, nil, false, (*Server).command},
	}
	return table
}
