package store

import (
	"sync"

	"kith"
)

// heads remembers, for each model, the revision it was last seen at under an ownership
// of ours. It spares a commit a comparison; what is not known is compared.
type heads struct {
	mu     sync.Mutex
	models map[kith.ModelUUID]head
}

type head struct {
	epoch int64
	at    uint64
}

// at reports whether the model is known to have been at the revision under own.
func (h *heads) at(own Ownership, rev uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.models[own.Model] == head{own.Epoch, rev}
}

// note says that the model is at the revision, and own was not lost before it was.
func (h *heads) note(own Ownership, rev uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.models == nil {
		h.models = make(map[kith.ModelUUID]head)
	}
	h.models[own.Model] = head{own.Epoch, rev}
}

// forget drops what is known: a commit was refused or has failed, or there will be none.
func (h *heads) forget(own Ownership) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.models, own.Model)
}
