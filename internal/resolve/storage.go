package resolve

import "kith/internal/core"

// storage is the next hook about a storage.
func (u unit) storage() (core.Hook, bool) {
	about, kind, cause, ok := u.StorageHook()
	return core.Hook{Kind: kind, Storage: &about, Cause: cause}, ok
}
