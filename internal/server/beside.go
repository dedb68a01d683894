package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"kith"
	"kith/internal/api"
	"kith/internal/controller"
	"kith/internal/core"
)

// Beside is the way to a server for an agent in the same process. It answers as the
// routes do, to the same identities, and nothing goes through HTTP, JSON or the kernel.
// What it answers with is shared with the controller, and must not be changed.
type Beside struct {
	s     *Server
	token string
}

// Beside is the way of whoever has a credential; none is known without one.
func (s *Server) Beside(token string) *Beside { return &Beside{s, token} }

// WithToken is the same way with another credential.
func (b *Beside) WithToken(token string) *Beside { return b.s.Beside(token) }

// enter says who asks, if the route is open to him.
func (b *Beside) enter(route string) (caller, error) {
	id, err := b.s.opt.Keys.Verify(b.token)
	if err != nil {
		return caller{}, err
	}
	if b.s.access[route]&whoIs(id.Kind) == 0 {
		return caller{}, forbidden(id)
	}
	return caller{b.s, id}, nil
}

// ask is one request. Its errors are what they would be on the wire, and a panic is one, too.
func ask[T any](ctx context.Context, b *Beside, route string, f func(caller) (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
		if err != nil {
			var zero T
			v, err = zero, b.refusal(ctx, route, err)
		}
	}()
	c, err := b.enter(route)
	if err != nil {
		return v, err
	}
	return f(c)
}

// refusal is an error as who asks gets it: what the route would have answered, or the end of
// his own context if that is all.
func (b *Beside) refusal(ctx context.Context, route string, err error) error {
	if cause := context.Cause(ctx); cause != nil && (errors.Is(err, cause) || kith.CodeOf(err) == kith.Unavailable) {
		return cause
	}
	method, path, _ := strings.Cut(route, " ")
	e := b.s.wireError(method, path, err).Error
	return &e
}

// Do sends a command and returns when it is durable, or refused.
func (b *Beside) Do(ctx context.Context, model string, op core.Op) (api.CommandReply, error) {
	return ask(ctx, b, "POST "+api.PathCommand, func(c caller) (api.CommandReply, error) {
		cmd, err := api.CommandNamed(op.Name())
		if err == nil {
			err = c.allowed(cmd)
		}
		if err != nil {
			return api.CommandReply{}, err
		}
		m, err := c.model(model)
		if err != nil {
			return api.CommandReply{}, err
		}
		if op, err = carried(cmd, op); err != nil {
			return api.CommandReply{}, err
		}
		return m.Submit(ctx, c.id.Actor, op)
	})
}

// carried is a command as it would come over the wire: JSON has no text that is not UTF-8, and
// neither has the store.
func carried(cmd api.Command, op core.Op) (core.Op, error) {
	if isText(reflect.ValueOf(op)) {
		return op, nil
	}
	data, err := json.Marshal(op)
	if err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot read command %q: %v", cmd.Name, err)
	}
	return cmd.Decode(data)
}

// isText reports whether all strings in a value are UTF-8.
func isText(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return utf8.ValidString(v.String())
	case reflect.Pointer, reflect.Interface:
		return v.IsNil() || isText(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return true // and its place is a large table
		}
		for i := range v.NumField() {
			if !isText(v.Field(i)) {
				return false
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return true // bytes travel as base64
		}
		for i := range v.Len() {
			if !isText(v.Index(i)) {
				return false
			}
		}
	case reflect.Map:
		for at := v.MapRange(); at.Next(); {
			if !isText(at.Key()) || !isText(at.Value()) {
				return false
			}
		}
	}
	return true
}

// Host connects an agent and yields what it has to know. It ends with one error.
func (b *Beside) Host(ctx context.Context, host, epoch string) iter.Seq2[api.HostEvent, error] {
	type begun struct {
		session *controller.Session
		units   api.HostUnits
	}
	return func(yield func(api.HostEvent, error) bool) {
		s, err := ask(ctx, b, "GET "+api.PathHost, func(c caller) (begun, error) {
			session, units, err := c.connect(ctx, host, epoch)
			return begun{session, units}, err
		})
		if err != nil {
			yield(api.HostEvent{}, err)
			return
		}
		defer b.s.opt.Controller.Disconnect(s.session)
		for events := []api.HostEvent{{Units: &s.units}}; err == nil; events, err = s.session.Next(ctx) {
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
		}
		yield(api.HostEvent{}, b.refusal(ctx, "GET "+api.PathHost, err))
	}
}

// Blob reads a charm archive; who asks closes it.
func (b *Beside) Blob(ctx context.Context, id string) (io.ReadCloser, error) {
	return ask(ctx, b, "GET "+api.PathBlob, func(c caller) (io.ReadCloser, error) {
		content, _, err := c.s.opt.Blobs.Get(ctx, id)
		return content, err
	})
}

// AppendLogs adds records to the model's log.
func (b *Beside) AppendLogs(ctx context.Context, model string, records []api.LogRecord) error {
	_, err := ask(ctx, b, "POST "+api.PathLogs, func(c caller) (struct{}, error) { return struct{}{}, c.appendLogs(model, records) })
	return err
}

// Bag is a databag as who asks may see it.
func (b *Beside) Bag(ctx context.Context, model string, id kith.RelationID, owner string) (api.BagReply, error) {
	return ask(ctx, b, "GET "+api.PathBag, func(c caller) (api.BagReply, error) { return c.bag(model, id, owner) })
}

// GoalState is the goal state of a unit.
func (b *Beside) GoalState(ctx context.Context, model string, u kith.UnitName) (api.GoalState, error) {
	return ask(ctx, b, "GET "+api.PathGoalState, func(c caller) (api.GoalState, error) { return c.goalState(model, u) })
}

// Live is what is true of a unit now, with its application if units is set.
func (b *Beside) Live(ctx context.Context, model string, u kith.UnitName, units bool) (api.UnitLive, error) {
	return ask(ctx, b, "GET "+api.PathUnitLive, func(c caller) (api.UnitLive, error) { return c.unitLive(model, u, units) })
}

// UnitSecret is the content of a secret, as a unit reads it.
func (b *Beside) UnitSecret(ctx context.Context, model string, u kith.UnitName, q core.SecretQuery) (core.SecretValue, error) {
	return ask(ctx, b, "GET "+api.PathUnitSecret, func(c caller) (core.SecretValue, error) { return c.unitSecret(model, u, q) })
}

// UnitSecrets lists what a unit and its application own, without any content.
func (b *Beside) UnitSecrets(ctx context.Context, model string, u kith.UnitName) ([]core.SecretInfo, error) {
	return ask(ctx, b, "GET "+api.PathUnitSecrets, func(c caller) ([]core.SecretInfo, error) { return c.unitSecrets(model, u) })
}
