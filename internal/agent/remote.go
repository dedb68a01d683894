package agent

import "kith/internal/client"

// Over is the controller that c reaches. Its credential is the host's.
func Over(c *client.Client) Controller { return remote{c} }

type remote struct{ *client.Client }

// Unit is the same way with a unit's credential.
func (r remote) Unit(token string) UnitController { return remote{r.WithToken(token)} }
