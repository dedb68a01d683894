package resolve

import "kith/internal/core"

// secret is the next hook about a secret, in the order of step 6: expired, rotate, changed,
// remove. The first two are due to time and have no cause in the model. Owners get all but
// changed: the unit for its own secrets, the leader for its application's.
func (u *unit) secret() (core.Hook, bool) {
	if s, ok := u.ExpiredSecret(u.now); ok {
		return secretHook(core.SecretExpired, s, 0), true
	}
	if s, ok := u.RotateSecret(u.now); ok {
		return secretHook(core.SecretRotate, s, 0), true
	}
	if s, rev, ok := u.ChangedSecret(); ok {
		return secretHook(core.SecretChanged, s, rev), true
	}
	if s, rev, ok := u.ObsoleteSecret(); ok {
		return secretHook(core.SecretRemove, s, rev), true
	}
	return core.Hook{}, false
}

func secretHook(kind core.HookKind, about core.SecretHook, cause uint64) core.Hook {
	return core.Hook{Kind: kind, Secret: &about, Cause: cause}
}
