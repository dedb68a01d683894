package hooktool

import (
	"slices"

	"kith"
)

// networkInfo is what network-get prints. Fields named Old are in YAML only.
type networkInfo struct {
	Interfaces []networkInterface `yaml:"bind-addresses,omitempty" json:"bind-addresses,omitempty"`
	Egress     []string           `yaml:"egress-subnets,omitempty" json:"egress-subnets,omitempty"`
	Ingress    []string           `yaml:"ingress-addresses,omitempty" json:"ingress-addresses,omitempty"`
}

type networkInterface struct {
	MAC       string           `yaml:"mac-address" json:"mac-address"`
	Name      string           `yaml:"interface-name" json:"interface-name"`
	Addresses []networkAddress `yaml:"addresses" json:"addresses"`
	OldMAC    string           `yaml:"macaddress" json:"-"`
	OldName   string           `yaml:"interfacename" json:"-"`
}

type networkAddress struct {
	Hostname string `yaml:"hostname" json:"hostname"`
	Value    string `yaml:"value" json:"value"`
	CIDR     string `yaml:"cidr" json:"cidr"`
	OldValue string `yaml:"address" json:"-"`
}

// network describes where the unit can be reached: kith gives every unit one address
// of its own on the loopback interface, for all its endpoints.
func (r *Run) network() networkInfo {
	address := r.ctx.Address
	return networkInfo{
		Interfaces: []networkInterface{{
			Name: "lo", OldName: "lo",
			Addresses: []networkAddress{{Value: address, CIDR: "127.0.0.0/8", OldValue: address}},
		}},
		Egress:  []string{address + "/32"},
		Ingress: []string{address},
	}
}

func networkGet(i *invocation) error {
	i.relation() // checked, but every relation has the same addresses
	bind := i.boolean("the address to listen on", "bind-address")
	ingress := i.boolean("the address others reach this unit at", "ingress-address")
	egress := i.boolean("the subnets this unit's traffic comes from", "egress-subnets")
	primary := i.boolean("deprecated, use --bind-address", "primary-address")
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usageError("no arguments specified")
	}
	binding := args[0]
	if binding == "" {
		return usageError("no binding name specified")
	}
	if err := noMore(args[1:]); err != nil {
		return err
	}
	if *primary && (*bind || *ingress || *egress) {
		return kith.Errorf(kith.Invalid, "--primary-address must be the only flag specified")
	}
	if !slices.Contains(i.run.ctx.Bindings, binding) {
		return kith.Errorf(kith.NotFound, "no network config found for binding %q", binding)
	}
	if i.run.ctx.Address == "" {
		return kith.Errorf(kith.NotFound, "no addresses attached to space for binding %q", binding)
	}
	info := i.run.network()
	selected := map[string]any{}
	var last any
	choose := func(on bool, name string, value any) {
		if on {
			selected[name], last = value, value
		}
	}
	choose(*bind || *primary, "bind-address", info.Interfaces[0].Addresses[0].Value)
	choose(*egress, "egress-subnets", info.Egress)
	choose(*ingress, "ingress-address", info.Ingress[0])
	switch len(selected) {
	case 0:
		return out.print(info)
	case 1:
		return out.print(last)
	}
	return out.print(selected)
}

func unitGet(i *invocation) error {
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usageError("no setting specified")
	}
	var kind string
	switch args[0] {
	case "private-address":
		kind = "private"
	case "public-address":
		kind = "public"
	default:
		return usagef("unknown setting %q", args[0])
	}
	if err := noMore(args[1:]); err != nil {
		return err
	}
	if i.run.ctx.Address == "" {
		return kith.Errorf(kith.NotFound, "%s address not found", kind)
	}
	return out.print(i.run.ctx.Address)
}
