package charm

import (
	"fmt"
	"regexp"
	"strings"
)

// The two types of resource.
const (
	FileResource  = "file"
	ImageResource = "oci-image"
)

var (
	resourcePattern  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	containerPattern = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)
)

// parseResources reads the resources section (section 9.1). Names end up in
// paths, so they are checked, which Juju leaves to the store.
func parseResources(n *node) (map[string]Resource, error) {
	fields, err := n.asMap()
	if err != nil {
		return nil, err
	}
	out := make(map[string]Resource, len(fields))
	for _, f := range fields {
		if !resourcePattern.MatchString(f.name) {
			return nil, f.val.schemaError("a resource name is letters, digits, dots, dashes and underscores", "resource name %q not valid", clip(f.name))
		}
		if out[f.name], err = parseResource(f.name, f.val); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseResource(name string, n *node) (Resource, error) {
	r := Resource{Name: name, Type: FileResource}
	fields, err := n.asMap()
	if err != nil {
		return r, err
	}
	for _, f := range fields {
		switch f.name {
		case "type":
			r.Type, err = f.val.asString()
			if err == nil && r.Type != FileResource && r.Type != ImageResource {
				err = f.val.refuse("the type is file or oci-image", "unsupported resource type %q", r.Type)
			}
		case "filename":
			r.Filename, err = f.val.asString()
		case "description":
			r.Description, err = f.val.asString()
		}
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// checkResources wants a plain file name of every file resource.
func (p *metaParser) checkResources() error {
	for _, f := range p.root.get("resources").fields {
		switch r := p.meta.Resources[f.name]; {
		case r.Type != FileResource:
		case r.Filename == "":
			return f.val.get("filename").refuse("a file resource has a filename", "resource missing filename")
		case strings.Contains(r.Filename, "/"):
			return f.val.get("filename").refuse("a filename has no folder", "filename cannot contain \"/\" (got %q)", r.Filename)
		}
	}
	return nil
}

// parseContainers reads the containers section (section 9.2). What containers
// refer to is looked up by resolveContainers, when everything has been read.
func parseContainers(n *node) (map[string]Container, error) {
	fields, err := n.asMap()
	if err != nil {
		return nil, err
	}
	out := make(map[string]Container, len(fields))
	for _, f := range fields {
		if !containerPattern.MatchString(f.name) {
			return nil, f.val.schemaError("a container name is lower-case letters, digits and dashes", "container name %q not valid", clip(f.name))
		}
		if out[f.name], err = parseContainer(f.name, f.val); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseContainer(name string, n *node) (Container, error) {
	c := Container{Name: name}
	if n.kind == nullKind {
		// Juju: refuses a container that is null (section 9.2). ops reads it as one
		// without properties, and charms of its own test suite are written so.
		return c, nil
	}
	fields, err := n.asMap()
	if err != nil {
		return c, err
	}
	for _, f := range fields {
		switch f.name {
		case "resource":
			c.Resource, err = f.val.asString()
		case "mounts":
			c.Mounts, err = parseMounts(f.val)
		case "uid":
			c.UID, err = parseID(name, "uid", f.val)
		case "gid":
			c.GID, err = parseID(name, "gid", f.val)
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

func parseMounts(n *node) ([]Mount, error) {
	items, err := n.asList()
	if err != nil {
		return nil, err
	}
	var out []Mount
	for _, item := range items {
		fields, err := item.asMap()
		if err != nil {
			return nil, err
		}
		var m Mount
		for _, f := range fields {
			switch f.name {
			case "storage":
				m.Storage, err = f.val.asString()
			case "location":
				m.Location, err = f.val.asString()
			}
			if err != nil {
				return nil, err
			}
		}
		out = append(out, m)
	}
	return out, nil
}

func parseID(container, which string, n *node) (*int, error) {
	id, err := n.asInt()
	if err != nil {
		return nil, err
	}
	if id >= 1000 && id <= 9999 {
		return nil, n.refuse("1000 to 9999 belong to Juju", "parsing containers: container %q has invalid %s %d: %s cannot be in reserved range 1000-9999",
			container, which, id, which)
	}
	return &id, nil
}

// resolveContainers checks that what containers refer to is there.
func (p *metaParser) resolveContainers() error {
	for _, f := range p.root.get("containers").fields {
		c := p.meta.Containers[f.name]
		if c.Resource != "" {
			r, ok := p.meta.Resources[c.Resource]
			at := f.val.get("resource")
			if !ok {
				return at.refuse("the resource stands under resources", "parsing containers: referenced resource %q not found", c.Resource)
			}
			if r.Type != ImageResource {
				return at.refuse("the resource has type oci-image", "parsing containers: referenced resource %q is not a oci-image", c.Resource)
			}
		}
		for i, m := range c.Mounts {
			at := f.val.get("mounts").list[i]
			lead := fmt.Sprintf("parsing containers: container %q: ", c.Name)
			switch _, known := p.meta.Storage[m.Storage]; {
			case m.Storage == "":
				return at.refuse("a mount names a storage", "%sstorage must be specified on mount", lead)
			case m.Location == "":
				return at.refuse("a mount has a location", "%slocation must be specified on mount", lead)
			case !known:
				return at.refuse("the storage stands under storage", "%sstorage %q not valid", lead, m.Storage)
			}
		}
	}
	return nil
}
