package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// Info is what the controller says about itself: the cheapest request there is.
func (c *Client) Info(ctx context.Context) (api.Info, error) {
	return get[api.Info](ctx, c, api.PathInfo)
}

// Shutdown asks the controller to end. It answers before it does.
func (c *Client) Shutdown(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, api.PathShutdown, nil, nil)
}

// Models lists the models by name.
func (c *Client) Models(ctx context.Context) ([]api.Model, error) {
	return get[[]api.Model](ctx, c, api.PathModels)
}

// Model finds a model by name or UUID. Errors: NotFound.
func (c *Client) Model(ctx context.Context, model string) (api.Model, error) {
	return get[api.Model](ctx, c, api.ModelPath(model))
}

// CreateModel makes a model. Errors: Conflict if the name is taken.
func (c *Client) CreateModel(ctx context.Context, m api.CreateModel) (api.Model, error) {
	var out api.Model
	err := c.call(ctx, http.MethodPost, api.PathModels, m, &out)
	return out, err
}

// Do sends a command and returns when it is durable, or refused.
func (c *Client) Do(ctx context.Context, model string, op core.Op) (api.CommandReply, error) {
	var out api.CommandReply
	err := c.call(ctx, http.MethodPost, api.CommandPath(model, op.Name()), op, &out)
	return out, err
}

// Status is the whole model as people look at it.
func (c *Client) Status(ctx context.Context, model string) (api.Status, error) {
	return get[api.Status](ctx, c, api.ModelPath(model, "status"))
}

// StatusWithContracts is the status with what contracts say of each relation.
func (c *Client) StatusWithContracts(ctx context.Context, model string) (api.Status, error) {
	return get[api.Status](ctx, c, withQuery(api.ModelPath(model, "status"), url.Values{"contracts": {"true"}}))
}

// Contracts are the contracts that apply in a model.
func (c *Client) Contracts(ctx context.Context, model string) (api.Contracts, error) {
	return get[api.Contracts](ctx, c, api.ModelPath(model, "contracts"))
}

// Contract is the contract of an interface, with its text. Errors: NotFound.
func (c *Client) Contract(ctx context.Context, model, iface string) (api.Contract, error) {
	return get[api.Contract](ctx, c, api.ModelPath(model, "contracts", iface))
}

// Unit is one unit with its relations and their data. Errors: NotFound.
func (c *Client) Unit(ctx context.Context, model string, u kith.UnitName) (api.ShowUnit, error) {
	return get[api.ShowUnit](ctx, c, api.UnitPath(model, u))
}

// App is one application. Errors: NotFound.
func (c *Client) App(ctx context.Context, model string, a kith.AppName) (api.ShowApp, error) {
	return get[api.ShowApp](ctx, c, api.ModelPath(model, "applications", string(a)))
}

// AppConfig is an application's configuration with sources. Errors: NotFound.
func (c *Client) AppConfig(ctx context.Context, model string, a kith.AppName) (api.AppConfig, error) {
	return get[api.AppConfig](ctx, c, api.ModelPath(model, "applications", string(a), "config"))
}

// ModelConfig is the model's options that were set.
func (c *Client) ModelConfig(ctx context.Context, model string) (api.ModelConfig, error) {
	return get[api.ModelConfig](ctx, c, api.ModelPath(model, "config"))
}

// Bag is a databag as who asks may see it. Errors: NotFound, Forbidden.
func (c *Client) Bag(ctx context.Context, model string, id kith.RelationID, owner string) (api.BagReply, error) {
	return get[api.BagReply](ctx, c, api.BagPath(model, id, owner))
}

// Live is what is true of a unit now, with its application if units is set.
func (c *Client) Live(ctx context.Context, model string, u kith.UnitName, units bool) (api.UnitLive, error) {
	path := api.UnitPath(model, u, "live")
	if units {
		path = withQuery(path, url.Values{"units": {"true"}})
	}
	return get[api.UnitLive](ctx, c, path)
}

// GoalState is the goal state of a unit.
func (c *Client) GoalState(ctx context.Context, model string, u kith.UnitName) (api.GoalState, error) {
	return get[api.GoalState](ctx, c, api.UnitPath(model, u, "goal-state"))
}

