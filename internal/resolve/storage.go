package resolve

import "kith/internal/core"

// storage is the next hook about a storage.
func (u *unit) storage() (core.Hook, bool) {
	about, kind, cause, ok := u.StorageHook()
	if !ok {
		return core.Hook{}, false
	}
	of := about // a copy, which the common case of no storage is spared
	return core.Hook{Kind: kind, Storage: &of, Cause: cause}, true
}
