package server

import (
	"context"
	"net"
	"net/http"
	"strings"

	"kith"
	"kith/internal/api"
	"kith/internal/controller"
	"kith/internal/core"
)

// operator is the name of the one operator there is on a local controller.
const operator = "admin"

type peerKey struct{}

// peer is who is at the other end of a connection.
type peer struct {
	uid   int
	known bool
}

// connContext notes the peer of a unix socket, once for each connection.
func connContext(ctx context.Context, c net.Conn) context.Context {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	uid, err := peerUID(u)
	return context.WithValue(ctx, peerKey{}, peer{uid, err == nil})
}

// identify says who sends a request. Errors: Unauthenticated.
func (s *Server) identify(r *http.Request) (controller.Identity, error) {
	if header := r.Header.Get(api.HeaderToken); header != "" {
		token, ok := strings.CutPrefix(header, "Bearer ")
		if !ok {
			return controller.Identity{}, kith.Errorf(kith.Unauthenticated, "the credential is not valid: it must be a bearer token")
		}
		return s.opt.Keys.Verify(token)
	}
	p, _ := r.Context().Value(peerKey{}).(peer)
	if p.known && (p.uid == s.opt.UID || p.uid == 0) {
		return controller.Identity{Actor: core.Actor{Kind: core.ActorUser, Name: operator}}, nil
	}
	return controller.Identity{}, kith.Errorf(kith.Unauthenticated, "cannot tell who asks").
		WithHint("use the controller's socket as the user who runs it, or a credential")
}

// who is a set of identities.
type who uint8

const (
	users who = 1 << iota
	hosts
	units

	anybody = users | hosts | units
)

func whoIs(kind core.ActorKind) who {
	switch kind {
	case core.ActorUser:
		return users
	case core.ActorHost:
		return hosts
	case core.ActorUnit:
		return units
	}
	return 0
}

// forbidden is the refusal of an identity that is none of the route's.
func forbidden(id controller.Identity) error {
	return kith.Errorf(kith.Forbidden, "permission denied").WithHint("%s may not do that", id.Actor)
}