// UnitSecret is the content of a secret, as a unit reads it. Errors: NotFound, Forbidden, Conflict.
func (c *Client) UnitSecret(ctx context.Context, model string, u kith.UnitName, q core.SecretQuery) (core.SecretValue, error) {
	v := url.Values{}
	for name, value := range map[string]string{"id": string(q.ID), "label": q.Label} { // any order: Encode sorts
		if value != "" {
			v.Set(name, value)
		}
	}
	for name, on := range map[string]bool{"refresh": q.Refresh, "peek": q.Peek, "reader": q.Reader} { // any order: Encode sorts
		if on {
			v.Set(name, "true")
		}
	}
	return get[core.SecretValue](ctx, c, withQuery(api.UnitPath(model, u, "secret"), v))
}

// UnitSecrets lists what a unit and its application own, without any content.
func (c *Client) UnitSecrets(ctx context.Context, model string, u kith.UnitName) ([]core.SecretInfo, error) {
	return get[[]core.SecretInfo](ctx, c, api.UnitPath(model, u, "secrets"))
}

// Secrets lists the secrets of a model by id, without any content; of one owner if named.
func (c *Client) Secrets(ctx context.Context, model, owner string) ([]api.Secret, error) {
	v := url.Values{}
	if owner != "" {
		v.Set("owner", owner)
	}
	return get[[]api.Secret](ctx, c, withQuery(api.ModelPath(model, "secrets"), v))
}

// Secret is one secret, named by id or name, with its content if reveal is set. Errors: NotFound.
func (c *Client) Secret(ctx context.Context, model, name string, q api.SecretQuery) (api.Secret, error) {
	v := url.Values{}
	number(v, "revision", uint64(q.Revision))
	if q.Reveal {
		v.Set("reveal", "true")
	}
	return get[api.Secret](ctx, c, withQuery(api.ModelPath(model, "secrets", name), v))
}

// Settle waits up to timeout for the model to settle and says how it stands;
// 0 asks only. Time being up is no error: the reply says what is left.
func (c *Client) Settle(ctx context.Context, model string, timeout time.Duration) (api.SettleReply, error) {
	return get[api.SettleReply](ctx, c, api.ModelPath(model, "settle")+"?timeout="+url.QueryEscape(timeout.String()))
}

// Watch yields the model's revision now and whenever it changes. With entries
// each event carries what was done since the one before.
func (c *Client) Watch(ctx context.Context, model string, entries bool) iter.Seq2[api.WatchEvent, error] {
	return stream[api.WatchEvent](ctx, c, api.ModelPath(model, "watch")+"?entries="+strconv.FormatBool(entries))
}

// History is a part of what was done to the model.
func (c *Client) History(ctx context.Context, model string, q api.HistoryQuery) (api.HistoryReply, error) {
	v := url.Values{}
	number(v, "from", q.From)
	number(v, "to", q.To)
	number(v, "limit", uint64(q.Limit))
	if q.Newest {
		v.Set("newest", "true")
	}
	return get[api.HistoryReply](ctx, c, withQuery(api.ModelPath(model, "history"), v))
}

// StatusLog is the past statuses of an entity, oldest first.
func (c *Client) StatusLog(ctx context.Context, model string, q api.StatusLogQuery) ([]api.StatusLogEntry, error) {
	v := url.Values{}
	if q.Entity != "" {
		v.Set("entity", q.Entity)
	}
	for _, t := range q.Types {
		v.Add("type", string(t))
	}
	number(v, "limit", uint64(q.Limit))
	if !q.Since.IsZero() {
		v.Set("since", q.Since.UTC().Format(time.RFC3339Nano))
	}
	return get[[]api.StatusLogEntry](ctx, c, withQuery(api.ModelPath(model, "status-log"), v))
}

// Actions are the actions an application's charm has. Errors: NotFound.
func (c *Client) Actions(ctx context.Context, model string, a kith.AppName) (api.AppActions, error) {
	return get[api.AppActions](ctx, c, api.ModelPath(model, "applications", string(a), "actions"))
}

