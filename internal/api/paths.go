package api

import (
	"net/url"
	"strconv"

	"kith"
)

// Version is the number in every path. A controller that speaks another one
// answers NotFound to all of them.
const Version = 1

// The routes, as net/http patterns without their method.
const (
	PathInfo        = "/v1/info"
	PathShutdown    = "/v1/shutdown"
	PathModels      = "/v1/models"
	PathModel       = "/v1/models/{model}"
	PathCommand     = "/v1/models/{model}/commands/{op}"
	PathStatus      = "/v1/models/{model}/status"
	PathSettle      = "/v1/models/{model}/settle"
	PathWatch       = "/v1/models/{model}/watch"
	PathUnit        = "/v1/models/{model}/units/{app}/{number}"
	PathApp         = "/v1/models/{model}/applications/{app}"
	PathAppConfig   = "/v1/models/{model}/applications/{app}/config"
	PathModelConfig = "/v1/models/{model}/config"
	PathBag         = "/v1/models/{model}/relations/{relation}/bag"
	PathGoalState   = "/v1/models/{model}/units/{app}/{number}/goal-state"
	PathUnitLive    = "/v1/models/{model}/units/{app}/{number}/live"
	PathUnitSecrets = "/v1/models/{model}/units/{app}/{number}/secrets"
	PathUnitSecret  = "/v1/models/{model}/units/{app}/{number}/secret"
	PathSecrets     = "/v1/models/{model}/secrets"
	PathSecret      = "/v1/models/{model}/secrets/{secret}"
	PathContracts   = "/v1/models/{model}/contracts"
	PathContract    = "/v1/models/{model}/contracts/{interface}"
	PathHistory     = "/v1/models/{model}/history"
	PathStatusLog   = "/v1/models/{model}/status-log"
	PathLogs        = "/v1/models/{model}/logs"
	PathOperations  = "/v1/models/{model}/operations"
	PathOperation   = "/v1/models/{model}/operations/{operation}"
	PathOpWatch     = "/v1/models/{model}/operations/{operation}/watch"
	PathTask        = "/v1/models/{model}/tasks/{task}"
	PathActions     = "/v1/models/{model}/applications/{app}/actions"
	PathBlob        = "/v1/blobs/{id}"
	PathHost        = "/v1/hosts/{host}/stream"
	PathOpenAPIJSON = "/openapi.json"
	PathOpenAPIYAML = "/openapi.yaml"
	PathMetrics     = "/metrics"
)

// ModelPath is the path of a model, named by UUID or by name, and of what is below it.
func ModelPath(model string, below ...string) string {
	p := PathModels + "/" + url.PathEscape(model)
	for _, b := range below {
		p += "/" + url.PathEscape(b)
	}
	return p
}

// CommandPath is where a command is posted.
func CommandPath(model, op string) string { return ModelPath(model, "commands", op) }

// UnitPath is the path of a unit, and of what is below it.
func UnitPath(model string, u kith.UnitName, below ...string) string {
	return ModelPath(model, append([]string{"units", string(u.App()), strconv.Itoa(u.Number())}, below...)...)
}

// BagPath is the path of a databag.
func BagPath(model string, id kith.RelationID, owner string) string {
	return ModelPath(model, "relations", id.String(), "bag") + "?owner=" + url.QueryEscape(owner)
}

// BlobPath is the path of a charm archive, named by the SHA-256 of its bytes.
func BlobPath(id string) string { return "/v1/blobs/" + url.PathEscape(id) }

// HostPath is the stream of a host's agent.
func HostPath(host, epoch string) string {
	return "/v1/hosts/" + url.PathEscape(host) + "/stream?epoch=" + url.QueryEscape(epoch)
}
