package api

import (
	"time"

	"kith"
	"kith/internal/core"
)

// Info is what a controller says about itself.
type Info struct {
	Version    string    `json:"version"`
	API        int       `json:"api"`
	Controller string    `json:"controller"` // its identity in the store: a UUID
	Started    time.Time `json:"started"`
	PID        int       `json:"pid"`
	Models     int       `json:"models"`
	// You is who the controller takes the caller for.
	You core.Actor `json:"you"`
}

// CreateModel asks for a model.
type CreateModel struct {
	Name   string            `json:"name"`
	Owner  string            `json:"owner,omitempty"` // empty: who asks
	Config map[string]string `json:"config,omitempty"`
}

// Model is a model in a list.
type Model struct {
	UUID     kith.ModelUUID `json:"uuid"`
	Name     string         `json:"name"`
	Owner    string         `json:"owner"`
	Life     kith.Life      `json:"life"`
	Created  time.Time      `json:"created"`
	Revision uint64         `json:"revision"`
	Apps     int            `json:"applications"`
	Units    int            `json:"units"`
	Machines int            `json:"machines"`
	// Stopped says why the controller does not serve the model, if it does not.
	Stopped string `json:"stopped,omitempty"`
}

// ModelOf sums a model up.
func ModelOf(m *core.Model) Model {
	info := m.Info()
	s := Model{UUID: info.UUID, Name: info.Name, Owner: info.Owner, Life: info.Life, Created: info.Created, Revision: m.Revision}
	for range m.Apps() {
		s.Apps++
	}
	for range m.Units() {
		s.Units++
	}
	for range m.Machines() {
		s.Machines++
	}
	return s
}