// Operations lists what was asked to be run, oldest first.
func (c *Client) Operations(ctx context.Context, model string, q api.OperationQuery) (api.OperationsReply, error) {
	v := url.Values{"application": q.Apps, "unit": q.Units, "machine": q.Machines, "action": q.Actions, "status": q.Statuses}
	number(v, "limit", uint64(q.Limit))
	number(v, "offset", uint64(q.Offset))
	return get[api.OperationsReply](ctx, c, withQuery(api.ModelPath(model, "operations"), v))
}

// Operation is an operation with its tasks and their logs. Errors: NotFound.
func (c *Client) Operation(ctx context.Context, model string, id kith.OperationID) (api.Operation, error) {
	return get[api.Operation](ctx, c, api.ModelPath(model, "operations", id.String()))
}

// WatchOperation yields an operation now and whenever it changes. It ends without an error
// when the operation is over. Errors: NotFound.
func (c *Client) WatchOperation(ctx context.Context, model string, id kith.OperationID) iter.Seq2[api.OperationEvent, error] {
	return stream[api.OperationEvent](ctx, c, api.ModelPath(model, "operations", id.String(), "watch"))
}

// Task is a task with its log. Errors: NotFound.
func (c *Client) Task(ctx context.Context, model string, id kith.TaskID) (api.Task, error) {
	return get[api.Task](ctx, c, api.ModelPath(model, "tasks", id.String()))
}

// Logs yields log records, oldest first. It ends without an error after the
// last one unless the query follows.
func (c *Client) Logs(ctx context.Context, model string, q api.LogQuery) iter.Seq2[api.LogRecord, error] {
	v := url.Values{}
	for name, values := range map[string][]string{ // any order: Encode sorts
		"include": q.Include, "exclude": q.Exclude, "include-module": q.IncludeModule, "exclude-module": q.ExcludeModule,
	} {
		for _, s := range values {
			v.Add(name, s)
		}
	}
	if q.Level != "" {
		v.Set("level", string(q.Level))
	}
	v.Set("last", strconv.Itoa(q.Last))
	v.Set("follow", strconv.FormatBool(q.Follow))
	return stream[api.LogRecord](ctx, c, withQuery(api.ModelPath(model, "logs"), v))
}

// AppendLogs adds records to the model's log. For hosts' agents.
func (c *Client) AppendLogs(ctx context.Context, model string, records []api.LogRecord) error {
	return c.call(ctx, http.MethodPost, api.ModelPath(model, "logs"), records, nil)
}

// Host is the stream of a host's agent: what it holds and what it runs, in all
// models. Opening it is what tells the controller that the agent is there; a
// new epoch fences out the agent's earlier life.
func (c *Client) Host(ctx context.Context, host, epoch string) iter.Seq2[api.HostEvent, error] {
	return stream[api.HostEvent](ctx, c, api.HostPath(host, epoch))
}

// PutBlob stores a charm archive under the SHA-256 of its bytes. Storing it again is no error.
func (c *Client) PutBlob(ctx context.Context, id string, content io.Reader, size int64) error {
	body, err := c.do(ctx, http.MethodPut, api.BlobPath(id), content, size, "application/octet-stream")
	if err != nil {
		return err
	}
	return body.Close()
}

// HasBlob reports whether the controller has the archive.
func (c *Client) HasBlob(ctx context.Context, id string) (bool, error) {
	body, err := c.do(ctx, http.MethodHead, api.BlobPath(id), nil, -1, "")
	if err != nil {
		if kith.CodeOf(err) == kith.NotFound {
			return false, nil
		}
		return false, err
	}
	return true, body.Close()
}

// Blob reads a charm archive; the caller closes it and checks its sum. Errors: NotFound.
func (c *Client) Blob(ctx context.Context, id string) (io.ReadCloser, error) {
	return c.do(ctx, http.MethodGet, api.BlobPath(id), nil, -1, "")
}

func number(v url.Values, name string, n uint64) {
	if n > 0 {
		v.Set(name, strconv.FormatUint(n, 10))
	}
}

func withQuery(path string, v url.Values) string {
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}
