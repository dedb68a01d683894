package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"kith"
	"kith/internal/api"
)

// errEnded is the end of a stream that had no more to say: a log that is not followed.
var errEnded = errors.New("end of stream")

// resync marks the error of a stream whose reader was too slow.
type resync struct{ err *kith.Error }

func (r resync) Error() string { return r.err.Message }
func (r resync) Unwrap() error { return r.err }

// IsResync reports whether a stream ended because its reader was too slow. It
// should start again: the new stream begins with how things are.
func IsResync(err error) bool {
	var r resync
	return errors.As(err, &r)
}

// maxLine bounds one message: an assignment with the largest bags a hook may hold.
const maxLine = 256 << 20

// stream reads NDJSON. It yields each message with a nil error, and at the end,
// if there was a reason, a zero message with it.
func stream[T any](ctx context.Context, c *Client, path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		body, err := c.do(ctx, "GET", path, nil, -1, "")
		if err != nil {
			yield(zero, err)
			return
		}
		defer body.Close()
		r := bufio.NewReaderSize(body, 64<<10)
		for {
			line, err := readLine(r)
			if errors.Is(err, io.EOF) && len(line) == 0 {
				yield(zero, kith.Errorf(kith.Unavailable, "lost the controller at %s: the stream broke off", c.where))
				return
			}
			if err != nil {
				yield(zero, c.unreachable(ctx, err))
				return
			}
			msg, err := decodeLine[T](line)
			if errors.Is(err, errEnded) {
				return
			}
			if !yield(msg, err) || err != nil {
				return
			}
		}
	}
}

// readLine reads one line of any length up to the bound.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err == nil {
		return line, nil
	}
	long := append([]byte(nil), line...)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(long) > maxLine {
			return nil, fmt.Errorf("a message of more than %d bytes", maxLine)
		}
		line, err = r.ReadSlice('\n')
		long = append(long, line...)
	}
	return long, err
}

// endMark starts the last line of a stream; see api.StreamEnd.
const endMark = `{"end":`

func decodeLine[T any](line []byte) (T, error) {
	var msg T
	if len(line) > len(endMark) && string(line[:len(endMark)]) == endMark {
		var end api.StreamEnd
		if err := json.Unmarshal(line, &end); err == nil && end.End != nil {
			return msg, endError(end.End)
		}
	}
	if err := json.Unmarshal(line, &msg); err != nil {
		return msg, kith.Errorf(kith.Internal, "cannot read the controller's stream: %v", err)
	}
	return msg, nil
}

func endError(end *api.EndReason) error {
	switch {
	case end.Resync:
		return resync{&end.Error}
	case end.Code == "":
		return errEnded
	}
	return &end.Error
}
