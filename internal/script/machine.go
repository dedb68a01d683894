package script

import (
	"fmt"
	"strings"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

// declareResource adds one resource to a charm: NAME, or NAME:image.
func declareResource(c *charm.Charm, spec string) error {
	name, kind, _ := strings.Cut(spec, ":")
	r := charm.Resource{Name: name, Type: charm.FileResource, Filename: name + ".txt"}
	switch kind {
	case "":
	case "image":
		r.Type, r.Filename = charm.ImageResource, ""
	default:
		return fmt.Errorf("unknown attribute %q", kind)
	}
	if c.Meta.Resources == nil {
		c.Meta.Resources = map[string]charm.Resource{}
	}
	c.Meta.Resources[name] = r
	return nil
}

// resourceFile is a scripted content: one that begins with "image:" is an image.
func resourceFile(content string) core.ResourceFile {
	if image, ok := strings.CutPrefix(content, "image:"); ok {
		return core.ResourceFile{Image: image}
	}
	return core.ResourceFile{SHA256: content, Size: int64(len(content))}
}

// resources takes the arguments NAME=CONTENT that begin with "resource:" out of args.
func resources(args *[]string) map[string]core.ResourceFile {
	var all map[string]core.ResourceFile
	var rest []string
	for _, arg := range *args {
		pair, ok := strings.CutPrefix(arg, "resource:")
		if !ok {
			rest = append(rest, arg)
			continue
		}
		name, content, _ := strings.Cut(pair, "=")
		if all == nil {
			all = map[string]core.ResourceFile{}
		}
		all[name] = resourceFile(content)
	}
	*args = rest
	return all
}

func (w *World) cmdAttachResource(args []string) error {
	name, content, _ := strings.Cut(args[1], "=")
	return w.do(core.AttachResource{App: kith.AppName(args[0]), Resource: name, File: resourceFile(content)})
}

func (w *World) cmdDestroyModel(args []string) error {
	return w.do(core.DestroyModel{Force: takeFlag(&args, "force"), DestroyStorage: takeFlag(&args, "destroy-storage"),
		ReleaseStorage: takeFlag(&args, "release-storage")})
}

// cmdReboot reboots a computer: its agent has a new life, and so has the computer itself.
func (w *World) cmdReboot(args []string) error {
	if len(args) == 0 {
		args = []string{"local"}
	}
	w.host(args[0]).boot++
	return w.crash(args[0])
}
