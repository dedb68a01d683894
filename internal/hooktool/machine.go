package hooktool

import (
	"kith"
	"kith/internal/core"
)

// cloud is what credential-get prints of the computer kith runs on: there are no
// credentials to it. What is empty is left out (section 13.5).
type cloud struct {
	Type   string `yaml:"type" json:"type"`
	Name   string `yaml:"name" json:"name"`
	Region string `yaml:"region,omitempty" json:"region,omitempty"`
}

func credentialGet(i *invocation) error {
	out := i.anyFormat()
	if err := i.parseOptionsOnly(); err != nil {
		return err
	}
	if !i.run.ctx.Trust {
		return kith.Errorf(kith.Forbidden, "cannot access cloud credentials: permission denied").
			WithHint("'kith trust %s' lets its charm see them", i.run.ctx.Unit.App())
	}
	return out.print(cloud{Type: "manual", Name: "localhost", Region: "localhost"})
}

func jujuReboot(i *invocation) error {
	now := i.boolean("reboot at once: the hook is ended, and runs again from its beginning", "now")
	if err := i.parseOptionsOnly(); err != nil {
		return err
	}
	if i.run.action() != nil {
		return kith.Errorf(kith.Invalid, "juju-reboot is not supported when running an action.")
	}
	i.run.reboot = true
	if *now && i.run.hook.Kind != core.Exec { // commands do not run again
		i.run.rebootNow = true
		i.run.host.EndHook()
	}
	return nil
}

// RebootNow reports whether the hook has asked for a reboot at once: it is ended, what it
// wrote is dropped, and it runs again from its beginning (section 3.8).
func (r *Run) RebootNow() bool { return r.rebootNow }

// podSpecSet is the tool of charms for Kubernetes of the first kind; there is no Kubernetes here.
func podSpecSet(i *invocation) error {
	file := i.text("FILE", "the specification; - is standard input", "file")
	i.text("FILE", "further resources", "k8s-resources")
	if err := i.parseOptionsOnly(); err != nil {
		return err
	}
	if *file == "" {
		return kith.Errorf(kith.Invalid, "no k8s spec specified: pipe k8s spec to command, or specify a file with --file")
	}
	if _, err := i.read(*file); err != nil {
		return err
	}
	return noKubernetes()
}

func podSpecGet(i *invocation) error {
	i.anyFormat()
	if err := i.parseOptionsOnly(); err != nil {
		return err
	}
	return noKubernetes()
}

func noKubernetes() error {
	return kith.Errorf(kith.Invalid, "k8s specs are not supported: this model is not on Kubernetes")
}
