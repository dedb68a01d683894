package opstest

import (
	"kith"
	"kith/internal/core"
)

// AttachResource gives an application a file for a resource of its charm.
func (m *Model) AttachResource(app kith.AppName, resource string, content []byte) {
	m.w.tb.Helper()
	m.do(core.AttachResource{App: app, Resource: resource, File: m.w.resource(content)})
}

// SetTrust says whether an application is trusted, which lets its charm ask for the cloud.
func (m *Model) SetTrust(app kith.AppName, trust bool) {
	m.w.tb.Helper()
	m.do(core.SetConfig{App: app, Trust: &trust})
}
