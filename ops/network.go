package ops

import (
	"errors"
	"net/netip"

	"kith"
)

// Binding is an endpoint, or an extra binding, on the network.
type Binding struct {
	m    *Model
	name string
	rel  *RelationRef
}

// GetBinding is the binding of an endpoint or an extra binding of the charm.
func (m *Model) GetBinding(name kith.EndpointName) *Binding {
	return &Binding{m: m, name: string(name)}
}

// Binding is the relation's: its ingress addresses are those the other side should
// use, which differ between relations to other models.
func (r *Relation) Binding() *Binding {
	if r.gone {
		return &Binding{m: r.m, name: string(r.Endpoint)}
	}
	ref := r.Ref()
	return &Binding{m: r.m, name: string(r.Endpoint), rel: &ref}
}

// Name is the endpoint's or binding's.
func (b *Binding) Name() string { return b.name }

// Network asks for the network. For a relation that is gone it is that of the
// endpoint. Errors: [*ModelError] for a name that is no binding of the charm.
func (b *Binding) Network() (*Network, error) {
	key := b.name
	if b.rel != nil {
		key = b.rel.String()
	}
	if n := b.m.networks[key]; n != nil {
		return n, nil
	}
	n, err := b.m.f.backend.NetworkGet(b.name, b.rel)
	if b.rel != nil && errors.Is(err, ErrRelationNotFound) {
		n, err = b.m.f.backend.NetworkGet(b.name, nil)
	}
	if err != nil {
		return nil, err
	}
	if b.m.networks == nil {
		b.m.networks = map[string]*Network{}
	}
	b.m.networks[key] = &n
	return &n, nil
}

// Network is how a unit is reached, and from where it reaches out.
type Network struct {
	// Interfaces has one item for each address: an interface with two stands there twice.
	Interfaces       []NetworkInterface
	IngressAddresses []Address // to publish
	EgressSubnets    []Subnet  // where connections come from
}

// NetworkInterface is one address of an interface.
type NetworkInterface struct {
	Name     string // may be empty, as may MAC and Hostname
	MAC      string
	Address  Address
	Hostname string
	// Subnet is the address's network; the address alone (/32, /128) if the host says none.
	Subnet Subnet
}

// Address is an IP address or a host name.
type Address string

// IP is the address as a value, if it is one and no host name.
func (a Address) IP() (netip.Addr, bool) {
	ip, err := netip.ParseAddr(string(a))
	return ip, err == nil
}

// Subnet is a network in CIDR form: "10.0.0.0/24".
type Subnet string

// Prefix is the network as a value, if it reads as one.
func (s Subnet) Prefix() (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(string(s))
	return p, err == nil
}

// BindAddress is what a server listens on: the first address, or empty.
func (n *Network) BindAddress() Address {
	if len(n.Interfaces) == 0 {
		return ""
	}
	return n.Interfaces[0].Address
}

// IngressAddress is what others connect to: the first, or empty.
func (n *Network) IngressAddress() Address {
	if len(n.IngressAddresses) == 0 {
		return ""
	}
	return n.IngressAddresses[0]
}

// subnetOf is cidr, or the network of the address alone.
func subnetOf(a Address, cidr string) Subnet {
	if ip, ok := a.IP(); cidr == "" && ok {
		return Subnet(netip.PrefixFrom(ip, ip.BitLen()).String())
	}
	return Subnet(cidr)
}
