package hooktool

import (
	"slices"
	"strings"

	"kith"
)

// The payload tools, which only charms of 3.6 and older call (section 14). kith shows payloads
// nowhere, so that it keeps none: what a call says is checked, and logged at once.

func payloadRegister(i *invocation) error {
	args, err := payloadArgs(i, 3)
	if err != nil {
		return err
	}
	kind, class := args[0], args[1]
	declared, ok := i.run.ctx.Payloads[class]
	switch {
	case !ok:
		return noPayload(class)
	case declared != kind:
		return kith.Errorf(kith.Invalid, "incorrect type %q for payload %q, expected %q", kind, class, declared)
	}
	i.run.host.Log(Debug, "payload-register "+strings.Join(args, " "))
	return nil
}

func payloadUnregister(i *invocation) error {
	args, err := payloadArgs(i, 2)
	if err != nil {
		return err
	}
	if err := noMore(args[2:]); err != nil {
		return err
	}
	i.run.host.Log(Debug, "payload-unregister "+strings.Join(args, " "))
	return nil
}

func payloadStatusSet(i *invocation) error {
	args, err := payloadArgs(i, 3)
	if err != nil {
		return err
	}
	if err := noMore(args[3:]); err != nil {
		return err
	}
	if !slices.Contains([]string{"running", "starting", "stopped", "stopping"}, args[2]) {
		return kith.Errorf(kith.Invalid, `status %q not supported; expected one of ["running", "starting", "stopped", "stopping"]`, args[2])
	}
	i.run.host.Log(Debug, "payload-status-set "+strings.Join(args, " "))
	return nil
}

func payloadArgs(i *invocation, least int) ([]string, error) {
	args, err := i.parse()
	if err == nil && len(args) < least {
		err = usageError("missing required arguments")
	}
	return args, err
}

func noPayload(class string) error {
	return kith.Errorf(kith.NotFound, "payload %q not found in metadata.yaml", class)
}
