package api

import (
	"encoding/json"
	"time"

	"kith"
	"kith/internal/core"
)

// HistoryEntry is one command of a model's history: the JSON of a [core.Entry].
type HistoryEntry = json.RawMessage

// HistoryReply is a part of a model's history.
type HistoryReply struct {
	// Horizon is the oldest revision that is still kept; what was before was pruned.
	Horizon uint64 `json:"horizon"`
	// Revision is the model's newest revision.
	Revision uint64         `json:"revision"`
	Entries  []HistoryEntry `json:"entries"`
	// More is true if the limit cut the answer short.
	More bool `json:"more,omitempty"`
}

// HistoryQuery says which part. The zero value is all of it, oldest first.
type HistoryQuery struct {
	From, To uint64 // revisions, both included; 0: open
	Limit    int    // 0: no more than MaxHistory
	Newest   bool   // newest first
}

// MaxHistory bounds the entries of one answer.
const MaxHistory = 1000

// WatchEvent is one line of a model's watch: the revision the model has, and the
// history entries that led to it since the line before. The first line has none.
type WatchEvent struct {
	Revision uint64         `json:"revision"`
	Settled  bool           `json:"settled"`
	Entries  []HistoryEntry `json:"entries,omitempty"`
	// Removed is true in the last line of a model that is gone.
	Removed bool `json:"removed,omitempty"`
}

// StatusType says whose status a line of the status log is.
type StatusType string

// The types of status that are kept.
const (
	StatusWorkload StatusType = "workload"
	StatusAgent    StatusType = "juju-unit"
	StatusApp      StatusType = "application"
	StatusModel    StatusType = "model"
)

// StatusLogQuery asks for the past statuses of an entity.
type StatusLogQuery struct {
	Entity string       // "web/0", "web"; empty for the model
	Types  []StatusType // empty: agent and workload of a unit
	Limit  int          // the newest so many; 0 stands for 20
	Since  time.Time    // nothing older
}

// StatusLogEntry is one past status.
type StatusLogEntry struct {
	Type StatusType `json:"type"`
	core.Status
	// Data is that of [FailureData] for an error; nil otherwise.
	Data map[string]any `json:"data,omitempty"`
}

// BagReply is a databag.
type BagReply struct {
	Relation kith.RelationID   `json:"relation"`
	Owner    string            `json:"owner"`
	Version  uint64            `json:"version"`
	Rev      uint64            `json:"rev"`
	Data     map[string]string `json:"data"`
}
