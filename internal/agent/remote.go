package agent

import (
	"context"

	"kith"
	"kith/internal/client"
	"kith/internal/core"
)

// Over is the controller that c reaches. Its credential is the host's.
func Over(c *client.Client) Controller { return remote{c} }

type remote struct{ *client.Client }

// Unit is the same way with a unit's credential.
func (r remote) Unit(token string) UnitController { return remote{r.WithToken(token)} }

// Live implements UnitController.
func (r remote) Live(ctx context.Context, model string, u kith.UnitName, units bool) (Live, error) {
	unit, err := r.Client.Unit(ctx, model, u)
	if err != nil {
		return Live{}, err
	}
	l := Live{Leader: unit.Leader, Workload: unit.Workload}
	if !units {
		return l, nil
	}
	status, err := r.Status(ctx, model)
	if err != nil {
		return Live{}, err
	}
	l.Units = map[kith.UnitName]core.Status{}
	for _, a := range status.Apps {
		if a.Name == u.App() {
			l.App = a.Status
		}
	}
	for _, s := range status.Units {
		if s.App == u.App() {
			l.Units[s.Name] = s.Workload
		}
	}
	return l, nil
}
