package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// confirm asks a yes-or-no question on stderr (CLI reference, section 1.8).
// Anything but a yes is an error that says what was aborted.
func (x *call) confirm(ctx context.Context, what string) error {
	fmt.Fprint(x.err, "\nContinue [y/N]? ")
	answer, err := x.readLine(ctx)
	if err != nil {
		return err
	}
	if a := strings.ToLower(answer); a != "y" && a != "yes" {
		return aborted(what)
	}
	return nil
}

// confirmName asks for a name to be typed.
func (x *call) confirmName(ctx context.Context, name, what string) error {
	fmt.Fprint(x.err, "\nTo continue, enter the name of the model to be unregistered: ")
	answer, err := x.readLine(ctx)
	if err != nil {
		return err
	}
	if answer != name {
		return aborted(what)
	}
	return nil
}

// readLine reads one line of stdin; the end of stdin is an empty line. It gives
// up when ctx ends; the read then goes on until the process ends.
func (x *call) readLine(ctx context.Context) (string, error) {
	line := make(chan string, 1)
	go func() {
		s, err := bufio.NewReader(x.in).ReadString('\n')
		if err != nil {
			fmt.Fprintln(x.err) // nobody has pressed Enter
		}
		line <- strings.TrimSpace(s)
	}()
	select {
	case s := <-line:
		return s, nil
	case <-ctx.Done():
		fmt.Fprintln(x.err)
		return "", ctx.Err()
	}
}
