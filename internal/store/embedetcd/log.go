package embedetcd

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"kith"
)

const (
	logName = "etcd.log"
	// maxLog bounds the log: etcd's warnings are of interest while they are fresh.
	maxLog = 4 << 20
)

// logFile takes etcd's own log: warnings and worse. It starts over when it is full.
type logFile struct {
	path string

	mu   sync.Mutex
	file *os.File
	size int64
}

func openLog(path string) (*logFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, fileMode)
	if err != nil {
		return nil, kith.Errorf(kith.Unavailable, "cannot write etcd's log: %v", err)
	}
	l := &logFile{path: path, file: f}
	if info, err := f.Stat(); err == nil {
		l.size = info.Size()
	}
	return l, nil
}

// Write implements io.Writer. It never fails: a full disk must not hide its own warning.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > maxLog && l.file.Truncate(0) == nil {
		l.size = 0
	}
	n, _ := l.file.Write(p)
	l.size += int64(n)
	return len(p), nil
}

// Sync implements zapcore.WriteSyncer.
func (l *logFile) Sync() error { return nil }

func (l *logFile) close() { l.file.Close() }

// logger makes etcd's logger. Where etcd cannot go on it logs a fatal entry and ends
// the process, or a panic; here that ends the server, and the goroutine that said so.
func (l *logFile) logger(fail func(error)) *zap.Logger {
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.RFC3339TimeEncoder
	core := zapcore.NewCore(zapcore.NewJSONEncoder(encoding), l, zapcore.WarnLevel)
	return zap.New(core, zap.ErrorOutput(l), zap.WithFatalHook(stopHook{fail}), zap.WithPanicHook(stopHook{fail}))
}

// stopHook replaces the end of the process by the end of the server.
type stopHook struct{ fail func(error) }

// OnWrite implements zapcore.CheckWriteHook.
func (h stopHook) OnWrite(e *zapcore.CheckedEntry, fields []zapcore.Field) {
	h.fail(reason(e.Message, fields))
	runtime.Goexit()
}

// reason is the entry's message with the error it carries, if any.
func reason(message string, fields []zapcore.Field) error {
	for _, f := range fields {
		if err, ok := f.Interface.(error); ok && f.Type == zapcore.ErrorType {
			return fmt.Errorf("%s: %w", message, err)
		}
	}
	return errors.New(message)
}
